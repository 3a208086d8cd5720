/*
 * Time and deadlines.
 *
 * Kernel time is monotonic nanoseconds in a u64 that may wrap, so times are compared by signed
 * difference (time_before()), never by <. A deadline has a kind, so that "never" and "now" are not
 * numbers that a clock reading could equal.
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
extern u64 clock_start;		/* [const after boot] time_now() at boot */

/* Returns monotonic nanoseconds; any context. Starts at clock= (0), for tests of the wrap. */
static inline u64 time_now(void)
{
	return arch_clock_ns() + clock_offset;
}

/* Returns nanoseconds since 1970 minus time_now(), and sets the current time since 1970. */
u64 time_realtime_offset(void);
void time_set_realtime(u64 now_since_epoch);

static inline struct deadline deadline_at(u64 ns)
{
	return (struct deadline){ .kind = DEADLINE_KIND_AT, .at = ns };
}

/*
 * Makes a deadline @ns from now, at most 2^63 ns after boot, so that any two deadlines compare
 * right. 0 gives DEADLINE_POLL.
 */
struct deadline deadline_in(u64 ns);

/* Rounds @d up to a multiple of @slack ns, so that deadlines close together share an interrupt. */
struct deadline deadline_coarse(struct deadline d, u64 slack);

/* Reads boot arguments; called once, before the first interrupt. */
void time_init(void);

/* The machine panics when it has run @ns longer; 0: never. Interrupts are off. */
void time_set_limit(u64 ns);

/* The port calls this in its timer interrupt: wakes sleepers, ends the slice, arms the timer. */
void timer_interrupt(struct trapframe *tf);
