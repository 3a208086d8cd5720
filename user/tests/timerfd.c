/* Timers with descriptors: timerfd. */
#include <limits.h>
#include <poll.h>
#include <sys/timerfd.h>

#include "timers.h"

static void set_fd(int fd, int flags, long value, long interval)
{
	struct itimerspec s = in_ns(value, interval);

	CHECK_EQ(timerfd_settime(fd, flags, &s, NULL), 0);
}

static void read_from_a_timer(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct itimerspec left;
	uint64_t n = 0;
	long start;

	CHECK(fd >= 0);
	CHECK_EQ(poll(&p, 1, 0), 0);
	set_fd(fd, 0, 2 * MS, 0);
	CHECK_EQ(read(fd, &n, sizeof(n)), sizeof(n));
	CHECK_EQ(n, 1);
	CHECK_EQ(timerfd_gettime(fd, &left), 0);
	CHECK_EQ(ns_of(left.it_value), 0);
	start = now_ns(CLOCK_MONOTONIC);
	set_fd(fd, TFD_TIMER_ABSTIME, start + MS, MS);
	sleep_until(start + 20 * MS);
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EQ(read(fd, &n, sizeof(n)), sizeof(n));
	CHECK(n >= 19);
	CHECK_EQ(timerfd_gettime(fd, &left), 0);
	CHECK(ns_of(left.it_value) > 0 && ns_of(left.it_value) <= MS);
	CHECK_EQ(ns_of(left.it_interval), MS);
	CHECK_EQ(poll(&p, 1, -1), 1);
	set_fd(fd, 0, 100 * S, 0);			/* resets the expirations */
	CHECK_EQ(poll(&p, 1, 0), 0);
	close(fd);
}

/* The nearer of two timers is first, on whatever CPUs they were set. */
static void set_on_two_cpus(void)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	cpu_set_t all, one;
	int cpu = 0;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	for (int i = 0; i < 2; i++) {
		while (!CPU_ISSET(cpu, &all))
			cpu = (cpu + 1) % CPU_SETSIZE;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		cpu = (cpu + 1) % CPU_SETSIZE;
		CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
		if (i)					/* the other CPU comes to rest */
			sleep_until(now_ns(CLOCK_MONOTONIC) + 200 * MS);
		p[i].fd = timerfd_create(CLOCK_MONOTONIC, 0);
		set_fd(p[i].fd, 0, i ? 20 * MS : 30 * S, 0);
	}
	CHECK_EQ(poll(p, 2, -1), 1);
	CHECK(p[1].revents && !p[0].revents);
}

static void errors(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	struct itimerspec s = in_ns(S, 0);
	uint64_t n;

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(read(fd, &n, sizeof(n)), EAGAIN);
	CHECK_ERRNO(read(fd, &n, sizeof(n) - 1), EINVAL);
	CHECK_ERRNO(write(fd, &n, sizeof(n)), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_THREAD_CPUTIME_ID, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC_RAW, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	CHECK_ERRNO(timerfd_settime(fd, 4, &s, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(99, 0, &s, NULL), EBADF);
	CHECK_ERRNO(timerfd_settime(1, 0, &s, NULL), EINVAL);
	CHECK_ERRNO(timerfd_gettime(1, &s), EINVAL);
	CHECK_ERRNO(timerfd_gettime(99, &s), EBADF);
	s.it_value.tv_nsec = S;
	CHECK_ERRNO(timerfd_settime(99, 0, &s, NULL), EINVAL);
}

/* A time before the boot is past, whatever else is set: here one that never comes. */
static void before_the_boot(void)
{
	int never = timerfd_create(CLOCK_MONOTONIC, 0), past = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec at = { .it_value.tv_sec = LONG_MAX / S };
	uint64_t times;

	CHECK_EQ(timerfd_settime(never, TFD_TIMER_ABSTIME, &at, NULL), 0);
	at.it_value.tv_sec = 1;
	CHECK_EQ(timerfd_settime(past, TFD_TIMER_ABSTIME, &at, NULL), 0);
	CHECK_EQ(read(past, &times, sizeof(times)), sizeof(times));
	CHECK_EQ(times, 1);
	close(never);
	close(past);
}

static const struct test_case cases[] = {
	CASE(read_from_a_timer),
	CASE(set_on_two_cpus),
	CASE(errors),
	CASE(before_the_boot),
};

TEST_MAIN(cases)
