/*
 * /proc and /sys, as the other folders see them.
 */
#pragma once

#include "types.h"

struct file;

void procfs_init(void);		/* makes /proc */
void sysfs_init(void);		/* makes /sys */

/* The number of the process whose directory /proc/PID @f is, or 0 if @f is another file. */
pid_t proc_directory_of(const struct file *f);
