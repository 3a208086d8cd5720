/*
 * Properties of every primitive that threads wait with: deadlines, polls, kills, destruction,
 * order, and that no pass is lost, spent on a waiter that has left, or taken by another thread.
 */
#include "test_waits.h"

#include "test_sync.h"

#define WAITERS		12
#define FAR		deadline_at(time_now() + 1000 * NSEC_PER_SEC)

static struct waiting {
	const struct kind *kind;
	struct deadline d;
	struct thread *thread;
	unsigned came_out;		/* how many came out before it */
} waits[WAITERS];

static _Atomic unsigned out;

static int wait_once(void *arg)
{
	struct waiting *w = arg;
	int err = w->kind->wait(w->d);

	w->came_out = out++;
	if (!err && w->kind->leave)
		w->kind->leave();
	return err;
}

static void start_wait_of(const struct kind *k, unsigned i, struct deadline d, int priority)
{
	waits[i] = (struct waiting){ .kind = k, .d = d };
	waits[i].thread = test_thread(ONE_CPU, wait_once, &waits[i], priority);
}

static void start_wait(const struct kind *k, unsigned i, struct deadline d)
{
	start_wait_of(k, i, d, PRIORITY_DEFAULT);
}

static void start_waits(const struct kind *k, unsigned n, struct deadline first)
{
	out = 0;
	for (unsigned i = 0; i < n; i++) {
		start_wait(k, i, i ? DEADLINE_NEVER : first);
		test_blocked(waits[i].thread, k->name);
	}
}

static int result(unsigned i)
{
	return test_join(waits[i].thread, waits[i].kind->name);
}

void waits_deadline(const struct kind *k)
{
	u64 due = time_now() + 2 * MS;
	int err;

	k->init();
	start_wait(k, 0, deadline_at(due));
	err = result(0);
	CHECK(err == -ETIMEDOUT, ktest_property(), "%s: a wait with a deadline returned %d",
	      k->name, err);
	CHECK(!time_before(time_now(), due), ktest_property(), "%s: it ended early", k->name);
	start_waits(k, 1, deadline_in(2 * NSEC_PER_SEC));	/* may be behind the wrap */
	k->pass();
	err = result(0);
	CHECK(err == 0, ktest_property(), "%s: in time, but the wait returned %d", k->name, err);
	k->destroy();
	audit();
}

/* --- Polls ------------------------------------------------------------------------------------ */

static _Atomic bool enough, blocked;
static struct thread *_Atomic poller;

/* Sees whether the poller gives the CPU away by blocking. */
static int yield_often(void *unused)
{
	(void)unused;
	while (!enough) {
		struct thread *t;

		preempt_off();		/* so that @t still polls when its state is read */
		t = poller;
		if (t && thread_state(t) != THREAD_READY && thread_state(t) != THREAD_RUNNING)
			blocked = true;
		preempt_on();
		thread_yield();
	}
	return 0;
}

static int poll_once(void *arg)
{
	const struct kind *k = arg;
	struct thread_stats *s = &current_thread()->stats;
	u64 gave = s->switches_in - s->preempted;
	int err;

	poller = current_thread();
	err = k->wait(DEADLINE_POLL);
	poller = NULL;
	gave = s->switches_in - s->preempted - gave;
	CHECK(err == -ETIMEDOUT, ktest_property(), "%s: a poll returned %d", k->name, err);
	CHECK(!blocked, ktest_property(), "%s: a poll blocked", k->name);
	CHECK(gave == 0 || !k->polls_without_yielding, ktest_property(),
	      "%s: a poll gave up the CPU %lu times", k->name, gave);
	return 0;
}

void waits_poll(const struct kind *k)
{
	struct thread *other;

	enough = blocked = false;
	test_stay(ONE_CPU);
	other = test_thread(ONE_CPU, yield_often, NULL, PRIORITY_DEFAULT);
	k->init();
	test_join(test_thread(ONE_CPU, poll_once, (void *)k, PRIORITY_DEFAULT), k->name);
	k->destroy();
	enough = true;
	test_join(other, "poll");
	test_stay(ALL_CPUS);
}

/* --- Kill, destruction, order ----------------------------------------------------------------- */

void waits_killed(const struct kind *k)
{
	int err;

	k->init();
	start_waits(k, 2, DEADLINE_NEVER);
	thread_kill(waits[0].thread);
	err = result(0);
	CHECK(err == -EINTR, ktest_property(), "%s: a killed wait returned %d", k->name, err);
	k->pass();
	err = result(1);
	CHECK(err == 0, ktest_property(), "%s: the wait behind one that was killed returned %d",
	      k->name, err);
	k->destroy();
	audit();
}

/* It fails with -EIDRM whatever else would end it: a deadline or not, a kill, a signal. */
static void expect_gone(const struct kind *k)
{
	static const char *const sorts[] = { "with no deadline", "that polls",
					     "whose deadline is past", "with a deadline" };
	static const u32 come[] = { 0, WORK_KILL, WORK_SIGNAL };
	const struct deadline deadlines[] = { DEADLINE_NEVER, DEADLINE_POLL,
					      deadline_at(time_now() - MS), deadline_in(SOON) };

	for (unsigned i = 0; i < ARRAY_SIZE(come); i++) {
		for (unsigned n = 0; n < ARRAY_SIZE(deadlines); n++) {
			_Atomic u32 *work = &current_thread()->work;
			int err;

			atomic_fetch_or(work, come[i]);
			err = k->wait(deadlines[n]);
			atomic_fetch_and(work, ~come[i]);
			CHECK(err == -EIDRM, ktest_property(),
			      "%s: destroyed before a wait %s%s: it returned %d", k->name, sorts[n],
			      !i ? "" : i == 1 ? ", and killed" : ", and a signal has come", err);
		}
	}
}

void waits_destroyed(const struct kind *k)
{
	int err;

	k->init();
	start_waits(k, 3, deadline_in(SOON));
	k->destroy();
	for (unsigned i = 0; i < 3; i++) {
		err = result(i);
		CHECK(err == -EIDRM, ktest_property(), "%s: destroyed, waiter %u got %d", k->name,
		      i, err);
	}
	start_wait(k, 0, deadline_in(SOON));
	err = result(0);
	CHECK(err == -EIDRM, ktest_property(), "%s: destroyed before the wait, which returned %d",
	      k->name, err);
	expect_gone(k);
	audit();
}

/*
 * The first one has a deadline, the others have none. Only a mutex goes by urgency. Elsewhere the
 * threads differ in it, and the first is neither the most nor the least urgent: the order of
 * arrival alone counts.
 */
static void start_waits_in_order(const struct kind *k)
{
	out = 0;
	for (unsigned i = 0; i < WAITERS; i++) {
		int priority = k->leave ? PRIORITY_DEFAULT : 16 + (int)(i * 5 + 7) % WAITERS;

		start_wait_of(k, i, i ? DEADLINE_NEVER : FAR, priority);
		test_blocked(waits[i].thread, k->name);
	}
}

void waits_order(const struct kind *k)
{
	test_stay(ONE_CPU);
	k->init();
	start_waits_in_order(k);
	k->pass();
	for (unsigned i = 1; i < WAITERS && !k->leave; i++) {
		CHECK(AWAIT(out == i), ktest_property(), "%s: %u passes, and %u waits are over",
		      k->name, i, out);
		k->pass();
	}
	for (unsigned i = 0; i < WAITERS; i++) {
		int err = result(i);

		CHECK(err == 0, ktest_property(), "%s: waiter %u got %d", k->name, i, err);
		CHECK(waits[i].came_out == i, ktest_property(), "%s: waiter %u comes out as %u",
		      k->name, i, waits[i].came_out);
	}
	k->destroy();
	test_stay(ALL_CPUS);
	audit();
}

/* --- A pass that comes when the first wait is over, and its thread has not run since ---------- */

/* Ends of the first wait, before or after a pass comes; its thread does not run in between. */
enum wait_end { BY_DEADLINE, BY_KILL, BY_SIGNAL, WAIT_ENDS };

/* Preemption is off, and the thread is on this CPU. A signal has come that has a handler. */
static void kill_or_signal(struct thread *t, enum wait_end by)
{
	if (by == BY_KILL) {
		thread_kill(t);
		return;
	}
	atomic_fetch_or(&t->work, WORK_SIGNAL);
	if (thread_state(t) == THREAD_BLOCKED)
		waiter_claim(t->waiter, WAIT_SIGNAL, 0);
}

static void end_then_pass(const struct kind *k, enum wait_end by)
{
	preempt_off();
	if (by == BY_DEADLINE)
		sleepq_expire(&this_cpu()->sleepq, waits[0].d.at);	/* as the timer does */
	else
		kill_or_signal(waits[0].thread, by);
	CHECK(thread_state(waits[0].thread) == THREAD_READY, ktest_property(),
	      "%s: the wait did not end", k->name);
	k->pass();
	preempt_on();
}

static const char *ended(enum wait_end by)
{
	return by == BY_DEADLINE ? "the deadline of the first"
	       : by == BY_KILL	 ? "a kill of the first"
				 : "a signal for the first";
}

static void not_eaten(const struct kind *k, enum wait_end by)
{
	int error = by == BY_DEADLINE ? -ETIMEDOUT : -EINTR, first, second;

	test_stay(ONE_CPU);
	k->init();
	start_waits(k, 2, FAR);
	end_then_pass(k, by);
	first = result(0);
	second = result(1);
	/* A mutex may be free again by the time the first one looks once more. */
	CHECK(first == error || (!first && k->leave), ktest_property(),
	      "%s: %s, then a pass: the first got %d", k->name, ended(by), first);
	CHECK(second == 0, ktest_property(), "%s: %s, then a pass: the second got %d", k->name,
	      ended(by), second);
	k->destroy();
	test_stay(ALL_CPUS);
	audit();
}

static void not_lost(const struct kind *k, enum wait_end by)
{
	int first, next;

	test_stay(ONE_CPU);
	k->init();
	start_waits(k, 1, FAR);
	end_then_pass(k, by);
	first = result(0);
	next = k->wait(DEADLINE_POLL);
	CHECK(first == 0, ktest_property(), "%s: %s, then a pass, which it did not take: %d",
	      k->name, ended(by), first);
	CHECK((next == 0) == (k->leave || k->all), ktest_property(),
	      "%s: %s, which took the pass: the next one got %d", k->name, ended(by), next);
	if (!next && k->leave)
		k->leave();
	k->destroy();
	test_stay(ALL_CPUS);
	audit();
}

void waits_not_eaten(const struct kind *k)
{
	for (enum wait_end by = BY_DEADLINE; by < WAIT_ENDS; by++)
		not_eaten(k, by);
}

void waits_not_lost(const struct kind *k)
{
	for (enum wait_end by = BY_DEADLINE; by < WAIT_ENDS; by++)
		not_lost(k, by);
}

static void given_then(const struct kind *k, enum wait_end by)
{
	struct deadline d = by == BY_DEADLINE ? deadline_in(20 * MS) : FAR;
	int first, second;

	k->init();
	start_waits(k, 2, d);
	preempt_off();
	k->pass();
	if (by != BY_DEADLINE)
		kill_or_signal(waits[0].thread, by);
	while (by == BY_DEADLINE && time_before(time_now(), d.at + MS))
		arch_spin_hint();
	if (!k->leave)
		k->pass();		/* for the other one */
	preempt_on();
	first = result(0);
	CHECK(first == 0, ktest_property(), "%s: a pass, then %s, whose wait returned %d", k->name,
	      ended(by), first);
	second = result(1);
	CHECK(second == 0, ktest_property(), "%s: two passes, and %s: the second got %d", k->name,
	      ended(by), second);
	second = k->wait(DEADLINE_POLL);
	CHECK((second == 0) == (k->leave != NULL), ktest_property(),
	      "%s: two passes for two waits, and a poll got %d", k->name, second);
	if (!second && k->leave)
		k->leave();
	k->destroy();
	audit();
}

void waits_given(const struct kind *k)
{
	test_stay(ONE_CPU);
	for (enum wait_end by = BY_DEADLINE; by < WAIT_ENDS; by++)
		given_then(k, by);
	test_stay(ALL_CPUS);
}

#define MANY	1023			/* with the one behind them 0, for a count in 8 bits */

/* The waits of the many have been ended, and are still in the queue. They are of this thread. */
void waits_behind_many(const struct kind *k)
{
	static struct wait_link links[MANY];
	static struct waiter many[MANY];
	bool in_time;
	int err;

	k->init();
	spin_lock(&k->queue->lock);
	for (unsigned i = 0; i < MANY; i++) {
		waiter_init(&many[i], 0);
		waiter_swap(&many[i], WAIT_TIMEOUT, 0);
		wait_link(k->queue, &links[i], &many[i]);
	}
	spin_unlock(&k->queue->lock);
	start_waits(k, 1, deadline_in(2 * SOON));
	k->pass();
	in_time = AWAIT(out == 1);
	err = result(0);
	CHECK(in_time && !err, ktest_property(),
	      "%s: %d waits have been ended, and a pass has not ended the one behind them",
	      k->name, MANY);
	spin_lock(&k->queue->lock);
	for (unsigned i = 0; i < MANY; i++)
		wait_unlink(k->queue, &links[i]);
	spin_unlock(&k->queue->lock);
	k->destroy();
	audit();
}

/* The claim is made by hand: wait_queue_destroy() would wait for the thread. */
void waits_removed(const struct kind *k)
{
	struct waiter *w;
	int first, next;

	test_stay(ONE_CPU);
	k->init();
	start_waits(k, 1, DEADLINE_NEVER);
	preempt_off();
	spin_lock(&k->queue->lock);
	w = list_first(&k->queue->links, struct wait_link, node)->waiter;
	k->queue->destroyed = true;	/* either may tell the thread that nothing is left */
	waiter_claim(w, WAIT_DESTROYED, 0);
	spin_unlock(&k->queue->lock);
	k->pass();
	preempt_on();
	first = result(0);
	k->queue->destroyed = false;
	next = k->wait(DEADLINE_POLL);
	CHECK(first == -EIDRM, ktest_property(), "%s: destroyed, but the wait returned %d", k->name,
	      first);
	CHECK(next == 0, ktest_property(), "%s: a wait that returned -EIDRM has used a pass",
	      k->name);
	k->destroy();
	test_stay(ALL_CPUS);
	audit();
}

/* This thread is more urgent, so the waiter cannot run before it has tried. */
void waits_not_stolen(const struct kind *k)
{
	int thief, first;

	test_stay(ONE_CPU);
	test_priority(PRIORITY_HIGHEST);
	k->init();
	start_waits(k, 1, DEADLINE_NEVER);
	k->pass();
	thief = k->wait(DEADLINE_POLL);
	CHECK(thief == -ETIMEDOUT, ktest_property(),
	      "%s: a thread came before the one that was woken had run, and got %d", k->name,
	      thief);
	if (!thief && k->leave)
		k->leave();
	else if (!thief)
		k->pass();		/* what the waiter has lost */
	first = result(0);
	CHECK(first == 0, ktest_property(), "%s: the waiter got %d", k->name, first);
	k->destroy();
	test_priority(PRIORITY_DEFAULT);
	test_stay(ALL_CPUS);
	audit();
}

/* --- A storm on all CPUs, with random deadlines ----------------------------------------------- */

#define STORMERS	4
#define ROUNDS		40

static _Atomic unsigned got, storming;

struct deadline waits_some_deadline(void)
{
	u64 r = test_random();

	return r % 4 == 0 ? DEADLINE_POLL : deadline_in(1 + r % 50000);
}

static int storm(void *arg)
{
	const struct kind *k = arg;

	for (unsigned i = 0; i < ROUNDS; i++)
		got += k->wait(waits_some_deadline()) == 0;
	storming--;
	return 0;
}

void waits_conserved(const struct kind *k)
{
	struct thread *t[STORMERS];
	unsigned posted, left = 0;

	k->init();
	got = 0;
	storming = STORMERS;
	for (unsigned i = 0; i < STORMERS; i++)
		t[i] = test_thread(ALL_CPUS, storm, (void *)k, PRIORITY_DEFAULT);
	for (posted = 0; storming; posted++) {
		u64 until = time_now() + test_random() % 20000;

		k->pass();
		while (time_before(time_now(), until))
			thread_yield();
	}
	for (unsigned i = 0; i < STORMERS; i++)
		test_join(t[i], k->name);
	while (left <= posted && k->wait(DEADLINE_POLL) == 0)
		left++;
	CHECK(got > 0 && got + left == posted, ktest_property(),
	      "%s: %u posts, %u waits passed, %u posts are left", k->name, posted, got, left);
	k->destroy();
	audit();
}
