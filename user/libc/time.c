/*
 * Clocks, sleeping, and the calendar (UTC, Gregorian).
 *
 * Internally days are counted from 1 March of year 0, so that the leap day is the last of its year.
 * 400 years have 146,097 days.
 */
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "libc.h"

/* Returns the error instead of setting errno. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *ts, struct timespec *left)
{
	return -sys6(SYS_clock_nanosleep, clock, flags, (long)ts, (long)left, 0, 0);
}

unsigned sleep(unsigned seconds)
{
	struct timespec ts = { seconds, 0 };

	return nanosleep(&ts, &ts) ? (unsigned)ts.tv_sec : 0;
}

int usleep(unsigned us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000L };

	return nanosleep(&ts, NULL);
}

time_t time(time_t *t)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (t)
		*t = ts.tv_sec;
	return ts.tv_sec;
}

int gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec ts;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &ts))
		return -1;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

clock_t clock(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts))
		return -1;
	return ts.tv_sec * CLOCKS_PER_SEC + ts.tv_nsec / 1000;
}

int clock_getcpuclockid(pid_t pid, clockid_t *clock)
{
	clockid_t id = ~pid << 3 | 2;
	int err = -sys3(SYS_clock_getres, id, 0, 0);

	if (!err)
		*clock = id;
	return err == EINVAL ? ESRCH : err;
}

/* A timer_t holds the kernel's number of the timer, which may be 0. */
int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	int id;

	if (call(SYS_timer_create, clock, (long)event, (long)&id))
		return -1;
	*timer = (timer_t)(long)id;
	return 0;
}

unsigned alarm(unsigned seconds)
{
	struct itimerval value = { .it_value.tv_sec = seconds }, old = { 0 };

	setitimer(ITIMER_REAL, &value, &old);
	return old.it_value.tv_sec + !!old.it_value.tv_usec;
}

#define DAY		86400
#define DAYS_400	146097		/* in 400 years */
#define EPOCH		719468		/* 1 January 1970, from 1 March of year 0 */

/* Divides rounding down, also for times before the epoch. */
static long floor_div(long a, long b)
{
	return a / b - (a % b < 0);
}

struct tm *gmtime_r(const time_t *t, struct tm *tm)
{
	long days = floor_div(*t, DAY), seconds = *t - days * DAY, era, day, year, month;

	tm->tm_wday = ((days + 4) % 7 + 7) % 7;		/* 1 January 1970 was a Thursday */
	era = floor_div(days + EPOCH, DAYS_400);
	day = days + EPOCH - era * DAYS_400;
	year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;	/* day of the year that began on 1 March */
	month = (5 * day + 2) / 153;			/* five months have 153 days, three times */
	tm->tm_mday = day - (153 * month + 2) / 5 + 1;
	tm->tm_mon = (month + 2) % 12;
	year += era * 400 + (month >= 10);
	tm->tm_year = year - 1900;
	tm->tm_yday = month >= 10 ? day - 306
				  : day + 59 + (year % 4 == 0 && (year % 100 || year % 400 == 0));
	tm->tm_hour = seconds / 3600;
	tm->tm_min = seconds / 60 % 60;
	tm->tm_sec = seconds % 60;
	tm->tm_isdst = 0;
	return tm;
}

struct tm *gmtime(const time_t *t)
{
	static struct tm tm;

	return gmtime_r(t, &tm);
}

struct tm *localtime_r(const time_t *t, struct tm *tm)
{
	return gmtime_r(t, tm);
}

struct tm *localtime(const time_t *t)
{
	return gmtime(t);
}

time_t timegm(struct tm *tm)
{
	long year = tm->tm_year + 1900L - (tm->tm_mon < 2), month = (tm->tm_mon + 10) % 12;
	long era = floor_div(year, 400), in_era = year - era * 400;
	long day = (153 * month + 2) / 5 + tm->tm_mday - 1;

	day += in_era * 365 + in_era / 4 - in_era / 100 + era * DAYS_400 - EPOCH;
	return day * DAY + tm->tm_hour * 3600L + tm->tm_min * 60 + tm->tm_sec;
}

static const char *const days[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"
};
static const char *const months[] = {
	"January", "February", "March", "April", "May", "June", "July", "August", "September",
	"October", "November", "December"
};

/* Formats one conversion of strftime() in at most 32 bytes. */
static int format_time(char *to, char type, const struct tm *tm)
{
	struct tm copy = *tm;

	switch (type) {
	case 'a': return snprintf(to, 32, "%.3s", days[tm->tm_wday]);
	case 'A': return snprintf(to, 32, "%s", days[tm->tm_wday]);
	case 'b': return snprintf(to, 32, "%.3s", months[tm->tm_mon]);
	case 'B': return snprintf(to, 32, "%s", months[tm->tm_mon]);
	case 'd': return snprintf(to, 32, "%02d", tm->tm_mday);
	case 'e': return snprintf(to, 32, "%2d", tm->tm_mday);
	case 'F': return strftime(to, 32, "%Y-%m-%d", tm);
	case 'H': return snprintf(to, 32, "%02d", tm->tm_hour);
	case 'j': return snprintf(to, 32, "%03d", tm->tm_yday + 1);
	case 'm': return snprintf(to, 32, "%02d", tm->tm_mon + 1);
	case 'M': return snprintf(to, 32, "%02d", tm->tm_min);
	case 's': return snprintf(to, 32, "%ld", timegm(&copy));
	case 'S': return snprintf(to, 32, "%02d", tm->tm_sec);
	case 'T': return strftime(to, 32, "%H:%M:%S", tm);
	case 'R': return strftime(to, 32, "%H:%M", tm);
	case 'y': return snprintf(to, 32, "%02d", tm->tm_year % 100);
	case 'Y': return snprintf(to, 32, "%d", tm->tm_year + 1900);
	case 'z': return snprintf(to, 32, "+0000");
	case 'Z': return snprintf(to, 32, "UTC");
	case 'n': return snprintf(to, 32, "\n");
	default:  return snprintf(to, 32, "%c", type);
	}
}

size_t strftime(char *buf, size_t size, const char *fmt, const struct tm *tm)
{
	char piece[32] = "";
	size_t n = 0, len;

	for (; *fmt; fmt++, n += len) {
		if (*fmt == '%' && fmt[1]) {
			len = format_time(piece, *++fmt, tm);
		} else {
			piece[0] = *fmt;
			len = 1;
		}
		if (n + len >= size)
			return 0;
		memcpy(buf + n, piece, len);
	}
	buf[n] = 0;
	return n;
}
