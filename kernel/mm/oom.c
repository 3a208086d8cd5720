/*
 * Out of memory: who ends.
 *
 * Memory is promised freely (mmap() never counts what is there, only RLIMIT_AS) and given at the
 * first touch; so it can run out where no call can fail, at a fault of user code. Then the process
 * with the most pages is killed, the one with the highest id among equals. Init is spared, and what
 * fails inside a system call is that call's error: nobody dies for it.
 *
 *  O1  One victim at a time: while one is dying, whoever faults waits for it.
 */
#include "counters.h"
#include "cpu.h"
#include "errno.h"
#include "printf.h"
#include "process.h"
#include "signal.h"
#include "vm.h"

struct oom_search {
	struct process *victim;		/* referenced, or NULL */
	u64 resident;			/* its pages */
	bool dying;			/* somebody is on the way out with pages to give back */
};

/* tree_lock held, so nobody is torn down between the look and the reference. */
static void consider(struct process *p, void *arg)
{
	struct oom_search *s = arg;
	u64 resident = 0;

	spin_lock(&p->lock);
	if (p->as)
		resident = p->as->resident;
	spin_unlock(&p->lock);
	s->dying |= process_state(p) == PROCESS_DYING;
	if (process_state(p) != PROCESS_ALIVE || p == init_process || !resident ||
	    resident < s->resident)
		return;
	if (s->victim)
		process_put(s->victim);
	s->victim = process_get(p);
	s->resident = resident;
}

void oom_kill(void)
{
	struct oom_search s = { .victim = NULL };

	process_for_each(consider, &s);
	if (!s.dying && s.victim && process_kill(s.victim, STATUS_SIGNAL(SIGKILL)) == 0) {
		event_count(EVENT_OOM_KILLS);
		kprintf("out of memory: killed %s[%d], which had %lu KiB\n", s.victim->name,
			s.victim->pid, s.resident * (PAGE_SIZE / 1024));
	}
	if (s.victim)
		process_put(s.victim);
	if (!s.victim && !s.dying)	/* init alone is left */
		process_kill(current_process(), STATUS_SIGNAL(SIGKILL));
	thread_sleep(NSEC_PER_MSEC);
}
