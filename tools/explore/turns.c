/*
 * The turns of the CPUs: which of them can go on, which one does if nobody chooses, and whether it
 * is right that none can. The same for each way in which executions are chosen.
 */
#include "explore.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS_MAX	2000		/* of a loop that waits for what nobody can do any more */
#define TURN_MAX	3000		/* steps after which another CPU gets its turn: fairness */

static unsigned next_of(unsigned mask, unsigned cpu)
{
	do
		cpu = (cpu + 1) % nr_vcpus;
	while (!(mask & 1u << cpu));
	return cpu;
}

/*
 * Returns the CPU that goes on if nobody chooses: the last one, unless it cannot or had 3,000
 * steps. If then nobody else can, it is time that passes: a thread that only looks again and again
 * loses its CPU at the end of its quantum.
 */
unsigned usual_cpu(unsigned mask, unsigned *turn)
{
	bool can = mask & 1u << vcpu, others = mask & ~(1u << vcpu);

	if (can && ++*turn <= TURN_MAX && !(others && cpu_states[vcpu].why == PAUSE_TURN))
		return vcpu;
	*turn = 0;
	if (can && !others) {
		host_use_time();
		return vcpu;
	}
	return next_of(mask, vcpu);
}

static void deadlock(void)
{
	static const char *const waits[] = { "?", "for a spin lock", "for an event", "in a loop",
					     "in a loop", "for nothing, in user mode" };
	char *p = verdict;

	p += sprintf(p, "deadlock:");
	for (unsigned i = 0; i < nr_vcpus; i++)
		p += sprintf(p, "%s CPU %u waits %s", i ? "," : "", i, waits[cpu_states[i].why]);
}

/*
 * CPUs that wait in a loop for a store, and nobody can make one: such a loop may count its rounds,
 * and end. 0: it has had ROUNDS_MAX of them.
 */
static unsigned looking_in_vain(void)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < nr_vcpus; i++)
		if (cpu_states[i].why == PAUSE_SPIN)
			mask |= 1u << i;
	if (progress.vain_since != progress.stores)
		progress.rounds = 0;
	progress.vain_since = progress.stores;
	return mask && progress.rounds++ < ROUNDS_MAX ? mask : 0;
}

/*
 * The CPUs that may go on, after the clock was moved if all of them wait. 0: the end, which a CPU
 * that idles beside a waiting thread also is.
 */
unsigned ready_cpus(void)
{
	unsigned mask = who_can_go_on();

	while (!mask && !scenario_over && !host_idles() && host_advance())
		mask = who_can_go_on();
	return mask || host_idles() ? mask : looking_in_vain();
}

/* Nothing is left to do: is that right? */
bool ends_right(void)
{
	const char *wrong = host_idles();

	for (unsigned i = 0; !wrong && i < nr_vcpus; i++)
		if (!scenario_over || cpu_states[i].why != PAUSE_IDLE) {
			deadlock();
			return false;
		}
	if (!wrong)
		wrong = check_end();
	if (wrong)
		strncpy(verdict, wrong, sizeof(verdict) - 1);
	return !wrong;
}

/* Follows the choice @c; CPU_TIME moves the clock, and the CPU that had its turn keeps it. */
void follow(const struct choice *c)
{
	if (c->cpu == CPU_TIME) {
		host_advance();
		return;
	}
	vcpu = c->cpu;
	cpu_states[vcpu].older = c->older;
}
