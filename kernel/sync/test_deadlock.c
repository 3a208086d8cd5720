/*
 * Two threads that each hold the mutex the other one wants. GDB's `deadlock` is shown this, stopped
 * at thread_kill(); the kernel's part is that a kill gets a killable waiter out of it.
 */
#include "errno.h"
#include "ktest.h"
#include "mutex.h"
#include "sched.h"
#include "thread.h"
#include "time.h"

static struct mutex first, second;
static struct thread *forwards, *backwards;

static unsigned waiting_on(struct mutex *m)
{
	unsigned nr;

	spin_lock(&m->q.lock);
	nr = m->q.nr;
	spin_unlock(&m->q.lock);
	return nr;
}

static void await_waiter(struct mutex *m)
{
	while (waiting_on(m) == 0)
		thread_sleep(NSEC_PER_MSEC);
}

static int lock_forwards(void *unused)
{
	int err;

	(void)unused;
	mutex_lock(&first);
	while (atomic_load(&second.word) == 0)
		thread_sleep(NSEC_PER_MSEC);
	err = mutex_lock_killable(&second);
	mutex_unlock(&first);
	return err;
}

static int lock_backwards(void *unused)
{
	(void)unused;
	mutex_lock(&second);
	while (atomic_load(&first.word) == 0)
		thread_sleep(NSEC_PER_MSEC);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

KTEST(deadlock_kill, "deadlock.ends_by_kill", "", "deadlock.kill")
{
	int killed, other;

	mutex_init(&first);
	mutex_init(&second);
	forwards = thread_create("forwards", lock_forwards, NULL, PRIORITY_DEFAULT);
	backwards = thread_create("backwards", lock_backwards, NULL, PRIORITY_DEFAULT);
	REQUIRE(forwards && backwards, "deadlock.kill", "no memory for two threads");
	thread_resume(forwards);
	thread_resume(backwards);
	await_waiter(&first);
	await_waiter(&second);
	thread_kill(forwards);
	thread_join(forwards, &killed, DEADLINE_NEVER);
	thread_join(backwards, &other, DEADLINE_NEVER);
	CHECK(killed == -EINTR, "deadlock.kill", "the killed waiter got %d", killed);
	CHECK(other == 0, "deadlock.kill", "the other one got %d", other);
	CHECK(waiting_on(&first) + waiting_on(&second) == 0, "deadlock.kill",
	      "somebody still waits");
	mutex_destroy(&first);
	mutex_destroy(&second);
}
