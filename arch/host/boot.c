/*
 * As much of a boot as a scenario needs: CPUs, the kernel's process, the reaper, and a thread that
 * runs the scenario.
 */
#include "port.h"

#include "base/bootargs.h"
#include "base/machine.h"
#include "base/string.h"
#include "fs/vfs.h"
#include "mm/space.h"
#include "process/cred.h"
#include "process/futex.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "thread/thread.h"

/* Of the state that goes back with a snapshot, as the kernel's own variables: scenarios set it. */
#define KERNEL_DATA	__attribute__((section("kdata")))

/* Defined in files that scenarios do without. */
struct cpu cpus[MAX_CPUS];
unsigned nr_cpus = 1;
KERNEL_DATA unsigned nr_nodes = 1;
KERNEL_DATA u64 clock_offset, clock_start;
KERNEL_DATA struct host_contention host_contention;
struct machine machine;
struct cred kernel_cred = { .refs = 1 };
struct place kernel_place;

/* All processes of a scenario are in the same place. */
struct place *place_copy(struct place *place)
{
	return place;
}

static void contend(void *word, unsigned pairs, u64 toggles)
{
	if (host_contention.left % 2 && !host_contention.toggles)
		host_contention_step();		/* the hold that was taken last is given up, too */
	/* Told before the store: a line goes back to what it holds when it is named first. */
	explore_stored(&host_contention, sizeof(host_contention));
	host_contention = (struct host_contention){ word, 2 * pairs, toggles };
}

void host_contend(_Atomic u32 *word, unsigned pairs)
{
	contend(word, pairs, 0);
}

void host_contend_with(_Atomic u64 *word, u64 other, unsigned pairs)
{
	contend(word, pairs, word ? atomic_load(word) ^ other : 0);
}

void host_contention_step(void)
{
	struct host_contention *c = &host_contention;

	explore_stored(c->word, c->toggles ? sizeof(u64) : sizeof(u32));
	explore_stored(&c->left, sizeof(c->left));	/* no state comes twice */
	if (c->toggles)
		*(u64 *)c->word ^= c->toggles;
	else
		*(u32 *)c->word += c->left % 2 ? -1 : 1;
	c->left--;
}

static void (*scenario)(void);

static int run_scenario(void *unused)
{
	(void)unused;
	scenario();
	host_thread_ends();
	return 0;
}

void host_boot(unsigned n, const char *bootargs, void (*body)(void))
{
	struct process *init;		/* orphans are moved to it; it has no threads */
	struct thread *t;

	scenario = body;
	nr_vcpus = n;
	host_costume_boot();
	if (bootargs) {
		strlcpy(machine.cmdline, bootargs, sizeof(machine.cmdline));
		bootargs_init();
	}
	for (unsigned i = 0; i < n; i++)
		host_cpus[i].current = &cpus[i].idle;
	cpu_prepare(0, 0, host_entry_stacks[0], sizeof(host_entry_stacks[0]));
	sched_init();
	thread_init();
	for (nr_cpus = 1; nr_cpus < n; nr_cpus++)
		cpu_prepare(nr_cpus, nr_cpus, host_entry_stacks[nr_cpus],
			    sizeof(host_entry_stacks[nr_cpus]));
	process_init();
	host_costume_ids();
	for (unsigned i = 0; i < n; i++) {
		atomic_store(&cpus[i].online, true);
		host_mark_statistics(&cpus[i].stats, sizeof(cpus[i].stats));
		host_mark_statistics(cpus[i].counters, sizeof(cpus[i].counters));
		host_mark_statistics(&cpus[i].idle.stats, sizeof(cpus[i].idle.stats));
	}
	futex_init();
	vm_init();
	reaper_init();
	if (process_create(&kernel_process, &init))
		explore_fail("process 1 could not be made");
	host_count_from_here();
	if (!body)
		return;
	host_thread_begins();
	t = thread_create("scenario", run_scenario, NULL, PRIORITY_DEFAULT);
	if (t)
		t->detached = true;	/* thread_detach() may not be written yet */
	if (!t || thread_resume(t))
		explore_fail("the scenario's thread does not start");
}
