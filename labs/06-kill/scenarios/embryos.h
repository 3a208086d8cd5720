/*
 * Shared by scenarios about large crowds: whole threads would be too much for the explorer.
 */
#pragma once

#include "process/process.h"
#include "sched/cpu.h"
#include "thread/thread.h"

/* Makes @n threads of @p that their creator has not started yet. Their ids are in no order. */
static inline void make_embryos(struct process *p, struct thread *threads, unsigned n)
{
	spin_lock(&p->lock);
	for (unsigned i = 0; i < n; i++) {
		struct thread *t = &threads[i];

		t->magic = THREAD_MAGIC;
		t->tid = 10000 + (tid_t)(i * 577 % n);
		t->process = p;
		t->cpu = &cpus[0];
		t->refs = 1;
		t->affinity = t->se.affinity = ~0u;
		t->unwound = t->embryo = true;
		list_push_back(&p->threads, &t->process_node);
	}
	p->nr_threads += n;
	spin_unlock(&p->lock);
}
