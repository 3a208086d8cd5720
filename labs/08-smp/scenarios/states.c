/*
 * Lab 08: who is told, who is taken and where a thread goes, in every state of four CPUs: which of
 * them are idle or busy, which threads wait at which and where they may run, which queues are locked,
 * and which CPUs are near each other. All is done by CPU 0, with run queues that are filled by hand.
 */
#include "explore/scenario.h"

#include "mm/numa.h"
#include "sched/cpu.h"
#include "sched/internal.h"

#define CPUS	4u
#define ALL	(BIT(CPUS) - 1)

/* Takes the next digit of @number, which has @base values. */
static unsigned digit(unsigned *number, unsigned base)
{
	unsigned d = *number % base;

	*number /= base;
	return d;
}

enum { ONE_NODE, NEIGHBOURS, EVEN_AND_ODD, LAYOUTS };

static unsigned layout;

static void set_nodes(void)
{
	nr_nodes = layout == ONE_NODE ? 1 : 2;
	for (unsigned i = 0; i < CPUS; i++)
		cpus[i].node = layout == NEIGHBOURS ? i / 2 : layout == EVEN_AND_ODD ? i % 2 : 0;
}

/* The CPUs of @mask in the order in which @from looks at them; returns their number. */
static unsigned in_order(unsigned from, u32 mask, unsigned order[CPUS])
{
	unsigned n = 0;

	for (unsigned far = 0; far < 2; far++)
		for (unsigned i = 0; i < CPUS; i++)
			if (mask & BIT(i) && (cpus[i].node != cpus[from].node) == far)
				order[n++] = i;
	return n;
}

/* --- Threads that only wait; they never run ----------------------------------------------------- */

static struct thread waits[12];
static bool lends;		/* the urgent ones are normal, and inherit */

static u32 idle_before;

/* The other CPUs idle, and no interrupt ends that. */
static void begin(void)
{
	while (atomic_load(&idle_mask) != (ALL & ~BIT(0)))
		arch_spin_hint();
	irq_off();
	idle_before = atomic_load(&idle_mask);
	for (unsigned i = 0; i < CPUS; i++)
		runq_await(&cpus[i].runq);
	for (unsigned i = 0; i < ARRAY_SIZE(waits); i++)
		policy_entity_init(&waits[i].se, ALL, 0);
}


static void forget_told(void)
{
	for (unsigned i = 0; i < CPUS; i++) {
		atomic_store(&cpus[i].idle.work, 0);
		atomic_store(&cpus[i].ipi_pending, 0);
	}
}

static void end(void)
{
	layout = ONE_NODE;
	set_nodes();
	forget_told();
	atomic_fetch_and(&current_thread()->work, ~WORK_RESCHED);
	atomic_store(&idle_mask, idle_before);
	irq_on();
	explore_from_here();
	end_here();
}

static void make_wait(unsigned i, unsigned cpu, u32 mask, bool urgent)
{
	struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 10 };
	struct sched_rank lent = { .level = 20 };
	struct thread *t = &waits[i];

	t->cpu = &cpus[cpu];
	t->state = THREAD_READY;
	policy_entity_init(&t->se, mask, 0);
	t->affinity = mask;
	if (urgent && lends)
		policy_inherit(&t->se, lent);
	else if (urgent)
		policy_set_params(&t->se, &p, 0);
	queue_enqueue(&cpus[cpu].runq.q, &t->se, ENQUEUE_WAKE, 0);
}

static void take_out_all(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(waits); i++)
		if (entity_queued(&waits[i].se))
			queue_dequeue(&waits[i].cpu->runq.q, &waits[i].se);
}

/* --- An idle CPU is told ------------------------------------------------------------------------ */

static unsigned kicks_from;		/* the CPU at which the thread waits */
static u32 idle, may_run;

enum { ONE, QUEUED, BOTH, KICKS };	/* for a thread, those that wait, or both */

#define EXPECT_TOLD(cond, text, ...)							\
	expect(cond, "layout %u, CPUs %x are idle, at CPU %u one waits for %x: " text, layout, \
	       idle, kicks_from, may_run, ##__VA_ARGS__)

static void check_told(u32 told)
{
	for (unsigned i = 0; i < CPUS; i++) {
		bool marked = atomic_load(&cpus[i].idle.work) & WORK_RESCHED;
		bool interrupted = atomic_load(&cpus[i].ipi_pending) & IPI_RESCHED;

		EXPECT_TOLD(marked == !!(told & BIT(i)), "CPU %u is %smarked", i,
			    marked ? "" : "not ");
		EXPECT_TOLD(interrupted == !!(told & BIT(i)), "CPU %u is %sinterrupted", i,
			    interrupted ? "" : "not ");
	}
	EXPECT_TOLD(atomic_load(&idle_mask) == (idle & ~told), "then CPUs %x are idle",
		    atomic_load(&idle_mask));
}

/* Tells one of @t, or of those that wait in @rq; then another one, and so on. */
static void kick_for(const struct thread *t, struct runq *rq)
{
	unsigned order[CPUS], n = in_order(kicks_from, idle & may_run, order);
	u32 told = 0;

	forget_told();
	atomic_store(&idle_mask, idle);
	for (unsigned i = 0; i < n; i++) {
		EXPECT_TOLD(idle_cpu_for(t, rq) == &cpus[order[i]], "not CPU %u is found",
			    order[i]);
		told |= BIT(order[i]);
		kick_idle_for(t, rq);
		check_told(told);
	}
	EXPECT_TOLD(!idle_cpu_for(t, rq), "none is left, and one is found");
	kick_idle_for(t, rq);
	check_told(told);
}

SCENARIO(kick, "kick.by_state", "08.4", "P8.6", .cpus = 4, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true)
{
	begin();
	for (unsigned i = 0; i < LAYOUTS * (ALL + 1) * (ALL + 1) * KICKS; i++) {
		unsigned rest = i;

		layout = digit(&rest, LAYOUTS);
		set_nodes();
		kicks_from = (i + i / 48) % CPUS;
		idle = digit(&rest, ALL + 1);
		may_run = digit(&rest, ALL + 1);
		make_wait(0, kicks_from, may_run, i & 1);
		if (rest != ONE)
			may_run |= BIT(i / 7 % CPUS);
		make_wait(1, kicks_from, may_run & BIT(i / 7 % CPUS), i & 2);
		kick_for(rest == QUEUED ? NULL : &waits[0],
			 rest == ONE ? NULL : &cpus[kicks_from].runq);
		take_out_all();
	}
	end();
}

/* --- A CPU with nothing to do takes a thread ---------------------------------------------------- */

/* Those that wait at one CPU, @own: for which CPUs, and whether in the list of the urgent. */
enum {
	NOBODY, ANY, BOUND, BOUND_ANY, ANY_ANY, NORMAL_URGENT, BOUND_URGENT_ANY, BOTH_URGENT, CROWDS,
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

/* --- A busy CPU compares ------------------------------------------------------------------------ */

#define MOST	3u			/* waiting at one CPU */

enum { FREE, FIRST_BOUND, ALL_BOUND, ALL_URGENT, KINDS };

static struct thread runs[CPUS];
static unsigned waiting[CPUS], kinds[CPUS];
static unsigned more[CPUS];		/* so many more wait, as far as the queue counts them */
static u32 busy;

#define EXPECT_BALANCED(cond, text, ...)						\
	expect(cond, "layout %u, CPU %u compares, %x are busy, %u, %u, %u, %u wait, kinds %u%u%u%u: " \
	       text, layout, thief, busy, waiting[0] + more[0], waiting[1] + more[1],	\
	       waiting[2] + more[2], waiting[3] + more[3], kinds[0], kinds[1], kinds[2],	\
	       kinds[3], ##__VA_ARGS__)

static void set_busy(void)
{
	for (unsigned i = 1; i < CPUS; i++) {
		struct runq *rq = &cpus[i].runq;

		policy_entity_init(&runs[i].se, ALL, 0);
		rq->current = busy & BIT(i) ? &runs[i] : &cpus[i].idle;
		rq->q.current = busy & BIT(i) ? &runs[i].se : NULL;
	}
}

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

/* The CPU of @mask with the most to do; CPUS: two have as much, or none has two more than @thief. */
static unsigned busiest_of(u32 mask)
{
	unsigned most = load_of(thief) + 1, found = CPUS;

	for (unsigned i = 0; i < CPUS; i++) {
		if (!(mask & BIT(i)) || load_of(i) < most)
			continue;
		found = load_of(i) == most ? CPUS : i;
		most = load_of(i);
	}
	return found;
}

/* The thread that comes from a CPU of @mask, or NULL. */
static const struct thread *comes_from(u32 mask)
{
	unsigned cpu = busiest_of(mask);

	if (cpu == CPUS || waiting[cpu] <= (kinds[cpu] == FIRST_BOUND) || kinds[cpu] >= ALL_BOUND)
		return NULL;
	return &waits[MOST * cpu + (kinds[cpu] == FIRST_BOUND)];
}

/* It is free which of two CPUs with the most to do is asked. */
static bool is_open(u32 mask)
{
	unsigned most = load_of(thief) + 2, found = 0;

	for (unsigned i = 0; i < CPUS; i++) {
		if (!(mask & BIT(i)) || load_of(i) < most)
			continue;
		found = load_of(i) == most ? found + 1 : 1;
		most = load_of(i);
	}
	return found > 1;
}

static void compare(void)
{
	u32 near = near_cpus(&cpus[thief]);
	const struct thread *want = comes_from(near);
	struct runq *rq = &cpus[thief].runq;

	if (is_open(near) || (!want && is_open(~near & ALL)))
		return;
	want = want ? want : comes_from(~near & ALL);
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

/* --- A thread has a new mask -------------------------------------------------------------------- */

static u32 mask;

#define EXPECT_MOVED(cond, text, ...)							\
	expect(cond, "layout %u, CPUs %x idle, one %s of CPU %u may use %x then: " text, layout, \
	       idle, thread_state_name(thread_state(&waits[0])), kicks_from, mask, ##__VA_ARGS__)

/* It waits in one queue, that of a CPU that it may use; an urgent one goes where it runs first. */
static void check_queued(bool urgent)
{
	struct thread *t = &waits[0];
	unsigned now = thread_cpu(t)->id;

	EXPECT_MOVED(mask & BIT(now), "it is on CPU %u", now);
	EXPECT_MOVED(urgent || !(mask & BIT(kicks_from)) || now == kicks_from,
		     "it is moved to CPU %u", now);
	EXPECT_MOVED(!urgent || mask == BIT(kicks_from) || now != kicks_from,
		     "it is urgent, and stays where another one runs");
	for (unsigned i = 0; i < CPUS; i++)
		EXPECT_MOVED(nr_ready(&cpus[i].runq) == (i == now), "%u wait at CPU %u",
			     nr_ready(&cpus[i].runq), i);
	EXPECT_MOVED(entity_queued(&t->se), "it is in no queue");
}

static u32 marked_cpus(void)
{
	u32 marked = 0;

	for (unsigned i = 0; i < CPUS; i++)
		if (atomic_load(&cpus[i].runq.current->work) & WORK_RESCHED)
			marked |= BIT(i);
	return marked;
}

/* Of a normal thread only idle CPUs are told; of an urgent one the one to which it is moved. */
static void check_marked(bool waits_there, bool urgent)
{
	unsigned now = thread_cpu(&waits[0])->id;
	u32 marked = marked_cpus();

	EXPECT_MOVED(!(marked & atomic_load(&idle_mask)), "CPUs %x are told, and count as idle",
		     marked & atomic_load(&idle_mask));
	EXPECT_MOVED(!(marked & ~mask), "CPUs %x are told, which may not run it", marked & ~mask);
	if (!waits_there)
		EXPECT_MOVED(!marked, "it does not wait, and CPUs %x are told", marked);
	else if (urgent)
		EXPECT_MOVED(now == kicks_from || marked & BIT(now),
			     "it is urgent, moved to CPU %u, and that is not told", now);
	else
		EXPECT_MOVED(marked & idle || !(mask & idle), "no idle CPU is told");
	if (!urgent)
		EXPECT_MOVED(!(marked & ~idle), "what runs on CPUs %x is interrupted",
			     marked & ~idle);
}

static void give_mask(enum thread_state state, bool urgent)
{
	make_wait(0, kicks_from, BIT(kicks_from), urgent);
	if (state != THREAD_READY)
		queue_dequeue(&cpus[kicks_from].runq.q, &waits[0].se);
	waits[0].state = state;
	EXPECT_MOVED(!sched_set_affinity(&waits[0], mask), "the mask is refused");
	if (state == THREAD_READY)
		check_queued(urgent);
	check_marked(state == THREAD_READY, urgent);
}

static void change_masks(void)
{
	static const enum thread_state states[] = {
		THREAD_READY, THREAD_BLOCKED, THREAD_READY, THREAD_SLEEPING, THREAD_READY,
		THREAD_SUSPENDED,
	};

	begin();
	for (unsigned i = 0; i < CPUS * ALL * (ALL / 2 + 1) * 2; i++) {
		unsigned rest = i;

		layout = (i / 5 + i / 90) % LAYOUTS;
		set_nodes();
		kicks_from = digit(&rest, CPUS);
		mask = 1 + digit(&rest, ALL);
		idle = 2 * digit(&rest, ALL / 2 + 1);	/* CPU 0 runs this */
		busy = ALL & ~idle;
		set_busy();
		forget_told();
		atomic_store(&idle_mask, idle);
		lends = i / 7 % 2;
		give_mask(states[i / 3 % ARRAY_SIZE(states)], rest);
		take_out_all();
		for (unsigned k = 0; k < CPUS; k++)
			atomic_store(&cpus[k].runq.current->work, 0);
	}
	busy = 0;
	set_busy();
	end();
}

SCENARIO(masks, "mask.by_state", "08.4", "P8.2", .cpus = 4, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true)
{
	change_masks();
}

/* Its threads wait in a tree. */
SCENARIO(masks_fair, "mask.of_other_policy", "08.4", "P8.1", .cpus = 4, .sets_up = true,
	 .quiet = true, .keeps = true, .no_costume = true, .bootargs = "sched=fair")
{
	change_masks();
}
