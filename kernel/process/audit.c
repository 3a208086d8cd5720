/*
 * Checks of processes at quiet points in test kernels: the tree (PROCESS3), counts, signals.
 */
#include "base/panic.h"
#include "process/process.h"
#include "process/signal.h"

/* SIGNAL3: if some thread of @p would take @sig, one of those must have been told. */
static void audit_pending(struct process *p, int sig)
{
	bool taken = false, told = false;

	list_for_each(t, &p->threads, struct thread, process_node) {
		bool takes = !(t->sigmask & SIGSET(sig)) && !thread_is_dying(t);

		taken |= takes;
		told |= takes && (atomic_load(&t->work) & WORK_SIGNAL);
	}
	if (taken && !told)
		panic("audit: no thread of process %d is told of signal %d", p->pid, sig);
}

static void audit_threads(struct process *p)
{
	unsigned threads = 0, stopping = 0;

	spin_lock(&p->lock);
	list_for_each(t, &p->threads, struct thread, process_node) {
		if (t->process != p)
			panic("audit: thread %d is on the list of process %d", t->tid, p->pid);
		threads++;
		stopping += t->stop_pending;
	}
	if (threads != p->nr_threads)
		panic("audit: process %d has %u threads, counts %u", p->pid, threads,
		      p->nr_threads);
	if (stopping != p->stopping)	/* STOP1 */
		panic("audit: process %d waits for %u threads to stop, counts %u", p->pid,
		      stopping, p->stopping);
	if (p->leader && p->leader->cred != p->cred)	/* CRED2 */
		panic("audit: process %d does not have its leader's credentials", p->pid);
	for (int sig = 1; sig <= NSIG && !p->stopped; sig++)
		if (atomic_load(&p->sigpending) & SIGSET(sig))
			audit_pending(p, sig);
	spin_unlock(&p->lock);
}

static void audit_process(struct process *p, void *unused)
{
	unsigned found = 0;

	(void)unused;
	if (!p->parent)
		panic("audit: process %d has no parent", p->pid);
	list_for_each(c, &p->parent->children, struct process, sibling)
		found += c == p;
	if (found != 1)
		panic("audit: process %d is %u times on its parent's list", p->pid, found);
	audit_threads(p);
	if (process_state(p) == PROCESS_ZOMBIE &&
	    (p->nr_threads || p->as || p->fds || atomic_load(&p->holds)))
		panic("audit: zombie %d still owns something", p->pid);
}

void process_audit(void)
{
	process_for_each(audit_process, NULL);
}
