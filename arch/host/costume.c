/*
 * The costume: what a scenario's threads and processes may be with no difference to its property.
 * The explorer runs each scenario a second time with all of this (docs/explorer.md). So a mistake
 * that is made for real-time threads only, say, needs no scenario of its own:
 *
 *	- every thread, the reaper too, is real-time, and they are equals. It is nice as well,
 *	  has migrated and has been preempted. It may run on the CPUs that there are;
 *	- every process is one whose parent waits in vfork();
 *	- the clock wraps after some quanta;
 *	- ids of processes and threads need more than 8 bits.
 *
 * A scenario about ranks or about moments that it names says `.no_costume = true`.
 */
#include "mm/mm.h"
#include "port.h"
#include "process/process.h"
#include "sched/policy/policy.h"
#include "sched/time.h"
#include "sync/sync.h"
#include "thread/ids.h"
#include "thread/thread.h"

#define WRAPS_AFTER_MS	25
#define IDS_BELOW	256

bool host_costume;

static struct completion *vfork_ends;	/* among the objects, whose contents are the machine's */

void host_costume_boot(void)
{
	if (!host_costume)
		return;
	clock_offset = clock_start = -WRAPS_AFTER_MS * NSEC_PER_MSEC;
	vfork_ends = kmalloc(sizeof(*vfork_ends));
	completion_init(vfork_ends);
}

void host_costume_ids(void)
{
	if (!host_costume)
		return;
	spin_lock(&tree_lock);
	while (process_last_id() < IDS_BELOW)
		id_alloc();
	spin_unlock(&tree_lock);
}

void host_costume_thread(struct thread *t)
{
	struct sched_params p = t->se.params;
	struct process *of = t->process;

	if (!host_costume)
		return;
	p.class = SCHED_RR;
	p.rt_priority = RT_PRIORITY_LOWEST;
	p.nice = 5;
	policy_set_params(&t->se, &p, time_now());
	t->stats.migrations = t->stats.preempted = 1;
	explore_stored(&t->stats, sizeof(t->stats));
	t->affinity = BIT(nr_cpus) - 1;
	explore_stored(&t->affinity, sizeof(t->affinity));
	if (of == &kernel_process || of->vfork_done)
		return;
	of->vfork_done = vfork_ends;
	explore_stored(&of->vfork_done, sizeof(of->vfork_done));
}
