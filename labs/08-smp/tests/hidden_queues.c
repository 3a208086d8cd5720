/*
 * Lab 08, hidden: threads that are begun, moved, blocked, woken and taken in any order, against a
 * model of all queues. Each other CPU runs one of them, and no quantum ends; the others wait, so
 * the calls alone decide which thread is where. The test is a real-time thread and keeps its CPU.
 */
#include "nodes.h"
#include "crew.h"

#include "sched/wait.h"

#define CROWD	14
#define TURNS	400

enum place { ABSENT, RUNS, WAITS, BLOCKED };
enum order { GO_ON, BLOCK, END };

/* A thread, and where the calls so far have put it. */
static struct subject {
	struct thread *thread;
	struct wait_queue q;
	_Atomic(enum order) order;
	_Atomic unsigned beats;		/* counts while it runs */
	enum place is;
	u32 mask;
	unsigned at;			/* its CPU, unless it is blocked */
	u64 turn;			/* its place among those that wait there */
} crowd[CROWD];

static unsigned here;
static u64 turns;

static unsigned chance(unsigned n)
{
	return test_random() % n;
}

static int number(const struct subject *s)
{
	return s ? (int)(s - crowd) : -1;
}

/* --- The model -------------------------------------------------------------------------------- */

static struct subject *running(unsigned cpu)
{
	for (unsigned i = 0; i < CROWD; i++)
		if (crowd[i].is == RUNS && crowd[i].at == cpu)
			return &crowd[i];
	return NULL;
}

static unsigned waiting(unsigned cpu)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CROWD; i++)
		n += crowd[i].is == WAITS && crowd[i].at == cpu;
	return n;
}

/* The first that waits on @cpu and may run on CPU @on. */
static struct subject *first_at(unsigned cpu, unsigned on)
{
	struct subject *first = NULL;

	for (unsigned i = 0; i < CROWD; i++) {
		struct subject *s = &crowd[i];

		if (s->is == WAITS && s->at == cpu && s->mask & BIT(on) &&
		    (!first || s->turn < first->turn))
			first = s;
	}
	return first;
}

/* @s has been queued on a CPU that it may use, behind all that wait there. */
static void queued(struct subject *s, const char *what)
{
	s->at = cpu_of(s->thread);
	CHECK(s->mask & BIT(s->at), "P8.1", "thread %d, which may run on CPUs %x, %s: on CPU %u",
	      number(s), s->mask, what, s->at);
	s->is = WAITS;
	s->turn = ++turns;
}

static void next_runs(unsigned cpu)
{
	struct subject *s = first_at(cpu, cpu);

	REQUIRE(s, "P8.2", "nobody is left to run on CPU %u", cpu);
	s->is = RUNS;
}

/* The machine is where the model is, or the test ends here. */
static void compare_all(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct subject *s = running(i);
		unsigned nr;
		bool same;

		spin_lock(&cpus[i].runq.lock);
		nr = nr_ready(&cpus[i].runq);
		same = i == here || cpus[i].runq.current == s->thread;
		spin_unlock(&cpus[i].runq.lock);
		REQUIRE(nr == waiting(i), "P8.1", "%u wait on CPU %u, whose queue counts %u",
			waiting(i), i, nr);
		REQUIRE(same, "P8.2", "CPU %u should run thread %d, and does not", i, number(s));
	}
	for (unsigned i = 0; i < CROWD; i++) {
		struct subject *s = &crowd[i];

		if (s->is == WAITS)
			REQUIRE(cpu_of(s->thread) == s->at && entity_queued(&s->thread->se), "P8.1",
				"thread %u should wait on CPU %u: it is on CPU %u", i, s->at,
				cpu_of(s->thread));
	}
}

/* --- Threads ---------------------------------------------------------------------------------- */

static int live(void *arg)
{
	struct subject *s = arg;

	while (s->order != END) {
		s->beats++;
		if (s->order != BLOCK)
			continue;
		s->order = GO_ON;
		if (wait_block(&s->q, DEADLINE_NEVER))
			return 1;
	}
	return 0;
}

/* Its last CPU is @cpu. A mask may have bits of CPUs that are not there. */
static void begin_on(struct subject *s, unsigned cpu, u32 mask)
{
	*s = (struct subject){ .mask = mask };
	wait_queue_init(&s->q);
	s->thread = thread_create("subject", live, s, PRIORITY_DEFAULT);
	REQUIRE(s->thread, "P8.1", "no memory for a thread");
	s->thread->affinity = mask | (chance(2) ? ~(BIT(nr_cpus) - 1) : 0);
	s->thread->se.affinity = s->thread->affinity;
	s->thread->cpu = &cpus[cpu];
	thread_resume(s->thread);
}

static u32 some_mask(void)
{
	return 1 + chance(BIT(nr_cpus) - 1);
}

/* Gives @s another mask. One that runs leaves its CPU only if another one waits there. */
static void give_mask(struct subject *s)
{
	u64 moves = s->thread->stats.migrations, turns_before = s->thread->stats.switches_in;
	unsigned cpu = s->at;
	u32 mask = some_mask();
	bool stays = mask & BIT(cpu), ran = s->is == RUNS;

	if (ran && !stays && !waiting(cpu))
		return;
	CHECK(sched_set_affinity(s->thread, mask) == 0, "P8.2", "the mask %x is refused", mask);
	s->mask = mask;
	if (s->is == BLOCKED)
		return;
	if (stays) {
		CHECK(s->thread->stats.migrations == moves && cpu_of(s->thread) == cpu, "P8.3",
		      "thread %d %s on CPU %u, which its new mask %x allows, and was moved",
		      number(s), ran ? "runs" : "waits", cpu, mask);
		CHECK(s->thread->stats.switches_in == turns_before, "P8.3",
		      "thread %d may stay on CPU %u, and lost it", number(s), cpu);
		return;
	}
	queued(s, ran ? "ran, and had a new mask" : "waited, and had a new mask");
	if (ran)
		next_runs(cpu);
}

static void block_one(struct subject *s)
{
	if (!waiting(s->at))
		return;
	s->order = BLOCK;
	while (thread_state(s->thread) != THREAD_BLOCKED)
		arch_spin_hint();
	s->is = BLOCKED;
	next_runs(s->at);
}

/* --- Taking and comparing --------------------------------------------------------------------- */

/* Locks the queues of some other CPUs. */
static u32 lock_some(void)
{
	u32 want = chance(2) ? chance(BIT(nr_cpus)) & ~BIT(here) : 0, got = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (want & BIT(i) && spin_trylock(&cpus[i].runq.lock))
			got |= BIT(i);
	return got;
}

static void unlock_all(u32 locked)
{
	for (; locked; locked &= locked - 1)
		spin_unlock(&cpus[__builtin_ctz(locked)].runq.lock);
}

/* Those that the model has elsewhere, and that are in this CPU's queue, which is locked. */
static unsigned newcomers(struct subject **last)
{
	unsigned n = 0;

	*last = NULL;
	for (unsigned i = 0; i < CROWD; i++) {
		struct subject *s = &crowd[i];

		if (s->is == ABSENT || s->is == BLOCKED || s->at == here ||
		    thread_cpu(s->thread) != &cpus[here])
			continue;
		n++;
		*last = s;
	}
	return n;
}

/* The thread that should be taken. CPUs in @shut have some, and their queues are locked. */
static struct subject *to_take(u32 locked, u32 *shut)
{
	u32 near = near_cpus(&cpus[here]);

	*shut = 0;
	for (unsigned i = 0; i < 2 * nr_cpus; i++) {
		unsigned cpu = i % nr_cpus;
		struct subject *s = first_at(cpu, here);

		if (cpu == here || !(near & BIT(cpu)) == (i < nr_cpus))
			continue;
		if (locked & BIT(cpu))
			*shut |= waiting(cpu) ? BIT(cpu) : 0;
		else if (s)
			return s;
	}
	return NULL;
}

/* A queue was locked for a moment, of which the model knows nothing. */
static bool was_disturbed(const struct runq *missed, u32 locked)
{
	return missed && !(locked & missed->cpu_bit);
}

static void take_one(void)
{
	struct runq *rq = this_runq_lock(), *missed;
	u32 locked = lock_some(), shut;
	struct subject *due = to_take(locked, &shut), *came;
	bool found = steal(rq, time_now());
	unsigned n = newcomers(&came);

	missed = rq->missed;
	unlock_all(locked);
	runq_unlock(rq);
	CHECK(n == found, "P8.4", "steal() returned %d, and %u threads came", found, n);
	if (!was_disturbed(missed, locked)) {
		CHECK(came == due, "P8.4", "thread %d was taken, and it was the turn of %d",
		      number(came), number(due));
		CHECK(came || (missed ? missed->cpu_bit & shut : !shut), "P8.5",
		      "threads waited in the locked queues of the CPUs %x: CPU %d is noted",
		      shut, missed ? (int)runq_cpu(missed)->id : -1);
	}
	if (came)
		queued(came, "was taken");
}

/* Which of @mask's CPUs may give a thread, and whether it may be that none does. */
static u32 givers_among(u32 mask, u32 locked, bool *none)
{
	unsigned own = waiting(here) + 1, most = own;
	u32 busiest = 0, givers = 0;

	for (unsigned i = 0; i < nr_cpus; i++) {
		if (i == here || !(mask & BIT(i)) || waiting(i) + 1 < most)
			continue;
		busiest = waiting(i) + 1 > most ? BIT(i) : busiest | BIT(i);
		most = waiting(i) + 1;
	}
	*none = most < own + 2;
	for (unsigned i = 0; !*none && i < nr_cpus; i++)
		if (busiest & BIT(i) && !(locked & BIT(i)) && first_at(i, here))
			givers |= BIT(i);
	*none |= givers != busiest;
	return givers;
}

static void compare_one(void)
{
	struct runq *rq = this_runq_lock(), *missed;
	u32 locked = lock_some(), near = near_cpus(runq_cpu(rq)), givers;
	u64 far = rq->balance_at, now = time_now();
	struct subject *came;
	bool none, none_far;
	unsigned n;

	givers = givers_among(near, locked, &none);
	if (none && ~near) {
		givers |= givers_among(~near, locked, &none_far);
		none = none_far;
	}
	rq->missed = NULL;
	rq->balance_at = now;
	balance(rq, now);
	rq->balance_at = far;
	missed = rq->missed;
	n = newcomers(&came);
	unlock_all(locked);
	runq_unlock(rq);
	CHECK(n < 2, "P8.8", "%u threads came at once", n);
	CHECK(was_disturbed(missed, locked) || (came ? givers & BIT(came->at) : none), "P8.8",
	      "%u threads are here, and one of the CPUs %x should give one: from CPU %d one came",
	      waiting(here) + 1, givers, came ? (int)came->at : -1);
	CHECK(!came || came->is == WAITS, "P8.8", "a thread that runs was taken");
	if (came)
		queued(came, "was taken");
}

/* --- Telling ---------------------------------------------------------------------------------- */

/* Threads run in their own functions: none has just come, and no interrupt is on its way. */
static void settle(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct subject *s = running(i);
		unsigned before = s ? s->beats : 0;

		while (s && s->beats < before + 2)
			arch_spin_hint();
	}
	look_on(MS / 5);
}

/* The CPU of @idle that is told of a thread with @mask, or of one that waits on @at if @queue. */
static int to_tell(u32 idle, u32 mask, bool queue, unsigned at)
{
	u32 near = near_cpus(&cpus[at]);

	for (unsigned i = 0; i < 2 * nr_cpus; i++) {
		unsigned cpu = i % nr_cpus;

		if (!(near & BIT(cpu)) == (i < nr_cpus) || !(idle & BIT(cpu)))
			continue;
		if (mask & BIT(cpu) || (queue && first_at(at, cpu)))
			return (int)cpu;
	}
	return -1;
}

/* Checks that of the CPUs in idle_mask @due is told, and none if that is negative. */
static bool tell_one(const struct thread *t, struct runq *rq, int due)
{
	u32 idle = atomic_load(&idle_mask), told, marked = 0, interrupted = 0;
	u32 want = due >= 0 ? BIT(due) : 0;
	u64 before[MAX_CPUS], until;
	bool found, marks;

	for (unsigned i = 0; i < nr_cpus; i++)
		before[i] = atomic_load(&cpus[i].stats.resched_ipis);
	found = kick_idle_for(t, rq);
	told = idle & ~atomic_load(&idle_mask);
	until = time_now() + 100 * MS;
	while (due >= 0 && atomic_load(&cpus[due].stats.resched_ipis) == before[due] &&
	       time_before(time_now(), until))
		;
	look_on(MS / 5);
	for (unsigned i = 0; i < nr_cpus; i++) {
		u64 n = atomic_load(&cpus[i].stats.resched_ipis) - before[i];

		marks = atomic_fetch_and(&cpus[i].idle.work, ~WORK_RESCHED) & WORK_RESCHED;
		marked |= marks ? BIT(i) : 0;
		interrupted |= n && i != here ? BIT(i) : 0;
		CHECK(n <= 1 || i == here, "P8.6", "CPU %u was interrupted %lu times", i, n);
	}
	CHECK(found == (due >= 0) && told == want && marked == want && interrupted == want, "P8.6",
	      "of the idle CPUs %x CPU %d is to be told: it returned %d, and the CPUs %x are not "
	      "idle any more, %x are marked, %x were interrupted",
	      idle, due, found, told, marked, interrupted);
	return found && due >= 0;
}

/* Some of the CPUs are said to idle. They go on, so each can be told, and none comes. */
static void tell_some(void)
{
	static struct thread probe;
	unsigned at = chance(nr_cpus);
	bool queue = chance(2), lone = !queue || chance(2);
	struct runq *rq = queue ? &cpus[at].runq : NULL;
	u32 mask = lone ? some_mask() : 0;
	int due;

	settle();
	probe.cpu = &cpus[at];
	probe.affinity = probe.se.affinity = mask;
	irq_off();
	if (rq)
		spin_lock(&rq->lock);
	may_steal = true;
	atomic_store(&idle_mask, some_mask() & ~BIT(here));
	do {
		due = to_tell(atomic_load(&idle_mask), mask, queue, at);
	} while (tell_one(lone ? &probe : NULL, rq, due));
	atomic_store(&idle_mask, 0);
	may_steal = false;
	if (rq)
		spin_unlock(&rq->lock);
	irq_on();
}

/* --- All of it -------------------------------------------------------------------------------- */

static void act_on(struct subject *s)
{
	if (s->is == ABSENT) {
		begin_on(s, chance(nr_cpus), some_mask());
		queued(s, "was resumed");
	} else if (chance(3)) {
		give_mask(s);
	} else if (s->is == BLOCKED) {
		wait_wake_all(&s->q, 0);
		queued(s, "was woken");
	} else if (s->is == RUNS) {
		block_one(s);
	}
}

static void take_a_turn(void)
{
	bool two_nodes = chance(2);

	if (two_nodes)
		nodes_begin();
	switch (chance(8)) {
	case 0:
	case 1:
		take_one();
		break;
	case 2:
		compare_one();
		break;
	case 3:
		tell_some();
		break;
	default:
		act_on(&crowd[chance(CROWD)]);
	}
	if (two_nodes)
		nodes_end();
	compare_all();
}

/* Each CPU but this one has a thread that runs, as long as it may run there. */
static void fill_cpus(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct subject *s = &crowd[i];

		if (i == here)
			continue;
		begin_on(s, i, BIT(i));
		s->is = RUNS;
		s->at = i;
		while (!s->beats)
			arch_spin_hint();
	}
}

KTEST(smp_queues, "smp.queues", "08.h", "P8.1")
{
	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	here = stay_here();
	set_urgent(current_thread(), true);
	fill_cpus();
	for (unsigned i = 0; i < TURNS; i++)
		take_a_turn();
	for (unsigned i = 0; i < CROWD; i++)
		crowd[i].order = END;
	set_urgent(current_thread(), false);	/* those that wait here run before it */
	for (unsigned i = 0; i < CROWD; i++)
		if (crowd[i].is == BLOCKED)
			wait_wake_all(&crowd[i].q, 0);
	for (unsigned i = 0; i < CROWD; i++)
		if (crowd[i].is != ABSENT)
			thread_join(crowd[i].thread, NULL, DEADLINE_NEVER);
	stay_no_longer();
	sched_audit();
}
