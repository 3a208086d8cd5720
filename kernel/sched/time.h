/*
 * Time and deadlines.
 *
 * Kernel time is monotonic nanoseconds in a u64 that may wrap: order is by signed difference, never
 * by <. A deadline is a value of its own, so that "never" and "now" are not numbers that some clock
 * reading could equal.
 */
#pragma once

#include "arch.h"
#include "types.h"

struct trapframe;

enum deadline_kind { DEADLINE_KIND_NEVER, DEADLINE_KIND_POLL, DEADLINE_KIND_AT };

struct deadline {
	enum deadline_kind kind;
	u64 at;			/* monotonic ns, when kind is AT */
};

#define DEADLINE_NEVER	((struct deadline){ .kind = DEADLINE_KIND_NEVER })
/* DEADLINE_POLL times out at once. */
#define DEADLINE_POLL	((struct deadline){ .kind = DEADLINE_KIND_POLL })

extern u64 clock_offset;	/* [const after boot] time_now() when the hardware's clock says 0 */
extern u64 clock_start;		/* [const after boot] what time_now() said at boot */

/* Monotonic nanoseconds. Any context. Starts at the boot argument clock= (0), for wrap tests. */
static inline u64 time_now(void)
{
	return arch_clock_ns() + clock_offset;
}

/* Nanoseconds since 1970 minus time_now(); settable. */
u64 time_realtime_offset(void);
void time_set_realtime(u64 now_since_epoch);

static inline struct deadline deadline_at(u64 ns)
{
	return (struct deadline){ .kind = DEADLINE_KIND_AT, .at = ns };
}

/*
 * @ns from now, at most half the range after boot: of any two deadlines one is clearly the later.
 */
struct deadline deadline_in(u64 ns);

/* The same deadline, allowed to be up to @slack ns late so that neighbours share one interrupt. */
struct deadline deadline_coarse(struct deadline d, u64 slack);

/* Reads boot arguments; called once, before the first interrupt. */
void time_init(void);

/* The port's timer interrupt: expires sleepers, ends the slice, arms the next. Interrupts off. */
void timer_interrupt(struct trapframe *tf);
