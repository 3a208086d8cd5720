#pragma once

#include <sys/types.h>
#include <time.h>

struct timeval {
	time_t tv_sec;
	suseconds_t tv_usec;
};

struct itimerval {
	struct timeval it_interval, it_value;
};

#define ITIMER_REAL	0
#define ITIMER_VIRTUAL	1
#define ITIMER_PROF	2

int gettimeofday(struct timeval *tv, void *zone);
int getitimer(int which, struct itimerval *value);
int setitimer(int which, const struct itimerval *value, struct itimerval *old);

#define timerclear(t)	((t)->tv_sec = (t)->tv_usec = 0)
#define timerisset(t)	((t)->tv_sec || (t)->tv_usec)
#define timercmp(a, b, is) \
	((a)->tv_sec == (b)->tv_sec ? (a)->tv_usec is (b)->tv_usec : (a)->tv_sec is (b)->tv_sec)
