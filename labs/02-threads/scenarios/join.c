/*
 * Lab 02: exit, join and detach of one thread.
 */
#include "errno.h"
#include "explore/scenario.h"

static int body(void *arg)
{
	return (int)(long)arg;
}

SCENARIO(join_one, "join.one", "02.5", "P2.5", .cpus = 2)
{
	struct thread *t = start(body, (void *)7);
	int code = 0;

	expect(!thread_join(t, &code, DEADLINE_NEVER), "the join failed");
	expect(code == 7, "joined with code %d instead of 7", code);
}

SCENARIO(join_timed, "join.timed_out_or_not", "02.5", "P2.6", .cpus = 2)
{
	struct thread *t = start(body, (void *)7);
	int code = 0, err = thread_join(t, &code, deadline_in(1000));

	expect(err == 0 || err == -ETIMEDOUT, "the join with a deadline returned %d", err);
	if (err)
		expect(!thread_join(t, &code, DEADLINE_NEVER), "the second join failed");
	expect(code == 7, "joined with code %d instead of 7", code);
}

static struct thread *subject;

/* Joins the subject, which another thread may join or detach first; returns the result. */
static int joiner(void *unused)
{
	int code = 0, err = thread_join(subject, &code, DEADLINE_NEVER);

	(void)unused;
	expect(err || code == 7, "joined with code %d instead of 7", code);
	return err;
}

/* A thread that runs and that we keep a reference of; and one that joins it. */
static struct thread *start_both(void)
{
	struct thread *j = thread_create("joiner", joiner, NULL, PRIORITY_DEFAULT);

	subject = thread_create("subject", body, (void *)7, PRIORITY_DEFAULT);
	thread_get(subject);
	thread_resume(j);
	thread_resume(subject);
	return j;
}

SCENARIO(two_joiners, "join.two_joiners", "02.7", "P2.9", .cpus = 2)
{
	struct thread *j = start_both();
	int code = 0, mine = thread_join(subject, &code, DEADLINE_NEVER), other = 0;

	thread_join(j, &other, DEADLINE_NEVER);
	expect(!mine != !other, "of two joins one returned %d, the other %d", mine, other);
	expect(mine == 0 || mine == -EBUSY || mine == -ECHILD, "the join returned %d", mine);
	expect(other == 0 || other == -EBUSY || other == -ECHILD, "the join returned %d", other);
	thread_put(subject);
}

SCENARIO(detach_one, "detach.one", "02.7", "P2.10", .cpus = 2)
{
	expect(!thread_detach(start(body, (void *)7)), "the detach failed");
}

SCENARIO(join_against_detach, "join.against_detach", "02.7", "P2.10", .cpus = 2)
{
	struct thread *j = start_both();
	int joined = 0, detached = thread_detach(subject);

	thread_join(j, &joined, DEADLINE_NEVER);
	expect(joined == 0 || joined == -ECHILD || joined == -EBUSY, "the join returned %d",
	       joined);
	expect(!joined != !detached, "joined with %d, detached with %d", joined, detached);
	thread_put(subject);
}
