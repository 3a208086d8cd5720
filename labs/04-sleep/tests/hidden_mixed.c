/*
 * Lab 04, hidden: waits and sleeps of many threads, which events, deadlines, kills and destructions
 * end in any order, against a model that knows how each of them ends.
 */
#include "base/counters.h"
#include "base/string.h"
#include "mm/mm.h"
#include "waiters.h"

#define CROWD		14
#define ROUNDS		300
#define BOTH		3		/* waits in both queues */
#define FAR		(1000 * NSEC_PER_SEC)
#define NEAR		(100 * NSEC_PER_USEC)

static struct wait_queue *queues[2];

/* A thread in its only wait, or sleep, and what the calls so far have made of it. */
static struct subject {
	struct thread *thread;		/* NULL: none */
	unsigned in;			/* its queues, a bit for each; 0: it sleeps */
	bool shared;
	unsigned flags;			/* WAIT_* */
	struct deadline d;
	unsigned long place;		/* all with a lower number came before it */
	bool ended;			/* the model's answer: with @expected, as @property says */
	int expected;
	const char *property;
	unsigned group;			/* of those that leave in the order of @rank; 0: of none */
	unsigned rank;
	struct wait_queue *at[2];	/* where the queues were when it came */
	_Atomic bool came, done;
	int result;			/* of its wait */
	unsigned left;			/* how many had left before it */
	u64 returned;
} crowd[CROWD];

static unsigned long arrivals;
static unsigned groups;
static _Atomic unsigned left;

#define CROWD_END	(&crowd[CROWD])

/* --- The threads ------------------------------------------------------------------------------ */

static int wait_in(struct subject *s, struct wait_queue *q)
{
	struct wait_link link = { .shared = s->shared };
	int err;

	spin_lock(&q->lock);
	s->came = true;
	err = wait_block_link(q, &link, s->d, s->flags);
	spin_unlock(&q->lock);
	return err;
}

/* As poll() does: one waiter, and a place in each queue. */
static int wait_in_both(struct subject *s)
{
	struct wait_link links[2];
	struct waiter w;
	int err;

	waiter_init(&w, s->flags);
	for (unsigned i = 0; i < 2; i++) {
		links[i] = (struct wait_link){ .shared = s->shared };
		spin_lock(&s->at[i]->lock);
		err = wait_link(s->at[i], &links[i], &w);
		spin_unlock(&s->at[i]->lock);
		CHECK(!err, "P4.15", "a queue that is not destroyed refuses a waiter: %d", err);
	}
	s->came = true;
	err = waiter_block(&w, s->d);
	for (unsigned i = 0; i < 2; i++) {
		spin_lock(&s->at[i]->lock);
		wait_unlink(s->at[i], &links[i]);
		spin_unlock(&s->at[i]->lock);
	}
	return err ? err : w.status;
}

static int wait_once(void *arg)
{
	struct subject *s = arg;

	if (s->in == BOTH) {
		s->result = wait_in_both(s);
	} else if (s->in) {
		s->result = wait_in(s, s->at[s->in >> 1]);
	} else {
		s->came = true;
		s->result = thread_sleep_until(s->d);
	}
	s->returned = time_now();
	s->left = left++;
	s->done = true;
	return 0;
}

/* From here on its deadline is armed, and a kill finds it. */
static void await_asleep(struct subject *s)
{
	while (!s->done) {
		enum thread_state state = thread_state(s->thread);

		if (state == THREAD_BLOCKED || state == THREAD_SLEEPING)
			return;
		thread_yield();
	}
}

/* Starts a thread in a free place; it comes after all others. NULL: none is free. */
static struct subject *add(struct deadline d)
{
	static const unsigned flags[] = { 0, 0, WAIT_UNKILLABLE, WAIT_KILL_ONLY };
	struct subject *s = crowd;

	while (s < &crowd[CROWD] && s->thread)
		s++;
	if (s == &crowd[CROWD])
		return NULL;
	*s = (struct subject){
		.in = test_random() % (BOTH + 1),
		.shared = test_random() % 4 == 0,
		.flags = flags[test_random() % ARRAY_SIZE(flags)],
		.d = d,
		.place = ++arrivals,
		.at = { queues[0], queues[1] },
	};
	s->thread = started(wait_once, s);
	while (!s->came)
		thread_yield();
	return s;
}

/* --- The model -------------------------------------------------------------------------------- */

static void ends(struct subject *s, int expected, const char *property)
{
	s->ended = true;
	s->expected = expected;
	s->property = property;
}

/* The first that waits in queue @k and came after @place; NULL: none. */
static struct subject *next_in(unsigned k, unsigned long place)
{
	struct subject *first = NULL;

	for (struct subject *s = crowd; s < CROWD_END; s++) {
		if (!s->thread || s->ended || !(s->in & BIT(k)) || s->place <= place)
			continue;
		if (!first || s->place < first->place)
			first = s;
	}
	return first;
}

/* The two were woken by one call: on one CPU they leave in this order. */
static void check_order(struct subject *a, struct subject *b)
{
	if (nr_cpus == 1 && a->group && a->group == b->group && a->rank < b->rank)
		CHECK(a->left < b->left, a->property,
		      "two were woken together, and the one that was first left as number %u, the "
		      "other one as number %u",
		      a->left, b->left);
}

static void check_end(struct subject *s)
{
	u64 until = time_now() + NSEC_PER_SEC;

	while (!s->done && time_before(time_now(), until))
		thread_yield();
	REQUIRE(s->done, s->property, "a %s that ends with %d goes on", s->in ? "wait" : "sleep",
		s->expected);
	CHECK(s->result == s->expected, s->property, "a %s ended with %d instead of %d%s",
	      s->in ? "wait" : "sleep", s->result, s->expected, s->shared ? ", shared" : "");
	if (s->result == (s->in ? -ETIMEDOUT : 0))
		CHECK(!time_before(s->returned, s->d.at), "P4.1", "it ended %lu ns early",
		      s->d.at - s->returned);
}

/* Only those that wait are left in the queues, and armed. */
static void check_counts(void)
{
	unsigned in[2] = { 0, 0 }, armed = 0;

	for (struct subject *s = crowd; s < CROWD_END; s++) {
		if (!s->thread)
			continue;
		await_asleep(s);
		REQUIRE(!s->done, "P4.10", "a %s that nothing has ended returned %d",
			s->in ? "wait" : "sleep", s->result);
		CHECK(s->in || thread_state(s->thread) == THREAD_SLEEPING, "P4.3",
		      "a sleeper is %s", thread_state_name(thread_state(s->thread)));
		in[0] += s->in & 1;
		in[1] += s->in >> 1;
		armed += s->d.kind == DEADLINE_KIND_AT;
	}
	for (unsigned k = 0; k < 2; k++)
		CHECK(queues[k]->nr == in[k], "P4.12", "%u threads wait in a queue that counts %u",
		      in[k], queues[k]->nr);
	CHECK(armed_deadlines() == armed, "P4.12", "%u threads have a deadline, %u are armed",
	      armed, armed_deadlines());
}

/* All whose waits have ended return; all others go on. */
static void settle(void)
{
	for (struct subject *s = crowd; s < CROWD_END; s++)
		if (s->thread && s->ended)
			check_end(s);
	for (struct subject *s = crowd; s < CROWD_END; s++)
		for (struct subject *other = crowd; other < CROWD_END; other++)
			if (s->thread && s->ended && other->thread && other->ended)
				check_order(s, other);
	for (struct subject *s = crowd; s < CROWD_END; s++) {
		if (!s->thread || !s->ended)
			continue;
		thread_join(s->thread, NULL, DEADLINE_NEVER);
		s->thread = NULL;
	}
	check_counts();
}

/* --- Events ----------------------------------------------------------------------------------- */

static void wake_one(unsigned k)
{
	int status = (int)test_random();
	bool spent = false, woke;

	for (struct subject *s = next_in(k, 0); s && !spent; s = next_in(k, s->place)) {
		ends(s, status, "P4.6");
		spent = !s->shared;
	}
	woke = wait_wake_one_locked(queues[k], status);
	CHECK(woke == spent, "P4.6", "a wake-up for one returned %u instead of %u", woke, spent);
}

/* @quiet: all have blocked, so they get the CPU in the order in which they are woken. */
static void wake_all(unsigned k, bool quiet)
{
	int status = (int)test_random();
	unsigned nr = 0, woke;

	groups++;
	for (struct subject *s = next_in(k, 0); s; s = next_in(k, s->place)) {
		ends(s, status, "P4.7");
		s->group = quiet ? groups : 0;
		s->rank = nr++;
	}
	woke = wait_wake_all_locked(queues[k], status);
	CHECK(woke == nr, "P4.7", "a wake-up for all woke %u, not %u", woke, nr);
}

/* Some wake-ups before any thread that they wake can leave. */
static void wake_some(void)
{
	unsigned k = test_random() % 2;
	bool quiet = test_random() % 2;

	if (quiet)
		settle();
	spin_lock(&queues[k]->lock);
	for (unsigned n = 1 + test_random() % 3; n > 0; n--)
		wake_one(k);
	if (test_random() % 3 == 0)
		wake_all(k, quiet);
	spin_unlock(&queues[k]->lock);
}

/* --- Deadlines -------------------------------------------------------------------------------- */

/* The next of those that are due, in the order in which they are timed out. */
static struct subject *next_due(void)
{
	struct subject *first = NULL;

	for (struct subject *s = crowd; s < CROWD_END; s++) {
		if (!s->thread || s->ended || s->d.kind != DEADLINE_KIND_AT ||
		    time_before(time_now(), s->d.at))
			continue;
		if (!first || time_before(s->d.at, first->d.at) ||
		    (s->d.at == first->d.at && s->place < first->place))
			first = s;
	}
	return first;
}

/* Interrupts are off: the timers of some CPUs may not have come yet. */
static void expire_all(bool in_order)
{
	struct subject *s;
	unsigned rank = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		sleepq_expire(&cpus[i].sleepq, time_now());
	groups++;
	while ((s = next_due())) {
		ends(s, s->in ? -ETIMEDOUT : 0, s->in ? "P4.11" : "P4.2");
		s->group = in_order ? groups : 0;
		s->rank = rank++;
	}
}

/*
 * Some deadlines pass: of waiters among others, of which some come later, and of sleepers. At once,
 * before those that have timed out can leave the queue, it is woken: that is for the others.
 */
static void let_time_pass(void)
{
	unsigned k = test_random() % 2;
	bool in_order;
	u64 from;

	settle();
	from = time_now() + 2 * NEAR;
	for (unsigned n = 2 + test_random() % 4; n > 0; n--)
		add(deadline_at(from + test_random() % 3 * NEAR / 2));
	add(DEADLINE_NEVER);
	for (struct subject *s = crowd; s < CROWD_END; s++)
		if (s->thread && !s->ended)
			await_asleep(s);
	in_order = time_before(time_now(), from);
	spin_lock(&queues[k]->lock);
	while (time_before(time_now(), from + NEAR))
		arch_spin_hint();
	expire_all(in_order);
	wake_one(k);
	spin_unlock(&queues[k]->lock);
}

static void poll(void)
{
	struct wait_queue *q = queues[test_random() % 2];
	struct deadline past = deadline_at(time_now() - test_random() % NSEC_PER_SEC);
	int err = wait_block(q, DEADLINE_POLL);

	CHECK(err == -ETIMEDOUT, "P4.14", "a poll returned %d", err);
	err = wait_block(q, past);
	CHECK(err == -ETIMEDOUT, "P4.14", "a wait for a time that has passed returned %d", err);
	err = thread_sleep_until(past);
	CHECK(err == 0, "P4.14", "a sleep to a time that has passed returned %d", err);
}

/* --- The ends of threads and of queues -------------------------------------------------------- */

/* It may have been killed before, and its wait may have ended. */
static void kill_it(struct subject *s)
{
	await_asleep(s);
	thread_kill(s->thread);
	if (!s->ended && !(s->in && s->flags == WAIT_UNKILLABLE))
		ends(s, -EINTR, "P4.13");
}

static void make_queue(unsigned k)
{
	queues[k] = kmalloc(sizeof(*queues[k]));
	REQUIRE(queues[k], "P4.15", "no memory for a queue");
	wait_queue_init(queues[k]);
}

/* A thread that still uses the queue afterwards fails. */
static void destroy(unsigned k)
{
	struct wait_queue *q = queues[k];
	int err;

	for (struct subject *s = next_in(k, 0); s; s = next_in(k, s->place))
		ends(s, -EIDRM, "P4.15");
	wait_queue_destroy(q);
	CHECK(q->nr == 0, "P4.15", "a queue was destroyed, and %u have not left", q->nr);
	err = wait_block(q, deadline_in(FAR));
	CHECK(err == -EIDRM, "P4.15", "a wait in a destroyed queue returned %d", err);
	memset(q, 0xa5, sizeof(*q));
	kfree(q);
	make_queue(k);
}

static void act(void)
{
	struct subject *s;

	switch (test_random() % 16) {
	case 0:
	case 1:
	case 2:
		s = &crowd[test_random() % CROWD];
		if (s->thread)
			kill_it(s);
		break;
	case 3:
	case 4:
		wake_some();
		break;
	case 5:
		let_time_pass();
		break;
	case 6:
		poll();
		break;
	case 7:
		if (test_random() % 2)
			destroy(test_random() % 2);
		break;
	case 8:
		settle();
		break;
	default:
		if (!add(test_random() % 2 ? DEADLINE_NEVER : deadline_in(FAR)))
			settle();
	}
}

KTEST(wait_mixed, "wait.mixed", "04.h", "P4.10")
{
	struct counter_snapshot before, after;

	counters_snapshot(&before);
	make_queue(0);
	make_queue(1);
	for (unsigned i = 0; i < ROUNDS; i++)
		act();
	for (struct subject *s = crowd; s < CROWD_END; s++)
		if (s->thread && !s->ended && !s->in)
			kill_it(s);
	destroy(0);
	destroy(1);
	settle();
	kfree(queues[0]);
	kfree(queues[1]);
	counters_snapshot(&after);
	counters_equal(&before, &after, "P4.12");
	audit();
}

/* --- By hand, with interrupts off, and no other deadline armed -------------------------------- */

#define HELD	10

/* Some deadlines around @base are cancelled. Checks whether each other one expires when due. */
static bool expire_by_hand(struct thread *owner, u64 base)
{
	static struct waiter waiters[HELD];
	bool cancelled[HELD] = { false }, right = true;

	for (unsigned i = 0; i < HELD; i++) {
		waiter_init(&waiters[i], 0);
		waiters[i].thread = owner;	/* it never runs */
		sleepq_arm(&waiters[i], base + test_random() % 20);
	}
	for (u64 step = 0; step <= 20; step += 1 + test_random() % 4) {
		unsigned n = test_random() % HELD;

		cancelled[n] |= atomic_load(&waiters[n].why) == WAIT_ARMED;
		if (waiters[n].sq)
			sleepq_cancel(&waiters[n]);
		sleepq_expire(&this_cpu()->sleepq, base + step);
		for (unsigned i = 0; i < HELD; i++) {
			bool due = !cancelled[i] && waiters[i].deadline - base <= step;

			right &= due == (atomic_load(&waiters[i].why) == WAIT_TIMEOUT);
		}
	}
	for (unsigned i = 0; i < HELD; i++)
		if (waiters[i].sq)
			sleepq_cancel(&waiters[i]);
	return right && this_cpu()->sleepq.nr == 0;
}

/* Around the wrap of the clock and around any other time. */
KTEST(sleep_any_time, "sleep.any_time", "04.h", "P4.4")
{
	struct thread *owner = made_on(~0u, wait_once, NULL);

	for (unsigned i = 0; i < 20; i++) {
		u64 base = (i % 2 ? test_random() : 0) - test_random() % 20;
		bool right;

		irq_off();
		right = expire_by_hand(owner, base);
		irq_on();
		REQUIRE(right, "P4.4",
			"of deadlines from %lu on, some were timed out early, late or when they "
			"had been cancelled",
			base);
	}
	thread_kill(owner);
	thread_join(owner, NULL, DEADLINE_NEVER);
}
