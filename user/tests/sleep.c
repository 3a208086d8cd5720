/* Sleeping: never a nanosecond too short, and in the right order. */
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "test.h"

#define MS	1000000L
#define HOUR	(3600 * 1000 * MS)
#define TAI	((clockid_t)11)		/* CLOCK_TAI, which not all libraries name */

static void clocks_go_forward(void)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_BOOTTIME,
					    CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };

	for (size_t c = 0; c < sizeof(clocks) / sizeof(*clocks); c++) {
		int64_t last = now_ns(clocks[c]), now;
		struct timespec resolution;

		CHECK(last >= 0);
		for (int i = 0; i < 300; i++, last = now) {
			now = now_ns(clocks[c]);
			CHECK(now >= last);
		}
		CHECK_EQ(clock_getres(clocks[c], &resolution), 0);
		CHECK(resolution.tv_sec == 0 && resolution.tv_nsec >= 1);
	}
	/* Calls the kernel directly: Linux's shortcut in user space would fault. */
	CHECK_ERRNO(syscall(SYS_clock_gettime, 77, &(struct timespec){ 0 }), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, hidden(16)), EFAULT);
}

static void clocks_agree(void)
{
	int64_t mono = now_ns(CLOCK_MONOTONIC), real = now_ns(CLOCK_REALTIME), later;
	struct timeval tv;

	CHECK_EQ(gettimeofday(&tv, NULL), 0);
	later = tv.tv_sec * 1000000000L + tv.tv_usec * 1000L;
	CHECK(later + 1000 > real && later - real < 10000 * MS);
	CHECK(now_ns(CLOCK_MONOTONIC) - mono < 10000 * MS);
}

static void never_early(void)
{
	static const long lengths[] = { 0, 1, 1000, 50000, 999999, MS, 3 * MS + 7, 20 * MS };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct timespec t = timespec_of(lengths[i]);
		int64_t start = now_ns(CLOCK_MONOTONIC);

		CHECK_EQ(nanosleep(&t, NULL), 0);
		CHECK(now_ns(CLOCK_MONOTONIC) - start >= lengths[i]);
		start = now_ns(CLOCK_MONOTONIC);
		CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL), 0);
		CHECK(now_ns(CLOCK_MONOTONIC) - start >= lengths[i]);
		start = now_ns(CLOCK_REALTIME);
		CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL), 0);
		CHECK(now_ns(CLOCK_REALTIME) - start >= lengths[i]);
	}
}

static void until_a_time(void)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME };

	for (int c = 0; c < 2; c++) {
		for (int i = 0; i < 5; i++) {
			int64_t end = now_ns(clocks[c]) + i * 2 * MS;
			struct timespec t = timespec_of(end);

			CHECK_EQ(clock_nanosleep(clocks[c], TIMER_ABSTIME, &t, NULL), 0);
			CHECK(now_ns(clocks[c]) >= end);
		}
	}
}

static void the_past_is_now(void)
{
	struct timespec t = { 0, 0 }, one = { 0, 1 };

	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &one, NULL), 0);
}

static void bad_times(void)
{
	struct timespec too_many = { 0, 1000000000 }, negative = { 0, -1 }, before = { -1, 0 };

	CHECK_ERRNO(nanosleep(&too_many, NULL), EINVAL);
	CHECK_ERRNO(nanosleep(&negative, NULL), EINVAL);
	CHECK_ERRNO(nanosleep(&before, NULL), EINVAL);
	CHECK_ERRNO(nanosleep(hidden(16), NULL), EFAULT);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &too_many, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(77, 0, &(struct timespec){ 0 }, NULL), EINVAL);
}

/* A sleeper uses no CPU. */
static void sleeping_is_not_spinning(void)
{
	struct timespec t = timespec_of(50 * MS);
	int64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);

	CHECK_EQ(nanosleep(&t, NULL), 0);
	CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 25 * MS);
}

enum { SLEEPERS = 40 };

static int64_t base;

static void *sleep_until(void *arg)
{
	int64_t end = base + (long)arg;
	struct timespec t = timespec_of(end);

	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) >= end);
	return NULL;
}

static void many_sleepers(void)
{
	pthread_t t[SLEEPERS];

	base = now_ns(CLOCK_MONOTONIC);
	for (long i = 0; i < SLEEPERS; i++)
		t[i] = start_thread(sleep_until, (void *)((i * 37 % SLEEPERS) * MS));
	for (int i = 0; i < SLEEPERS; i++)
		join_thread(t[i]);
}

static pthread_mutex_t order_lock = PTHREAD_MUTEX_INITIALIZER;
static int order[8], woken;

static void *sleep_and_sign(void *arg)
{
	struct timespec t = timespec_of(base + (long)arg * 40 * MS);

	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	pthread_mutex_lock(&order_lock);
	order[woken++] = (long)arg;
	pthread_mutex_unlock(&order_lock);
	return NULL;
}

/*
 * The deadlines decide which thread wakes first, not the order in which they went to sleep. Equals
 * of SCHED_FIFO on one CPU run in the order in which they woke, even if the machine stood still
 * meanwhile.
 */
static void in_order_of_deadlines(void)
{
	static const int late[] = { 3, 1, 2 };
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t set;
	pthread_t t[3];

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
	base = now_ns(CLOCK_MONOTONIC) + 1000 * MS;
	for (int i = 0; i < 3; i++)
		t[i] = start_thread(sleep_and_sign, (void *)(long)late[i]);
	for (int i = 0; i < 3; i++)
		join_thread(t[i]);
	CHECK(order[0] == 1 && order[1] == 2 && order[2] == 3);
}

static void killed_while_asleep(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		sleep(100000);
		_exit(1);
	}
	await_state(pid, 'S');
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

static long wait_on_clock(clockid_t clock, const struct timespec *end)
{
	return clock_nanosleep(clock, TIMER_ABSTIME, end, NULL);
}

static long wait_for_descriptor(clockid_t clock, const struct timespec *end)
{
	struct itimerspec at = { .it_value = *end };
	int fd = timerfd_create(clock, 0);
	uint64_t times;

	CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL), 0);
	return read(fd, &times, sizeof(times)) != sizeof(times);
}

static long wait_for_signal(clockid_t clock, const struct timespec *end)
{
	struct itimerspec at = { .it_value = *end };
	sigset_t set;
	timer_t timer;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_EQ(timer_create(clock, NULL, &timer), 0);
	CHECK_EQ(timer_settime(timer, TIMER_ABSTIME, &at, NULL), 0);
	return sigwait(&set, &sig);
}

static void set_clock_forward(int64_t ns)
{
	struct timespec t = timespec_of(now_ns(CLOCK_REALTIME) + ns);

	CHECK_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
}

/*
 * A wait for a time of the day lasts until the clock says so, even if that is because it is set.
 * Runs only on Trellis: another system's clock is not ours to set.
 */
static void a_clock_that_is_set(void)
{
	static const struct {
		long (*fn)(clockid_t clock, const struct timespec *end);
		clockid_t clock;
	} waits[] = {
		{ wait_on_clock, CLOCK_REALTIME }, { wait_on_clock, TAI },
		{ wait_for_descriptor, CLOCK_REALTIME }, { wait_for_signal, CLOCK_REALTIME },
		{ wait_for_signal, TAI },
	};

	if (access("/proc/counters", F_OK))
		return;
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		struct timespec end = timespec_of(now_ns(waits[i].clock) + HOUR);
		pid_t pid = fork();

		if (pid == 0)
			_exit(waits[i].fn(waits[i].clock, &end) != 0);
		await_state(pid, 'S');
		set_clock_forward(HOUR / 2);
		CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
		set_clock_forward(HOUR / 2);
		expect_exit(pid, 0);
		set_clock_forward(1000 * MS - HOUR);	/* not to a time before the boot */
	}
}

/* A wait for some time lasts that long, however the clock is set meanwhile. */
static void a_clock_set_during_a_wait(void)
{
	struct itimerspec soon = { .it_value = timespec_of(50 * MS) };
	sigset_t set;

	if (access("/proc/counters", F_OK))
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	for (int i = 0; i < 4; i++) {
		int64_t change = i % 2 ? -HOUR : HOUR, start = now_ns(CLOCK_MONOTONIC);
		int fd = timerfd_create(CLOCK_REALTIME, 0), sig;
		uint64_t times;
		timer_t timer;

		set_clock_forward(2 * HOUR);
		CHECK_EQ(timer_create(CLOCK_REALTIME, NULL, &timer), 0);
		if (i < 2)
			CHECK_EQ(timer_settime(timer, 0, &soon, NULL), 0);
		else
			CHECK_EQ(timerfd_settime(fd, 0, &soon, NULL), 0);
		set_clock_forward(change);
		if (i < 2)
			CHECK_EQ(sigwait(&set, &sig), 0);
		else
			CHECK_EQ(read(fd, &times, sizeof(times)), sizeof(times));
		CHECK(now_ns(CLOCK_MONOTONIC) - start >= 50 * MS);
		CHECK(now_ns(CLOCK_MONOTONIC) - start < HOUR / 2);
		set_clock_forward(-2 * HOUR - change);
		CHECK_EQ(timer_delete(timer), 0);
		close(fd);
	}
}

static void cpu_clock_counts_own_work(void)
{
	int64_t mono = now_ns(CLOCK_MONOTONIC), start = now_ns(CLOCK_THREAD_CPUTIME_ID);

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) - start < 10 * MS)
		;
	CHECK(now_ns(CLOCK_MONOTONIC) - mono >= 9 * MS);
}

static const struct test_case cases[] = {
	CASE(clocks_go_forward),
	CASE(clocks_agree),
	CASE(never_early),
	CASE(until_a_time),
	CASE(the_past_is_now),
	CASE(bad_times),
	CASE(sleeping_is_not_spinning),
	CASE(many_sleepers),
	CASE(in_order_of_deadlines),
	CASE(killed_while_asleep),
	CASE(a_clock_that_is_set),
	CASE(a_clock_set_during_a_wait),
	CASE(cpu_clock_counts_own_work),
};

TEST_MAIN(cases)
