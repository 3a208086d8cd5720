/*
 * PI locks: a page that goes away before waiters are moved; a dead owner's lock for two. A robust
 * lock whose word changes while it is being marked. The word at clear_tid of one that is alone.
 */
#include "mm/test_space.h"

#include "errno.h"
#include "process/futex.h"
#include "process/process.h"
#include "sched/time.h"
#include "test/instrument.h"

#include "futex_impl.h"

#define CONDITION	BASE
#define LOCK		PAGE_AT(1)
#define LONG		(10 * NSEC_PER_SEC)

static struct addr_space *space;

/* Creates a child with one thread, @thread, that waits to be resumed and then calls @fn. */
static struct process *child_of_one(const char *test, thread_fn fn, struct thread **thread)
{
	struct process *p;

	REQUIRE(process_create(current_process(), &p) == 0, test, "no process");
	REQUIRE(thread_create_in(p, "alone", fn, NULL, PRIORITY_DEFAULT, thread) == 0, test,
		"no thread");
	return p;
}

static int moves_if_seven(void *unused)
{
	int moved;

	(void)unused;
	use_space(space);
	moved = futex_requeue_pi(CONDITION, LOCK, false, 0, 7);
	use_space(NULL);
	return moved;
}

/*
 * The word was 7 when the page went, between its first reading and the attempt to move, which
 * begins in futex_bucket(). It is faulted in as zero, compared again, and differs.
 */
KTEST(futex_page_goes, "futex.page_goes", "", "futex.page_goes")
{
	struct thread *mover;
	int moved;

	space = new_space();
	map_at(space, BASE, 2, RW, 0);
	poke(space, CONDITION, 7);
	mover = thread_create("mover", moves_if_seven, NULL, PRIORITY_DEFAULT);
	REQUIRE(mover, "futex.page_goes", "no memory for a thread");
	REQUIRE(park_arm(0, "futex_bucket", AT_ENTRY, mover, LONG) == 0, "futex.page_goes", "park");
	thread_resume(mover);
	CHECK(park_wait(0, LONG), "futex.page_goes", "it does not try to move");
	CHECK(forget(space, CONDITION, 1) == 0, "futex.page_goes", "the page stays");
	park_release(0);
	thread_join(mover, &moved, DEADLINE_NEVER);
	CHECK(moved == -EAGAIN, "futex.page_goes", "it returned %d", moved);
	as_put(space);
}

static _Atomic bool may_end;

static u32 word_at(vaddr_t va)
{
	u64 value = 0;

	peek(space, va, &value);
	return (u32)value;
}

static u32 lock_word(void)
{
	return word_at(BASE);
}

static int locks_and_ends(void *unused)
{
	(void)unused;
	use_space(space);		/* to its end, when its locks are given up */
	CHECK(futex_lock_pi(BASE, false, DEADLINE_NEVER, false) == 0, "futex.two_heirs", "held");
	while (!may_end)
		thread_yield();
	return 0;
}

static int inherits(void *unused)
{
	int err;

	(void)unused;
	use_space(space);
	err = futex_lock_pi(BASE, false, DEADLINE_NEVER, false);
	if (!err && (lock_word() & FUTEX_TID) != (u32)current_thread()->tid)
		err = 1;
	else if (!err)
		err = futex_unlock_pi(BASE, false);
	use_space(NULL);
	return err;
}

/* The first waiter is offered the lock, but another thread takes it first: the waiter waits on. */
KTEST(futex_two_heirs, "futex.two_heirs", "", "futex.two_heirs")
{
	struct thread *owner, *heir;
	struct wait_result res;
	struct process *p;
	int err, code;

	space = new_space();
	map_at(space, BASE, 1, RW, 0);
	/* an owner is a thread of a process; nobody may wait for a kernel thread's lock */
	p = child_of_one("futex.two_heirs", locks_and_ends, &owner);
	heir = thread_create("heir", inherits, NULL, PRIORITY_DEFAULT);
	REQUIRE(heir, "futex.two_heirs", "no memory for a thread");
	may_end = false;
	thread_resume(owner);
	while (!lock_word())
		thread_yield();
	REQUIRE(park_arm(0, "waiter_block", AT_EXIT, heir, LONG) == 0, "futex.two_heirs", "park");
	thread_resume(heir);
	while (!(lock_word() & FUTEX_WAITERS))
		thread_yield();
	may_end = true;
	process_wait(p->pid, WEXITED, &res);
	CHECK(park_wait(0, LONG), "futex.two_heirs", "the heir is not woken");
	use_space(space);
	err = futex_lock_pi(BASE, false, DEADLINE_POLL, false);
	CHECK(err == 0, "futex.two_heirs", "the lock is not free: %d", err);
	park_release(0);
	while (thread_state(heir) != THREAD_BLOCKED && thread_state(heir) != THREAD_DEAD)
		thread_yield();
	CHECK(futex_unlock_pi(BASE, false) == 0, "futex.two_heirs", "it cannot be unlocked");
	use_space(NULL);
	thread_join(heir, &code, DEADLINE_NEVER);
	CHECK(code == 0, "futex.two_heirs", "the heir has another's lock, or error %d", code);
	as_put(space);
}

static int dies_with_a_list(void *unused)
{
	(void)unused;
	process_set_as(as_get(space));
	current_thread()->robust_list = BASE;
	return 0;
}

/*
 * A waiter appears between the kernel's reading of a dead owner's word and its writing. That
 * faults, as the page is shared with a child, and begins by locking the space.
 */
KTEST(futex_late_waiter, "futex.late_waiter", "", "futex.late_waiter")
{
	struct addr_space *child;
	struct thread *owner;
	struct wait_result res;
	struct process *p;

	space = new_space();
	map_at(space, BASE, 1, RW, 0);
	p = child_of_one("futex.late_waiter", dies_with_a_list, &owner);
	poke(space, BASE, BASE);	/* the list has no entries, but a lock */
	poke(space, BASE + 8, 64);	/* 64 bytes behind its head */
	poke(space, BASE + 16, BASE);	/* is being released */
	poke(space, BASE + 64, owner->tid);
	REQUIRE(as_fork(space, &child) == 0, "futex.late_waiter", "the page is not shared");
	REQUIRE(park_arm(0, "mutex_lock", AT_ENTRY, owner, LONG) == 0, "futex.late_waiter", "park");
	thread_resume(owner);
	CHECK(park_wait(0, LONG), "futex.late_waiter", "it does not write");
	poke(space, BASE + 64, owner->tid | FUTEX_WAITERS);
	park_release(0);
	CHECK(process_wait(p->pid, WEXITED, &res) == 0, "futex.late_waiter", "the wait fails");
	CHECK(word_at(BASE + 64) == (FUTEX_WAITERS | FUTEX_DIED), "futex.late_waiter",
	      "the word is %x", word_at(BASE + 64));
	as_put(child);
	as_put(space);
}

static int begins_anew(void *unused)
{
	struct thread *t = current_thread();

	(void)unused;
	process_set_as(space);		/* which has no other user */
	t->clear_tid = BASE;
	futex_thread_exit(t);		/* as exec does */
	return t->clear_tid == 0;
}

/* A thread that is alone need not be told of its end, but its next program has other memory. */
KTEST(futex_forgets_tid, "futex.forgets_tid", "", "futex.forgets_tid")
{
	struct wait_result res;
	struct process *p;
	struct thread *t;

	space = new_space();
	map_at(space, BASE, 1, RW, 0);
	p = child_of_one("futex.forgets_tid", begins_anew, &t);
	thread_resume(t);
	CHECK(process_wait(p->pid, WEXITED, &res) == 0, "futex.forgets_tid", "the wait fails");
	CHECK(res.status == STATUS_EXIT(1), "futex.forgets_tid", "the thread knows the old word");
}
