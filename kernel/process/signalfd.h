/*
 * Signals that are read from a file.
 */
#pragma once

#include "types.h"

struct file;

int signalfd_create(u64 set, u32 flags, struct file **out);
int signalfd_set(struct file *f, u64 set);	/* -EINVAL: @f is another kind of file */
