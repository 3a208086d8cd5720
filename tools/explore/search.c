/*
 * Which schedules are run: all with at most k preemptions, for k = 0, 1, 2 ... (Musuvathi and
 * Qadeer, "Iterative context bounding", 2007), so the first counterexample has the fewest.
 *
 * A preemption takes the CPU's turn away although it could go on; that a CPU waits and another one
 * goes on is free, and so is each choice of which one. A timer that fires early counts as a
 * preemption too. The search is depth first over the states of the machine: at each choice it keeps
 * a copy, and comes back to it for the next alternative. A state that was reached before, with at
 * least as many preemptions left, is not explored again.
 */
#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX	CHOICES_MAX
#define TURN_MAX	3000		/* steps after which another CPU gets its turn: fairness */

/* A choice on the path that is explored, with the alternatives that are left. */
struct frame {
	struct snapshot state;
	uint64_t at;			/* position() */
	unsigned alternatives;		/* bits, CPU_TIME among them */
	unsigned usual;			/* which one is not recorded as a choice */
	bool free;			/* no alternative is a preemption */
	unsigned budget;
	unsigned nr_choices, pauses;
	unsigned trail;			/* states on the path up to this one */
};

bool merge_states = true;
static struct frame frames[DEPTH_MAX];
static struct snapshot initial;
static struct schedule path;

/* The states on the path: not finished until the search goes back beyond them. */
#define TRAIL_MAX	(ACCESSES_MAX)
static uint64_t trail[TRAIL_MAX];
static unsigned nr_trail;

static unsigned next_of(unsigned mask, unsigned cpu)
{
	do
		cpu = (cpu + 1) % nr_vcpus;
	while (!(mask & 1u << cpu));
	return cpu;
}

/*
 * Returns the CPU that goes on if nobody chooses: the last one, unless it cannot or had 3,000
 * steps.
 */
unsigned usual_cpu(unsigned mask, unsigned *turn)
{
	bool others = mask & ~(1u << vcpu), waits = cpu_states[vcpu].why == PAUSE_TURN;

	if (mask & 1u << vcpu && ((++*turn <= TURN_MAX && !waits) || !others))
		return vcpu;
	*turn = 0;
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

/* The CPUs that may go on, after the clock was moved if all of them wait. 0: the end. */
unsigned ready_cpus(void)
{
	unsigned mask = who_can_go_on();

	while (!mask && !scenario_over && host_advance())
		mask = who_can_go_on();
	return mask;
}

/* Nothing is left to do: is that right? */
bool ends_right(void)
{
	const char *wrong;

	for (unsigned i = 0; i < nr_vcpus; i++)
		if (!scenario_over || cpu_states[i].why != PAUSE_IDLE) {
			deadlock();
			return false;
		}
	wrong = check_end();
	if (wrong)
		strncpy(verdict, wrong, sizeof(verdict) - 1);
	return !wrong;
}

/* Lets @cpu go on; for CPU_TIME the clock is moved, and the CPU that had its turn keeps it. */
static void go_on(unsigned cpu)
{
	if (cpu == CPU_TIME)
		host_advance();
	else
		vcpu = cpu;
}

/* Takes the next alternative of @f. */
static void take(struct frame *f, unsigned *budget)
{
	unsigned cpu = f->usual;

	if (!(f->alternatives & 1u << cpu))
		for (cpu = 0; !(f->alternatives & 1u << cpu);)
			cpu++;
	f->alternatives &= ~(1u << cpu);
	path.nr = f->nr_choices;
	*budget = f->budget;
	if (cpu == f->usual)
		return go_on(cpu);
	if (!f->free || cpu == CPU_TIME)
		--*budget;
	path.choices[path.nr++] = (struct choice){ f->at, cpu };
	go_on(cpu);
}

void search_init(bool bare)
{
	for (unsigned i = 0; bare && i < nr_vcpus; i++)
		step(i);
	progress.accesses = 0;
}

void search_begin(void)
{
	if (!initial.bytes)
		snapshot_take(&initial);
	else
		snapshot_restore(&initial);
	vcpu = 0;
	verdict[0] = 0;
}

/* One execution's progress since the last choice. */
struct run {
	unsigned depth, budget, pauses, turn;
	bool fair;			/* after a cycle: no choices, only to see that it ends */
};

enum next { NEXT_STEP, NEXT_PATH, NEXT_WRONG, NEXT_FULL };

/* The CPU `vcpu` has paused: chooses who goes on. */
static enum next choose(struct run *r, struct figures *f)
{
	unsigned mask = ready_cpus(), self = vcpu;
	bool goes_on, timer, time;
	struct frame *frame = &frames[r->depth];
	uint64_t hash;

	if (!mask)
		return ends_right() ? NEXT_PATH : NEXT_WRONG;
	timer = !scenario_over && host_can_advance();
	time = timer && r->budget;
	*frame = (struct frame){ .state = frame->state, .at = position(), .budget = r->budget,
				 .nr_choices = path.nr, .pauses = r->pauses };
	frame->usual = usual_cpu(mask, &r->turn);
	goes_on = frame->usual == self;
	frame->free = !goes_on;
	frame->alternatives = goes_on && !r->budget ? 1u << self : mask | time << CPU_TIME;
	if (!r->budget && ((goes_on && mask & ~(1u << self)) || timer))
		f->cut = true;
	if (r->fair || !(mask & ~(1u << self) || time)) {
		go_on(frame->usual);	/* nobody else could run */
		return NEXT_STEP;
	}
	hash = state_hash() ^ (goes_on ? self + 1 : 0) * 0x2545f4914f6cdd1dull;
	switch (merge_states ? visit(hash, r->budget) : VISIT_NEW) {
	case VISIT_KNOWN:
		return NEXT_PATH;
	case VISIT_CYCLE:
		r->fair = true;
		go_on(frame->usual);
		return NEXT_STEP;
	case VISIT_NEW:
		if (nr_trail == TRAIL_MAX)
			return NEXT_FULL;
		trail[nr_trail++] = hash;
		break;
	}
	if (frame->alternatives == 1u << frame->usual) {
		go_on(frame->usual);
		return NEXT_STEP;
	}
	frame->trail = nr_trail - 1;
	if (r->depth + 1 == DEPTH_MAX)
		return NEXT_FULL;
	snapshot_take(&frame->state);
	r->depth++;
	take(frame, &r->budget);
	return NEXT_STEP;
}

/* Goes back to the last choice that has an alternative left; false: there is none. */
static bool back(struct run *r)
{
	unsigned keep;

	while (r->depth && !frames[r->depth - 1].alternatives)
		r->depth--;
	keep = r->depth ? frames[r->depth - 1].trail + 1 : 0;
	while (nr_trail > keep)
		visit_finished(trail[--nr_trail]);
	if (!r->depth)
		return false;
	r->pauses = frames[r->depth - 1].pauses;
	r->turn = 0;
	r->fair = false;
	snapshot_restore(&frames[r->depth - 1].state);
	vcpu = frames[r->depth - 1].usual;
	take(&frames[r->depth - 1], &r->budget);
	return true;
}

enum outcome search(unsigned bound, uint64_t most_steps, struct figures *f, struct schedule *wrong)
{
	struct run r = { .budget = bound };
	enum next next;

	*f = (struct figures){ 0 };
	search_begin();
	visited_clear();
	path.nr = nr_trail = 0;
	next = choose(&r, f);
	do {
		while (next == NEXT_STEP) {
			step(vcpu);
			f->steps++;
			r.pauses++;
			next = cpu_states[vcpu].why == PAUSE_FAILED ? NEXT_WRONG : choose(&r, f);
		}
		f->executions++;
		f->longest = r.pauses > f->longest ? r.pauses : f->longest;
		if (next == NEXT_WRONG) {
			*wrong = path;
			return OUTCOME_WRONG;
		}
		if (next == NEXT_FULL || f->steps > most_steps || time_is_over(f))
			return OUTCOME_TOO_MANY;
		next = NEXT_STEP;
	} while (back(&r));
	return OUTCOME_RIGHT;
}

enum outcome replay(const struct schedule *s)
{
	unsigned done = 0, turn = 0, mask;

	search_begin();
	while ((mask = ready_cpus())) {
		uint64_t at = position();

		vcpu = usual_cpu(mask, &turn);
		if (done < s->nr && s->choices[done].at == at) {
			turn = 0;
			go_on(s->choices[done++].cpu);
		}
		pause_at = done < s->nr ? s->choices[done].at : 0;
		step(vcpu);
		pause_at = 0;
		if (cpu_states[vcpu].why == PAUSE_FAILED)
			return OUTCOME_WRONG;
	}
	return ends_right() ? OUTCOME_RIGHT : OUTCOME_WRONG;
}
