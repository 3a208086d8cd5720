/*
 * Lab 02, hidden: threads that are joined, detached and ended in any order, against a model.
 */
#include "base/counters.h"
#include "errno.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define CROWD	12
#define ROUNDS	400

/* A thread, and what the calls so far have made of it. */
static struct subject {
	struct thread *thread;		/* with a reference; NULL: joined, or detached and ended */
	struct thread *joiner;		/* that waits for it without a deadline */
	_Atomic bool may_end;
	bool ended, detached;
	int code;
} subjects[CROWD];

static int end_when_told(void *arg)
{
	struct subject *s = arg;

	while (!s->may_end)
		thread_yield();
	return s->code;
}

/* Returns the code that it gets, or the error. */
static int join_it(void *arg)
{
	struct subject *s = arg;
	int code = 0, err = thread_join(s->thread, &code, DEADLINE_NEVER);

	return err ? err : code;
}

static struct thread *start(thread_fn fn, struct subject *s)
{
	struct thread *t = thread_create("mixed", fn, s, PRIORITY_DEFAULT);

	REQUIRE(t, "P2.8", "no thread was made");
	return t;
}

static void begin(struct subject *s)
{
	*s = (struct subject){ .code = 1 + (int)(test_random() % 1000) };
	s->thread = start(end_when_told, s);
	thread_get(s->thread);
	thread_resume(s->thread);
}

/* Nobody needs it any more. */
static void forget(struct subject *s)
{
	thread_put(s->thread);
	s->thread = NULL;
}

/* The joiner of @s returns, with @expected. */
static void joiner_gets(struct subject *s, int expected, const char *property)
{
	int got = 0;

	REQUIRE(thread_join(s->joiner, &got, deadline_in(NSEC_PER_SEC)) == 0, property,
		"a joiner waits on, though its thread has ended or was detached");
	CHECK(got == expected, property, "a joiner got %d instead of %d", got, expected);
	s->joiner = NULL;
}

static void let_end(struct subject *s)
{
	bool left = false;

	s->may_end = true;
	while (!left) {
		thread_yield();
		spin_lock(&s->thread->joiners.lock);
		left = s->thread->left;
		spin_unlock(&s->thread->joiners.lock);
	}
	s->ended = true;
	if (s->joiner)
		joiner_gets(s, s->code, "P2.5");
	else if (!s->detached)
		return;
	forget(s);
}

static void join(struct subject *s, struct deadline deadline)
{
	int code = 0, err = thread_join(s->thread, &code, deadline), expected;

	if (s->detached)
		expected = -ECHILD;
	else if (s->joiner)
		expected = -EBUSY;
	else
		expected = s->ended ? 0 : -ETIMEDOUT;
	CHECK(err == expected, "P2.9", "a join returned %d instead of %d%s%s%s", err, expected,
	      s->ended ? ", ended" : "", s->detached ? ", detached" : "",
	      s->joiner ? ", another waits" : "");
	if (err)
		return;
	CHECK(code == s->code, "P2.5", "the code was %d, not %d", code, s->code);
	forget(s);
}

static void detach(struct subject *s)
{
	int err = thread_detach(s->thread), expected = s->detached ? -ECHILD : 0;

	CHECK(err == expected, "P2.9", "a detach returned %d instead of %d", err, expected);
	s->detached = true;
	if (s->joiner)
		joiner_gets(s, -ECHILD, "P2.10");
	if (s->ended)
		forget(s);
}

static void add_joiner(struct subject *s)
{
	bool waits = false;

	if (s->joiner || s->detached || s->ended)
		return;
	s->joiner = start(join_it, s);
	thread_resume(s->joiner);
	while (!waits) {
		thread_yield();
		spin_lock(&s->thread->joiners.lock);
		waits = s->thread->joiners.nr > 0;
		spin_unlock(&s->thread->joiners.lock);
	}
}

static void act_on(struct subject *s)
{
	switch (test_random() % 6) {
	case 0:
		join(s, DEADLINE_POLL);
		break;
	case 1:
		join(s, deadline_in(test_random() % (50000)));
		break;
	case 2:
		detach(s);
		break;
	case 3:
	case 4:
		add_joiner(s);
		break;
	default:
		if (!s->ended)
			let_end(s);
	}
}

KTEST(threads_mixed, "threads.mixed", "02.h", "P2.9")
{
	struct counter_snapshot before, after;

	counters_snapshot(&before);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct subject *s = &subjects[test_random() % CROWD];

		if (s->thread)
			act_on(s);
		else
			begin(s);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		struct subject *s = &subjects[i];

		if (s->thread && !s->ended)
			let_end(s);
		if (s->thread)
			join(s, DEADLINE_NEVER);
	}
	counters_snapshot(&after);
	counters_equal(&before, &after, "P2.8");
	audit();
}
