/*
 * The end of a lock's owner: the kernel marks the words of the locks that it held, those on its
 * robust list and those with waiters that inherit, and passes the locks on.
 */
#include <stddef.h>

#include "futex_pi.h"

struct robust {
	struct robust_list_head head;
	struct robust_list entry;
	atomic_uint word;
};

/* Sets up the list of a thread that holds this one lock, as a PI lock or a plain one. */
static void put_on_list(struct robust *r, bool pi)
{
	r->head.list.next = (void *)((uintptr_t)&r->entry | pi);
	r->head.futex_offset = offsetof(struct robust, word) - offsetof(struct robust, entry);
	r->head.list_op_pending = NULL;
	r->entry.next = &r->head.list;
	CHECK_EQ(syscall(SYS_set_robust_list, &r->head, sizeof(r->head)), 0);
}

static struct robust robust;
static atomic_bool die;
static atomic_uint tids[2];

static void *hold_and_die(void *arg)
{
	if (arg)
		put_on_list(arg, true);
	CHECK_EQ(lock_pi(&robust.word), 0);
	tids[0] = self();
	while (!die)
		usleep(100);
	syscall(SYS_exit, 0);
	return NULL;
}

static void *take_from_the_dead(void *arg)
{
	CHECK_EQ(lock_pi(&robust.word), 0);
	CHECK_EQ(robust.word & ~FUTEX_WAITERS, self() | FUTEX_OWNER_DIED);
	robust.word &= ~FUTEX_OWNER_DIED;
	CHECK_EQ(unlock_pi(&robust.word), 0);
	return arg;
}

/*
 * FUTEXPI3, with and without a robust list: a waiter gets the lock, and the word tells that the
 * owner died.
 */
static void owner_dies(void)
{
	for (int listed = 0; listed < 2; listed++) {
		pthread_t owner, heir;

		tids[0] = 0;
		die = false;
		owner = start_thread(hold_and_die, listed ? &robust : NULL);
		while (!tids[0])
			sched_yield();
		heir = start_thread(take_from_the_dead, NULL);
		await_waiter(&robust.word);
		die = true;
		join_thread(heir);
		join_thread(owner);
		CHECK_EQ(robust.word, 0);
	}
}

static void set_priority(int priority)
{
	struct sched_param param = { priority };

	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
}

static atomic_uint of_heir;
static atomic_int nr_deadlocks;

static void lock_or_deadlock(atomic_uint *w)
{
	if (lock_pi(w) == 0) {
		CHECK_EQ(unlock_pi(w), 0);
	} else {
		CHECK_EQ(errno, EDEADLK);
		nr_deadlocks++;
	}
}

static void *inherit_late(void *arg)
{
	set_priority(10);
	CHECK_EQ(lock_pi(&of_heir), 0);
	lock_or_deadlock(&robust.word);
	CHECK_EQ(unlock_pi(&of_heir), 0);
	return arg;
}

/*
 * When the heir wakes up for the lock, a more urgent thread has taken it, and waits for the heir's
 * own lock by now: one of the two is told of the deadlock.
 */
static void heir_comes_late(void)
{
	static const struct timespec past;
	pthread_t owner, heir;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
	set_priority(50);
	owner = start_thread(hold_and_die, &robust);
	while (!tids[0])
		usleep(100);
	heir = start_thread(inherit_late, NULL);
	while (!(robust.word & FUTEX_WAITERS))
		usleep(100);
	die = true;
	join_thread(owner);
	CHECK_EQ(futex(&robust.word, FUTEX_LOCK_PI_PRIVATE, 0, &past, NULL, 0), 0);
	lock_or_deadlock(&of_heir);
	CHECK_EQ(unlock_pi(&robust.word), 0);
	join_thread(heir);
	CHECK_EQ(nr_deadlocks, 1);
	CHECK_EQ(of_heir, 0);
}

static void *unmap_and_die(void *w)
{
	CHECK_EQ(lock_pi(w), 0);
	while (!die)
		sched_yield();
	CHECK_EQ(munmap(w, 4096), 0);
	syscall(SYS_exit, 0);
	return NULL;
}

static void *lock_in_vain(void *w)
{
	static atomic_int n;

	tids[n++] = self();
	CHECK_ERRNO(lock_pi(w), EFAULT);
	return w;
}

/*
 * The owner dies after the word's page has gone: no one can take the lock in the word. It is
 * offered to each waiter, as none of them gets it.
 */
static void owner_unmaps_and_dies(void)
{
	atomic_uint *w = shared_memory(4096);
	pthread_t owner = start_thread(unmap_and_die, w), heirs[2];

	while (!*w)
		sched_yield();
	for (int i = 0; i < 2; i++)
		heirs[i] = start_thread(lock_in_vain, w);
	for (int i = 0; i < 2; i++) {
		while (!tids[i])
			sched_yield();
		await_state(tids[i], 'S');
	}
	die = true;
	join_thread(owner);
	for (int i = 0; i < 2; i++)
		join_thread(heirs[i]);
}

/*
 * Without waiters: the next locker of a listed lock is told of the death; an unlisted lock is lost.
 */
static void owner_died(void)
{
	pthread_t owner;

	die = true;
	owner = start_thread(hold_and_die, &robust);
	join_thread(owner);
	CHECK_EQ(robust.word, FUTEX_OWNER_DIED);
	CHECK_EQ(lock_pi(&robust.word), 0);
	CHECK_EQ(robust.word, FUTEX_OWNER_DIED | self());
	CHECK_EQ(unlock_pi(&robust.word), 0);
	CHECK_EQ(robust.word, 0);
	owner = start_thread(hold_and_die, NULL);
	join_thread(owner);
	CHECK_EQ(TID(robust.word), tids[0]);
	CHECK_ERRNO(lock_pi(&robust.word), ESRCH);
}

/* A process is killed while it holds a lock in shared memory. */
static void owner_killed(void)
{
	struct robust *r = shared_memory(4096);
	pid_t pid = fork();

	if (pid == 0) {
		put_on_list(r, true);
		CHECK_EQ(futex(&r->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
		for (;;)
			pause();
	}
	while (!r->word)
		sched_yield();
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(futex(&r->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(r->word & ~FUTEX_WAITERS, self() | FUTEX_OWNER_DIED);
	CHECK_EQ(futex(&r->word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	expect_signal(pid, SIGKILL);
}

/* A plain robust lock, for comparison: the word tells of the death, and one waiter is woken. */
static void plain_owner_killed(void)
{
	struct robust *r = shared_memory(4096);
	pid_t pid = fork();
	uint32_t seen;

	if (pid == 0) {
		put_on_list(r, false);
		r->word = self() | FUTEX_WAITERS;
		for (;;)
			pause();
	}
	while (!(seen = r->word))
		sched_yield();
	CHECK_EQ(kill(pid, SIGKILL), 0);
	while (r->word == seen)
		futex(&r->word, FUTEX_WAIT, seen, NULL, NULL, 0);
	CHECK_EQ(r->word, FUTEX_WAITERS | FUTEX_OWNER_DIED);
	expect_signal(pid, SIGKILL);
}

static struct robust *at_the_edge;

static void *hold_at_the_edge(void *unused)
{
	struct robust *r = at_the_edge;

	put_on_list(r, false);
	r->word = self();
	r->head.list.next = (void *)((char *)r + 4096);
	r->head.futex_offset = (char *)&r->word - (char *)r->head.list.next;
	syscall(SYS_exit, 0);
	return unused;
}

/* The list breaks off behind a lock, whose entry cannot be read: the word still tells. */
static void list_breaks_off(void)
{
	at_the_edge = shared_memory(2 * 4096);
	CHECK_EQ(mprotect((char *)at_the_edge + 4096, 4096, PROT_NONE), 0);
	join_thread(start_thread(hold_at_the_edge, NULL));
	CHECK_EQ(at_the_edge->word, FUTEX_OWNER_DIED);
}

static void *hold_none(void *r)
{
	put_on_list(r, false);
	robust.head.list.next = &robust.head.list;
	robust.head.futex_offset = offsetof(struct robust, word);
	robust.word = self();
	syscall(SYS_exit, 0);
	return r;
}

/* The head of the list is no entry: the word at the offset from it is left alone. */
static void list_is_empty(void)
{
	join_thread(start_thread(hold_none, &robust));
	CHECK(robust.word && !(robust.word & FUTEX_OWNER_DIED));
}

static const struct test_case cases[] = {
	CASE(owner_dies),
	CASE(heir_comes_late),
	CASE(owner_unmaps_and_dies),
	CASE(owner_died),
	CASE(owner_killed),
	CASE(plain_owner_killed),
	CASE(list_breaks_off),
	CASE(list_is_empty),
};

TEST_MAIN(cases)
