/*
 * CPU time and other figures of threads and processes, up to now; the load average.
 *
 * The lock of its run queue guards a thread's figures. A thread that leaves its process has its
 * figures added to those of the process.
 */
#include "sched/usage.h"

#include "internal.h"
#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"

void thread_add_usage(struct thread *t, struct usage *u)
{
	struct runq *rq = thread_runq_lock(t);
	u64 ran = t->stats.run_ns;

	if (rq->current == t)
		ran += time_now() - rq->charged_at;
	u->run_ns += ran;
	u->user_ns += t->stats.user_ns;
	u->system_ns += t->stats.run_ns - t->stats.user_ns;
	u->switches += t->stats.switches_in;
	u->preempted += t->stats.preempted - t->stats.picked_again;
	runq_unlock(rq);
}

void usage_add(struct usage *sum, const struct usage *u)
{
	sum->run_ns += u->run_ns;
	sum->user_ns += u->user_ns;
	sum->system_ns += u->system_ns;
	sum->switches += u->switches;
	sum->preempted += u->preempted;
	sum->minor_faults += u->minor_faults;
	sum->max_resident = MAX(sum->max_resident, u->max_resident);
}

void process_keep_resident(struct process *p)
{
	assert_held(&p->lock);
	if (p->as)
		p->max_resident = MAX(p->max_resident, p->as->peak);
}

struct usage process_usage(struct process *p)
{
	struct usage u;

	spin_lock(&p->lock);
	process_keep_resident(p);
	u = (struct usage){
		.run_ns = atomic_load(&p->dead_run_ns),
		.user_ns = atomic_load(&p->dead_user_ns),
		.system_ns = atomic_load(&p->dead_run_ns) - atomic_load(&p->dead_user_ns),
		.switches = p->dead_switches,
		.preempted = p->dead_preempted,
		.minor_faults = atomic_load(&p->minor_faults),
		.max_resident = p->max_resident,
	};
	list_for_each(t, &p->threads, struct thread, process_node)
		thread_add_usage(t, &u);
	spin_unlock(&p->lock);
	return u;
}

/* --- Load: runnable threads, averaged over 1, 5 and 15 minutes, as Linux computes it. --------- */

#define LOAD_PERIOD	(5 * NSEC_PER_SEC)

static const u64 load_decay[LOADS] = { 1884, 2014, 2037 };	/* of LOAD_ONE, in one period */
static _Atomic u64 load_sampled;	/* when the last sample was taken, since boot */
static _Atomic u64 loads[LOADS];	/* in 1/LOAD_ONE; written by the CPU that samples */

/*
 * While a thread runs there are timer interrupts, so all CPUs were idle in a period without a
 * sample: it counts as a sample of 0. After 3,000 of them nothing is left of any load.
 */
void load_sample(u64 now)
{
	u64 last = atomic_load_explicit(&load_sampled, memory_order_relaxed);
	u64 runnable = 0;

	now -= clock_start;
	/* Another CPU may have read the clock after us, but sampled before us. */
	if (likely(time_before(now, last + LOAD_PERIOD)) ||
	    !atomic_compare_exchange_strong(&load_sampled, &last, now))
		return;
	for (unsigned i = 0; i < nr_cpus; i++)
		runnable += atomic_load(&cpus[i].runq.q.nr) + !is_idle_hint(&cpus[i]);
	for (unsigned i = 0; i < LOADS; i++) {
		u64 load = loads[i];		/* stored once: readers see no part of a sample */

		for (u64 n = MIN((now - last) / LOAD_PERIOD, 3000u); n > 0; n--)
			load = load * load_decay[i] / LOAD_ONE;
		loads[i] = load + runnable * (LOAD_ONE - load_decay[i]);
	}
}

u64 load_average(unsigned i)
{
	load_sample(time_now());
	return loads[i];
}
