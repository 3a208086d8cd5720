/*
 * Dumps for people: the state of every thread, process, lock and run queue.
 *
 * A dump runs in the UART's interrupt, maybe on a machine that is stuck. So it first tries
 * tree_lock, and leaves the list out if another CPU holds it. The functions that walk the list then
 * take the lock themselves: they would wait for a CPU that took it after the try.
 */
#include "tty/dump.h"

#include "base/printf.h"
#include "lock/lockcheck.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sync/pi.h"
#include "thread/thread.h"

#define X(id, name) [id] = name,
static const char *const process_names[] = { PROCESS_STATES(X) };
#undef X

static void print_thread(struct thread *t, void *unused)
{
	(void)unused;
	kprintf("%5d %5d cpu%u %-9s %2u %10lu us  %s%s\n", t->tid, t->process ? t->process->pid : 0,
		thread_cpu(t)->id, thread_state_name(thread_state(t)), thread_rank(t).level,
		t->stats.run_ns / NSEC_PER_USEC, t->name,
		atomic_load(&t->work) & WORK_KILL ? " (dying)" : "");
}

static void print_process(struct process *p, void *unused)
{
	(void)unused;
	kprintf("%5d %5d %5d %-7s %3u threads %3u holds  %s\n", p->pid,
		p->parent ? p->parent->pid : 0, p->pgid, process_names[process_state(p)],
		p->nr_threads, atomic_load(&p->holds), p->name);
}

/* Says so if the tree is locked. */
static bool tree_is_free(void)
{
	if (!spin_trylock(&tree_lock)) {
		kprintf("(the process tree is locked; try again)\n");
		return false;
	}
	spin_unlock(&tree_lock);
	return true;
}

static void dump_threads(void)
{
	kprintf("  tid   pid on   state    pri       ran\n");
	if (tree_is_free())
		thread_for_each(print_thread, NULL);
}

static void dump_processes(void)
{
	kprintf("  pid  ppid group state\n");
	if (tree_is_free())
		process_for_each(print_process, NULL);
}

/* Takes pi_lock, which ranks after tree_lock. */
static void print_thread_locks(struct thread *t, void *unused) HOLDS(tree_lock)
{
	const struct thread *owner;

	(void)unused;
	lockcheck_print_held(t);
	if (!spin_trylock(&pi_lock))
		return;
	owner = t->blocked_on ? t->blocked_on->queue->owner : NULL;
	if (owner)
		kprintf("  thread %d (%s) waits for a lock of thread %d (%s)\n", t->tid, t->name,
			owner->tid, owner->name);
	spin_unlock(&pi_lock);
}

static void dump_locks(void)
{
	kprintf("locks held (debug builds know):\n");
	for (unsigned i = 0; i < nr_cpus; i++)
		lockcheck_print_held(cpus[i].runq.current);
	if (tree_is_free())
		thread_for_each(print_thread_locks, NULL);
}

static void dump_runqs(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct cpu *c = &cpus[i];

		kprintf("cpu%u: runs %d (%s), %u ready, %u deadlines, %lu switches, "
			"%lu preemptions, %lu steals, idle %lu us\n",
			i, c->runq.current->tid, c->runq.current->name,
			atomic_load(&c->runq.q.nr), c->sleepq.nr, c->stats.switches,
			c->stats.preemptions, c->stats.steals,
			c->idle.stats.run_ns / NSEC_PER_USEC);
	}
}

void dump_key(char c)
{
	switch (c) {
	case 't':
		dump_threads();
		break;
	case 'p':
		dump_processes();
		break;
	case 'l':
		dump_locks();
		break;
	case 'r':
		dump_runqs();
		break;
	default:
		kprintf("dump keys: t threads, p processes, l locks, r run queues\n");
	}
}
