/*
 * Random schedules, for scenarios of which not every interleaving can be run (Burckhardt, Kothari,
 * Musuvathi and Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding
 * bugs", ASPLOS 2010).
 *
 * Each CPU has a random priority, and the one with the highest goes on. At depth - 1 random pauses
 * the CPU that would go on falls below all others. An execution of k pauses on n CPUs finds a
 * mistake that needs `depth` events in one order with a probability of at least
 * 1 / (n k^(depth - 1)).
 * So a million executions say more than a million schedules with the fewest preemptions.
 *
 * The timer is one more CPU, whose only step is that time passes. After it the timer is the lowest,
 * and at the next of the random pauses it gets a new priority. A CPU that had its turn falls below
 * all others too: otherwise one that waits for another in a loop would run on for ever.
 *
 * An execution depends on nothing but the seed, its number and those before it, and is noted as a
 * schedule like all others.
 */
#include "explore.h"

#define TURN	1000			/* pauses in sequence: less than the search allows */
#define FIRST_LENGTH	100		/* before any execution has shown how long one is */

static uint64_t random_state;
static int priorities[HOST_CPUS + 1];	/* CPU_TIME's is the last */
static int lowest;			/* all priorities are above it */
static uint64_t changes[DEPTH_OF_MISTAKE_MAX];
static struct schedule path;

/* xorshift64*, whose state must not be 0. */
static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dull;
}

/* Neighbouring seeds and numbers must begin with states that have nothing in common. */
static void seed_random(uint64_t seed, uint64_t number)
{
	uint64_t z = (seed + 1) * 0x9e3779b97f4a7c15ull + number * 0xd1342543de82ef95ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	random_state = (z ^ z >> 31) | 1;
}

static unsigned below(uint64_t n)
{
	return (next_random() >> 32) * n >> 32;
}

/*
 * Gives every CPU and the timer a priority of its own, in random order. They leave room for the
 * timer just above each of them.
 */
static void draw_priorities(void)
{
	lowest = 0;
	for (unsigned i = 0; i <= HOST_CPUS; i++) {
		unsigned place = below(i + 1);

		priorities[i] = priorities[place];
		priorities[place] = 2 * (i + 1);
	}
}

static unsigned highest(unsigned mask)
{
	unsigned best = HOST_CPUS + 1;

	for (unsigned i = 0; i <= HOST_CPUS; i++)
		if (mask & 1u << i && (best > HOST_CPUS || priorities[i] > priorities[best]))
			best = i;
	return best;
}

static void lower(unsigned cpu)
{
	lowest -= 2;
	priorities[cpu] = lowest;
}

static void redraw_timer(void)
{
	unsigned other = below(nr_vcpus + 1);

	if (other == nr_vcpus)
		lower(CPU_TIME);
	else
		priorities[CPU_TIME] = priorities[other] + 1;
}

static bool changes_at(uint64_t pause, unsigned depth)
{
	for (unsigned i = 0; i + 1 < depth; i++)
		if (changes[i] == pause)
			return true;
	return false;
}

/* Decides who goes on; @usual is the one that would, had nobody a priority. */
static unsigned decide(unsigned mask, unsigned usual, bool changes_here)
{
	static unsigned turn;
	unsigned self = vcpu, cpu;

	turn = mask & 1u << self ? turn + 1 : 0;
	if (turn > TURN || (usual != self && mask & 1u << self)) {
		lower(self);
		turn = 0;
	}
	if (changes_here) {
		lower(highest(mask & ~(1u << CPU_TIME)));
		redraw_timer();
	}
	cpu = highest(mask);
	if (cpu == CPU_TIME)
		lower(CPU_TIME);
	else if (cpu != self)
		turn = 0;
	return cpu;
}

static enum outcome run_one(unsigned depth, struct figures *f)
{
	unsigned turn = 0, pauses = 0, mask;

	search_begin();
	path.nr = 0;
	while ((mask = ready_cpus())) {
		uint64_t at = position();
		bool timer = !scenario_over && host_can_advance();
		unsigned usual = usual_cpu(mask, &turn), cpu = usual;

		if (!scenario_sets_up)
			cpu = decide(mask | timer << CPU_TIME, usual, changes_at(pauses++, depth));
		vcpu = usual;
		if (cpu != usual && path.nr < CHOICES_MAX) {
			turn = 0;
			path.choices[path.nr] = (struct choice){ .at = at, .cpu = cpu };
			follow(&path.choices[path.nr++]);
		}
		step(vcpu);
		f->steps++;
		if (cpu_states[vcpu].why == PAUSE_FAILED)
			return OUTCOME_WRONG;
	}
	f->longest = pauses > f->longest ? pauses : f->longest;
	f->accesses += progress.accesses;
	return ends_right() ? OUTCOME_RIGHT : OUTCOME_WRONG;
}

enum outcome search_at_random(uint64_t seed, uint64_t executions, unsigned depth,
			      struct figures *f, struct schedule *wrong)
{
	*f = (struct figures){ 0 };
	while (f->executions < executions && !time_is_over(f)) {
		enum outcome o;

		seed_random(seed, f->executions++);
		draw_priorities();
		for (unsigned i = 0; i + 1 < depth; i++)
			changes[i] = below(f->longest ? f->longest : FIRST_LENGTH);
		o = run_one(depth, f);
		if (o != OUTCOME_RIGHT) {
			*wrong = path;
			return o;
		}
	}
	return OUTCOME_RIGHT;
}
