/*
 * Which schedules are run: all with at most k preemptions, for k = 0, 1, 2 ... (Musuvathi and
 * Qadeer, "Iterative context bounding", 2007), so the first counterexample has the fewest.
 *
 * A preemption takes the CPU's turn away although it could go on; that a CPU waits and another one
 * goes on is free, and so is each choice of which one. A timer that fires early counts as a
 * preemption too, and so does a load that reads an older store (weak.c). The search is depth first
 * over the states of the machine: at each choice it keeps a copy, and comes back to it for the next
 * alternative. A state that was reached before, with at least as many preemptions left, is not
 * explored again.
 *
 * A preemption of a CPU before a step is left out if that step has nothing to do with what the
 * others would do until the CPU runs again (partial-order reduction): the same happens if the CPU
 * loses its turn after that step, with as many preemptions or fewer. The search knows what they
 * would do, as it lets the CPU go on first.
 */
#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX	CHOICES_MAX

/* A choice on the path that is explored, with the alternatives that are left. */
struct frame {
	struct snapshot state;
	uint64_t at;			/* position() */
	unsigned alternatives;		/* bits: for each CPU, for CPU_TIME, OLDER() */
	unsigned usual;			/* which one is not recorded as a choice */
	bool free;			/* no alternative is a preemption */
	bool timed;			/* time may pass here */
	bool reduced;
	struct effects step;		/* of the usual CPU, if it goes on ... */
	struct effects next;		/* ... and what the others do until its next step */
	bool next_open;			/* that has not come yet */
	unsigned budget;
	unsigned nr_choices, pauses;
	unsigned trail;			/* states on the path up to this one */
};

/* The alternative that @cpu goes on, and its load reads the store @older before the last; FAILS. */
#define OLDER_BIT		8
#define OLDER(cpu, older)	(OLDER_BIT + FAILS * (cpu) + (older) - 1)

bool reduces = true, merge_states = true;
static struct frame frames[DEPTH_MAX];
static struct snapshot initial;
static struct schedule path;
static bool searching;
static const struct schedule *shown;	/* a replay whose data races are told */

/* The states on the path: not finished until the search goes back beyond them. */
#define TRAIL_MAX	(ACCESSES_MAX)
static struct passed {
	uint64_t hash;
	struct effects by_others[HOST_CPUS];	/* until each CPU runs, as far as explored */
	unsigned ran;			/* the CPUs that ran since, on this path */
} trail[TRAIL_MAX];
static unsigned nr_trail;

#define ALL_EFFECTS	{ ~0ull, ~0ull, ~0u }
static const struct effects anything[HOST_CPUS] = {
	ALL_EFFECTS, ALL_EFFECTS, ALL_EFFECTS, ALL_EFFECTS
};

/* The alternatives that only weak memory has, as far as the budget allows. */
static unsigned older_stores(const struct frame *f, unsigned mask, struct figures *figures)
{
	unsigned alternatives = 0;

	for (unsigned cpu = 0; weak && cpu < nr_vcpus; cpu++) {
		unsigned n = mask & 1u << cpu ? weak_older(cpu) : 0;
		unsigned costs = 1 + (cpu != f->usual && !f->free);
		bool fails = mask & 1u << cpu && weak_may_fail(cpu);

		figures->cut |= (n || fails) && costs > f->budget;
		if (costs > f->budget)
			continue;
		for (unsigned older = 1; older <= n; older++)
			alternatives |= 1u << OLDER(cpu, older);
		if (fails)
			alternatives |= 1u << OLDER(cpu, FAILS);
	}
	return alternatives;
}

/* One execution's progress since the last choice; and what the search has learned. */
struct run {
	unsigned depth, budget, pauses, turn;
	bool fair;			/* after a cycle: no choices, only to see that it ends */
	bool usual;			/* the next step is the usual one of the last choice */
	unsigned learned;		/* nr_learned after the last execution */
	uint64_t learned_at;		/* the last execution that has changed it; 0: none has */
};

/* --- Partial-order reduction ------------------------------------------------------------------ */

static void effects_add(struct effects *to, const struct effects *from)
{
	to->loads |= from->loads;
	to->stores |= from->stores;
	to->interrupts |= from->interrupts;
}

/* Whether it matters if @step, of @cpu, comes before or after what other CPUs do in @others. */
static bool conflict(const struct effects *step, const struct effects *others, unsigned cpu)
{
	return step->interrupts || others->interrupts & 1u << cpu ||
	       others->stores & (step->loads | step->stores) || others->loads & step->stores;
}

/* Notes that @by_others, for each CPU, comes next on the path. @depth: of the last choice. */
static void add_meanwhile(const struct effects *by_others, unsigned depth)
{
	struct passed *p = &trail[nr_trail - 1];
	struct frame *f = depth ? &frames[depth - 1] : NULL;

	if (!nr_trail)
		return;
	for (unsigned cpu = 0; cpu < nr_vcpus; cpu++)
		if (!(p->ran & 1u << cpu))
			effects_add(&p->by_others[cpu], &by_others[cpu]);
	if (f && f->next_open && f->trail == nr_trail - 1)
		effects_add(&f->next, &by_others[f->usual]);
}

/* The CPU `vcpu` has made a step. A CPU that waits for a lock counts as if it had taken it. */
static void note_step(struct run *r)
{
	struct frame *f = r->depth ? &frames[r->depth - 1] : NULL;
	struct effects by_others[HOST_CPUS];

	for (unsigned cpu = 0; cpu < nr_vcpus; cpu++) {
		by_others[cpu] = cpu == vcpu ? (struct effects){ 0 } : effects;
		for (unsigned other = 0; other < nr_vcpus; other++)
			if (other != cpu)
				by_others[cpu].stores |= lock_wanted(other);
	}
	if (r->usual) {
		f->step = effects;
		f->next_open = true;
	} else if (f && vcpu == f->usual && f->trail == nr_trail - 1) {
		f->next_open = false;
	}
	r->usual = false;
	if (nr_trail)
		trail[nr_trail - 1].ran |= 1u << vcpu;
	add_meanwhile(by_others, r->depth);
}

/* --- The search ------------------------------------------------------------------------------- */

/* Takes the next alternative of @f. Returns whether it is the usual one. */
static bool take(struct frame *f, unsigned *budget)
{
	unsigned bit = f->usual;
	struct choice c = { .at = f->at };

	if (!(f->alternatives & 1u << bit))
		bit = __builtin_ctz(f->alternatives);
	f->alternatives &= ~(1u << bit);
	c.cpu = bit < OLDER_BIT ? bit : (bit - OLDER_BIT) / FAILS;
	c.older = bit < OLDER_BIT ? 0 : (bit - OLDER_BIT) % FAILS + 1;
	path.nr = f->nr_choices;
	*budget = f->budget - (c.cpu != f->usual && (!f->free || c.cpu == CPU_TIME)) - !!c.older;
	if (bit != f->usual)
		path.choices[path.nr++] = c;
	trail[f->trail].ran = 0;
	f->next_open = false;
	if (c.cpu == CPU_TIME)
		add_meanwhile(anything, 0);
	follow(&c);
	return bit == f->usual;
}

const struct schedule *search_path(void)
{
	return searching ? &path : shown;
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
	order_begin();
	vcpu = 0;
	verdict[0] = 0;
	failed_at.file = NULL;
}

enum next { NEXT_STEP, NEXT_PATH, NEXT_WRONG, NEXT_FULL };

/* The CPU `vcpu` has paused: chooses who goes on. */
static enum next choose(struct run *r, struct figures *f)
{
	unsigned mask = ready_cpus(), self = vcpu;
	bool goes_on, timer = false, time;
	struct frame *frame = &frames[r->depth];
	uint64_t hash;

	if (!mask)
		return ends_right() ? NEXT_PATH : NEXT_WRONG;
	*frame = (struct frame){ .state = frame->state, .at = position(), .budget = r->budget,
				 .nr_choices = path.nr, .pauses = r->pauses };
	frame->usual = usual_cpu(mask, &r->turn);
	if (scenario_sets_up) {
		vcpu = frame->usual;
		return NEXT_STEP;
	}
	goes_on = frame->usual == self;
	if (goes_on && weak_may_fail(self) && cpu_states[self].unraced)
		mask = 1u << self;	/* there is a choice only of what the exchange does */
	else
		timer = !scenario_over && host_can_advance();
	time = timer && r->budget;
	frame->timed = timer;
	frame->free = !goes_on;
	frame->alternatives = goes_on && !r->budget ? 1u << self : mask | time << CPU_TIME;
	if (!r->budget && ((goes_on && mask & ~(1u << self)) || timer))
		f->cut = true;
	frame->alternatives |= older_stores(frame, mask, f);
	if (r->fair || !(mask & ~(1u << self) || time || frame->alternatives >> OLDER_BIT)) {
		vcpu = frame->usual;	/* nobody else could run */
		return NEXT_STEP;
	}
	hash = state_hash() ^ (goes_on ? self + 1 : 0) * 0x2545f4914f6cdd1dull;
	switch (merge_states ? visit(hash, r->budget) : VISIT_NEW) {
	case VISIT_KNOWN:
		add_meanwhile(visit_meanwhile(hash), r->depth);
		return NEXT_PATH;
	case VISIT_CYCLE:
		add_meanwhile(anything, r->depth);
		r->fair = true;
		vcpu = frame->usual;
		return NEXT_STEP;
	case VISIT_NEW:
		if (nr_trail == TRAIL_MAX)
			return NEXT_FULL;
		trail[nr_trail++] = (struct passed){ .hash = hash };
		break;
	}
	if (frame->alternatives == 1u << frame->usual) {
		vcpu = frame->usual;
		return NEXT_STEP;
	}
	frame->trail = nr_trail - 1;
	if (r->depth + 1 == DEPTH_MAX)
		return NEXT_FULL;
	snapshot_take(&frame->state);
	r->depth++;
	r->usual = take(frame, &r->budget);
	return NEXT_STEP;
}

/* The usual CPU has gone on at @f, and all that can come then was explored. */
static void reduce(struct frame *f)
{
	if (f->reduced)
		return;
	f->reduced = true;
	if (!reduces || !merge_states || f->free || f->timed ||
	    conflict(&f->step, &f->next, f->usual))
		return;
	f->alternatives &= ((1u << FAILS) - 1) << OLDER(f->usual, 1);
	/* All that could have come before that step comes after it. */
	effects_add(&trail[f->trail].by_others[f->usual], &f->next);
}

/* The last state on the path is left. */
static void leave_state(unsigned depth)
{
	const struct passed *p = &trail[--nr_trail];

	visit_finished(p->hash, p->by_others);
	add_meanwhile(p->by_others, depth);
}

/* The last choice on the path is the one before which @depth are. */
static void leave_states(unsigned depth)
{
	unsigned keep = depth ? frames[depth - 1].trail + 1 : 0;

	while (nr_trail > keep)
		leave_state(depth);
}

/* Goes back to the last choice that has an alternative left; false: there is none. */
static bool back(struct run *r)
{
	for (;; r->depth--) {
		leave_states(r->depth);
		if (!r->depth)
			return false;
		reduce(&frames[r->depth - 1]);
		if (frames[r->depth - 1].alternatives)
			break;
	}
	r->pauses = frames[r->depth - 1].pauses;
	r->turn = 0;
	r->fair = false;
	snapshot_restore(&frames[r->depth - 1].state);
	vcpu = frames[r->depth - 1].usual;
	r->usual = take(&frames[r->depth - 1], &r->budget);
	return true;
}

/*
 * A search that learns is repeated. So it ends when it has done as much again since it learned
 * anything, and MORE executions, which a repetition does with all that it knows.
 */
#define MORE	40

static bool is_in_vain(struct run *r, const struct figures *f)
{
	if (r->learned != nr_learned)
		r->learned_at = f->executions;
	r->learned = nr_learned;
	return r->learned_at && f->executions >= 2 * r->learned_at + MORE;
}

static enum outcome search_paths(unsigned bound, uint64_t most_steps, struct figures *f,
				 struct schedule *wrong)
{
	struct run r = { .budget = bound, .learned = nr_learned };
	enum next next;

	*f = (struct figures){ 0 };
	search_begin();
	visited_clear();
	path.nr = nr_trail = 0;
	next = choose(&r, f);
	do {
		while (next == NEXT_STEP) {
			step(vcpu);
			note_step(&r);
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
		if (is_in_vain(&r, f))
			return OUTCOME_RIGHT;
		if (next == NEXT_FULL || f->steps > most_steps || time_is_over(f))
			return OUTCOME_TOO_MANY;
		next = NEXT_STEP;
	} while (back(&r));
	return OUTCOME_RIGHT;
}

enum outcome search(unsigned bound, uint64_t most_steps, struct figures *f,
		    struct schedule *wrong)
{
	enum outcome o;

	searching = true;
	o = search_paths(bound, most_steps, f, wrong);
	searching = false;
	return o;
}

/* Runs @s. False: it reads older stores of a word that is a location only from now on. */
static bool replayed(const struct schedule *s, enum outcome *outcome)
{
	unsigned done = 0, turn = 0, mask;

	search_begin();
	while ((mask = ready_cpus())) {
		uint64_t at = position();

		vcpu = usual_cpu(mask, &turn);
		if (done < s->nr && s->choices[done].at == at) {
			const struct choice *c = &s->choices[done++];

			turn = 0;
			follow(c);
			if (c->older && !weak_older(c->cpu) && weak_learn(c->cpu))
				return false;
		}
		pause_at = done < s->nr ? s->choices[done].at : 0;
		step(vcpu);
		pause_at = 0;
		if (cpu_states[vcpu].why == PAUSE_FAILED) {
			*outcome = OUTCOME_WRONG;
			return true;
		}
	}
	*outcome = ends_right() ? OUTCOME_RIGHT : OUTCOME_WRONG;
	return true;
}

/*
 * Once without a record: the size of words and the racing ones are learned, as they were when the
 * search came to @s.
 */
enum outcome replay_and_tell(const struct schedule *s)
{
	enum outcome outcome;
	unsigned learned;

	do {
		learned = nr_learned;
		replay(s);
	} while (nr_learned != learned);
	shown = s;
	outcome = replay(s);
	shown = NULL;
	return outcome;
}

enum outcome replay(const struct schedule *s)
{
	enum outcome outcome;

	for (unsigned i = 0; i < s->nr; i++)
		weak |= s->choices[i].older;
	while (!replayed(s, &outcome))
		;
	return outcome;
}
