/*
 * Lab 06, steps 2 and 4 to 7: unwinding, holds, zombies, orphans, and that no object is lost.
 */
#include "victims.h"

static struct wait_queue never = WAIT_QUEUE_INIT(never);
static struct mutex shared = MUTEX_INIT(shared);

static int hold_and_wait(void *arg)
{
	(void)arg;
	mutex_lock(&shared);
	wait_block(&never, DEADLINE_NEVER);
	mutex_unlock(&shared);
	return 0;
}

KTEST(kill_unwinds, "kill.unwinds", "06.5", "P6.6")
{
	struct thread *t;
	struct process *p = victim(hold_and_wait, NULL, &t);
	int err;

	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	err = mutex_lock_timed(&shared, deadline_in(100 * NSEC_PER_MSEC));
	CHECK(err == 0, "P6.6", "the mutex of a killed thread was not released: %d", err);
	if (!err)
		mutex_unlock(&shared);
	status_of(p->pid, "P6.6");
}

/* --- A victim that holds a mutex, or waits for one ----------------------------------------- */

static struct mutex kept = MUTEX_INIT(kept);
static _Atomic bool has_it, gave_it_back;

/* Yields while it holds the mutex, until it is asked to die. */
static int hold_and_yield(void *arg)
{
	(void)arg;
	mutex_lock(&kept);
	has_it = true;
	while (!thread_is_dying(current_thread()))
		thread_yield();
	mutex_unlock(&kept);
	gave_it_back = true;
	return 0;
}

static struct process *holder(struct thread **t)
{
	struct process *p = victim(hold_and_yield, NULL, t);

	mutex_init(&kept);	/* a kernel that failed before may have left it locked */
	has_it = false;
	gave_it_back = false;
	thread_resume(*t);
	while (!has_it)
		thread_yield();
	return p;
}

KTEST(kill_ready_unwinds, "kill.ready_unwinds", "06.4", "P6.6")
{
	struct counter_snapshot before, after;
	struct process *p;
	struct thread *t;

	NEEDS_ONE_CPU;
	counters_snapshot(&before);
	p = holder(&t);
	irq_off();			/* on 1 CPU no other thread runs until irq_on() */
	CHECK(thread_state(t) == THREAD_READY, "P6.6", "a thread that yields is not ready");
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	irq_on();
	status_of(p->pid, "P6.6");
	CHECK(gave_it_back, "P6.6", "a ready thread died with a mutex in hand");
	counters_snapshot(&after);
	counters_equal(&before, &after, "P6.6");
}

KTEST(kill_suspended_unwinds, "kill.suspended_unwinds", "06.4", "P6.6")
{
	struct counter_snapshot before, after;
	struct process *p;
	struct thread *t;

	counters_snapshot(&before);
	p = holder(&t);
	thread_suspend(t);
	await_state(t, THREAD_SUSPENDED);
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	status_of(p->pid, "P6.6");
	CHECK(gave_it_back, "P6.6", "a suspended thread died with a mutex in hand");
	counters_snapshot(&after);
	counters_equal(&before, &after, "P6.6");
}

static int want_it(void *arg)
{
	(void)arg;
	mutex_lock(&kept);
	has_it = true;
	mutex_unlock(&kept);
	return 0;
}

/* mutex_lock() cannot fail, so a kill must not end its wait. */
KTEST(kill_unkillable, "kill.unkillable", "06.5", "P6.6")
{
	struct counter_snapshot before, after;
	struct process *p;
	struct thread *t;

	counters_snapshot(&before);
	mutex_init(&kept);
	has_it = false;
	mutex_lock(&kept);
	p = victim(want_it, NULL, &t);
	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	CHECK(thread_state(t) == THREAD_BLOCKED, "P6.6",
	      "the kill ended a wait for a mutex that no kill may end");
	mutex_unlock(&kept);
	status_of(p->pid, "P6.6");
	CHECK(has_it, "P6.6", "the victim died without having had the mutex that it waited for");
	counters_snapshot(&after);
	counters_equal(&before, &after, "P6.6");
}

static int wait_for_ever(void *arg)
{
	(void)arg;
	return wait_block(&never, DEADLINE_NEVER);
}

static struct spinlock innermost = SPINLOCK_INIT(LOCK_WAITQ - 1);

KTEST(hold_delays, "hold.delays", "06.6", "P6.8")
{
	struct counter_snapshot before, after;
	struct wait_result res;
	struct process *p;
	struct thread *t;

	counters_snapshot(&before);
	p = victim(wait_for_ever, NULL, &t);
	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
	REQUIRE(process_hold(p), "P6.8", "a living process could not be held");
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	while (p->nr_threads)
		thread_yield();
	for (unsigned i = 0; i < 50; i++)
		thread_yield();
	CHECK(process_state(p) == PROCESS_DYING, "P6.8", "a held process was torn down");
	CHECK(process_wait(p->pid, WEXITED | WNOHANG, &res) == 0 && res.pid == 0, "P6.8",
	      "a held process could be waited for");
	CHECK(!process_hold(p), "P6.8", "a dying process could be held");
	process_get(p);
	/* who gives a hold up may have locked the process, and more before a wait queue */
	spin_lock(&p->lock);
	spin_lock(&innermost);
	process_unhold(p);
	spin_unlock(&innermost);
	spin_unlock(&p->lock);
	process_put(p);
	CHECK(status_of(p->pid, "P6.8") == STATUS_SIGNAL(SIGKILL), "P6.8",
	      "its status is not the one of the kill");
	counters_snapshot(&after);
	counters_equal(&before, &after, "P6.10");
}

/* --- Zombies. They exit by themselves, since step 2 cannot kill threads yet ----------------- */

static int exit_with(void *arg)
{
	return (int)(s64)arg;
}

KTEST(zombie_kept, "zombie.kept", "06.2", "P6.7")
{
	struct wait_result res;
	struct thread *t, *other;
	struct process *p = victim(exit_with, (void *)7, &t);
	pid_t pid = p->pid, living;

	thread_resume(t);
	REQUIRE(process_wait(pid, WEXITED | WNOWAIT, &res) == 0 && res.pid == pid, "P6.7",
		"a child that exited was not found");
	CHECK(process_state(p) == PROCESS_ZOMBIE, "P6.7", "it is not a zombie");
	CHECK(process_kill(p, STATUS_SIGNAL(SIGKILL)) == -EALREADY, "P6.7",
	      "a zombie could be killed");
	CHECK(status_of(pid, "P6.7") == STATUS_EXIT(7), "P6.7",
	      "killing a zombie changed its status");
	living = victim(exit_with, (void *)8, &other)->pid;
	CHECK(process_wait(pid, WEXITED | WNOHANG, &res) == -ECHILD, "P6.7",
	      "it could be waited for twice, or another child was taken for it");
	thread_resume(other);
	CHECK(status_of(living, "P6.7") == STATUS_EXIT(8), "P6.7", "the other child was lost");
	CHECK(process_wait(-1, WEXITED | WNOHANG, &res) == -ECHILD, "P6.7",
	      "a child is left over");
}

KTEST(zombie_many, "zombie.many", "06.2", "P6.7")
{
	unsigned seen = 0;

	for (s64 i = 0; i < 20; i++) {
		struct thread *t;

		victim(exit_with, (void *)i, &t);
		thread_resume(t);
	}
	for (unsigned i = 0; i < 20; i++) {
		struct wait_result res = { 0 };

		REQUIRE(process_wait(-1, WEXITED, &res) == 0, "P6.7", "child %u was lost", i);
		seen |= 1u << (res.status >> 8);
	}
	CHECK(seen == (1u << 20) - 1, "P6.7", "of 20 children these were waited for: 0x%x", seen);
}

/* The youngest of many children is the first to end, and then all others do. */
KTEST(zombie_thousands, "zombie.thousands", "06.2", "P6.7")
{
	static struct thread *t[THOUSANDS];
	unsigned n = 0, found = 0, limit = threads_max;
	struct wait_result res = { 0 };
	pid_t last = 0;

	threads_max = 2 * THOUSANDS;
	for (; n < THOUSANDS; n++)
		last = victim(exit_with, (void *)(n + 1 < THOUSANDS ? 8L : 7L), &t[n])->pid;
	CHECK(process_wait(-1, WEXITED | WNOHANG, &res) == 0 && !res.pid, "P6.7",
	      "none of %u children has ended, and one was found", n);
	thread_resume(t[n - 1]);
	REQUIRE(process_wait(-1, WEXITED, &res) == 0, "P6.7",
		"one of %u children has ended, and was not found", n);
	CHECK(res.pid == last && res.status == STATUS_EXIT(7), "P6.7",
	      "of %u children another one was found than the one that has ended", n);
	for (unsigned i = 0; i < n - 1; i++)
		thread_resume(t[i]);
	while (process_wait(-1, WEXITED, &res) == 0)
		found++;
	threads_max = limit;
	CHECK(found == n - 1, "P6.7", "of %u other children %u were waited for", n - 1, found);
}

/* --- Orphans: this process is init -------------------------------------------------------- */

static struct wait_queue old = WAIT_QUEUE_INIT(old), young = WAIT_QUEUE_INIT(young);

static int wait_for_call(void *queue)
{
	return wait_block(queue, DEADLINE_NEVER);
}

static void orphan(bool dead_before, const char *what)
{
	struct thread *tp, *tc;
	struct process *p = victim(wait_for_call, &old, &tp);
	struct process *c = victim_of(p, dead_before ? exit_with : wait_for_call,
				      dead_before ? (void *)5 : &young, &tc);
	pid_t pid = p->pid, child = c->pid;

	thread_resume(tp);
	thread_resume(tc);
	await_state(tp, THREAD_BLOCKED);
	while (dead_before && process_state(c) != PROCESS_ZOMBIE)
		thread_yield();
	if (!dead_before)
		await_state(tc, THREAD_BLOCKED);
	wait_wake_all(&old, 0);
	status_of(pid, "P6.9");
	CHECK(c->parent == init_process, "P6.9", "%s: the orphan's parent is not init", what);
	wait_wake_all(&young, 0);
	status_of(child, "P6.9");
}

KTEST(orphan_alive, "orphan.alive", "06.2", "P6.9")
{
	orphan(false, "alive when its parent died");
	audit();
}

KTEST(orphan_zombie, "orphan.zombie", "06.2", "P6.9")
{
	orphan(true, "a zombie when its parent died");
	audit();
}

static int end_the_parent(void *waiting)
{
	await_state(waiting, THREAD_BLOCKED);
	return wait_wake_all(&young, 0);
}

/*
 * init - a - b - c: c is a zombie, init waits, b dies. Since b is a child of a, only c can wake
 * init: init must be told of the zombie that it inherits.
 */
KTEST(orphan_announced, "orphan.announced", "06.2", "P6.9")
{
	struct thread *ta, *tb, *tc, *helper;
	struct process *a = victim(wait_for_call, &old, &ta);
	struct process *b = victim_of(a, wait_for_call, &young, &tb);
	struct process *c = victim_of(b, exit_with, (void *)5, &tc);
	struct wait_result res;
	pid_t pid = c->pid;

	thread_resume(ta);
	thread_resume(tb);
	thread_resume(tc);
	await_state(ta, THREAD_BLOCKED);
	await_state(tb, THREAD_BLOCKED);
	while (process_state(c) != PROCESS_ZOMBIE)
		thread_yield();
	helper = thread_create("helper", end_the_parent, current_thread(), PRIORITY_DEFAULT);
	thread_resume(helper);
	CHECK(process_wait(-1, WEXITED, &res) == 0 && res.pid == pid, "P6.9",
	      "init was given child %d, not the zombie it inherited", res.pid);
	thread_join(helper, NULL, DEADLINE_NEVER);
	wait_wake_all(&old, 0);
	while (process_wait(-1, WEXITED, &res) == 0)
		;
}

/* --- Many at once ------------------------------------------------------------------------- */

#define CROWD	8

static int member(void *arg)
{
	u64 me = (u64)arg;

	if (me % 4 == 0)
		process_exit(STATUS_EXIT(me));
	if (me % 4 == 1)
		return wait_block(&never, DEADLINE_NEVER);
	if (me % 4 == 2)
		return thread_sleep(1000 * NSEC_PER_SEC);
	while (!thread_is_dying(current_thread()))
		thread_yield();
	return 0;
}

KTEST(kill_crowd, "kill.crowd", "06.7", "P6.10")
{
	struct counter_snapshot before, after;

	counters_snapshot(&before);
	for (unsigned round = 0; round < 20; round++) {
		struct thread *t[CROWD];
		struct process *p = victim(member, (void *)(u64)(round % 4), &t[0]);
		pid_t pid = p->pid;

		process_get(p);
		for (u64 i = 1; i < CROWD; i++) {
			u64 kind = i + 8 * test_random();

			REQUIRE(thread_create_in(p, "member", member, (void *)kind,
						 PRIORITY_DEFAULT, &t[i]) == 0,
				"P6.10", "no thread was made");
		}
		/* start all threads before any of them can run here and end the process */
		irq_off();
		for (unsigned i = 0; i < CROWD; i++)
			thread_resume(t[i]);
		irq_on();
		for (u64 i = test_random() % 10; i > 0; i--)
			thread_yield();
		process_kill(p, STATUS_SIGNAL(SIGKILL));
		status_of(pid, "P6.10");
		process_put(p);
	}
	counters_snapshot(&after);
	counters_equal(&before, &after, "P6.10");
	audit();
}
