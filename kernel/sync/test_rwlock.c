/*
 * Promises of reader-writer locks and barriers alone: who is in together, who stands before whom,
 * rounds.
 */
#include "test_sync.h"

static struct rwlock lock;
static struct barrier barrier;
static _Atomic int readers, writers, most_readers;
static _Atomic unsigned came;

struct visit {
	bool writer;
	_Atomic bool leave;		/* may go */
	unsigned came;			/* in as how manieth */
	struct thread *thread;
};

static int enter(bool writer, struct deadline d)
{
	return writer ? rwlock_write_lock(&lock, d) : rwlock_read_lock(&lock, d);
}

static void leave(bool writer)
{
	if (writer)
		rwlock_write_unlock(&lock);
	else
		rwlock_read_unlock(&lock);
}

static int visit(void *arg)
{
	struct visit *v = arg;
	int err = enter(v->writer, DEADLINE_NEVER);

	if (err)
		return err;
	v->came = ++came;
	while (!v->leave)
		thread_sleep(20 * NSEC_PER_USEC);
	leave(v->writer);
	return 0;
}

static void start_visit(struct visit *v, bool writer, bool waits)
{
	unsigned before = came;

	*v = (struct visit){ .writer = writer };
	v->thread = test_thread(ONE_CPU, visit, v, PRIORITY_DEFAULT);
	if (waits)
		test_blocked(v->thread, writer ? "a writer" : "a reader");
	else
		CHECK(AWAIT(came == before + 1), "rwlock.order", "a visitor is not let in");
}

static void end_visit(struct visit *v)
{
	v->leave = true;
	CHECK(test_join(v->thread, "a visitor") == 0, "rwlock", "a visit failed");
}

/* Readers share; behind a waiting writer they wait; it lets them in together when it leaves. */
KTEST(rwlock_fifo, "rwlock.fifo", "", "rwlock.order")
{
	struct visit r1, r2, w1, r3, r4, w2;

	rwlock_init(&lock);
	came = 0;
	start_visit(&r1, false, false);
	start_visit(&r2, false, false);
	start_visit(&w1, true, true);
	start_visit(&r3, false, true);
	start_visit(&r4, false, true);
	start_visit(&w2, true, true);
	end_visit(&r1);
	CHECK(came == 2, "rwlock.order", "a writer comes in beside a reader");
	end_visit(&r2);
	CHECK(AWAIT(came == 3) && w1.came == 3, "rwlock.order", "the writer is not next");
	end_visit(&w1);
	CHECK(AWAIT(came == 5) && r3.came && r4.came, "rwlock.order", "not both readers come in");
	end_visit(&r3);
	CHECK(came == 5, "rwlock.order", "a writer comes in beside a reader");
	end_visit(&r4);
	CHECK(AWAIT(came == 6), "rwlock.order", "the last writer does not come in");
	end_visit(&w2);
	rwlock_destroy(&lock);
}

/* A writer that gives up lets in those it stood before. */
KTEST(rwlock_writer_leaves, "rwlock.writer_leaves", "", "rwlock.order")
{
	struct visit r1, w, r2, r3;

	rwlock_init(&lock);
	came = 0;
	start_visit(&r1, false, false);
	start_visit(&w, true, true);
	start_visit(&r2, false, true);
	start_visit(&r3, false, true);
	thread_kill(w.thread);
	CHECK(test_join(w.thread, "a killed writer") == -EINTR, "rwlock", "it was let in");
	CHECK(AWAIT(came == 3), "rwlock.order", "%u are in, 3 readers could be", came);
	end_visit(&r1);
	end_visit(&r2);
	end_visit(&r3);
	rwlock_destroy(&lock);
}

static int storm(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 60; i++) {
		bool writer = test_random() % 3 == 0;
		struct deadline d = deadline_in(1 + test_random() % 100000);
		int r;

		if (enter(writer, d))
			continue;
		if (writer)
			writers++;
		else
			readers++;
		r = readers;
		CHECK(writer ? writers == 1 && r == 0 : writers == 0, "rwlock.exclusion",
		      "%d readers and %d writers are in", r, writers);
		if (r > most_readers)
			most_readers = r;
		if (i % 2)
			thread_yield();
		if (writer)
			writers--;
		else
			readers--;
		leave(writer);
	}
	return 0;
}

KTEST(rwlock_storm, "rwlock.storm", "", "rwlock.exclusion")
{
	struct thread *t[5];

	rwlock_init(&lock);
	most_readers = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = test_thread(ALL_CPUS, storm, NULL, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++)
		test_join(t[i], "storm");
	ktest_figure("readers_at_once", most_readers);
	CHECK(rwlock_write_lock(&lock, DEADLINE_POLL) == 0, "rwlock.exclusion", "not free");
	rwlock_destroy(&lock);
	audit();
}

/*
 * --- Barriers -----------------------------------------------------------------------------------
 */

#define PARTIES		3
#define ROUNDS		40

static _Atomic unsigned arrived[ROUNDS];

static int party(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < ROUNDS; i++) {
		arrived[i]++;
		if (barrier_wait(&barrier, deadline_in(LONG)))
			return 1;
		CHECK(arrived[i] == PARTIES, "barrier.round", "round %u is passed by %u", i,
		      arrived[i]);
	}
	return 0;
}

KTEST(barrier_rounds, "barrier.rounds", "", "barrier.round")
{
	struct thread *t[PARTIES];

	barrier_init(&barrier, PARTIES);
	for (unsigned i = 0; i < ROUNDS; i++)
		arrived[i] = 0;
	for (unsigned i = 0; i < PARTIES; i++)
		t[i] = test_thread(ALL_CPUS, party, NULL, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < PARTIES; i++)
		CHECK(test_join(t[i], "barrier") == 0, "barrier.round", "a wait failed");
	barrier_destroy(&barrier);
}

/* A thread that has given up is not counted: the round still needs all. */
KTEST(barrier_gives_up, "barrier.gives_up", "", "barrier.round")
{
	int err;

	barrier_init(&barrier, 2);
	err = barrier_wait(&barrier, deadline_in(NSEC_PER_MSEC));
	CHECK(err == -ETIMEDOUT, "barrier.round", "alone it passes: %d", err);
	err = barrier_wait(&barrier, DEADLINE_POLL);
	CHECK(err == -ETIMEDOUT, "barrier.round", "one that gave up was counted: %d", err);
	barrier_destroy(&barrier);
}
