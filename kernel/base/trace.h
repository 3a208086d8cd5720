/*
 * The trace ring: a cheap record of what happened on each CPU, always on.
 *
 * A record is 32 bytes; the newest overwrite the oldest. The grader, GDB, the timeline and a panic
 * all read the same records out of memory: the layout is defined here and in trace_events.def,
 * which grade/trace.py reads too.
 */
#pragma once

#include "types.h"

#define TRACE_RING_MAX	(1u << 20)

struct cpu;

struct trace_record {
	u64 time;		/* ns since boot */
	u16 event;		/* enum trace_event */
	u8 cpu;
	u8 flags;
	u32 tid;		/* the current thread */
	u64 a, b;		/* by event, see trace_events.def */
};

struct trace_ring {
	_Atomic u64 head;	/* records ever written; slot = head % size */
	u64 size;		/* slots, a power of two */
	struct trace_record *records;
};

/* Groups, for the boot argument trace=; SCHED and LIFE are on by default. */
#define TRACE_SCHED	1u
#define TRACE_LIFE	2u	/* creation, exit, kill, zombie, reap */
#define TRACE_WAIT	4u	/* block, claim, wake */
#define TRACE_SYSCALL	8u
#define TRACE_IRQ	16u
#define TRACE_FAULT	32u
#define TRACE_LOCK	64u
#define TRACE_TEST	128u	/* marks of tests and instruments */
#define TRACE_STATE	256u	/* to and from RUNNING, which switches imply: debug builds */
#define TRACE_RECORDED	512u	/* some processes' calls are recorded: abi/strace.c */

/* In TRACE_EV_KILLTHREAD's state: ready or suspended, without work in the kernel. */
#define TOLD_AT_REST	0x100u

#define TRACE_EVENT(id, group, name, a, b) id,
enum trace_event {
#include "base/trace_events.def"
	TRACE_EVENT_COUNT
};
#undef TRACE_EVENT

extern unsigned trace_mask;	/* [const after boot] except for TRACE_RECORDED */

void trace_write(enum trace_event ev, u64 a, u64 b);

/* Records an event. Any context. A group that is off costs a load and a branch. */
static inline void trace(unsigned group, enum trace_event ev, u64 a, u64 b)
{
	if (trace_mask & group)
		trace_write(ev, a, b);
}

/* Returns the size of a CPU's ring by trace_size=: a power of two, at most TRACE_RING_MAX. */
size_t trace_ring_bytes(void);
void trace_add_ring(struct cpu *c, void *memory);

/* Starts to record the groups of trace=. Every CPU has its ring by now. */
void trace_init(void);

/* Prints the last @n records of all CPUs in order of time, for a panic. */
void trace_print_last(unsigned n);
