/*
 * Threads that change CPUs: between any two instructions, in every state, while they are being
 * switched away from, and many at once.
 */
#include "base/trace.h"
#include "internal.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define MS	NSEC_PER_MSEC
#define STEPS	1500
#define ROUNDS	100

static _Atomic bool stop;

static struct thread *start_on(u32 mask, thread_fn fn, void *arg)
{
	struct thread *t = thread_create("mover", fn, arg, PRIORITY_DEFAULT);

	REQUIRE(t, "sched.migrate", "no memory for a thread");
	sched_set_affinity(t, mask);
	thread_resume(t);
	return t;
}

static void join(struct thread *t)
{
	int code;

	CHECK(thread_join(t, &code, DEADLINE_NEVER) == 0, "sched.migrate", "join");
}

/* --- Between any two instructions ------------------------------------------------------------- */

static struct thread *moved;
static unsigned moves;

/* In the sweep's interrupt: moves the thread to the other CPU. */
static void move_it(void *unused)
{
	(void)unused;
	if (current_thread() != moved)
		return;
	moves++;
	sched_set_affinity(moved, BIT(!this_cpu()->id));
}

/* Two of these on each CPU: while one runs, the queue is not empty. */
static int yield_on(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop))
		thread_yield();
	return 0;
}

KTEST(migrate_swept, "migrate.swept", "", "sched.migrate")
{
	struct thread *companions[4];
	bool hit = true;

	NEEDS_TWO_CPUS;
	atomic_store(&stop, false);
	moved = current_thread();
	sched_set_affinity(moved, BIT(0));
	for (unsigned i = 0; i < 4; i++)
		companions[i] = start_on(BIT(i % 2), yield_on, NULL);
	moves = 0;
	sweep_action = move_it;
	for (unsigned step = 1; (hit || step < 50) && step < STEPS; step++) {
		sweep_begin(step);
		thread_yield();
		sweep_end();
		hit = sweep_hit();
		preempt_off();
		CHECK(moved->se.affinity & BIT(this_cpu()->id), "sched.migrate",
		      "step %u: it runs where it may not", step);
		preempt_on();
		CHECK(arch_irqs_enabled(), "sched.migrate", "step %u: interrupts stay off", step);
	}
	sweep_action = NULL;
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 4; i++)
		join(companions[i]);
	ktest_figure("moves", moves);
	sched_audit();
}

/* --- In every state --------------------------------------------------------------------------- */

static int spin(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop))
		;
	return 0;
}

static unsigned cpu_of(struct thread *t)
{
	struct runq *rq = thread_runq_lock(t);
	unsigned id = runq_cpu(rq)->id;

	runq_unlock(rq);
	return id;
}

/* When the call returns, a thread that runs or is queued is where it may be. */
KTEST(migrate_told, "migrate.told", "", "sched.migrate")
{
	struct thread *t[2];

	NEEDS_TWO_CPUS;
	atomic_store(&stop, false);
	sched_set_affinity(current_thread(), BIT(0));
	for (unsigned i = 0; i < 2; i++)	/* one of them runs, the other one is queued */
		t[i] = start_on(BIT(1), spin, NULL);
	thread_sleep(MS);
	for (unsigned round = 0; round < 4; round++) {
		unsigned to = round % 2;

		for (unsigned i = 0; i < 2; i++) {
			CHECK(sched_set_affinity(t[i], BIT(to)) == 0, "sched.migrate", "refused");
			CHECK(cpu_of(t[i]) == to, "sched.migrate", "it is told CPU %u, and on %u",
			      to, cpu_of(t[i]));
		}
		CHECK(sched_set_affinity(current_thread(), BIT(!to)) == 0, "sched.migrate",
		      "refused");
		CHECK(cpu_of(current_thread()) == !to, "sched.migrate", "the caller stays");
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++)
		join(t[i]);
}

/* Returns from where to where @t has moved, as the last record of it on this CPU, 0, says. */
static u64 last_move(const struct thread *t)
{
	const struct trace_ring *ring = cpus[0].trace;

	for (u64 i = atomic_load(&ring->head), least = i - MIN(i, ring->size); i-- > least;) {
		const struct trace_record *r = &ring->records[i & (ring->size - 1)];

		if (r->event == TRACE_EV_MIGRATE && r->a == (u64)t->tid)
			return r->b;
	}
	return ~0UL;
}

KTEST(migrate_traced, "migrate.traced", "", "sched.migrate")
{
	struct thread *t;

	NEEDS_TWO_CPUS;
	atomic_store(&stop, true);
	sched_set_affinity(current_thread(), BIT(0));
	t = thread_create("mover", spin, NULL, PRIORITY_DEFAULT);
	REQUIRE(t, "sched.migrate", "no memory for a thread");
	sched_set_affinity(t, BIT(1));
	CHECK(last_move(t) == 0x001, "sched.migrate", "from 0 to 1, recorded as %lx", last_move(t));
	sched_set_affinity(t, BIT(0));
	CHECK(last_move(t) == 0x100, "sched.migrate", "from 1 to 0, recorded as %lx", last_move(t));
	thread_resume(t);
	join(t);
	sched_set_affinity(current_thread(), ~0u);
}

/* --- On its way out --------------------------------------------------------------------------- */

static _Atomic unsigned starts;

static int yield_until_told(void *unused)
{
	atomic_fetch_add(&starts, 1);
	return yield_on(unused);
}

/* SCHED1: a CPU that wants a queued thread waits until the thread's registers are saved. */
KTEST(migrate_leaving, "migrate.leaving", "", "sched.migrate")
{
	struct thread *t, *companion;

	NEEDS_TWO_CPUS;
	atomic_store(&stop, false);
	atomic_store(&starts, 0);
	sched_set_affinity(current_thread(), BIT(0));
	companion = start_on(BIT(1), yield_on, NULL);
	t = start_on(BIT(1), yield_until_told, NULL);
	REQUIRE(park_arm(0, "arch_switch", AT_ENTRY, t, 20 * MS) == 0, "sched.migrate", "park");
	REQUIRE(park_wait(0, NSEC_PER_SEC), "sched.migrate", "it does not switch");
	sched_set_affinity(t, BIT(0));
	CHECK(park_timed_out(0), "sched.migrate", "taken before its registers were saved");
	thread_sleep(MS);
	park_release(0);
	CHECK(atomic_load(&starts) == 1, "sched.migrate", "it began %u times",
	      atomic_load(&starts));
	atomic_store(&stop, true);
	join(t);
	join(companion);
}

/* --- Many at once ----------------------------------------------------------------------------- */

static int wake_often(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < ROUNDS; i++) {
		u64 end;

		thread_sleep(test_random() % (50 * NSEC_PER_USEC));
		end = time_now() + test_random() % (20 * NSEC_PER_USEC);
		while (time_before(time_now(), end))
			;
	}
	return 0;
}

/* Each thread that wakes looks at all CPUs for a less urgent one: they never deadlock. */
KTEST(migrate_crowd, "migrate.crowd", "", "sched.migrate")
{
	struct thread *t[3 * MAX_CPUS];
	unsigned n = 3 * nr_cpus;

	for (unsigned i = 0; i < n; i++) {
		struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 1 + i % 10 };

		t[i] = thread_create("urgent", wake_often, NULL, PRIORITY_DEFAULT);
		REQUIRE(t[i], "sched.migrate", "no memory for a thread");
		if (policy_knows(SCHED_FIFO))
			CHECK(sched_set_params(t[i], &p) == 0, "sched.migrate", "refused");
		thread_resume(t[i]);
	}
	for (unsigned i = 0; i < n; i++)
		join(t[i]);
	sched_audit();
}
