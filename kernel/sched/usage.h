/*
 * CPU time and memory that threads and processes have used, and the load of the machine.
 */
#pragma once

#include "types.h"

struct process;
struct thread;

/* CPU time, dispatches and memory of threads, those that are gone included. */
struct usage {
	u64 run_ns;			/* up to now */
	u64 user_ns, system_ns;		/* of that, what has been charged: neither ever shrinks */
	u64 switches, preempted;	/* times dispatched; times that the CPU was taken away */
	u64 minor_faults;
	u64 max_resident;		/* pages, the most that a process had */
};

/* Adds the figures of @t up to now. Any context that may take a run queue's lock. */
void thread_add_usage(struct thread *t, struct usage *u);
void usage_add(struct usage *sum, const struct usage *u);

/* Returns the figures of all threads of @p, also of those that are gone. Takes p->lock. */
struct usage process_usage(struct process *p);

/* Notes the peak memory of @p before it loses its address space. p->lock held. */
void process_keep_resident(struct process *p);

/*
 * Checks RLIMIT_CPU of @p, which the timer interrupt interrupted, and sends the signals. A hook, in
 * process/limits.c.
 */
void process_check_cpu_limit(struct process *p);

/* Load averages over 1, 5 and 15 minutes, in 1/LOAD_ONE threads. Timer interrupts sample it. */
#define LOADS		3
#define LOAD_ONE	2048
void load_sample(u64 now);
u64 load_average(unsigned i);
