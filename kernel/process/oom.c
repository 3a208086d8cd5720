/*
 * Out of memory: choosing the process to kill.
 *
 * Memory is promised freely (mmap() refuses only what could never fit) and allocated at the first
 * access, so it can run out in a page fault of user code, where no call can fail. Then the process
 * with the most memory is killed, and among equals the one with the highest id. All memory that
 * would be freed counts: its pages, and kernel memory (process_kernel_bytes()). Otherwise other
 * processes would die for one that hoards page tables or full pipes. Init is spared. An allocation
 * that fails inside a system call is that call's error, and kills no process.
 *
 *  OOM1  One victim at a time: while a process is dying, a thread that faults waits for it.
 */
#include "process/oom.h"

#include "base/counters.h"
#include "base/printf.h"
#include "mm/vm.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"

struct next_process {
	pid_t above;
	struct process *p;		/* referenced: the lowest id above; or NULL */
};

static void consider_next(struct process *p, void *arg)
{
	struct next_process *next = arg;

	if (p->pid <= next->above || (next->p && next->p->pid < p->pid))
		return;
	if (next->p)
		process_put(next->p);
	next->p = process_get(p);
}

/* One search for each id: counting a process's memory may block, so tree_lock cannot be held. */
static struct process *process_after(pid_t pid)
{
	struct next_process next = { .above = pid };

	process_for_each(consider_next, &next);
	return next.p;
}

/* Returns the bytes that are freed when @p ends; 0: none, or it is ending already. */
static u64 gain(struct process *p)
{
	struct addr_space *as;
	u64 bytes = 0;

	if (!process_hold(p))
		return 0;
	as = process_get_as(p);
	if (as) {
		bytes = as->resident * PAGE_SIZE + process_kernel_bytes(p);
		as_put(as);
	}
	process_unhold(p);
	return bytes;
}

/* Returns the victim, referenced, its bytes in *@most; NULL: none. *@dying: one ends already. */
static struct process *choose(u64 *most, bool *dying)
{
	struct process *victim = NULL, *p;

	*most = 0;
	*dying = false;
	for (pid_t pid = 0; (p = process_after(pid)); ) {
		u64 bytes = p == init_process ? 0 : gain(p);

		pid = p->pid;
		*dying |= process_state(p) == PROCESS_DYING;
		if (!bytes || bytes < *most) {
			process_put(p);
			continue;
		}
		if (victim)
			process_put(victim);
		victim = p;
		*most = bytes;
	}
	return victim;
}

void oom_kill(void)
{
	bool dying;
	u64 bytes;
	struct process *victim = choose(&bytes, &dying);

	if (!dying && victim && process_kill(victim, STATUS_SIGNAL(SIGKILL)) == 0) {
		event_count(EVENT_OOM_KILLS);
		kprintf("out of memory: killed %s[%d], which had %lu KiB\n", victim->name,
			victim->pid, bytes / 1024);
	}
	if (victim)
		process_put(victim);
	if (!victim && !dying)		/* init alone is left */
		process_kill(current_process(), STATUS_SIGNAL(SIGKILL));
	thread_sleep(NSEC_PER_MSEC);
}
