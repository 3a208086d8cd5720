/*
 * Character devices: their numbers (Linux's) and operations.
 */
#pragma once

#include "types.h"

struct file_ops;

#define DEV_NUMBER(major, minor)	((u64)(major) << 8 | (minor))
#define DEV_NULL	DEV_NUMBER(1, 3)
#define DEV_ZERO	DEV_NUMBER(1, 5)
#define DEV_FULL	DEV_NUMBER(1, 7)
#define DEV_RANDOM	DEV_NUMBER(1, 8)
#define DEV_URANDOM	DEV_NUMBER(1, 9)
#define DEV_TTYS0	DEV_NUMBER(4, 64)
#define DEV_TTY		DEV_NUMBER(5, 0)
#define DEV_CONSOLE	DEV_NUMBER(5, 1)
#define DEV_STRACE	DEV_NUMBER(240, 1)
#define DEV_INJECT	DEV_NUMBER(240, 0)	/* test kernels; Linux keeps 240 for local use */

/* Returns the operations of device @rdev, or NULL if there is no such device. */
const struct file_ops *dev_file_ops(u64 rdev);
const char *dev_path(u64 rdev);		/* its node in /dev, or NULL */

/* Gives device @rdev its operations, at boot before devfs_init() makes the nodes. */
void dev_register(u64 rdev, const struct file_ops *ops);
