/*
 * Lab 02, hidden: joins of joins, and a thread that is joined and detached as it leaves.
 */
#include "errno.h"
#include "explore/scenario.h"

static struct thread *next;

static int leave(void *code)
{
	return (int)(long)code;
}

/* Returns what it has joined, plus one. */
static int pass_on(void *unused)
{
	int code = 0, err = thread_join(next, &code, DEADLINE_NEVER);

	(void)unused;
	expect(!err, "a join in the middle returned %d", err);
	return code + 1;
}

/* The code of a thread comes through a thread that joins it, and that is joined itself. */
SCENARIO(chain, "join.chain", "02.h", "P2.5", .cpus = 2)
{
	struct thread *middle = thread_create("middle", pass_on, NULL, PRIORITY_DEFAULT);
	int code = 0, err;

	next = thread_create("last", leave, (void *)41, PRIORITY_DEFAULT);
	thread_resume(middle);
	thread_resume(next);
	err = thread_join(middle, &code, DEADLINE_NEVER);
	expect(!err && code == 42, "the join returned %d, code %d instead of 42", err, code);
}

static int join_for_a_while(void *unused)
{
	int code = 0, err = thread_join(next, &code, deadline_in(1000));

	(void)unused;
	expect(err || code == 41, "joined with code %d instead of 41", code);
	return err;
}

/* A joiner's deadline, the exit and a detach meet: joiner or detach has the thread, not both. */
SCENARIO(three_ways, "detach.three_ways", "02.h", "P2.10", .cpus = 2)
{
	struct thread *joiner;
	int joined = 0, detached;

	next = thread_create("leaver", leave, (void *)41, PRIORITY_DEFAULT);
	thread_get(next);
	joiner = start(join_for_a_while, NULL);
	thread_resume(next);
	detached = thread_detach(next);
	thread_join(joiner, &joined, DEADLINE_NEVER);
	expect(detached == 0 || detached == -ECHILD, "the detach returned %d", detached);
	expect(joined == 0 || joined == -ECHILD || joined == -ETIMEDOUT, "the join returned %d",
	       joined);
	expect(!joined || !detached, "the join returned %d, the detach %d", joined, detached);
	expect(joined || detached, "both the join and the detach have the thread");
	thread_put(next);
}
