/* Workloads of oom.c. Each ends at its first error, and never waits for what it could prevent. */
#pragma once

#include <errno.h>
#include <unistd.h>

/* Ends the workload if the call failed. */
#define TRY(cond)	do { if (!(cond)) _exit(1); } while (0)

/*
 * The same for calls that may fail for want of memory only, and must say so. As on Linux a copy to
 * memory that cannot be had is EFAULT: what the call writes to has been touched before.
 */
#define NEED(cond)	do { if (!(cond)) _exit(errno == ENOMEM ? 1 : WRONG_ERROR); } while (0)
#define WRONG_ERROR	98

/* In calls.c: calls of many kinds that need memory. */
void makes_calls(void);
void makes_descriptors(void);
