/*
 * The mechanism with a policy in it: what the simulator proves of the policies holds in the kernel,
 * to within a slice. Times are the guest's, so these run under -icount, with each sched= in turn.
 */
#include "errno.h"
#include "instrument.h"
#include "process.h"
#include "sync.h"
#include "test_spinner.h"

#define PERIOD	(10 * MS)
#define BOOST	(1000 * MS)		/* boost=, if nothing else is said */

/*
 * How much more one of equals may have had, at any moment. Who takes turns is ahead by a slice: a
 * quantum, or four at mlfq's lowest level. By fair each is owed, or owes, at most one request.
 */
static u64 unfairness(void)
{
	if (policy_is(&sched_mlfq))
		return 4 * sched_quantum;
	return policy_is(&sched_fair) ? sched_quantum / 2 : sched_quantum;
}

KTEST(sched_shares, "sched.shares", "", "")
{
	struct spinner s[3] = { 0 };
	u64 least = ~0UL, most = 0;

	go_first();
	if (policy_is(&sched_mlfq))	/* from one boost until before the next */
		thread_sleep(BOOST - time_now() % BOOST + MS);
	for (unsigned i = 0; i < ARRAY_SIZE(s); i++)
		start_on(&s[i], there(), spin, PRIORITY_DEFAULT);
	measure(s, ARRAY_SIZE(s), 600 * MS);
	for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
		least = MIN(least, got(&s[i]));
		most = MAX(most, got(&s[i]));
	}
	end(s, ARRAY_SIZE(s));
	CHECK(least > 0, "", "one never ran");
	CHECK(policy_is(&sched_pct) || most - least <= unfairness() + MS, "", "%lu to %lu ns",
	      least, most);
}

KTEST(sched_weights, "sched.weights", "", "")
{
	struct spinner s[2] = { 0 };
	u64 first, second, due;

	if (!policy_is(&sched_fair))
		return;
	go_first();
	for (unsigned i = 0; i < 2; i++)
		start_on(&s[i], there(), spin, PRIORITY_DEFAULT);
	sched_set_nice(s[1].thread, 5);		/* 335 to 1024 */
	measure(s, 2, 500 * MS);
	first = got(&s[0]);
	second = got(&s[1]);
	due = (first + second) * 1024 / (1024 + 335);
	CHECK(MAX(first, due) - MIN(first, due) <= sched_quantum / 4 + MS, "", "%lu to %lu", first,
	      second);
	end(s, 2);
}

/* SCHED_FIFO runs until it blocks, though its equal waits; who is more urgent does not wait. */
KTEST(sched_fifo, "sched.fifo", "", "")
{
	struct sched_params fifo = { .class = SCHED_FIFO, .rt_priority = 20 };
	struct spinner s[2] = { { .work = 100 * MS }, { .work = 10 * MS } };

	if (!knows(SCHED_FIFO))
		return;
	go_first();
	for (unsigned i = 0; i < 2; i++) {
		struct thread *t = thread_create("fifo", spin, &s[i], PRIORITY_DEFAULT);

		REQUIRE(t, "", "no memory for a thread");
		s[i].thread = t;
		sched_set_affinity(t, there());
		CHECK(sched_set_params(t, &fifo) == 0, "", "SCHED_FIFO is refused");
		thread_resume(t);
	}
	thread_sleep(60 * MS);
	CHECK(ran(&s[1]) == 0, "", "its equal has run for %lu ns", ran(&s[1]));
	CHECK(ran(&s[0]) > 50 * MS, "", "it has run for %lu ns", ran(&s[0]));
	CHECK(nr_cpus > 1 || s[0].thread->stats.preempted <= 1, "", "preempted %lu times",
	      s[0].thread->stats.preempted);
	end(s, 2);
}

/*
 * Works and waits for the next period, by giving up the rest of this one. The first that counts
 * begins no later than it runs in it.
 */
static int periodic(void *arg)
{
	struct spinner *s = arg;
	struct thread *t = current_thread();
	u64 period = t->se.params.period, release;

	sched_yield();
	for (release = time_now(); !atomic_load(&s->stop); release += period) {
		for (u64 done = 0, at = time_now(); done < s->work;) {
			u64 now = time_now();

			/* a longer gap is time that others had */
			done += now - at < 10 * NSEC_PER_USEC ? now - at : 0;
			at = now;
		}
		s->jobs++;
		s->late += time_before(release + t->se.params.deadline, time_now());
		sched_yield();
	}
	return 0;
}

/* Reservations are kept beside liars and busy threads, and liars get no more than they have. */
KTEST(sched_reservations, "sched.reservations", "", "")
{
	static const u64 shares[][2] = {
		{ 2 * MS, 10 * MS }, { 4 * MS, 20 * MS }, { 8 * MS, 40 * MS },
	};
	struct spinner s[5] = { 0 };
	u64 start;

	if (!knows(SCHED_DEADLINE))
		return;
	go_first();
	for (unsigned i = 0; i < 4; i++) {
		const u64 *share = shares[i % 3];
		struct sched_params p = { .class = SCHED_DEADLINE, .runtime = share[0],
					  .deadline = share[1], .period = share[1] };
		struct thread *t = thread_create("periodic", i < 3 ? periodic : spin, &s[i],
						 PRIORITY_DEFAULT);

		REQUIRE(t, "", "no memory for a thread");
		s[i].thread = t;
		s[i].work = i < 3 ? share[0] * 15 / 16 : 0;
		sched_set_affinity(t, there());
		CHECK(sched_set_params(t, &p) == 0, "", "reservation %u is refused", i);
	}
	start_on(&s[4], there(), spin, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < 4; i++)
		thread_resume(s[i].thread);
	start = time_now();
	measure(s, 5, 400 * MS);
	start = time_now() - start;
	for (unsigned i = 0; i < 3; i++) {
		CHECK(s[i].late == 0, "", "%u of %u jobs late", s[i].late, s[i].jobs);
		CHECK(s[i].jobs + 2 >= start / shares[i][1], "", "%u jobs in %lu ns", s[i].jobs,
		      start);
	}
	/* of a period more than begin, and once what passes from the timer to the switch */
	CHECK(got(&s[3]) <= (start / (10 * MS) + 1) * 2 * MS + MS / 10, "",
	      "the liar had %lu ns in %lu", got(&s[3]), start);
	CHECK(got(&s[3]) >= start / 6, "", "the liar had %lu ns", got(&s[3]));
	CHECK(got(&s[4]) >= start / 10, "", "what was left was %lu ns", got(&s[4]));
	end(s, 5);
}

KTEST(sched_admission, "sched.admission", "", "")
{
	struct sched_params p = { .class = SCHED_DEADLINE, .runtime = 6 * MS, .deadline = PERIOD,
				  .period = PERIOD };
	struct sched_params far = { .class = SCHED_DEADLINE, .runtime = MS,
				    .deadline = 1UL << 63, .period = 1UL << 63 };
	struct spinner s[MAX_CPUS + 1] = { 0 };

	CHECK(sched_set_params(current_thread(), &far) == -EINVAL, "",
	      "a deadline that cannot be told from one that is over");
	if (!knows(SCHED_DEADLINE)) {
		CHECK(sched_set_params(current_thread(), &p) == -EINVAL, "", "unknown class");
		return;
	}
	for (unsigned again = 0; again < 2; again++) {		/* all come back */
		for (unsigned i = 0; i <= nr_cpus; i++) {
			s[i] = (struct spinner){ .thread = thread_create("reserved", spin, &s[i],
									 PRIORITY_DEFAULT) };
			REQUIRE(s[i].thread, "", "no memory for a thread");
			CHECK(sched_set_params(s[i].thread, &p) == (i < nr_cpus ? 0 : -EBUSY), "",
			      "reservation %u", i);
			if (i < nr_cpus)
				CHECK(sched_set_affinity(s[i].thread, BIT((i + 1) % nr_cpus)) ==
					      (nr_cpus > 1 ? -EBUSY : 0),
				      "", "moved off its CPU");
			thread_resume(s[i].thread);
		}
		end(s, nr_cpus + 1);
	}
}

/* A low one that holds up a high one runs before those between. */
KTEST(sched_inherits, "sched.inherits", "", "")
{
	struct spinner s[2] = { 0 };
	u64 before;

	if (!knows(SCHED_RR))
		return;
	go_first();
	start_on(&s[0], there(), spin, 18);
	start_on(&s[1], there(), spin, 22);
	before = ran(&s[0]);		/* it had the CPU until the other one was there */
	thread_sleep(50 * MS);
	CHECK(policy_is(&sched_fair) || ran(&s[0]) - before < MS, "", "the low one runs");
	CHECK(sched_inherit(s[0].thread, (struct sched_rank){ .level = 30 }) ||
		      policy_is(&sched_fair),
	      "", "its rank has not changed");
	before = ran(&s[0]);
	thread_sleep(50 * MS);
	CHECK(policy_is(&sched_fair) || ran(&s[0]) - before > 45 * MS, "", "ran %lu ns",
	      ran(&s[0]) - before);
	sched_inherit(s[0].thread, (struct sched_rank){ 0 });
	before = ran(&s[0]);
	thread_sleep(50 * MS);
	CHECK(policy_is(&sched_fair) || ran(&s[0]) - before < MS, "", "it goes on for %lu ns",
	      ran(&s[0]) - before);
	end(s, 2);
}

/* Whose parameters change while it waits is in its new place from then on. */
KTEST(sched_changed_order, "sched.changed_order", "", "")
{
	static const int levels[] = { 25, 17, 18 };
	struct sched_params p = params_of_level(22);
	struct spinner s[3] = { 0 };

	if (!knows(SCHED_RR))
		return;
	go_first();
	for (unsigned i = 0; i < 3; i++)
		start_on(&s[i], there(), spin, levels[i]);
	CHECK(sched_set_params(s[1].thread, &p) == 0, "", "a priority is refused");
	end(&s[0], 1);
	thread_sleep(5 * MS);
	CHECK(ran(&s[1]) > 3 * MS && ran(&s[2]) == 0, "",
	      "raised above the other it has had %lu ns, the other %lu", ran(&s[1]), ran(&s[2]));
	end(&s[1], 2);
	sched_audit();
}

/* Parameters change in every state, and nothing gets lost or counted twice. */
KTEST(sched_changes, "sched.changes", "", "")
{
	struct sched_params idle = { .class = SCHED_IDLE }, got_back;
	struct spinner s[4] = { 0 };

	go_first();
	for (unsigned i = 0; i < 4; i++)
		start_on(&s[i], there(), spin, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < 64; i++) {
		struct thread *t = s[i % 4].thread;

		thread_sleep(test_random() % (3 * MS));
		switch (test_random() % 4) {
		case 0:
			sched_set_nice(t, (int)(test_random() % 40) - 20);
			break;
		case 1:
			CHECK(sched_set_params(t, &idle) == 0, "", "SCHED_IDLE is refused");
			got_back = sched_get_params(t);
			CHECK(got_back.class == SCHED_IDLE, "", "it is %u", got_back.class);
			break;
		case 2:
			sched_set_affinity(t, 1 + test_random() % (BIT(nr_cpus) - 1));
			break;
		default:
			sched_inherit(t, (struct sched_rank){ .level = test_random() % LEVELS });
		}
	}
	for (unsigned i = 0; i < 4; i++)
		sched_inherit(s[i].thread, (struct sched_rank){ 0 });
	end(s, 4);
	sched_audit();
}

/*
 * --- Slices and accounts -------------------------------------------------------------------------
 */

/* Policies under which threads of one nice value take turns of a quantum. */
static bool takes_turns(void)
{
	return !policy_is(&sched_mlfq) && !policy_is(&sched_fair) && !policy_is(&sched_pct);
}

struct stretches {
	struct spinner s;
	u64 shortest;			/* from getting the CPU to losing it, ns */
	unsigned n;
};

/* How long its stretches are; the one at whose end it is to stop does not count. */
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
			if (st->n++)		/* the first began somewhere */
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

/* What another thread has left of its slice is no business of who comes next. */
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

static _Atomic unsigned turns;
static struct spinner *_Atomic last_turn;

/* Notes when it is another one's turn than before. */
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

/* Being interrupted neither makes a slice longer nor costs the rest of it. */
KTEST(sched_interrupted, "sched.interrupted", "", "")
{
	struct spinner s[2] = { 0 }, often = { 0 };
	unsigned n;

	if (!knows(SCHED_RR))
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
 * Somebody more urgent comes when the slice is over and the tick that says so has not: the equal
 * that waits is next all the same.
 */
KTEST(sched_over_unseen, "sched.over_unseen", "", "")
{
	struct sched_params p = params_of_level(20);
	struct spinner equal = { 0 }, urgent = { 0 };

	if (!knows(SCHED_RR))
		return;
	semaphore_init(&urgent_go, 0);
	sched_set_affinity(current_thread(), there());
	start_on(&urgent, there(), end_when_told, 25);
	CHECK(sched_set_params(current_thread(), &p) == 0, "", "a priority is refused");
	thread_sleep(MS);		/* and begins a slice */
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
	thread_set_priority(PRIORITY_DEFAULT);
	sched_set_affinity(current_thread(), ~0u);
}

/* Who sleeps whenever somebody looks is charged all the same, and the others are not for it. */
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
	CHECK(got(&dodger) >= MS, "", "who ran shortly and often was charged %lu ns",
	      got(&dodger));
	end(&victim, 1);
	end(&dodger, 1);
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

/* Two come at once to a CPU that idled, so that no timer was armed: the second has its turn. */
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

/* The timer's interrupt asks for the CPU, which is not ours to give just now. */
static void await_request(struct thread *t)
{
	u64 end = time_now() + 500 * MS;

	while (!(atomic_load(&t->work) & WORK_RESCHED) && time_before(time_now(), end))
		;
	REQUIRE(atomic_load(&t->work) & WORK_RESCHED, "", "no slice ever ends");
}

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
	CHECK(t->stats.preempted == before + 1, "", "a request is not served when it may be again");

	preempt_off();
	preempt_off();
	before = t->stats.preempted;
	preempt_on();
	await_request(t);
	CHECK(t->stats.preempted == before, "", "the end of an inner section ended the outer one");
	preempt_on();
	CHECK(t->stats.preempted == before + 1, "", "nobody looks at the end of the outer section");

	irq_off();
	irq_off();
	before = t->stats.preempted;
	sched_force_switch();
	irq_on();
	CHECK(t->stats.preempted == before, "", "interrupts are on in the outer section");
	irq_on();
	CHECK(t->stats.preempted == before + 1, "", "a request is lost with interrupts off");
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
 * The CPU is taken away after each instruction of going to block, and what is waited for happens
 * while it is gone: the thread neither runs without that nor is lost, nor is it queued twice.
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

/* The idle thread runs when nobody else can, and then only. */
KTEST(sched_idle_stays, "sched.idle_stays", "", "")
{
	struct thread *idle = &cpus[nr_cpus - 1].idle;
	struct spinner s = { 0 };
	u64 before;

	go_first();
	start_on(&s, there(), interrupt_often, PRIORITY_DEFAULT);
	thread_sleep(20 * MS);		/* it is preempted by who wakes, and comes back */
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

/* Waits, and keeps its CPU. */
static void await_count(const _Atomic u64 *what, u64 value, u64 ns)
{
	u64 end = time_now() + ns;

	while (*what < value && time_before(time_now(), end))
		arch_spin_hint();
}

/*
 * A wake-up between a CPU's last look at the queues and its waiting: the CPU is stopped there,
 * woken and, when it idles again, found by who has work for it.
 */
KTEST(sched_idle_window, "sched.idle_window", "", "")
{
	struct cpu *idler = &cpus[nr_cpus - 1];
	struct thread *first, *second;

	if (nr_cpus == 1 || !policy_is(&sched_rr))	/* nobody preempts: an idle CPU is told */
		return;
	sched_set_affinity(current_thread(), BIT(0));
	thread_yield();
	semaphore_init(&first_go, 0);
	semaphore_init(&second_go, 0);
	first_ran = second_ran = 0;
	first = start_noting(note_first, there());
	second = start_noting(note_second, BIT(0));
	sched_set_affinity(second, BIT(0) | there());	/* its last CPU is this one */

	park_arm(0, "look_for_work", AT_EXIT, &idler->idle, 20 * MS);
	semaphore_post(&first_go);			/* makes the idler look again */
	REQUIRE(park_wait(0, 10 * MS), "", "an idle CPU does not look");
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
