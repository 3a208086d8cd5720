#pragma once

#include <fcntl.h>
#include <time.h>

#define TFD_CLOEXEC		O_CLOEXEC
#define TFD_NONBLOCK		O_NONBLOCK
#define TFD_TIMER_ABSTIME	1

int timerfd_create(int clock, int flags);
int timerfd_gettime(int fd, struct itimerspec *value);
int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old);
