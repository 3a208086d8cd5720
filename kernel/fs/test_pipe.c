/*
 * Tests of pipes and poll, in one thread: what does not block. Blocking is tested by user programs.
 */
#include "base/counters.h"
#include "errno.h"
#include "fs/poll.h"
#include "test_fs.h"

static u8 out[3 * 65536], in[3 * 65536];

static ssize_t put(struct file *w, u8 *p, size_t n)
{
	struct iobuf b = test_buf(p, n);

	return file_write(w, &b, NULL);
}

static ssize_t get(struct file *r, u8 *p, size_t n)
{
	struct iobuf b = test_buf(p, n);

	return file_read(r, &b, NULL);
}

KTEST(pipe_order, "pipe.order", "", "pipe.order")
{
	struct counter_snapshot before, after;
	size_t sent = 0, got = 0, wrong = 0;
	struct file *r, *w;

	counters_snapshot(&before);
	REQUIRE(pipe_create(&r, &w, O_NONBLOCK) == 0, "pipe.order", "no pipe");
	for (unsigned i = 0; i < 5000; i++) {
		size_t n = test_random() % 20000;
		ssize_t moved;

		if (test_random() % 2) {
			for (size_t k = 0; k < n; k++)
				out[k] = sent + k;
			moved = put(w, out, n);
			/* Of two slots beside each other more than half is used. */
			CHECK(moved >= 0 || (moved == -EAGAIN && sent - got + 4096 > 65536 / 2),
			      "pipe.order", "write of %lu with %lu in it: %ld", n, sent - got,
			      moved);
			CHECK(moved <= 0 || n > 4096 || moved == (ssize_t)n, "pipe.order",
			      "a small write is split");
			sent += MAX(moved, 0);
		} else {
			moved = get(r, in, n);
			CHECK(moved == (sent == got && n ? -EAGAIN : (ssize_t)MIN(n, sent - got)),
			      "pipe.order", "read of %lu with %lu in it: %ld", n, sent - got,
			      moved);
			for (ssize_t k = 0; k < moved; k++)
				wrong += in[k] != (u8)(got + k);
			got += MAX(moved, 0);
		}
	}
	file_put(w);
	while (got < sent)
		got += get(r, in, sizeof(in));
	/* PIPE1: else a slot is written over, or an empty one ends the reads */
	CHECK(wrong == 0, "pipe.order", "%lu bytes are wrong", wrong);
	CHECK(get(r, in, 1) == 0, "pipe.order", "no end of file");
	file_put(r);
	counters_snapshot(&after);
	CHECK(counters_equal(&before, &after, "pipe.order"), "pipe.order", "leaks");
}

/* Bytes that are read before the next ones come need one page, however many they are. */
KTEST(pipe_page, "pipe.page", "", "")
{
	s64 before = counter_read(COUNT_FILE_PAGES), held;
	struct file *r, *w;

	REQUIRE(pipe_create(&r, &w, O_NONBLOCK) == 0, "", "no pipe");
	for (unsigned i = 0; i < 100; i++) {
		put(w, out, 1);
		get(r, in, 1);
	}
	held = counter_read(COUNT_FILE_PAGES) - before;
	CHECK(held <= 1, "", "%ld pages for one byte", (long)held);
	file_put(r);
	file_put(w);
}

/* A write for which there is no page fails, and the pipe is as it was. */
KTEST(pipe_oom, "pipe.oom", "", "")
{
	struct file *r, *w;
	ssize_t moved;
	bool fired;

	REQUIRE(pipe_create(&r, &w, O_NONBLOCK) == 0, "", "no pipe");
	oom_arm(1, NULL);
	moved = put(w, out, 100);
	fired = oom_fired();
	oom_arm(0, NULL);
	CHECK(fired && moved == -ENOMEM, "", "without memory a write is %ld", moved);
	CHECK(get(r, in, 100) == -EAGAIN, "", "there is something to read");
	CHECK(put(w, out, 100) == 100 && get(r, in, 200) == 100, "", "the next write fails");
	file_put(r);
	file_put(w);
}

static unsigned ready(struct file *f)
{
	struct poll_request r = { .file = f, .events = POLLIN | POLLOUT | POLLERR | POLLHUP };
	int n = poll_files(&r, 1, DEADLINE_POLL);

	CHECK(n == (r.ready != 0), "poll.state", "%d ready, but %x", n, r.ready);
	return r.ready;
}

KTEST(poll_state, "poll.state", "", "poll.state")
{
	struct poll_request many[20] = { { .file = NULL } };
	struct file *r, *w;

	REQUIRE(pipe_create(&r, &w, O_NONBLOCK) == 0, "poll.state", "no pipe");
	CHECK(ready(r) == 0 && ready(w) == POLLOUT, "poll.state", "empty: %x %x", ready(r),
	      ready(w));
	put(w, out, 65536);
	CHECK(ready(r) == POLLIN && ready(w) == 0, "poll.state", "full: %x %x", ready(r), ready(w));
	get(r, in, 4095);
	CHECK(ready(w) == 0, "poll.state", "writable with less room than PIPE_BUF");
	get(r, in, 1);
	CHECK(ready(w) == POLLOUT, "poll.state", "not writable with PIPE_BUF of room");
	get(r, in, 65536);

	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct poll_request){ .file = i % 3 ? r : NULL, .events = POLLIN };
	CHECK(poll_files(many, ARRAY_SIZE(many), deadline_in(1000)) == 0, "poll.state",
	      "no timeout");
	put(w, out, 1);
	CHECK(poll_files(many, ARRAY_SIZE(many), DEADLINE_NEVER) == 13, "poll.state",
	      "not all are ready");
	file_put(w);
	CHECK(ready(r) == (POLLIN | POLLHUP), "poll.state", "hang-up with data: %x", ready(r));
	get(r, in, 1);
	CHECK(ready(r) == POLLHUP, "poll.state", "hang-up: %x", ready(r));
	file_put(r);
}
