/* Times in nanoseconds, for the tests of timers. */
#pragma once

#include "test.h"

#define MS	1000000L
#define S	1000000000L

static inline struct itimerspec in_ns(long value, long interval)
{
	return (struct itimerspec){ .it_value = timespec_of(value),
				    .it_interval = timespec_of(interval) };
}

static inline long ns_of(struct timespec ts)
{
	return ts.tv_sec * S + ts.tv_nsec;
}

static inline void sleep_until(long at)
{
	struct timespec ts = timespec_of(at);

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL))
		;
}
