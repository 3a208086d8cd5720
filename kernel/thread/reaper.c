/*
 * The reaper: a kernel thread that frees threads and processes which could not be freed where they
 * died.
 *
 * It gets detached threads that have left their stacks, threads that were killed without running
 * again, and processes whose last hold was not a thread's. The reaper may block; its callers, which
 * hand these over, may not.
 *
 *  REAPER1  `pending` counts threads that are leaving and everything handed over and not yet freed.
 *           It is raised before an exit begins or a body is queued, and lowered after it is freed,
 *           so a drainer that sees 0 knows that nothing is under way.
 *
 * The lists are guarded by work.lock.
 */
#include "base/trace.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"

static struct {
	struct wait_queue work;		/* the reaper waits here */
	struct wait_queue drained;	/* pending has reached 0 */
	struct list_node threads;	/* [work.lock] */
	struct list_node processes;	/* [work.lock] */
	struct thread *thread;		/* [const] */
	bool running;			/* [work.lock] resumed when the first body came */
	_Atomic unsigned pending;	/* REAPER1 */
} reaper = {
	.work = WAIT_QUEUE_INIT(reaper.work),
	.drained = WAIT_QUEUE_INIT(reaper.drained),
	.threads = LIST_INIT(reaper.threads),
	.processes = LIST_INIT(reaper.processes),
};

static void one_done(void)
{
	unsigned before = atomic_fetch_sub(&reaper.pending, 1);

	assert(before > 0);	/* REAPER1: a thread that left was announced */
	if (before == 1)
		wait_wake_all(&reaper.drained, 0);
}

void reaper_note_leaving(void)
{
	atomic_fetch_add(&reaper.pending, 1);
}

void reaper_note_left(void)
{
	one_done();
}

static void hand_over(struct list_node *list, struct list_node *node)
{
	bool start;

	atomic_fetch_add(&reaper.pending, 1);
	/* LAB 06-kill: queue the body and see that the reaper looks */
	spin_lock(&reaper.work.lock);
	list_push_back(list, node);
	start = !reaper.running;
	reaper.running = true;
	wait_wake_one_locked(&reaper.work, 0);
	spin_unlock(&reaper.work.lock);
	/* END LAB */
	if (start)
		thread_resume(reaper.thread);
}

void reaper_add_thread(struct thread *t)
{
	hand_over(&reaper.threads, &t->reaper_node);
}

void reaper_add_process(struct process *p)
{
	hand_over(&reaper.processes, &p->reaper_node);
}

static void reap_thread(struct thread *t)
{
	/* LAB 06-kill: free a thread; one killed unrun has its process and joiner to leave yet */
	if (!t->left) {
		bool joinable;

		process_thread_leaves(t);
		spin_lock(&t->joiners.lock);
		t->left = true;
		joinable = !t->detached;
		wait_wake_all_locked(&t->joiners, 0);
		spin_unlock(&t->joiners.lock);
		if (joinable)
			return;
	}
	thread_free(t);
	/* END LAB */
}

static int reaper_main(void *unused)
{
	(void)unused;
	for (;;) {
		struct list_node *t, *p = NULL;
		bool last;

		spin_lock(&reaper.work.lock);
		while (!(t = list_pop_node(&reaper.threads)) &&
		       !(p = list_pop_node(&reaper.processes))) {
			int err = wait_block_locked(&reaper.work, DEADLINE_NEVER, WAIT_UNKILLABLE);

			assert(err == 0);
		}
		last = list_empty(&reaper.threads);
		spin_unlock(&reaper.work.lock);
		if (t)
			reap_thread(list_entry(t, struct thread, reaper_node));
		else
			process_teardown(list_entry(p, struct process, reaper_node));
		one_done();
		if (last)
			kstack_trim(KSTACK_KEEP);	/* many may have died at once */
	}
	return 0;
}

void reaper_drain(void)
{
	assert(current_thread() != reaper.thread);
	spin_lock(&reaper.drained.lock);
	while (atomic_load(&reaper.pending))
		if (wait_block_locked(&reaper.drained, DEADLINE_NEVER, WAIT_KILL_ONLY))
			break;
	spin_unlock(&reaper.drained.lock);
}

void reaper_init(void)
{
	reaper.thread = thread_create("reaper", reaper_main, NULL, PRIORITY_HIGH);
	if (!reaper.thread)
		panic("no memory for the reaper");
}
