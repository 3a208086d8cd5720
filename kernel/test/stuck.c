/*
 * Where every thread stands in a test that does not end. Printed below the panic with which a run
 * ends at its limit, by the CPU that panics; the others have stopped, so nothing changes any more.
 */
#include "base/printf.h"
#include "base/symbols.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sync/pi.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define THREADS_SHOWN	16u

/* A claimed waiter whose thread still waits: the claimer has not made it ready. */
static void print_wait(const struct waiter *w)
{
#define X(id, name) [id] = name,
	static const char *const whys[] = { WAIT_WHYS(X) };
#undef X
	enum wait_why why = atomic_load(&w->why);
	u64 offset;

	if (w->site)
		kprintf(" in %s()", symbol_name((u64)w->site, &offset));
	if (why != WAIT_ARMED)
		kprintf(", claimed (%s), but nobody made it ready", whys[why]);
	else if (w->sq)
		kprintf(", deadline at %lu ns", w->deadline);
	else
		kprintf(", without a deadline");
}

static void print_thread(struct thread *t, void *shown)
{
	struct thread *owner = t->blocked_on ? t->blocked_on->queue->owner : NULL;
	bool runs = thread_cpu(t)->runq.current == t;

	if (t == &thread_cpu(t)->idle || (*(unsigned *)shown)++ >= THREADS_SHOWN)
		return;
	kprintf("  thread %d (%s) is %s", t->tid, t->name, thread_state_name(thread_state(t)));
	if (runs)
		kprintf(" on CPU %u", thread_cpu(t)->id);
	else if (t->waiter)
		print_wait(t->waiter);
	if (owner)
		kprintf(", for a lock that thread %d owns", owner->tid);
	if (t->joiner)
		kprintf("; thread %d waits for it to leave", t->joiner->tid);
	kprintf("%s\n", atomic_load(&t->work) & WORK_KILL ? "; it is to die" : "");
	if (runs)
		backtrace_print(t, 0, panic_stopped_at[thread_cpu(t)->id]);
}

static void print_dying(struct process *p, void *unused)
{
	(void)unused;
	if (process_state(p) != PROCESS_ALIVE)
		kprintf("  process %d (%s) is %s: %u threads, %u holds\n", p->pid, p->name,
			process_state(p) == PROCESS_DYING ? "dying" : "a zombie", p->nr_threads,
			atomic_load(&p->holds));
}

static bool all_idle(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (cpus[i].runq.current != &cpus[i].idle)
			return false;
	return true;
}

void stuck_print(const char *test)
{
	unsigned threads = 0;

	kprintf("%s has not ended%s:\n", test, all_idle() ? ", and every CPU is idle" : "");
	/* The CPU that holds the lock has stopped, and will not give it back. */
	if (!spin_trylock(&tree_lock)) {
		kprintf("  (the list of threads is locked)\n");
		return;
	}
	spin_unlock(&tree_lock);
	thread_for_each(print_thread, &threads);
	if (threads > THREADS_SHOWN)
		kprintf("  and %u more\n", threads - THREADS_SHOWN);
	process_for_each(print_dying, NULL);
}
