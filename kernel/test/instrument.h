/*
 * The grader's instruments inside the kernel (test kernels only): they make rare interleavings and
 * failures certain, on any code, without changing its source. Test kernels compile kernel/thread,
 * sched and sync with -finstrument-functions, so every function there calls a hook when it is
 * entered and left; see docs/grader.md.
 */
#pragma once

#include "types.h"

struct file_ops;
struct thread;

/*
 * sweep: the next call of @function by thread @t (NULL: any) is interrupted @step instructions
 * after it was entered, and sweep_action runs there, or the CPU is given to another ready thread.
 * sweep_hit() tells whether the interrupt came before the function returned: a loop over steps ends
 * at the first false one. One CPU, under -icount with the boot argument shift= saying which; with
 * shift=8 on RISC-V and shift=0 on x86_64 every instruction is reached. -ENOENT: no such function.
 */
int sweep_arm(const char *function, struct thread *t, unsigned step);
bool sweep_hit(void);

/* The same for any stretch of code: the current thread says itself where it begins and ends. */
void sweep_begin(unsigned step);
void sweep_end(void);

/* The timer interrupt asks: is this the sweep's? */
void sweep_timer(void);

/* Runs in the sweep's interrupt, interrupts off, in place of the forced switch; NULL: none. */
extern void (*sweep_action)(void *arg);
extern void *sweep_action_arg;

/*
 * park: the next thread @t (NULL: any) that enters (or, AT_EXIT, is about to leave) @function stays
 * there, spinning with its interrupt state as it is, until park_release() or @max_ns have passed.
 * park_wait() returns true once somebody is parked. There are PARK_SLOTS of them.
 */
#define PARK_SLOTS	2

enum park_where { AT_ENTRY, AT_EXIT };

int park_arm(unsigned slot, const char *function, enum park_where where, struct thread *t,
	     u64 max_ns);
bool park_wait(unsigned slot, u64 max_ns);
void park_release(unsigned slot);
bool park_timed_out(unsigned slot);	/* it left because @max_ns had passed */

/* oom: the @k-th allocation from now by thread @t (NULL: any) fails; 0 turns it off. */
void oom_arm(u64 k, struct thread *t);
void oom_arm_filtered(u64 k, bool (*filter)(void));	/* by threads that @filter is true of */
u64 oom_seen(void);		/* allocations counted since oom_arm() */
bool oom_fired(void);

/* inject_user.c: inject= and /dev/inject, by which user programs ask for the same. */
void inject_init(void);
const struct file_ops *inject_file_ops(void);

/*
 * audit: waits for a quiet point (reaper drained), then checks every structure; panics on a fault.
 */
void audit(void);

/* A picture of all counters, and whether two agree; differences are reported as @property. */
struct counter_snapshot {
	s64 value[32];
};

void counters_snapshot(struct counter_snapshot *s);
bool counters_equal(const struct counter_snapshot *before, const struct counter_snapshot *after,
		    const char *property);

/* Seeded pseudo-random numbers for tests: seed= and the stream of each caller. */
u64 test_random(void);
