/*
 * A process as a file.
 */
#pragma once

#include "types.h"

struct file;
struct process;

int pidfd_create(struct process *p, u32 flags, struct file **out);

/* The process that @f stands for, or NULL if @f is another kind of file. No reference. */
struct process *pidfd_process(const struct file *f);
