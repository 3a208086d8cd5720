/* futex(2) itself, the base of mutexes and other locks. */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "test.h"

static long futex(void *word, int op, uint32_t value, const struct timespec *timeout, void *word2,
		  uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static atomic_int word, second;
static atomic_int asleep, woken;

static void value_differs(void)
{
	word = 1;
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), EAGAIN);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0), EAGAIN);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
}

static void bad_arguments(void)
{
	char *p = (char *)&word;
	struct timespec bad = { 0, 1000000000 };

	CHECK_ERRNO(futex(p + 1, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(p + 2, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(hidden(64), FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(p + 1, FUTEX_REQUEUE, 1, (void *)1L, &second, 0), EINVAL);
	CHECK_ERRNO(futex(hidden(64), FUTEX_REQUEUE, 1, (void *)1L, &second, 0), EFAULT);
	CHECK_ERRNO(futex(&word, FUTEX_REQUEUE, 1, (void *)1L, hidden(64), 0), EFAULT);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
}

static void relative_timeout(void)
{
	struct timespec t = { 0, 20000000 }, none = { 0, 0 };
	int64_t start = now_ns(CLOCK_MONOTONIC);

	word = 0;
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0), ETIMEDOUT);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20000000);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &none, NULL, 0), ETIMEDOUT);
}

static void absolute_timeout(void)
{
	const int realtime = FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME;
	int64_t end = now_ns(CLOCK_MONOTONIC) + 20000000;
	struct timespec t = timespec_of(end);

	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &t, NULL, ~0u), ETIMEDOUT);
	CHECK(now_ns(CLOCK_MONOTONIC) >= end);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &t, NULL, ~0u), ETIMEDOUT);
	end = now_ns(CLOCK_REALTIME) + 20000000;
	t = timespec_of(end);
	CHECK_ERRNO(futex(&word, realtime, 0, &t, NULL, ~0u), ETIMEDOUT);
	CHECK(now_ns(CLOCK_REALTIME) >= end);
}

/* Waits on `word` with the bits that @arg holds. */
static void *wait_bits(void *arg)
{
	uint32_t bits = (long)arg;

	asleep++;
	while (!woken && futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, bits))
		CHECK(errno == EAGAIN || errno == EINTR);
	return arg;
}

/*
 * Waits until @n threads wait. Their number cannot be read, but requeueing them onto the same word
 * wakes none and counts them.
 */
static void await_waiters(int n)
{
	while (futex(&word, FUTEX_REQUEUE_PRIVATE, 0, (void *)1000L, &word, 0) != n)
		sched_yield();
}

/* Returns the number of threads that were woken: nobody waits for `second`. */
static long wake_op(uint32_t op)
{
	return futex(&second, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1L, &word, op);
}

/* The word's old value is compared, and decides whether its waiter is woken. */
static void wake_compares(void)
{
	static const bool wakes[][3] = {
		/* if it is less, equal, greater */
		[FUTEX_OP_CMP_EQ] = { false, true, false },
		[FUTEX_OP_CMP_NE] = { true, false, true },
		[FUTEX_OP_CMP_LT] = { true, false, false },
		[FUTEX_OP_CMP_LE] = { true, true, false },
		[FUTEX_OP_CMP_GT] = { false, false, true },
		[FUTEX_OP_CMP_GE] = { false, true, true },
	};

	for (int i = 0; i < 18; i++) {
		pthread_t t;

		word = woken = 0;
		t = start_thread(wait_bits, (void *)0xffffffff);
		await_waiters(1);
		woken = 1;
		word = i % 3 - 5;
		CHECK_EQ(wake_op(FUTEX_OP(FUTEX_OP_SET, i, i / 3, -4)), wakes[i / 3][i % 3]);
		CHECK_EQ(word, i);
		futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		join_thread(t);
	}
}

static void wake_changes(void)
{
	/* 10, changed by 12, and by the bit 3 */
	static const struct {
		int by_12, by_bit_3;
	} changed[] = {
		[FUTEX_OP_SET] = { 12, 8 },
		[FUTEX_OP_ADD] = { 22, 18 },
		[FUTEX_OP_OR] = { 14, 10 },
		[FUTEX_OP_ANDN] = { 2, 2 },
		[FUTEX_OP_XOR] = { 6, 2 },
	};

	for (unsigned op = 0; op < sizeof(changed) / sizeof(changed[0]); op++) {
		word = 10;
		CHECK_EQ(wake_op(FUTEX_OP(op, 12, FUTEX_OP_CMP_EQ, 10)), 0);
		CHECK_EQ(word, changed[op].by_12);
		word = 10;
		CHECK_EQ(wake_op(FUTEX_OP((op | FUTEX_OP_OPARG_SHIFT), 3, FUTEX_OP_CMP_EQ, 0)), 0);
		CHECK_EQ(word, changed[op].by_bit_3);
	}
	word = 10;
	CHECK_EQ(wake_op(FUTEX_OP(FUTEX_OP_ADD, -11, FUTEX_OP_CMP_EQ, 0)), 0);
	CHECK_EQ(word, -1);
	CHECK_ERRNO(wake_op(FUTEX_OP(5, 0, 0, 0)), ENOSYS);
	CHECK_ERRNO(wake_op(FUTEX_OP(FUTEX_OP_SET, 0, 6, 0)), ENOSYS);
}

enum { ADDERS = 4, ADDED = 1000 };

static void *add_often(void *arg)
{
	for (int i = 0; i < ADDED; i++)
		CHECK_EQ(wake_op(FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, -1)), 0);
	return arg;
}

/* The word is changed in one step, however many threads do so at once. */
static void wake_changes_at_once(void)
{
	word = 0;
	run_threads(add_often, ADDERS);
	CHECK_EQ(word, ADDERS * ADDED);
}

static void wake_counts(void)
{
	pthread_t t[5];

	for (int i = 0; i < 5; i++)
		t[i] = start_thread(wait_bits, (void *)0xffffffff);
	await_waiters(5);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 0, NULL, NULL, 0) <= 1, 1);
	woken = 1;
	while (futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0))
		;
	for (int i = 0; i < 5; i++)
		join_thread(t[i]);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
}

static void wakes_exactly_as_many(void)
{
	pthread_t t[5];
	long n;

	woken = 1;			/* lets a woken thread leave */
	for (int i = 0; i < 5; i++) {
		asleep = 0;
		woken = 0;
		t[i] = start_thread(wait_bits, (void *)0xffffffff);
		await_waiters(i + 1);
	}
	woken = 1;
	n = futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0);
	CHECK_EQ(n, 2);
	n = futex(&word, FUTEX_WAKE_OP_PRIVATE, 2, (void *)1L, &second,
		  FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0));
	CHECK_EQ(n, 2);
	n = futex(&word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0);
	CHECK_EQ(n, 1);
	for (int i = 0; i < 5; i++)
		join_thread(t[i]);
}

static void bits_select(void)
{
	pthread_t a = start_thread(wait_bits, (void *)1), b, c;

	await_waiters(1);
	b = start_thread(wait_bits, (void *)2);
	await_waiters(2);
	c = start_thread(wait_bits, (void *)6);
	await_waiters(3);
	woken = 1;
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 8), 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 1), 1);
	join_thread(a);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 2), 1);
	join_thread(b);				/* the first waiter that matches */
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 4), 1);
	join_thread(c);
}

static void requeue(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++) {
		t[i] = start_thread(wait_bits, (void *)0xffffffff);
		await_waiters(i + 1);
	}
	woken = 1;
	CHECK_EQ(futex(&word, FUTEX_REQUEUE_PRIVATE, 1, (void *)2L, &second, 0), 3);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 1);
	CHECK_EQ(futex(&second, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 2);
	for (int i = 0; i < 4; i++)
		join_thread(t[i]);
}

static void compare_and_requeue(void)
{
	pthread_t t = start_thread(wait_bits, (void *)0xffffffff);

	await_waiters(1);
	CHECK_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1L, &second, 7), EAGAIN);
	woken = 1;
	CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1L, &second, 0), 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&second, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 1);
	join_thread(t);
}

/* A thread moved to another word times out there. */
static void *wait_shortly(void *arg)
{
	struct timespec t = { 0, 50000000 };
	long r = futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);

	(void)arg;
	return (void *)(long)(r ? errno : 0);
}

static void timeout_after_requeue(void)
{
	pthread_t t = start_thread(wait_shortly, NULL);

	await_waiters(1);
	CHECK_EQ(futex(&word, FUTEX_REQUEUE_PRIVATE, 0, (void *)1L, &second, 0), 1);
	CHECK_EQ((long)join_thread(t), ETIMEDOUT);
	CHECK_EQ(futex(&second, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0);
}

static void *wait_a_moment(void *arg)
{
	struct timespec t = { 0, 500000 };

	(void)arg;
	return (void *)(long)(futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0) ? errno : 0);
}

/* FUTEX3: a wait that times out at the same moment is not counted as woken. */
static void timeout_takes_no_wake(void)
{
	for (int i = 0; i < 200; i++) {
		pthread_t t = start_thread(wait_a_moment, NULL);
		int64_t until = now_ns(CLOCK_MONOTONIC) + i * 5000;
		long n;

		while (now_ns(CLOCK_MONOTONIC) < until)
			;
		n = futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		CHECK_EQ((long)join_thread(t), n ? 0 : ETIMEDOUT);
	}
}

/* A shared word is found through its memory, wherever each process has mapped that. */
static void between_processes(void)
{
	atomic_int *s = shared_memory(4096);
	pid_t pid = fork();

	if (pid == 0) {
		while (s[0] == 0)
			if (futex(&s[0], FUTEX_WAIT, 0, NULL, NULL, 0))
				CHECK(errno == EAGAIN);
		s[1] = 1;
		futex(&s[1], FUTEX_WAKE, 1, NULL, NULL, 0);
		_exit(s[0]);
	}
	await_state(pid, 'S');
	s[0] = 5;
	CHECK_EQ(futex(&s[0], FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	while (s[1] == 0)
		if (futex(&s[1], FUTEX_WAIT, 0, NULL, NULL, 0))
			CHECK(errno == EAGAIN);
	expect_exit(pid, 5);
}

/* A shared word is found at each address where it is mapped, and at no other. */
static void wherever_it_is_mapped(void)
{
	enum { PAGE = 4096, WORD = 8 };
	int fd = syscall(SYS_memfd_create, "words", 0);
	char *whole, *end;
	pid_t pid;

	CHECK_EQ(ftruncate(fd, 4 * PAGE), 0);
	whole = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	end = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE);
	CHECK(whole != MAP_FAILED && end != MAP_FAILED);
	pid = fork();
	if (pid == 0)
		_exit(futex(whole + 3 * PAGE + WORD, FUTEX_WAIT, 0, NULL, NULL, 0) != 0);
	await_state(pid, 'S');
	for (int i = 0; i < 3; i++)
		CHECK_EQ(futex(whole + i * PAGE + WORD, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	CHECK_EQ(futex(end + WORD, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	CHECK_EQ(futex(end + PAGE, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	CHECK_EQ(futex(end + PAGE + WORD, FUTEX_WAKE, 9, NULL, NULL, 0), 1);
	expect_exit(pid, 0);
}

/* After fork the same private address is a different word. */
static void private_is_private(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == 0);
	await_state(pid, 'S');
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

enum { PINGS = 500 };

static void *pong(void *arg)
{
	for (int i = 0; i < PINGS; i++) {
		while (word != 2 * i + 1)
			futex(&word, FUTEX_WAIT_PRIVATE, 2 * i, NULL, NULL, 0);
		word = 2 * i + 2;
		futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return arg;
}

/* A private operation finds no word of another process, although they share the memory. */
static void private_in_shared_memory(void)
{
	atomic_int *s = shared_memory(4096);
	pid_t pid = fork();

	if (pid == 0) {
		while (s[0] == 0)
			if (futex(&s[0], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0))
				CHECK(errno == EAGAIN);
		_exit(0);
	}
	await_state(pid, 'S');
	CHECK_EQ(futex(&s[0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&s[0], FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

/* FUTEX1: a wake-up lost between the comparison and the wait would hang one side. */
static void ping_pong(void)
{
	pthread_t t = start_thread(pong, NULL);

	for (int i = 0; i < PINGS; i++) {
		word = 2 * i + 1;
		futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		while (word != 2 * i + 2)
			futex(&word, FUTEX_WAIT_PRIVATE, 2 * i + 1, NULL, NULL, 0);
	}
	join_thread(t);
	CHECK_EQ(word, 2 * PINGS);
}

static const struct test_case cases[] = {
	CASE(value_differs),
	CASE(bad_arguments),
	CASE(relative_timeout),
	CASE(absolute_timeout),
	CASE(wake_counts),
	CASE(wakes_exactly_as_many),
	CASE(wake_compares),
	CASE(wake_changes),
	CASE(wake_changes_at_once),
	CASE(bits_select),
	CASE(requeue),
	CASE(compare_and_requeue),
	CASE(timeout_after_requeue),
	CASE(timeout_takes_no_wake),
	CASE(between_processes),
	CASE(wherever_it_is_mapped),
	CASE(private_is_private),
	CASE(private_in_shared_memory),
	CASE(ping_pong),
};

TEST_MAIN(cases)
