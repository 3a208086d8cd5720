/*
 * Lab 08, hidden: real-time threads of some priorities, and normal ones, that wake, block, end and
 * have new masks and priorities, several at once. Then, as soon as each CPU has done what it was
 * told to, no thread waits for a CPU that has something less urgent to do. All queues are locked
 * when the test looks. It is the most urgent thread itself, and keeps its CPU.
 */
#include "crew.h"

#include "sched/wait.h"

#define CROWD	12
#define TURNS	1000

enum order { GO_ON, BLOCK, GO_ELSEWHERE, END };

static struct subject {
	struct thread *thread;		/* NULL: it is not there */
	struct wait_queue q;
	_Atomic(enum order) order;	/* until it has done that, or is about to block */
	u32 mask;			/* for the thread itself to set */
	bool to_block;			/* has not been seen blocked yet */
	bool blocked;
	bool has_new_mask;		/* since it was last told anything else */
	u64 moves;
} crowd[CROWD];

/* A thing that is wrong at the moment. */
struct fault {
	const char *what;		/* that of fine: nothing is */
	const char *property;
	unsigned who, cpu;
};

static const struct fault fine = { "is where it should be", "P8.7", 0, 0 };

static bool is_fine(struct fault f)
{
	return f.what == fine.what;
}

static u64 limit_before;

static unsigned chance(unsigned n)
{
	return test_random() % n;
}

static u32 some_mask(void)
{
	return 1 + chance(BIT(nr_cpus) - 1);
}

/* --- Threads ---------------------------------------------------------------------------------- */

static void go_elsewhere(struct subject *s)
{
	unsigned at;

	if (sched_set_affinity(current_thread(), s->mask))
		return;
	at = cpu_here();
	CHECK(s->mask & BIT(at), "P8.2", "a thread that gave itself the mask %x goes on on CPU %u",
	      s->mask, at);
}

static int live(void *arg)
{
	struct subject *s = arg;

	for (;;) {
		switch (atomic_load(&s->order)) {
		case GO_ELSEWHERE:
			go_elsewhere(s);
			s->order = GO_ON;
			break;
		case BLOCK:
			s->order = GO_ON;
			if (wait_block(&s->q, DEADLINE_NEVER))
				return 1;
			break;
		case END:
			return 0;
		default:
			arch_spin_hint();
		}
	}
}

static void begin_one(struct subject *s)
{
	*s = (struct subject){ 0 };
	wait_queue_init(&s->q);
	s->thread = thread_create("subject", live, s, PRIORITY_DEFAULT);
	REQUIRE(s->thread, "P8.1", "no memory for a thread");
	s->thread->affinity = s->thread->se.affinity = some_mask();
	s->thread->cpu = &cpus[chance(nr_cpus)];
	thread_resume(s->thread);
}

static bool is_told(const struct subject *s)
{
	return s->order != GO_ON || s->to_block;
}

/* --- A look at all of it ---------------------------------------------------------------------- */

static void unlock_all(u32 locked)
{
	for (; locked; locked &= locked - 1)
		spin_unlock(&cpus[__builtin_ctz(locked)].runq.lock);
}

/* Returns the CPUs whose queues are locked now: all of them. */
static u32 lock_all(void)
{
	for (;;) {
		u32 locked = 0;

		for (unsigned i = 0; i < nr_cpus; i++)
			if (spin_trylock(&cpus[i].runq.lock))
				locked |= BIT(i);
		if (locked == BIT(nr_cpus) - 1)
			return locked;
		unlock_all(locked);
		arch_spin_hint();
	}
}

/* @who waits, and may run on CPU @cpu. */
static struct fault look_at_other(unsigned who, const struct thread *t, unsigned cpu)
{
	const struct thread *runs = cpus[cpu].runq.current;

	if (runs == &cpus[cpu].idle)
		return (struct fault){ "waits for a CPU that idles", "P8.7", who, cpu };
	if (t->se.rt && rank_above(entity_rank(&t->se), entity_rank(&runs->se)))
		return (struct fault){ "waits for a CPU that runs a less urgent thread",
				       crowd[who].has_new_mask ? "P8.3" : "P8.1", who, cpu };
	return fine;
}

static struct fault look_at_waiting(unsigned who, const struct thread *t, unsigned at)
{
	struct fault f = fine;

	if (!entity_queued(&t->se))
		return (struct fault){ "is ready, and in no queue", "P8.1", who, at };
	if (!(t->se.affinity & BIT(at)))
		return (struct fault){ "waits where it may not run", "P8.2", who, at };
	for (unsigned i = 0; i < nr_cpus && is_fine(f); i++)
		if (t->se.affinity & BIT(i))
			f = look_at_other(who, t, i);
	return f;
}

/* All queues are locked. */
static struct fault look_at(unsigned who)
{
	struct subject *s = &crowd[who];
	struct thread *t = s->thread;
	unsigned at = thread_cpu(t)->id;

	switch (thread_state(t)) {
	case THREAD_READY:
		return look_at_waiting(who, t, at);
	case THREAD_RUNNING:
		if (!(t->se.affinity & BIT(at)))
			return (struct fault){ "runs where it may not", "P8.2", who, at };
		if (is_told(s))
			return (struct fault){ "runs, and does not what it is told to", "P8.1",
					       who, at };
		return fine;
	case THREAD_BLOCKED:
		s->blocked |= s->to_block;
		s->to_block = false;
		if (!s->blocked)
			return (struct fault){ "was woken, and is blocked", "P8.7", who, at };
		return fine;
	default:
		return fine;
	}
}

static struct fault look_at_counts(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		unsigned n = 0;

		for (unsigned k = 0; k < CROWD; k++) {
			struct thread *t = crowd[k].thread;

			n += t && thread_cpu(t) == &cpus[i] && t->se.rt && entity_queued(&t->se);
		}
		if (n != cpus[i].runq.q.nr_urgent)
			return (struct fault){ "last of some: a queue does not count the real-time "
					       "ones that wait there", "P8.1", CROWD, i };
	}
	return fine;
}

static struct fault look_at_all(void)
{
	u32 locked = lock_all();
	struct fault f = look_at_counts();

	for (unsigned i = 0; i < CROWD && is_fine(f); i++)
		if (crowd[i].thread)
			f = look_at(i);
	unlock_all(locked);
	return f;
}

/* A CPU that is told something needs some microseconds; this waits for much longer. */
static void settle(void)
{
	u64 until = time_now() + 50 * MS;
	struct fault f;

	do {
		look_on(MS / 100 * (1 + chance(4)));	/* the locks are free meanwhile */
		f = look_at_all();
	} while (!is_fine(f) && time_before(time_now(), until));
	REQUIRE(is_fine(f), f.property, "thread %u %s: CPU %u", f.who, f.what, f.cpu);
}

/* --- What stays as it is ---------------------------------------------------------------------- */

/* No two of these have the same priority if they have slices, so nothing changes by itself. */
static bool keeps_its_place(const struct subject *s)
{
	return s->thread && s->thread->se.rt && !is_told(s);
}

/* Nothing happens, but that CPUs compare how much they have to do: real-time threads stay. */
static void look_on_at_all(void)
{
	for (unsigned i = 0; i < CROWD; i++)
		if (keeps_its_place(&crowd[i]))
			crowd[i].moves = crowd[i].thread->stats.migrations;
	look_on(3 * MS);
	for (unsigned i = 0; i < CROWD; i++)
		if (keeps_its_place(&crowd[i])) {
			u64 moves = crowd[i].thread->stats.migrations - crowd[i].moves;

			CHECK(!moves, "P8.8", "nothing happens, and thread %u is moved %lu times",
			      i, moves);
		}
}

/* A mask that still allows its CPU. Nothing else has happened since all was settled. */
static void widen_one(struct subject *s)
{
	struct thread *t = s->thread;
	u64 moves, turns;
	unsigned at;

	if (!keeps_its_place(s) || thread_state(t) != THREAD_RUNNING)
		return;
	moves = t->stats.migrations;
	turns = t->stats.switches_in;
	at = thread_cpu(t)->id;
	CHECK(sched_set_affinity(t, some_mask() | BIT(at)) == 0, "P8.2", "a mask is refused");
	CHECK(thread_cpu(t)->id == at && t->stats.migrations == moves &&
		      t->stats.switches_in == turns,
	      "P8.3", "thread %ld runs on CPU %u, which its new mask allows, and loses it",
	      s - crowd, at);
}

/* --- Events ----------------------------------------------------------------------------------- */

static void give_mask(struct subject *s)
{
	u32 mask = some_mask();
	struct runq *rq;
	unsigned at;
	bool there;

	s->has_new_mask = true;
	CHECK(sched_set_affinity(s->thread, mask) == 0, "P8.2", "the mask %x is refused", mask);
	rq = thread_runq_lock(s->thread);
	at = runq_cpu(rq)->id;
	there = thread_state(s->thread) == THREAD_READY || rq->current == s->thread;
	runq_unlock(rq);
	CHECK(!there || mask & BIT(at), "P8.2",
	      "thread %ld may run on CPUs %x: when the call returns it is on CPU %u", s - crowd,
	      mask, at);
}

/* Some FIFO threads have the same priority. RR threads never do, so their slices end in vain. */
static void give_class(struct subject *s)
{
	struct sched_params p = { .class = SCHED_OTHER };

	switch (chance(4)) {
	case 0:
		break;
	case 1:
		p.class = SCHED_RR;
		p.rt_priority = 15 + 5 * (unsigned)(s - crowd);
		break;
	default:
		p.class = SCHED_FIFO;
		p.rt_priority = 10 * (1 + chance(5)) + 1;
	}
	CHECK(sched_set_params(s->thread, &p) == 0, "P8.1", "its class is refused");
}

static void tell(struct subject *s)
{
	switch (chance(8)) {
	case 0:
		s->order = END;
		break;
	case 1: case 2:
		s->mask = some_mask();
		s->order = GO_ELSEWHERE;
		break;
	default:
		s->to_block = true;
		s->order = BLOCK;
	}
}

static void wake(struct subject *s)
{
	s->blocked = false;
	wait_wake_all(&s->q, 0);
}

static void begin_or_end(struct subject *s)
{
	if (!s->thread) {
		begin_one(s);
	} else {
		thread_join(s->thread, NULL, DEADLINE_NEVER);
		s->thread = NULL;
	}
}

static void do_something(struct subject *s)
{
	if (!s->thread || thread_state(s->thread) == THREAD_DEAD) {
		begin_or_end(s);
		return;
	}
	s->has_new_mask = false;
	if (is_told(s) || !chance(4))
		give_class(s);
	else if (s->blocked)
		wake(s);
	else if (chance(2))
		give_mask(s);
	else
		tell(s);
}

/* --- All of it -------------------------------------------------------------------------------- */

static void take_a_turn(void)
{
	if (!chance(4))
		widen_one(&crowd[chance(CROWD)]);
	for (unsigned i = chance(4); i-- > 0;)
		do_something(&crowd[chance(CROWD)]);
	settle();
	if (!chance(16))
		look_on_at_all();
}

/* The test is above all others, and no time is kept back for normal threads; or as it was. */
static void rule(bool begins)
{
	struct sched_params p = { .class = begins ? SCHED_FIFO : SCHED_OTHER,
				  .rt_priority = begins ? RT_PRIORITY_HIGHEST : 0 };

	REQUIRE(sched_set_params(current_thread(), &p) == 0, "P8.1", "its class is refused");
	realtime_set_limit(begins ? SLICE_NEVER : limit_before, realtime_period);
}

/* Returns how many have not ended. One that was about to do something else forgets the order. */
static unsigned tell_all_to_end(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CROWD; i++) {
		struct subject *s = &crowd[i];

		if (!s->thread || thread_state(s->thread) == THREAD_DEAD)
			continue;
		n++;
		s->order = END;
		wait_wake_all(&s->q, 0);
	}
	return n;
}

static void end_all(void)
{
	while (tell_all_to_end())
		thread_sleep(MS / 10);	/* others run here meanwhile */
	rule(false);
	for (unsigned i = 0; i < CROWD; i++)
		if (crowd[i].thread)
			thread_join(crowd[i].thread, NULL, DEADLINE_NEVER);
	stay_no_longer();
}

KTEST(smp_urgent, "smp.urgent", "08.h", "P8.7")
{
	NEEDS_TWO_CPUS;
	limit_before = realtime_limit;
	stay_here();
	rule(true);
	for (unsigned i = 0; i < TURNS; i++)
		take_a_turn();
	end_all();
	sched_audit();
}
