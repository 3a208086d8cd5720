/*
 * Lab 02, challenge: threads that join each other in a ring. All joins have a deadline, so that a
 * kernel that lets the ring close is noticed, and not waited for.
 */
#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define MS		NSEC_PER_MSEC
#define LONG		(100 * MS)
#define AT_ONCE		(20 * MS)
#define LARGEST		8u
#define STRIDE		4u	/* a sweep stops at every fourth instruction */
#define SWEEP		5000u	/* instructions: the first join waits by then */
#define ROUNDS		1000u

static struct member {
	struct thread *thread, *next; /* whom it joins */
	u64 wait_ns, took_ns;
	int code, got, err;
	void (*before)(struct member *m); /* called right before it joins, or NULL */
	_Atomic bool go, joins_no_more, may_exit;
} members[LARGEST];

static int join_next(void *arg)
{
	struct member *m = arg;
	u64 from;

	while (!m->go)
		thread_yield();
	if (m->before)
		m->before(m);
	from = time_now();
	m->err = thread_join(m->next, &m->got, deadline_in(m->wait_ns));
	m->took_ns = time_now() - from;
	m->joins_no_more = true;
	while (!m->may_exit)
		thread_yield();
	return m->code;
}

/* Makes @n threads. Each is to join the one behind it, and the last one the first. */
static void make_ring(unsigned n, void (*before)(struct member *m))
{
	for (unsigned i = 0; i < n; i++)
		members[i] = (struct member){ .code = 100 + i, .wait_ns = LONG, .before = before };
	for (unsigned i = 0; i < n; i++) {
		members[i].thread = thread_create("member", join_next, &members[i],
						  PRIORITY_DEFAULT);
		REQUIRE(members[i].thread, ktest_property(), "no thread was made");
	}
	for (unsigned i = 0; i < n; i++) {
		members[i].next = members[(i + 1) % n].thread;
		if (before)
			sched_set_affinity(members[i].thread, BIT(i));
		thread_resume(members[i].thread);
	}
}

static bool is_joined(struct thread *t)
{
	bool joined;

	spin_lock(&t->joiners.lock);
	joined = t->joiners.nr > 0;
	spin_unlock(&t->joiners.lock);
	return joined;
}

/* Lets @m join, and waits until it does or has been refused. */
static void let_join(struct member *m)
{
	m->go = true;
	while (!m->joins_no_more && !is_joined(m->next))
		thread_yield();
}

/* Lets all exit, and joins those that no member has joined. */
static void end_ring(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		members[i].may_exit = true;
	for (unsigned i = 0; i < n; i++)
		while (!members[i].joins_no_more)
			thread_yield();
	for (unsigned i = 0; i < n; i++)
		if (members[(i + n - 1) % n].err)
			thread_join(members[i].thread, NULL, DEADLINE_NEVER);
}

static void shuffle(unsigned *order, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	for (unsigned i = n - 1; i; i--) {
		unsigned k = test_random() % (i + 1), swapped = order[i];

		order[i] = order[k];
		order[k] = swapped;
	}
}

/* The last of the joins, which come in any order, closes the ring. */
static void close_ring(unsigned n)
{
	unsigned order[LARGEST];
	struct member *last;

	make_ring(n, NULL);
	shuffle(order, n);
	for (unsigned i = 0; i < n; i++)
		let_join(&members[order[i]]);
	last = &members[order[n - 1]];
	while (!last->joins_no_more)
		thread_yield();
	end_ring(n);
	CHECK(last->err == -EDEADLK && last->took_ns < AT_ONCE, "C2.1",
	      "a join that closes a ring of %u returned %d after %lu us", n, last->err,
	      last->took_ns / 1000);
	for (unsigned i = 0; i < n; i++) {
		struct member *m = &members[i];

		CHECK(m == last || (m->err == 0 && m->got == members[(i + 1) % n].code), "C2.1",
		      "in a ring of %u that was not closed, a join returned %d and code %d", n,
		      m->err, m->got);
	}
}

/* No ring: the first one has given up its join before the last one joins it. */
static void leave_open(unsigned n)
{
	struct member *last = &members[n - 1];

	make_ring(n, NULL);
	members[0].wait_ns = MS;
	for (unsigned i = 0; i < n - 1; i++)
		let_join(&members[i]);
	while (!members[0].joins_no_more)
		thread_yield();
	let_join(last);
	end_ring(n);
	CHECK(members[0].err == -ETIMEDOUT, "C2.1", "a join of 1 ms returned %d", members[0].err);
	CHECK(last->err == 0 && last->got == members[0].code, "C2.1",
	      "of %u threads one has given up its join; there is no ring, and a join returned %d",
	      n, last->err);
}

KTEST(challenge_ring, "challenge.ring", "02.c", "C2.1")
{
	for (unsigned n = 2; n <= LARGEST; n++) {
		close_ring(n);
		leave_open(n);
	}
}

/* Two threads join each other at the same time. Returns false if that goes wrong. */
static bool join_each_other(const char *when, unsigned number)
{
	int first, second;
	bool good;

	members[0].go = members[1].go = true;
	end_ring(2);
	first = members[0].err;
	second = members[1].err;
	good = (first == 0 && second == -EDEADLK) || (first == -EDEADLK && second == 0);
	CHECK(good, "C2.2", "two threads joined each other, %s %u: the joins returned %d and %d",
	      when, number, first, second);
	return good;
}

/* On 1 CPU: the second thread joins the first @step instructions after that has called join. */
static void sweep_join(void)
{
	bool hit = true;

	for (unsigned step = ktest_seed() % STRIDE; hit && step < SWEEP; step += STRIDE) {
		make_ring(2, NULL);
		REQUIRE(sweep_arm("thread_join", members[0].thread, step) == 0, "C2.2",
			"no thread_join()");
		if (!join_each_other("one after instruction", step))
			return;
		hit = sweep_hit();
	}
}

static _Atomic bool ready, away;
static unsigned loops;

/*
 * Member 0 joins @loops loops after its CPU's turn has begun, so that over the rounds the turn ends
 * after each instruction of its join. Member 1 joins in its own CPU's next turn.
 */
static void line_up(struct member *m)
{
	if (m == &members[1]) {
		ready = true;
		while (!away)
			;
		return;
	}
	while (!ready)
		;
	away = true;
	for (volatile unsigned i = 0; i < loops; i++)
		;
}

KTEST(challenge_together, "challenge.together", "02.c", "C2.2")
{
	if (nr_cpus == 1) {
		sweep_join();
		return;
	}
	for (loops = 0; loops < ROUNDS; loops++) {
		ready = away = false;
		make_ring(2, line_up);
		if (!join_each_other("one after a number of loops,", loops))
			return;
	}
}
