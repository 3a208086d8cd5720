/*
 * A turn on a CPU: its slice, its account, the request to end it, and idling when no thread is
 * ready. Times are the guest's, so these run under -icount, with each sched= in turn.
 */
#include "base/test_trace.h"
#include "errno.h"
#include "process/process.h"
#include "sync/sync.h"
#include "test/instrument.h"
#include "test_spinner.h"

/*
 * --- Slices and accounts -------------------------------------------------------------------------
 */

/* Whether threads of one nice value take turns of a quantum under this policy. */
static bool takes_turns(void)
{
	return !policy_is(&sched_mlfq) && !policy_is(&sched_fair) && !policy_is(&sched_pct);
}

struct stretches {
	struct spinner s;
	u64 shortest;			/* from getting the CPU to losing it, ns */
	unsigned n;
};

/* Measures its stretches, except the last one, at whose end it stops. */
static int count_stretches(void *arg)
{
	struct stretches *st = arg;
	struct thread *t = current_thread();
	u64 switches = t->stats.switches_in, from = time_now(), last = from;

	while (!atomic_load(&st->s.stop)) {
		if (t->stats.switches_in != switches) {
			if (atomic_load(&st->s.stop))
				break;
			switches = t->stats.switches_in;
			if (st->n++)		/* the first began before we looked */
				st->shortest = MIN(st->shortest, last - from);
			from = time_now();
		}
		last = time_now();
	}
	return 0;
}

/* Gives the CPU away shortly before its slice is over, again and again. */
static int give_early(void *arg)
{
	struct spinner *s = arg;

	while (!atomic_load(&s->stop)) {
		u64 end = time_now() + sched_quantum * 9 / 10;

		while (time_before(time_now(), end))
			;
		thread_sleep(MS / 10);
	}
	return 0;
}

/* PREEMPT1: what is left of a slice stays with its thread; the next one has a whole slice. */
KTEST(sched_full_slice, "sched.full_slice", "", "")
{
	struct stretches st = { .shortest = ~0UL };
	struct spinner giver = { 0 };

	if (!takes_turns())
		return;
	go_first();
	sched_set_affinity(current_thread(), BIT(0));
	start_on(&giver, there(), give_early, PRIORITY_DEFAULT);
	start_on(&st.s, there(), count_stretches, PRIORITY_DEFAULT);
	thread_sleep(400 * MS);
	end(&st.s, 1);
	end(&giver, 1);
	CHECK(st.n > 5, "", "%u turns", st.n);
	CHECK(st.shortest >= sched_quantum - MS, "", "a slice of %lu ns", st.shortest);
	sched_set_affinity(current_thread(), ~0u);
}

/* Each turn's end is recorded, with the thread and how many are ready. */
KTEST(sched_turns_recorded, "sched.turns_recorded", "", "")
{
	struct spinner s[2] = { 0 };

	if (!takes_turns())
		return;
	go_first();
	sched_set_affinity(current_thread(), BIT(0));
	for (unsigned i = 0; i < 2; i++)
		start_on(&s[i], there(), spin, PRIORITY_DEFAULT);
	look_from_here(TRACE_SCHED);
	thread_sleep(8 * sched_quantum);
	look_no_longer();
	for (unsigned i = 0; i < 2; i++)
		CHECK(recorded(TRACE_EV_SLICE, s[i].thread->tid, 1) >= 2 &&
			      recorded(TRACE_EV_PREEMPT, s[i].thread->tid, 1) >= 2,
		      "", "thread %u of two", i);
	end(s, 2);
	sched_set_affinity(current_thread(), ~0u);
}

static _Atomic unsigned turns;
static struct spinner *_Atomic last_turn;

/* Counts how often the turn goes to another thread. */
static int take_turns(void *arg)
{
	struct spinner *s = arg;

	while (!atomic_load(&s->stop))
		if (atomic_exchange(&last_turn, s) != s)
			turns++;
	return 0;
}

static int interrupt_often(void *arg)
{
	struct spinner *s = arg;

	while (!atomic_load(&s->stop)) {
		u64 end = time_now() + MS / 10;

		while (time_before(time_now(), end))
			;
		thread_sleep(3 * MS);
	}
	return 0;
}

/* PREEMPT1: being interrupted neither makes a slice longer nor costs the rest of it. */
KTEST(sched_interrupted, "sched.interrupted", "", "")
{
	struct spinner s[2] = { 0 }, often = { 0 };
	unsigned n;

	if (!policy_knows(SCHED_RR))
		return;
	go_first();
	turns = 0;
	for (unsigned i = 0; i < 2; i++)
		start_on(&s[i], there(), take_turns, 20);
	start_on(&often, there(), interrupt_often, 25);
	measure(s, 2, 600 * MS);
	n = 600 * MS / quantum_of(&s[0].thread->se);
	CHECK(got(&s[0]) > 200 * MS && got(&s[1]) > 200 * MS, "", "two equals had %lu and %lu ns",
	      got(&s[0]), got(&s[1]));
	CHECK(turns >= n / 2 && turns <= n + 3, "", "%u turns in the time of %u slices", turns, n);
	end(s, 2);
	end(&often, 1);
}

static struct semaphore urgent_go;

static int end_when_told(void *unused)
{
	(void)unused;
	return semaphore_wait(&urgent_go, DEADLINE_NEVER);
}

/*
 * PREEMPT1: a more urgent thread wakes after the slice is over, but before the tick that would end
 * it: the equal that waits is next all the same.
 */
KTEST(sched_over_unseen, "sched.over_unseen", "", "")
{
	struct sched_params p = params_of_level(20);
	struct spinner equal = { 0 }, urgent = { 0 };

	if (!policy_knows(SCHED_RR))
		return;
	semaphore_init(&urgent_go, 0);
	sched_set_affinity(current_thread(), there());
	start_on(&urgent, there(), end_when_told, 25);
	CHECK(sched_set_params(current_thread(), &p) == 0, "", "a priority is refused");
	thread_sleep(MS);		/* then our slice begins */
	start_on(&equal, there(), spin, 20);
	irq_off();
	while (time_before(time_now(), this_cpu()->runq.slice_end))
		;
	semaphore_post(&urgent_go);
	irq_on();
	CHECK(ran(&equal) > MS, "", "with its slice over it went before its equal");
	end(&equal, 1);
	thread_join(urgent.thread, NULL, DEADLINE_NEVER);
	semaphore_destroy(&urgent_go);
	take_priority(PRIORITY_DEFAULT);
	sched_set_affinity(current_thread(), ~0u);
}

/* A thread that sleeps at every tick is charged all the same, and no other thread for it. */
KTEST(sched_charged, "sched.charged", "", "")
{
	struct spinner dodger = { 0 }, victim = { 0 };
	u64 from, took, charged;

	go_first();
	start_on(&victim, there(), spin, PRIORITY_DEFAULT);
	start_on(&dodger, there(), interrupt_often, PRIORITY_HIGHEST);
	thread_sleep(20 * MS);
	victim.since = ran(&victim);
	dodger.since = ran(&dodger);
	from = time_now();
	thread_sleep(400 * MS);
	charged = got(&victim) + got(&dodger);
	took = time_now() - from;
	CHECK(charged > took * 9 / 10 && charged <= took + MS, "", "in %lu ns %lu were charged",
	      took, charged);
	CHECK(got(&dodger) >= MS, "", "a thread that ran shortly and often has %lu ns",
	      got(&dodger));
	CHECK(!victim.thread->stats.user_ns, "", "a kernel thread was %lu ns in user mode",
	      victim.thread->stats.user_ns);
	end(&victim, 1);
	end(&dodger, 1);
}

static int wait_for_ever(void *arg)
{
	(void)arg;
	thread_sleep_until(DEADLINE_NEVER);
	return 0;
}

/* A thread that waits gets other parameters; the slice of the one that runs goes on. */
KTEST(sched_change_other, "sched.change_other", "", "")
{
	struct spinner s[2] = { 0 }, waiting = { 0 };
	u64 before;

	if (!takes_turns())
		return;
	NEEDS_TWO_CPUS;
	sched_set_affinity(current_thread(), BIT(0));
	start_on(&waiting, BIT(1), wait_for_ever, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < 2; i++)
		start_on(&s[i], BIT(1), spin, PRIORITY_DEFAULT);
	thread_sleep(sched_quantum);
	before = s[0].thread->stats.switches_in;
	for (int i = 0; i < 20; i++) {
		sched_set_nice(waiting.thread, i % 2);
		thread_sleep(sched_quantum / 10);
	}
	CHECK(s[0].thread->stats.switches_in - before <= 3, "", "%lu turns in two quanta",
	      s[0].thread->stats.switches_in - before);
	thread_kill(waiting.thread);
	end(s, 2);
	end(&waiting, 1);
	sched_set_affinity(current_thread(), ~0u);
}

static struct semaphore start_all;

static int spin_when_told(void *arg)
{
	struct spinner *s = arg;

	if (semaphore_wait(&start_all, DEADLINE_NEVER))
		return 1;
	s->since = time_now();
	while (!atomic_load(&s->stop))
		;
	return 0;
}

/* Two threads wake on an idle CPU, where no timer is armed: the second has its turn in time. */
KTEST(sched_armed, "sched.armed", "", "")
{
	struct spinner s[2] = { 0 };
	u64 from;

	go_first();
	semaphore_init(&start_all, 0);
	for (unsigned i = 0; i < 2; i++)
		start_on(&s[i], there(), spin_when_told, PRIORITY_DEFAULT);
	thread_sleep(150 * MS);
	preempt_off();
	from = time_now();
	semaphore_post(&start_all);
	semaphore_post(&start_all);
	preempt_on();
	thread_sleep(250 * MS);
	for (unsigned i = 0; i < 2; i++) {
		u64 wait = s[i].since - from;

		CHECK(s[i].since && wait <= sched_quantum + 5 * MS, "",
		      "%u of two equals had its first turn after %lu ns", i,
		      s[i].since ? wait : 0);
	}
	end(s, 2);
	semaphore_destroy(&start_all);
}

/*
 * --- Preemption is asked for, and put off --------------------------------------------------------
 */

/* Waits until the timer interrupt has marked us, while we must not be preempted. */
static void await_request(struct thread *t)
{
	u64 end = time_now() + 500 * MS;

	while (!(atomic_load(&t->work) & WORK_RESCHED) && time_before(time_now(), end))
		;
	REQUIRE(atomic_load(&t->work) & WORK_RESCHED, "", "no slice ever ends");
}

/* Whether we were preempted once; pct's random change points may do it more often. */
static bool served(struct thread *t, u64 before)
{
	u64 times = t->stats.preempted - before;

	return times == 1 || (times && policy_is(&sched_pct));
}

/* PREEMPT2 */
KTEST(sched_request_kept, "sched.request_kept", "", "")
{
	struct thread *t = current_thread();
	struct spinner other = { 0 };
	u64 before;

	sched_set_affinity(t, there());
	start_on(&other, there(), spin, PRIORITY_DEFAULT);
	preempt_off();
	before = t->stats.preempted;
	await_request(t);
	CHECK(t->stats.preempted == before, "", "preempted where it may not be");
	preempt_on();
	CHECK(served(t, before), "", "a request is not served when it may be again");

	preempt_off();
	preempt_off();
	before = t->stats.preempted;
	preempt_on();
	await_request(t);
	CHECK(t->stats.preempted == before, "", "the end of an inner section ended the outer one");
	preempt_on();
	CHECK(served(t, before), "", "a request is not served after the outer section");

	irq_off();
	irq_off();
	before = t->stats.preempted;
	sched_force_switch();
	irq_on();
	CHECK(t->stats.preempted == before, "", "interrupts are on in the outer section");
	irq_on();
	CHECK(served(t, before), "", "a request is lost with interrupts off");
	end(&other, 1);
	sched_set_affinity(t, ~0u);
}

static struct thread *blocker;
static struct semaphore event;
static _Atomic u32 blocked, interrupted;

static void preempt_blocker(void *unused)
{
	(void)unused;
	if (current_thread() == blocker)
		sched_force_switch();
	else
		blocked = 1;
	interrupted = 1;
}

static int post_when_interrupted(void *arg)
{
	struct spinner *s = arg;

	while (!atomic_load(&s->stop)) {
		if (atomic_exchange(&interrupted, 0))
			semaphore_post(&event);
		thread_yield();
	}
	return 0;
}

/*
 * The CPU is taken away after each instruction of sched_block(), and the event comes meanwhile: the
 * thread does not miss it, and is not queued twice.
 */
KTEST(sched_block_swept, "sched.block_swept", "", "")
{
	struct spinner other = { 0 };
	unsigned step;

	NEEDS_ONE_CPU;
	semaphore_init(&event, 0);
	blocker = current_thread();
	blocked = interrupted = 0;
	sweep_action = preempt_blocker;
	start_on(&other, there(), post_when_interrupted, PRIORITY_DEFAULT);
	for (step = 0; step < 1500 && !blocked; step++) {
		int err;

		REQUIRE(sweep_arm("sched_block", blocker, step) == 0, "", "no hook");
		err = semaphore_wait(&event, deadline_in(NSEC_PER_SEC));
		CHECK(err == 0, "", "%u instructions in, its event was lost: %d", step, err);
	}
	sweep_action = NULL;
	ktest_figure("steps", step);
	end(&other, 1);
	semaphore_destroy(&event);
	audit();
}

/*
 * --- Idle ----------------------------------------------------------------------------------------
 */

/* The idle thread runs only when no other thread can. */
KTEST(sched_idle_stays, "sched.idle_stays", "", "")
{
	struct thread *idle = &cpus[nr_cpus - 1].idle;
	struct spinner s = { 0 };
	u64 before;

	go_first();
	start_on(&s, there(), interrupt_often, PRIORITY_DEFAULT);
	thread_sleep(20 * MS);		/* a waking thread preempts the idle thread */
	end(&s, 1);
	s.stop = false;
	start_on(&s, there(), spin, PRIORITY_DEFAULT);
	thread_sleep(MS);
	before = idle->stats.switches_in;
	measure(&s, 1, 200 * MS);
	CHECK(idle->stats.switches_in == before, "", "beside a busy thread it ran %lu times",
	      idle->stats.switches_in - before);
	CHECK(got(&s) > 190 * MS, "", "a thread alone had %lu ns", got(&s));
	end(&s, 1);
	audit();
}

static struct semaphore first_go, second_go;
static _Atomic u64 first_ran, second_ran;

static int note_first(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 2; i++)
		if (semaphore_wait(&first_go, DEADLINE_NEVER) == 0)
			first_ran++;
	return 0;
}

static int note_second(void *unused)
{
	(void)unused;
	if (semaphore_wait(&second_go, DEADLINE_NEVER) == 0)
		second_ran = time_now();
	return 0;
}

static struct thread *start_noting(thread_fn fn, u32 mask)
{
	struct spinner s;

	start_on(&s, mask, fn, PRIORITY_DEFAULT);
	while (thread_state(s.thread) != THREAD_BLOCKED)
		thread_sleep(MS);
	return s.thread;
}

/* Waits without giving up the CPU. */
static void await_count(const _Atomic u64 *what, u64 value, u64 ns)
{
	u64 end = time_now() + ns;

	while (*what < value && time_before(time_now(), end))
		arch_spin_hint();
}

/*
 * A wake-up between an idle CPU's last look at the queues and its wait for an interrupt: the CPU is
 * held there, and woken; when it idles again, a waker with work finds it.
 */
KTEST(sched_idle_window, "sched.idle_window", "", "")
{
	struct cpu *idler = &cpus[nr_cpus - 1];
	struct thread *first, *second;

	if (nr_cpus == 1 || !policy_is(&sched_rr))	/* rr: no wake-up preempts */
		return;
	sched_set_affinity(current_thread(), BIT(0));
	thread_yield();
	semaphore_init(&first_go, 0);
	semaphore_init(&second_go, 0);
	first_ran = second_ran = 0;
	first = start_noting(note_first, there());
	second = start_noting(note_second, BIT(0));
	sched_set_affinity(second, BIT(0) | there());	/* its last CPU is this one */

	park_arm(1, "look_for_work", AT_EXIT, &idler->idle, 20 * MS);
	semaphore_post(&first_go);			/* the idler looks, and finds this */
	REQUIRE(park_wait(1, 10 * MS), "", "an idle CPU does not look");
	park_arm(0, "look_for_work", AT_EXIT, &idler->idle, 20 * MS);
	park_release(1);				/* it looks again, and finds nothing */
	REQUIRE(park_wait(0, 10 * MS), "", "an idle CPU does not look again");
	semaphore_post(&first_go);
	await_count(&first_ran, 2, MS);
	park_release(0);
	thread_sleep(MS);				/* now it idles again */
	CHECK(first_ran == 2, "", "a wake-up before an idle CPU waits is lost");
	thread_yield();					/* a whole slice */
	preempt_off();
	semaphore_post(&second_go);
	await_count(&second_ran, 1, 5 * MS);
	preempt_on();
	CHECK(second_ran, "", "work waits beside a CPU that idles unknown");
	semaphore_post(&first_go);
	thread_join(first, NULL, DEADLINE_NEVER);
	thread_join(second, NULL, DEADLINE_NEVER);
	semaphore_destroy(&first_go);
	semaphore_destroy(&second_go);
	sched_set_affinity(current_thread(), ~0u);
}

/*
 * Before there is anything to switch to no interrupt may come, not even one that is pending.
 */
KTEST_EARLY(sched_early, "early.quiet", "", "")
{
	CHECK(!arch_irqs_enabled(), "", "interrupts are on before there is a thread");
	CHECK(cpus[0].stats.timer_interrupts + cpus[0].stats.interrupts == 0, "",
	      "an interrupt came before there was a thread");
}
