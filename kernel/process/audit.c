/*
 * Checks of the process tree (PROCESS3) and of counts, for quiet points in test kernels.
 */
#include "base/panic.h"
#include "process/process.h"

static void audit_process(struct process *p, void *unused)
{
	unsigned found = 0, threads = 0;

	(void)unused;
	if (!p->parent)
		panic("audit: process %d has no parent", p->pid);
	list_for_each(c, &p->parent->children, struct process, sibling)
		found += c == p;
	if (found != 1)
		panic("audit: process %d is %u times on its parent's list", p->pid, found);
	list_for_each(t, &p->threads, struct thread, process_node) {
		if (t->process != p)
			panic("audit: thread %d is on the list of process %d", t->tid, p->pid);
		threads++;
	}
	if (threads != p->nr_threads)
		panic("audit: process %d has %u threads, counts %u", p->pid, threads,
		      p->nr_threads);
	if (process_state(p) == PROCESS_ZOMBIE &&
	    (threads || p->as || p->fds || atomic_load(&p->holds)))
		panic("audit: zombie %d still owns something", p->pid);
}

void process_audit(void)
{
	process_for_each(audit_process, NULL);
}
