/* Futexes with priority inheritance: locks whose owner inherits the urgency of its waiters. */
#include "futex_pi.h"

/* Locks as a C library does, and calls the kernel only if need be. */
static void lock(atomic_uint *w)
{
	uint32_t unlocked = 0;

	if (!atomic_compare_exchange_strong(w, &unlocked, self()))
		CHECK_EQ(lock_pi(w), 0);
}

static void unlock(atomic_uint *w)
{
	uint32_t mine = self();

	if (!atomic_compare_exchange_strong(w, &mine, 0))
		CHECK_EQ(unlock_pi(w), 0);
}

static atomic_uint word, second;
static atomic_uint order, tids[2];

static void alone(void)
{
	CHECK_EQ(lock_pi(&word), 0);
	CHECK_EQ(word, self());
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(word, 0);
	CHECK_EQ(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word, self());
	CHECK_EQ(unlock_pi(&word), 0);
}

static void *try_it(void *arg)
{
	long r = futex(arg, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0);

	return (void *)(long)(r ? errno : 0);
}

static void *unlock_it(void *arg)
{
	return (void *)(long)(unlock_pi(arg) ? errno : 0);
}

static void refusals(void)
{
	char *p = (char *)&word;
	struct timespec bad = { 0, 1000000000 };

	CHECK_ERRNO(futex(p + 1, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(hidden(64), FUTEX_LOCK_PI, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(hidden(64), FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, &bad, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(unlock_pi(&word), EPERM);
	CHECK_EQ(lock_pi(&word), 0);
	CHECK_ERRNO(lock_pi(&word), EDEADLK);
	CHECK_ERRNO(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_EQ((long)join_thread(start_thread(try_it, &word)), EAGAIN);
	CHECK_EQ((long)join_thread(start_thread(unlock_it, &word)), EPERM);
	CHECK_EQ(unlock_pi(&word), 0);
	word = 0x3ffffff0;			/* no thread has this id */
	CHECK_ERRNO(lock_pi(&word), ESRCH);
	CHECK_ERRNO(unlock_pi(&word), EPERM);
}

enum { THREADS = 5, ROUNDS = 600 };

static long counter;

static void *add(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		long seen;

		lock(arg);
		seen = counter;
		if (i % 64 == 0)
			sched_yield();
		counter = seen + 1;
		unlock(arg);
	}
	return arg;
}

static void excludes(void)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		t[i] = start_thread(add, &word);
	for (int i = 0; i < THREADS; i++)
		join_thread(t[i]);
	CHECK_EQ(counter, THREADS * ROUNDS);
	CHECK_EQ(word, 0);
}

static atomic_bool added;

static void *drop_page(void *w)
{
	while (!added) {
		CHECK_EQ(madvise(w, 4096, MADV_DONTNEED), 0);	/* its contents stay */
		sched_yield();		/* on one CPU each hand-over would last a quantum */
	}
	return w;
}

/* FUTEXPI2: a step that finds the word's page gone has changed nothing, and can be repeated. */
static void page_goes_away(void)
{
	atomic_uint *w = shared_memory(4096);
	pthread_t t[2], dropper = start_thread(drop_page, w);

	for (int i = 0; i < 2; i++)
		t[i] = start_thread(add, w);
	for (int i = 0; i < 2; i++)
		join_thread(t[i]);
	added = true;
	join_thread(dropper);
	CHECK_EQ(counter, 2 * ROUNDS);
	CHECK_EQ(*w, 0);
}

static void *lock_of_dead(void *w)
{
	CHECK_EQ(lock_pi(w), 0);
	CHECK_EQ(TID(*(atomic_uint *)w), self());
	return w;
}

static void *hold_and_die(void *w)
{
	lock(w);
	added = false;
	while (!added)
		sched_yield();
	return w;
}

/* The waiter takes the lock itself when its owner is gone, and has to get the page first. */
static void page_is_away_when_the_owner_dies(void)
{
	atomic_uint *w = shared_memory(4096);
	pthread_t owner, waiter;

	added = true;
	owner = start_thread(hold_and_die, w);
	while (added)
		sched_yield();
	waiter = start_thread(lock_of_dead, w);
	await_waiter(w);
	CHECK_EQ(madvise(w, 4096, MADV_DONTNEED), 0);
	added = true;
	join_thread(owner);
	join_thread(waiter);
}

static void *lock_and_note(void *arg)
{
	tids[(long)arg] = self();
	lock(&word);
	CHECK_EQ(TID(word), self());
	order = order * 10 + (long)arg;
	unlock(&word);
	return arg;
}

/* FUTEXPI1: an unlock makes the first waiter the owner before that thread runs. */
static void hands_over(void)
{
	pthread_t t;

	lock(&word);
	t = start_thread(lock_and_note, (void *)1);
	await_waiter(&word);
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK(word == 0 || TID(word) == tids[1]);
	join_thread(t);
	CHECK_EQ(word, 0);
}

static void *claim_and_unlock(void *arg)
{
	word = self() | FUTEX_WAITERS;
	CHECK_ERRNO(unlock_pi(&word), EINVAL);
	return arg;
}

/* A thread that writes its id into the word does not become the owner that the kernel knows. */
static void word_names_another(void)
{
	pthread_t waiter;

	lock(&word);
	waiter = start_thread(lock_and_note, (void *)1);
	await_waiter(&word);
	join_thread(start_thread(claim_and_unlock, NULL));
	word = self() | FUTEX_WAITERS;
	CHECK_EQ(unlock_pi(&word), 0);
	join_thread(waiter);
	CHECK_EQ(word, 0);
}

static void *lock_until(void *arg)
{
	int op = (long)arg;
	clockid_t clock = op == FUTEX_LOCK_PI_PRIVATE ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	struct timespec end = timespec_of(now_ns(clock) + 20000000);

	CHECK_ERRNO(futex(&word, op, 0, &end, NULL, 0), ETIMEDOUT);
	CHECK(now_ns(clock) >= end.tv_sec * 1000000000L + end.tv_nsec);
	return arg;
}

static void times_out(void)
{
	lock(&word);
	join_thread(start_thread(lock_until, (void *)FUTEX_LOCK_PI_PRIVATE));
	join_thread(start_thread(lock_until, (void *)(13L | FUTEX_PRIVATE_FLAG)));
	CHECK_EQ(TID(word), self());
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(word, 0);
}

static void *cross(void *arg)
{
	lock(&second);
	tids[0] = 1;
	CHECK_EQ(lock_pi(&word), 0);
	unlock(&word);
	unlock(&second);
	return arg;
}

static void circle(void)
{
	pthread_t t;

	lock(&word);
	t = start_thread(cross, NULL);
	await_waiter(&word);
	CHECK_ERRNO(lock_pi(&second), EDEADLK);
	CHECK_EQ(unlock_pi(&word), 0);
	join_thread(t);
	CHECK_EQ(word, 0);
}

/* The only waiter is killed: the unlock finds none. */
static void waiter_killed(void)
{
	atomic_uint *w = shared_memory(4096);
	pid_t pid;

	CHECK_EQ(futex(w, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	pid = fork();
	if (pid == 0)
		_exit(futex(w, FUTEX_LOCK_PI, 0, NULL, NULL, 0) != 0);
	await_waiter(w);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
	CHECK_EQ(futex(w, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(*w, 0);
}

/* --- Moving waiters to a lock ----------------------------------------------------------------- */

static atomic_uint condition;
static atomic_int back;

static void *wait_for_lock(void *arg)
{
	CHECK_EQ(futex(&condition, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &word, 0), 0);
	CHECK_EQ(TID(word), self());
	back++;
	unlock(&word);
	return arg;
}

static long requeue(int others)
{
	return futex(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)(long)others, &word,
		     condition);
}

/* All waiters get the lock, one after the other, whether it was free at first or held. */
static void moved_to_lock(void)
{
	for (int held = 0; held < 2; held++) {
		pthread_t t[3];
		long moved = 0;

		back = 0;
		for (int i = 0; i < 3; i++)
			t[i] = start_thread(wait_for_lock, NULL);
		if (held)
			lock(&word);
		while (moved < 3) {		/* until all have got it */
			long n = requeue(moved ? 1 : 2);

			CHECK(n >= 0);
			moved += n;
			sched_yield();
		}
		if (held) {
			CHECK_EQ(back, 0);
			unlock(&word);
		}
		for (int i = 0; i < 3; i++)
			join_thread(t[i]);
		CHECK_EQ(back, 3);
		CHECK_EQ(word, 0);
	}
}

/* A plain wake would leave the waiter without the lock, so it is refused. */
static void not_woken_but_moved(void)
{
	pthread_t t = start_thread(wait_for_lock, NULL);
	long n;

	while ((n = futex(&condition, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0)) == 0)
		sched_yield();			/* until it waits */
	CHECK_EQ(n, -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(requeue(0), 1);
	join_thread(t);
}

static void *wait_shortly(void *arg)
{
	struct timespec end = timespec_of(now_ns(CLOCK_MONOTONIC) + 50000000);

	CHECK_ERRNO(futex(&condition, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &end, &word, 0), ETIMEDOUT);
	back = 1;
	return arg;
}

static void move_refused(void)
{
	const int move = FUTEX_CMP_REQUEUE_PI_PRIVATE;
	struct timespec past = { 0, 1 };
	pthread_t t;
	long n;

	CHECK_ERRNO(futex(&condition, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 1, NULL, &word, 0), EAGAIN);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &word, 0), EINVAL);
	CHECK_ERRNO(futex((char *)&condition + 1, FUTEX_WAIT_REQUEUE_PI, 0, &past, &word, 0),
		    EINVAL);
	CHECK_ERRNO(futex(hidden(64), FUTEX_WAIT_REQUEUE_PI, 0, &past, &word, 0), EFAULT);
	CHECK_ERRNO(futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &past, hidden(64), 0), EFAULT);
	CHECK_ERRNO(futex(&condition, move, 2, (void *)1, &word, 0), EINVAL);
	CHECK_ERRNO(futex(&word, move, 1, (void *)1, &word, 0), EINVAL);
	CHECK_ERRNO(futex(&condition, move, 1, (void *)1, &word, 7), EAGAIN);
	join_thread(start_thread(wait_shortly, NULL));	/* times out on the first word */
	lock(&word);
	do {						/* times out on the lock */
		back = 0;
		t = start_thread(wait_shortly, NULL);
		do {
			n = requeue(0);
			CHECK(n >= 0);
		} while (n == 0 && !back);
		join_thread(t);
	} while (n == 0);	/* on a slow CPU it timed out before it was moved */
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(word, 0);
}

/* --- One word with two uses ------------------------------------------------------------------- */

static long wake(atomic_uint *w)
{
	return futex(w, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Plain calls neither wake nor move a thread that waits for the lock. */
static void plain_calls_on_a_lock(void)
{
	pthread_t t;

	lock(&word);
	t = start_thread(lock_and_note, (void *)1);
	await_waiter(&word);
	CHECK_ERRNO(wake(&word), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_REQUEUE_PRIVATE, 1, (void *)1, &second, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1, &second, word), EINVAL);
	CHECK_EQ(unlock_pi(&word), 0);
	join_thread(t);
	CHECK_EQ(wake(&word), 0);
}

/* A lock with waiters leaves all other words alone, wherever the kernel has it in its tables. */
static void other_words_are_free(void)
{
	static atomic_uint words[1024];
	pthread_t t;

	lock(&word);
	t = start_thread(lock_and_note, (void *)1);
	await_waiter(&word);
	for (int i = 0; i < 1024; i++)
		CHECK_EQ(wake(&words[i]), 0);
	CHECK_EQ(unlock_pi(&word), 0);
	join_thread(t);
}

static atomic_bool die;

static void *wait_plainly(void *arg)
{
	while (!die)
		futex(arg, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return arg;
}

/*
 * FUTEXPI4: a word that plain waiters use is no lock: it cannot be locked, tried, unlocked, or be
 * the target of a requeue.
 */
static void lock_where_others_wait(void)
{
	pthread_t plain, moved;
	long n;

	die = false;
	plain = start_thread(wait_plainly, &word);
	while (lock_pi(&word) == 0) {		/* until the waiter has come */
		CHECK_EQ(unlock_pi(&word), 0);
		sched_yield();
	}
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(word, 0);
	CHECK_ERRNO(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EINVAL);
	word = self();
	CHECK_ERRNO(unlock_pi(&word), EINVAL);
	word = 0;
	moved = start_thread(wait_for_lock, NULL);
	while ((n = requeue(0)) == 0)
		sched_yield();
	CHECK_EQ(n, -1);
	CHECK_EQ(errno, EINVAL);
	die = true;
	CHECK_EQ(wake(&word), 1);
	join_thread(plain);
	CHECK_EQ(requeue(0), 1);
	join_thread(moved);
	CHECK_EQ(word, 0);
}

static const struct test_case cases[] = {
	CASE(alone),
	CASE(refusals),
	CASE(excludes),
	CASE(page_goes_away),
	CASE(page_is_away_when_the_owner_dies),
	CASE(hands_over),
	CASE(word_names_another),
	CASE(times_out),
	CASE(circle),
	CASE(waiter_killed),
	CASE(moved_to_lock),
	CASE(not_woken_but_moved),
	CASE(move_refused),
	CASE(plain_calls_on_a_lock),
	CASE(other_words_are_free),
	CASE(lock_where_others_wait),
};

TEST_MAIN(cases)
