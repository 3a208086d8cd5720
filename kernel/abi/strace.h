/*
 * Recording of the system calls of some processes; see abi/strace.c.
 */
#pragma once

#include "types.h"

struct trapframe;

void strace_init(void);		/* registers /dev/strace */

/* Writes a record if the current process is recorded. May block. */
void strace_record(const struct trapframe *tf, u64 number, bool entering, long result);
