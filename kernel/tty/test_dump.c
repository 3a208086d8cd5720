/*
 * Makes dumps of all kinds while one thread waits for another's lock. They must return;
 * tools/tests/test_terminal.py reads their text.
 */
#include "sync/mutex.h"
#include "test/ktest.h"
#include "thread/thread.h"
#include "tty/dump.h"

static struct mutex wanted = MUTEX_INIT(wanted);

static int want(void *unused)
{
	(void)unused;
	mutex_lock(&wanted);
	mutex_unlock(&wanted);
	return 0;
}

KTEST(dump_keys, "dump.keys", "", "dump.keys")
{
	struct thread *t = thread_create("wanter", want, NULL, PRIORITY_DEFAULT);

	REQUIRE(t, "dump.keys", "no memory for a thread");
	mutex_lock(&wanted);
	thread_resume(t);
	while (thread_state(t) != THREAD_BLOCKED)
		thread_yield();
	for (const char *key = "tplr"; *key; key++)
		dump_key(*key);
	mutex_unlock(&wanted);
	CHECK(thread_join(t, NULL, DEADLINE_NEVER) == 0, "dump.keys", "the waiter is lost");
}
