/* Test of the place that a blocked thread names: the function that waits, in /proc/PID/wchan. */
#include "base/string.h"
#include "base/symbols.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "test/ktest.h"
#include "thread/thread.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);

static int wait_plainly(void *unused)
{
	int err;

	(void)unused;
	spin_lock(&q.lock);
	err = wait_block_locked(&q, DEADLINE_NEVER, 0);
	spin_unlock(&q.lock);
	return err;
}

static int wait_with_a_link(void *unused)
{
	struct wait_link link = { 0 };
	int err;

	(void)unused;
	spin_lock(&q.lock);
	err = wait_block_link(&q, &link, DEADLINE_NEVER, 0);
	spin_unlock(&q.lock);
	return err;
}

static void check_site(thread_fn fn, const char *name)
{
	struct thread *t = thread_create(name, fn, NULL, PRIORITY_DEFAULT);
	const char *told;
	u64 offset;
	int code;

	REQUIRE(t, "wait.site", "no memory for a thread");
	thread_resume(t);
	while (thread_state(t) != THREAD_BLOCKED)
		thread_yield();
	told = symbol_name((u64)t->waiter->site, &offset);	/* nobody wakes it meanwhile */
	CHECK(!strcmp(told, name), "wait.site", "%s() waits, but %s() is told", name, told);
	wait_wake_all(&q, 0);
	CHECK(thread_join(t, &code, DEADLINE_NEVER) == 0 && code == 0, "wait.site",
	      "its wait gave %d", code);
}

KTEST(wait_site, "wait.site", "", "wait.site")
{
	check_site(wait_plainly, "wait_plainly");
	check_site(wait_with_a_link, "wait_with_a_link");
}
