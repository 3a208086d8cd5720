#pragma once

#include <stddef.h>
#include <sys/types.h>

struct sigevent;
typedef void *timer_t;

struct timespec {
	time_t tv_sec;
	long tv_nsec;
};

struct itimerspec {
	struct timespec it_interval, it_value;
};

struct tm {
	int tm_sec, tm_min, tm_hour;
	int tm_mday, tm_mon, tm_year;
	int tm_wday, tm_yday, tm_isdst;
};

#define CLOCK_REALTIME			0
#define CLOCK_MONOTONIC			1
#define CLOCK_PROCESS_CPUTIME_ID	2
#define CLOCK_THREAD_CPUTIME_ID		3
#define CLOCK_MONOTONIC_RAW		4
#define CLOCK_REALTIME_COARSE		5
#define CLOCK_MONOTONIC_COARSE		6
#define CLOCK_BOOTTIME			7

#define TIMER_ABSTIME	1
#define CLOCKS_PER_SEC	1000000L

clock_t clock(void);
int clock_getcpuclockid(pid_t pid, clockid_t *clock);
int clock_getres(clockid_t clock, struct timespec *ts);
int clock_gettime(clockid_t clock, struct timespec *ts);
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *ts, struct timespec *left);
int clock_settime(clockid_t clock, const struct timespec *ts);
int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer);
int timer_delete(timer_t timer);
int timer_getoverrun(timer_t timer);
int timer_gettime(timer_t timer, struct itimerspec *value);
int timer_settime(timer_t timer, int flags, const struct itimerspec *value,
		  struct itimerspec *old);
int nanosleep(const struct timespec *ts, struct timespec *left);
time_t time(time_t *t);

/* Local time is UTC here: there are no time zones. */
struct tm *gmtime(const time_t *t);
struct tm *gmtime_r(const time_t *t, struct tm *tm);
struct tm *localtime(const time_t *t);
struct tm *localtime_r(const time_t *t, struct tm *tm);
time_t timegm(struct tm *tm);
size_t strftime(char *buf, size_t size, const char *fmt, const struct tm *tm);
