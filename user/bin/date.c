/*
 * date [-u] [-d time | -s time] [+format]: prints the time now, or the given one, in UTC; -s: set
 * the clock to it. A time is @seconds since 1970, or YYYY-MM-DD, HH:MM[:SS], or both.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "options.h"

static time_t parse(const char *s)
{
	time_t now = time(NULL);
	struct tm tm = *gmtime(&now);
	int year, month, n = 0;

	if (*s == '@')
		return strtol(s + 1, NULL, 10);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	if (sscanf(s, "%d-%d-%d%n", &year, &month, &tm.tm_mday, &n) == 3) {
		tm.tm_year = year - 1900;
		tm.tm_mon = month - 1;
		s += n;
	}
	while (*s == ' ' || *s == 'T')
		s++;
	n = 0;
	if (sscanf(s, "%d:%d%n", &tm.tm_hour, &tm.tm_min, &n) == 2 && s[n] == ':')
		sscanf(s + n, ":%d%n", &tm.tm_sec, &n);
	else if (!n && *s)
		errx(1, "invalid date '%s'", s);
	return timegm(&tm);
}

static const struct options options = {
	.letters = "d:s:uR",
	.names = "d:date s:set u:utc u:universal",
	.bad = 1,
};

int main(int argc, char **argv)
{
	const char *format = "+%a %b %e %H:%M:%S UTC %Y";
	struct timespec ts = { .tv_sec = time(NULL) };
	bool set = false;
	char text[256];
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		if (c != 'u')
			ts.tv_sec = parse(optarg);
		set |= c == 's';
	}
	if (optind < argc)
		format = argv[optind];
	if (*format != '+')
		errx(1, "invalid date '%s'", format);
	if (set && clock_settime(CLOCK_REALTIME, &ts))
		err(1, "cannot set date");
	if (!strftime(text, sizeof(text), format + 1, gmtime(&ts.tv_sec)) && format[1])
		errx(1, "the format is too long");
	puts(format[1] ? text : "");
	return 0;
}
