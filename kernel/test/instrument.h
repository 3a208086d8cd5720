/*
 * The grader's instruments inside the kernel (test kernels only): they make rare interleavings and
 * failures certain, on any code, without changing its source. Test kernels compile kernel/lock,
 * thread, sched, sync and process with -finstrument-functions, so every function there calls a hook
 * when it is entered and left; see docs/grader.md.
 */
#pragma once

#include "types.h"

struct file_ops;
struct thread;
struct trapframe;

/*
 * sweep: interrupts the next call of @function by thread @t (NULL: any) @step instructions after
 * its entry. There sweep_action runs, or the CPU is given to another ready thread. sweep_hit()
 * returns whether the interrupt came before the function returned: a loop over steps ends when it
 * did not. Needs one CPU, and QEMU's -icount, with its shift in the boot argument shift=; shift=8
 * on RISC-V and shift=0 on x86_64 reach every instruction. -ENOENT: no such function.
 */
int sweep_arm(const char *function, struct thread *t, unsigned step);
bool sweep_hit(void);

/* Do the same for the code of the current thread between the two calls. */
void sweep_begin(unsigned step);
void sweep_end(void);

/* Called by every timer interrupt: acts if it is the sweep's. */
void sweep_timer(void);

/* Runs in the sweep's interrupt, interrupts off, in place of the forced switch, unless NULL. */
extern void (*sweep_action)(void *arg);
extern void *sweep_action_arg;

/*
 * park: holds thread @t (NULL: the next one that comes) where it enters @function or, AT_EXIT, is
 * about to leave it. It spins there with its interrupt state as it is, until park_release() or
 * until @max_ns have passed. park_wait() waits for it to be parked; false: it did not come in time.
 */
#define PARK_SLOTS	2

enum park_where { AT_ENTRY, AT_EXIT };

int park_arm(unsigned slot, const char *function, enum park_where where, struct thread *t,
	     u64 max_ns);
bool park_wait(unsigned slot, u64 max_ns);
void park_release(unsigned slot);
bool park_timed_out(unsigned slot);	/* it went on because @max_ns had passed */

/* oom: makes the @k-th allocation from now on by thread @t (NULL: any) fail; 0: none. */
void oom_arm(u64 k, struct thread *t);
void oom_arm_filtered(u64 k, bool (*filter)(void));	/* by threads for which @filter is true */
u64 oom_seen(void);		/* allocations counted since oom_arm() */
bool oom_fired(void);

/*
 * trap: an exception of kernel code that would be a panic goes to trap_action, unless that is NULL.
 * It runs as the trap's handler, and may change @tf; execution goes on as the frame says.
 */
extern void (*trap_action)(struct trapframe *tf);
bool trap_expected(struct trapframe *tf);	/* for the port's trap handler: calls it */

/*
 * line: this CPU gets an interrupt, as from a device's @line of the interrupt controller; false: no
 * code can raise one here (arch/<arch>/test_lines.c).
 */
bool test_raise_line(unsigned line);

/*
 * uart: while uart_tap is not NULL, the bytes that the console sends go there and not to the wire.
 * It has a FIFO of UART_FIFO bytes, which is empty again @rounds more times when the console asks,
 * and then, unless @polls is 0, whenever the console has asked so often since the last byte.
 */
struct uart_tap {
	char *bytes;
	size_t size;
	size_t nr;		/* all that came; those behind @size are only counted */
	unsigned rounds, polls;
	unsigned in_fifo, in_vain;	/* bytes; polls since the last one */
	unsigned overruns;	/* bytes that came while the FIFO was full */
	unsigned polled;	/* bytes for which the sender would have waited */
	bool asked;		/* for an interrupt when the FIFO is empty */
	bool received;		/* the receive interrupt was turned on or off */
	void (*sending)(void);	/* called for each byte, under the console's lock, unless NULL */
};

extern struct uart_tap *_Atomic uart_tap;

/* inject_user.c: inject= and /dev/inject, which do the same for user programs. */
void inject_init(void);
const struct file_ops *inject_file_ops(void);

/* audit: waits for a quiet point (reaper drained), checks every structure, panics on a fault. */
void audit(void);

/* The values of all counters, for comparison; differences fail @property. */
struct counter_snapshot {
	s64 value[32];
};

void counters_snapshot(struct counter_snapshot *s);
bool counters_equal(const struct counter_snapshot *before, const struct counter_snapshot *after,
		    const char *property);

/* Returns a pseudo-random number; the sequence is repeatable with seed=. */
u64 test_random(void);
