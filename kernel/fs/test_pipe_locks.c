/*
 * A thread that is killed while it waits for the lock of a pipe leaves without having touched it.
 */
#include "errno.h"
#include "pipe.h"
#include "process/process.h"
#include "sched/time.h"
#include "splice.h"
#include "test_fs.h"
#include "thread/thread.h"

#define SOON	(10 * NSEC_PER_SEC)

static struct file *r, *w, *other_r, *other_w;
static struct pipe *mine, *other;
static u8 bytes[8];

static ssize_t reads(struct iobuf *b)
{
	return file_read(r, b, NULL);
}

static ssize_t writes(struct iobuf *b)
{
	return file_write(w, b, NULL);
}

static ssize_t takes(struct iobuf *b)
{
	struct splice_side to = { .memory = b };

	return splice_from_pipe(mine, &to, sizeof(bytes), false);
}

static ssize_t puts(struct iobuf *b)
{
	struct splice_side from = { .memory = b };

	return splice_to_pipe(&from, mine, sizeof(bytes), false);
}

static ssize_t passes_on(struct iobuf *b)
{
	(void)b;
	return splice_pipes(mine, other, sizeof(bytes), false, false);
}

static ssize_t passes_here(struct iobuf *b)
{
	(void)b;
	return splice_pipes(other, mine, sizeof(bytes), false, false);
}

static const struct op {
	const char *name;
	ssize_t (*fn)(struct iobuf *b);
} ops[] = {
	{ "read", reads },
	{ "write", writes },
	{ "splice to memory", takes },
	{ "splice from memory", puts },
	{ "splice to a pipe", passes_on },
	{ "splice from a pipe", passes_here },
};

static int call(void *op)
{
	struct iobuf b = test_buf(bytes, sizeof(bytes));

	return ((const struct op *)op)->fn(&b);
}

static void kill_at_lock(const struct op *op)
{
	struct thread *t = thread_create("killed", call, (void *)op, PRIORITY_DEFAULT);
	u64 end = time_now() + SOON;
	int result = 0;

	REQUIRE(t, "", "no memory for a thread");
	mutex_lock(&mine->lock);
	thread_resume(t);
	while (thread_state(t) != THREAD_BLOCKED && time_before(time_now(), end))
		thread_sleep(NSEC_PER_MSEC);
	CHECK(thread_state(t) == THREAD_BLOCKED, "", "%s: does not wait for the lock", op->name);
	thread_kill(t);
	REQUIRE(thread_join(t, &result, deadline_in(SOON)) == 0, "", "%s: hangs", op->name);
	CHECK(result == -EINTR, "", "%s: the call is %d", op->name, result);
	CHECK(mine->used == 1 && other->used == 1, "", "%s: %u slots of the pipe, %u of the other",
	      op->name, mine->used, other->used);
	mutex_unlock(&mine->lock);
}

KTEST(pipe_locks, "pipe.locks", "", "")
{
	struct iobuf b = test_buf(bytes, sizeof(bytes));

	REQUIRE(pipe_create(&r, &w, 0) == 0 && pipe_create(&other_r, &other_w, 0) == 0, "",
		"no pipe");
	mine = pipe_of(r);
	other = pipe_of(other_r);
	file_write(w, &b, NULL);
	b = test_buf(bytes, sizeof(bytes));
	file_write(other_w, &b, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++)
		kill_at_lock(&ops[i]);
	file_put(r);
	file_put(w);
	file_put(other_r);
	file_put(other_w);
}
