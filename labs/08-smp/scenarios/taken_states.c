/*
 * Lab 08: who is taken by a CPU that has nothing to do, and by one that compares, in every state.
 */
#include "states.h"

/* --- A CPU with nothing to do takes a thread -------------------------------------------------- */

/* Those that wait at one CPU, @own: for which CPUs, and whether in the list of the urgent. */
enum {
	NOBODY, ANY, BOUND, BOUND_ANY, ANY_ANY, NORMAL_URGENT, BOUND_URGENT_ANY, BOTH_URGENT,
	CROWDS,
};

static const char *const crowd_names[] = {
	"nobody", "one", "one bound", "one bound, one", "two", "one, one urgent",
	"one bound and urgent, one", "one bound and urgent, one urgent",
};

static unsigned thief, crowds[CPUS], locked;	/* locked: CPUS: none */

#define EXPECT_TAKEN(cond, text, ...)							\
	expect(cond, "layout %u, CPU %u looks, locked: %u; at 0: %s, 1: %s, 2: %s, 3: %s: " text, \
	       layout, thief, locked, crowd_names[crowds[0]], crowd_names[crowds[1]],	\
	       crowd_names[crowds[2]], crowd_names[crowds[3]], ##__VA_ARGS__)

static void make_crowd(unsigned cpu, unsigned crowd)
{
	bool first_bound = crowd == BOUND || crowd == BOUND_ANY || crowd >= BOUND_URGENT_ANY;

	if (crowd == NOBODY)
		return;
	make_wait(2 * cpu, cpu, first_bound ? BIT(cpu) : ALL, crowd >= BOUND_URGENT_ANY);
	if (crowd >= BOUND_ANY)
		make_wait(2 * cpu + 1, cpu, ALL,
			  crowd == NORMAL_URGENT || crowd == BOTH_URGENT);
}

/* The first of @cpu's threads that may come; NULL: none. */
static struct thread *first_of(unsigned cpu)
{
	switch (crowds[cpu]) {
	case ANY:
	case ANY_ANY:
		return &waits[2 * cpu];
	case NOBODY:
	case BOUND:
		return NULL;
	default:
		return &waits[2 * cpu + 1];
	}
}

static void check_taken(bool took, const struct runq *rq)
{
	unsigned order[CPUS], n = in_order(thief, ALL & ~BIT(thief), order);
	const struct thread *want = NULL;
	bool missed = false;

	for (unsigned i = 0; i < n && !want; i++) {
		if (order[i] == locked)
			missed = crowds[locked];
		else
			want = first_of(order[i]);
	}
	EXPECT_TAKEN(took == !!want, "one %s", took ? "is taken" : "could be taken");
	EXPECT_TAKEN(want || rq->missed == (missed ? &cpus[locked].runq : NULL),
		     "that of CPU %ld is noted as missed",
		     rq->missed ? (long)runq_cpu(rq->missed)->id : -1);
	EXPECT_TAKEN(nr_ready(rq) == took, "%u wait here then", nr_ready(rq));
	EXPECT_TAKEN(!want || (want->cpu == &cpus[thief] && entity_queued(&want->se)),
		     "not the first that may come is taken");
	for (unsigned i = 0; i < n; i++) {
		unsigned left = (crowds[order[i]] > NOBODY) + (crowds[order[i]] >= BOUND_ANY);

		left -= want && order[i] == (unsigned)(want - waits) / 2;
		EXPECT_TAKEN(nr_ready(&cpus[order[i]].runq) == left, "%u wait at CPU %u then",
			     nr_ready(&cpus[order[i]].runq), order[i]);
	}
}

static void look_for_one(void)
{
	struct runq *rq = &cpus[thief].runq;
	bool took;

	if (locked < CPUS)
		spin_lock(&cpus[locked].runq.lock);
	if (!spin_trylock(&rq->lock))
		explore_fail("a queue is left locked");
	took = steal(rq, 0);
	check_taken(took, rq);
	spin_unlock(&rq->lock);
	if (locked < CPUS)
		spin_unlock(&cpus[locked].runq.lock);
	for (unsigned i = 0; i < CPUS; i++)
		EXPECT_TAKEN(!spin_held(&cpus[i].runq.lock), "CPU %u's queue is left locked", i);
}

SCENARIO(steals, "steal.by_state", "08.3", "P8.4", .cpus = 4, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true)
{
	begin();
	for (unsigned i = 0; i < 1300; i++) {
		unsigned rest = i * 1009 % (CPUS * CROWDS * CROWDS * CROWDS);	/* scattered */

		layout = (i / 3 + i / 50) % LAYOUTS;
		set_nodes();
		thief = digit(&rest, CPUS);
		locked = (i / 5 + i / 70) % (CPUS + 1);
		for (unsigned k = 0; k < CPUS; k++) {
			crowds[k] = k == thief ? NOBODY : digit(&rest, CROWDS);
			make_crowd(k, crowds[k]);
		}
		if (locked == thief)
			locked = CPUS;
		look_for_one();
		take_out_all();
	}
	end();
}

/* --- A busy CPU compares ---------------------------------------------------------------------- */

#define MOST	3u			/* waiting at one CPU */

enum { FREE, FIRST_BOUND, ALL_BOUND, ALL_URGENT, KINDS };

static unsigned waiting[CPUS], kinds[CPUS];
static unsigned more[CPUS];		/* so many more wait, as far as the queue counts them */

#define EXPECT_BALANCED(cond, text, ...)						\
	expect(cond,									\
	       "layout %u, CPU %u compares, %x busy, %u, %u, %u, %u wait, kinds %u%u%u%u: " text, \
	       layout, thief, busy, waiting[0] + more[0], waiting[1] + more[1],	\
	       waiting[2] + more[2], waiting[3] + more[3], kinds[0], kinds[1], kinds[2],	\
	       kinds[3], ##__VA_ARGS__)

static void make_waiting(void)
{
	for (unsigned i = 0; i < CPUS; i++) {
		queue_count(&cpus[i].runq.q, (int)more[i]);
		for (unsigned k = 0; k < waiting[i]; k++) {
			bool bound = kinds[i] == ALL_BOUND || (kinds[i] == FIRST_BOUND && !k);

			make_wait(MOST * i + k, i, bound ? BIT(i) : ALL, kinds[i] == ALL_URGENT);
		}
	}
}

static unsigned load_of(unsigned cpu)
{
	return waiting[cpu] + more[cpu] + !!(busy & BIT(cpu));
}

/* The CPUs of @mask with the most to do; none, if that is not two more than @thief has. */
static u32 busiest_of(u32 mask)
{
	unsigned most = load_of(thief) + 2;
	u32 found = 0;

	for (unsigned i = 0; i < CPUS; i++) {
		if (!(mask & BIT(i)) || load_of(i) < most)
			continue;
		found = (load_of(i) == most ? found : 0) | BIT(i);
		most = load_of(i);
	}
	return found;
}

/* The thread that comes from the first of @busiest, or NULL. */
static const struct thread *comes_from(u32 busiest)
{
	unsigned cpu = busiest ? (unsigned)__builtin_ctz(busiest) : thief;
	unsigned first = kinds[cpu] == FIRST_BOUND;

	if (!busiest || waiting[cpu] <= first || kinds[cpu] >= ALL_BOUND)
		return NULL;
	return &waits[MOST * cpu + first];
}

/* Of two CPUs with the most to do it is free which one is asked. */
static bool is_open(u32 busiest)
{
	return busiest & (busiest - 1);
}

static void compare(void)
{
	u32 near_mask = near_cpus(&cpus[thief]);
	u32 near = busiest_of(near_mask), far = busiest_of(~near_mask & ALL);
	const struct thread *want = comes_from(near);
	struct runq *rq = &cpus[thief].runq;

	if (is_open(near) || (!want && is_open(far)))
		return;
	want = want ? want : comes_from(far);
	rq->balance_at = 0;
	spin_lock(&rq->lock);
	balance(rq, 0);
	spin_unlock(&rq->lock);
	for (unsigned i = 0; i < CPUS; i++) {
		unsigned then = waiting[i] + more[i] + (want && i == thief) -
				(want && i == (unsigned)(want - waits) / MOST);

		EXPECT_BALANCED(nr_ready(&cpus[i].runq) == then, "then %u wait at CPU %u, not %u",
				nr_ready(&cpus[i].runq), i, then);
		EXPECT_BALANCED(!spin_held(&cpus[i].runq.lock), "CPU %u's queue is left locked", i);
	}
	EXPECT_BALANCED(!want || want->cpu == &cpus[thief], "not the first that may come is taken");
}

SCENARIO(balances, "balance.by_state", "08.5", "P8.8", .cpus = 4, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true, .bootargs = "balance=10s")
{
	begin();
	for (unsigned i = 0; i < 1200; i++) {
		unsigned rest = i * 2654435761u >> 8;	/* scattered: there are a million states */

		layout = digit(&rest, LAYOUTS);
		set_nodes();
		thief = digit(&rest, CPUS);
		busy = digit(&rest, ALL + 1) | BIT(0) | BIT(thief);
		for (unsigned k = 0; k < CPUS; k++) {
			waiting[k] = digit(&rest, k == thief ? 2 : MOST + 1);
			kinds[k] = digit(&rest, 8) % 5 % KINDS;
			more[k] = i % 3 == 1 && k == i / 3 % CPUS ? i % 2 ? 256 : 65536 : 0;
		}
		set_busy();
		make_waiting();
		compare();
		take_out_all();
		for (unsigned k = 0; k < CPUS; k++)
			queue_count(&cpus[k].runq.q, -(int)more[k]);
	}
	busy = 0;
	set_busy();
	end();
}
