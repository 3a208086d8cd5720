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
#define FOR_EVER	(1000000 * LONG)
#define AT_ONCE		(20 * MS)
#define LARGEST		8u
#define STRIDE		4u	/* a sweep stops at every fourth instruction */
#define SWEEP		5000u	/* instructions: the first join waits by then */
#define ROUNDS		20000u

static struct member {
	struct thread *thread, *next;	/* whom it joins */
	u64 wait_ns, took_ns;
	int code, got, err;
	_Atomic bool go, joins_no_more, may_exit;
} members[LARGEST];

static int join_next(void *arg)
{
	struct member *m = arg;
	u64 from;

	while (!m->go)
		thread_yield();
	from = time_now();
	m->err = thread_join(m->next, &m->got, deadline_in(m->wait_ns));
	m->took_ns = time_now() - from;
	m->joins_no_more = true;
	while (!m->may_exit)
		thread_yield();
	return m->code;
}

/*
 * Makes @n threads. Each is to join the one behind it, and the last one the first, when it is told
 * to. With @closing, this is what the first one and the one in the middle do, each on a CPU of its
 * own, and the others join without being told.
 */
static void make_ring(unsigned n, thread_fn closing)
{
	for (unsigned i = 0; i < n; i++) {
		bool closes = closing && i % (n / 2) == 0;

		members[i] = (struct member){ .code = 100 + i, .wait_ns = LONG };
		if (closing && !closes)
			members[i] = (struct member){ .wait_ns = FOR_EVER, .go = true };
		members[i].thread = thread_create("member", closes ? closing : join_next,
						  &members[i], PRIORITY_DEFAULT);
		REQUIRE(members[i].thread, ktest_property(), "no thread was made");
		if (closes)
			sched_set_affinity(members[i].thread, BIT(i / (n / 2)));
	}
	for (unsigned i = 0; i < n; i++)
		members[i].next = members[(i + 1) % n].thread;
}

static void start_ring(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		thread_resume(members[i].thread);
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
	start_ring(n);
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
	start_ring(n);
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

/* --- Two joins at the same time --------------------------------------------------------------- */

/* On 1 CPU: the second thread joins the first @step instructions after that has called join. */
static bool join_each_other(unsigned step)
{
	bool good;

	members[0].go = members[1].go = true;
	end_ring(2);
	good = (members[0].err == 0 && members[1].err == -EDEADLK) ||
	       (members[0].err == -EDEADLK && members[1].err == 0);
	CHECK(good, "C2.2",
	      "two threads joined each other, one after instruction %u: the joins gave %d and %d",
	      step, members[0].err, members[1].err);
	return good;
}

static void sweep_join(void)
{
	bool hit = true;

	for (unsigned step = ktest_seed() % STRIDE; hit && step < SWEEP; step += STRIDE) {
		make_ring(2, NULL);
		REQUIRE(sweep_arm("thread_join", members[0].thread, step) == 0, "C2.2",
			"no thread_join()");
		start_ring(2);
		if (!join_each_other(step))
			return;
		hit = sweep_hit();
	}
}

/*
 * On 2 CPUs: the other members have joined, and in each round the first one and the one in the
 * middle close the ring. One is refused, and the other gives up after a while.
 */
static _Atomic unsigned ready, away, done;	/* rounds */
static _Atomic bool went_wrong;
static u64 while_ns;

static void spin(unsigned loops)
{
	for (volatile unsigned i = 0; i < loops; i++)
		;
}

static void close_it(struct member *m)
{
	m->err = thread_join(m->next, NULL, deadline_in(while_ns));
}

static int close_again(void *arg)
{
	struct member *m = arg;

	for (unsigned n = 1; n <= ROUNDS && !went_wrong; n++) {
		ready = n;
		while (away < n)
			;
		if (!went_wrong)
			close_it(m);
		done = n;
	}
	m->joins_no_more = true;
	return 0;
}

/*
 * Joins some loops after its CPU's turn has begun, later if it was first and sooner if it was not:
 * so the turn ends near the place between its look and its becoming a joiner, and sometimes there.
 */
static int close_first(void *arg)
{
	struct member *m = arg;
	const struct member *other = &members[LARGEST / 2];
	unsigned loops = 0;

	for (unsigned n = 1; n <= ROUNDS && !went_wrong; n++) {
		unsigned step = test_random() % 8;

		while (ready < n)
			;
		away = n;
		spin(loops);
		close_it(m);
		while (done < n)
			thread_yield();
		went_wrong = !(m->err == -EDEADLK && other->err == -ETIMEDOUT) &&
			     !(m->err == -ETIMEDOUT && other->err == -EDEADLK);
		CHECK(!went_wrong, "C2.2",
		      "two threads closed a ring of %u, in round %u: the joins returned %d and %d",
		      LARGEST, n, m->err, other->err);
		loops = m->err == -EDEADLK ? loops - MIN(loops, step) : loops + step;
	}
	away = ROUNDS;
	m->joins_no_more = true;
	return 0;
}

static int close_one(void *arg)
{
	return arg == &members[0] ? close_first(arg) : close_again(arg);
}

static void close_together(void)
{
	u64 from = time_now();

	spin(6 * 1000);		/* longer than three turns of a CPU */
	while_ns = time_now() - from;
	make_ring(LARGEST, close_one);
	for (unsigned i = 1; i < LARGEST; i++)
		if (i != LARGEST / 2) {
			thread_resume(members[i].thread);
			let_join(&members[i]);
			members[i].may_exit = true;
		}
	thread_resume(members[0].thread);
	thread_resume(members[LARGEST / 2].thread);
	while (!members[0].joins_no_more || !members[LARGEST / 2].joins_no_more)
		thread_sleep(while_ns);
	thread_join(members[1].thread, NULL, DEADLINE_NEVER);
	thread_join(members[LARGEST / 2 + 1].thread, NULL, DEADLINE_NEVER);
}

KTEST(challenge_together, "challenge.together", "02.c", "C2.2")
{
	if (nr_cpus == 1)
		sweep_join();
	else
		close_together();
}
