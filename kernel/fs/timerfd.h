/*
 * Timers as files.
 */
#pragma once

#include "sched/timer.h"

struct file;
int timerfd_create(enum timer_clock clock, u32 flags, struct file **out);

/* Sets a timer; with @new NULL it only fills *old. -EINVAL: @f is another kind of file. */
int timerfd_set(struct file *f, bool absolute, const struct interval *new, struct interval *old);
