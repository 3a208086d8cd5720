/*
 * The figures of what threads and processes have used, and the load of the machine.
 */
#pragma once

#include "types.h"

struct process;
struct thread;

/* CPU time, dispatches, memory: of threads alive and gone. */
struct usage {
	u64 run_ns;			/* up to now */
	u64 user_ns, system_ns;		/* of that, what has been charged: neither ever shrinks */
	u64 switches, preempted;	/* times dispatched; lost the CPU against their will */
	u64 minor_faults;
	u64 max_resident;		/* pages, of the largest there was */
};

/* Adds the figures of @t up to now. Any context that may take a run queue's lock. */
void thread_add_usage(struct thread *t, struct usage *u);
void usage_add(struct usage *sum, const struct usage *u);

/* The figures of all threads of @p, those that are gone too. Takes p->lock. */
struct usage process_usage(struct process *p);

/* Before @p loses its address space: what of it is told later. @p->lock held. */
void process_keep_resident(struct process *p);

/*
 * RLIMIT_CPU, at each timer interrupt, of the process that it interrupts. A hook: process/limits.c
 * sends the signals.
 */
void process_check_cpu_limit(struct process *p);

/* Load averages over 1, 5 and 15 minutes, in 1/LOAD_ONE threads. The timer interrupt samples. */
#define LOADS		3
#define LOAD_ONE	2048
void load_sample(u64 now);
u64 load_average(unsigned i);
