/*
 * Recording of the system calls of some processes; see debug/strace.c.
 */
#pragma once

#include "types.h"

struct file;
struct file_ops;
struct trapframe;

extern const struct file_ops strace_file_ops;	/* /dev/strace */

/* Another process is recorded to @f, or one less; fork and the end of a process. */
struct file *strace_join(struct file *f);
void strace_leave(struct file *f);

/* Writes a record if the current process is recorded. May block. */
void strace_record(const struct trapframe *tf, u64 number, bool entering, long result);
