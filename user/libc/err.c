/* Messages about what went wrong. */
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libc.h"

static void say(int error, const char *fmt, va_list ap)
{
	flockfile(stderr);
	fprintf(stderr, "%s: ", __program_name);
	vfprintf(stderr, fmt, ap);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	funlockfile(stderr);
}

#define SAY(error) \
	va_list ap; \
	va_start(ap, fmt); \
	say(error, fmt, ap); \
	va_end(ap)

void warn(const char *fmt, ...)
{
	SAY(errno);
}

void warnx(const char *fmt, ...)
{
	SAY(0);
}

void err(int status, const char *fmt, ...)
{
	SAY(errno);
	exit(status);
}

void errx(int status, const char *fmt, ...)
{
	SAY(0);
	exit(status);
}
