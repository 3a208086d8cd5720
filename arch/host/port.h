/*
 * The host port: what its own files share.
 */
#pragma once

#include "host.h"
#include "sched/cpu.h"
#include "types.h"

struct host_cpu {
	struct thread *current;
	bool irqs_on;
	bool idle;			/* in arch_idle_wait() */
	bool ipi;			/* one waits */
	bool shootdown;			/* one waits: tlb.c */
	bool timer_set;
	u64 timer_at;
};

/* The end of an interrupt: if it was taken in user mode, the thread goes back through the edge. */
struct trapframe;
void host_user_return(struct trapframe *tf);

/* costume.c: before the first thread, and when one is made. */
void host_costume_boot(void);
void host_costume_ids(void);
void host_costume_thread(struct thread *t);

/* tlb.c: serves the requests of other CPUs, in its interrupt. */
void host_shootdown_serve(void);

extern struct host_cpu host_cpus[HOST_CPUS];
extern u64 host_clock;
extern u64 host_acting;			/* threads of the scenario that have not ended */

/* Marks the words of [start, start + size) as statistics: nothing is decided by them. */
void host_mark_statistics(const void *start, size_t size);

/* From here on host_leak() compares with what is allocated now. */
void host_count_from_here(void);
