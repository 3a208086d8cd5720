/* Message queues as files. */
#include "errno.h"
#include "fs/fs.h"
#include "process/mqueue.h"
#include "test/instrument.h"
#include "test/ktest.h"

/* A descriptor that is closed while a thread registers through it leaves nothing behind. */
KTEST(mqueue_closed_early, "mqueue.closed_early", "", "mqueue.end")
{
	struct mqueue_notify n = { .how = 1 /* SIGEV_NONE */ };
	struct file *f;

	REQUIRE(!mqueue_open("test", O_RDWR | O_CREAT, 0600, NULL, &f), "mqueue.end", "open");
	mqueue_unlink("test");
	/* close() has ended all registrations; now comes the one that was on its way */
	CHECK(!mqueue_notify(f, &n), "mqueue.end", "no registration");
	file_put(f);
}

/* Without memory for the text of its state, a read of a queue fails, and is not at the end. */
KTEST(mqueue_no_memory, "mqueue.no_memory", "", "mqueue.read")
{
	char text[128];
	struct iobuf b = iobuf_kernel(text, sizeof(text));
	struct file *f;
	off_t pos = 0;
	ssize_t n;

	REQUIRE(!mqueue_open("test", O_RDWR | O_CREAT, 0600, NULL, &f), "mqueue.read", "open");
	mqueue_unlink("test");
	oom_arm(1, current_thread());
	n = file_read(f, &b, &pos);
	oom_arm(0, NULL);
	CHECK(n == -ENOMEM && !pos, "mqueue.read", "the read returns %ld", n);
	n = file_read(f, &b, &pos);
	CHECK(n > 0 && n == pos, "mqueue.read", "the next read returns %ld", n);
	file_put(f);
}
