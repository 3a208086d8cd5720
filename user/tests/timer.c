/* Timers: interval timers, POSIX timers, CPU clocks, and what fork and exec do to them. */
#include <limits.h>
#include <sys/time.h>

#include "timers.h"

#ifndef sigev_notify_thread_id		/* before glibc 2.38 only the field has a name */
#define sigev_notify_thread_id	_sigev_un._tid
#endif

static volatile sig_atomic_t count, last_code, last_value, last_overrun;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	last_code = info->si_code;
	last_value = info->si_value.sival_int;
	last_overrun = info->si_overrun;
}

static void catch (int sig)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

	CHECK_EQ(sigaction(sig, &action, NULL), 0);
}

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static void block(int sig, bool on)
{
	sigset_t set = set_of(sig);

	CHECK_EQ(sigprocmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL), 0);
}

/* Takes the blocked signal @sig, however long it takes to come. */
static siginfo_t take(int sig)
{
	sigset_t set = set_of(sig);
	siginfo_t info;

	CHECK_EQ(sigwaitinfo(&set, &info), sig);
	return info;
}

static bool is_pending(int sig)
{
	sigset_t set;

	CHECK_EQ(sigpending(&set), 0);
	return sigismember(&set, sig);
}

static struct itimerval in_us(long value, long interval)
{
	return (struct itimerval){ .it_value = { value / 1000000, value % 1000000 },
				   .it_interval = { interval / 1000000, interval % 1000000 } };
}

/* --- Interval timers --- */

static void alarm_ends_a_sleep(void)
{
	struct timespec left = { 0, 0 };

	catch (SIGALRM);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 20000 }, NULL);
	CHECK_ERRNO(nanosleep(&(struct timespec){ .tv_sec = 1L << 33 }, &left), EINTR);
	CHECK(left.tv_sec >= (1L << 33) - 3600 && left.tv_sec < 1L << 33);
	CHECK_EQ(count, 1);
	CHECK_EQ(last_code, SI_KERNEL);
	CHECK_EQ(alarm(100), 0);
	CHECK(alarm(200) >= 90);
	CHECK(alarm(0) >= 190);
	CHECK_EQ(alarm(0), 0);
}

static void default_action_kills(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 1000 }, NULL);
		for (;;)
			pause();
	}
	expect_signal(pid, SIGALRM);
}

static void periodic_alarm(void)
{
	struct itimerval value = in_us(2000, 3000), now;

	block(SIGALRM, true);
	CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(take(SIGALRM).si_code, SI_KERNEL);
	CHECK_EQ(getitimer(ITIMER_REAL, &now), 0);
	CHECK_EQ(now.it_interval.tv_usec, 3000);
	CHECK_EQ(setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, &now), 0);
	CHECK_EQ(now.it_interval.tv_usec, 3000);
	CHECK_EQ(getitimer(ITIMER_REAL, &now), 0);
	CHECK_EQ(now.it_interval.tv_usec + now.it_value.tv_sec + now.it_value.tv_usec, 0);
}

/* However late a signal is taken, the next one is a whole number of intervals after the first. */
static void late_alarms_keep_the_beat(void)
{
	const long interval = 200 * MS, us = 1000;
	struct itimerval value = in_us(interval / us, interval / us), now;
	long first[2], at[2], left = 0;

	block(SIGALRM, true);
	first[0] = now_ns(CLOCK_MONOTONIC) + interval - us;
	CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
	first[1] = now_ns(CLOCK_MONOTONIC) + interval + us;
	while (left <= us) {			/* else it has expired again meanwhile */
		sleep_until(now_ns(CLOCK_MONOTONIC) + interval * 3 / 2);
		take(SIGALRM);
		at[0] = now_ns(CLOCK_MONOTONIC) - us;
		CHECK_EQ(getitimer(ITIMER_REAL, &now), 0);
		at[1] = now_ns(CLOCK_MONOTONIC) + us;
		left = now.it_value.tv_sec * S + now.it_value.tv_usec * us;
	}
	/* Each time is known as far as the clock was read before and after. */
	CHECK((at[1] + left - first[0]) / interval * interval >= at[0] + left - first[1]);
}

static void burn_until(int n)
{
	while (count < n)
		;
}

static void cpu_time_timers(void)
{
	struct itimerval value = in_us(20000, 20000);
	long before = now_ns(CLOCK_MONOTONIC);

	catch (SIGPROF);
	CHECK_EQ(setitimer(ITIMER_PROF, &value, NULL), 0);
	burn_until(2);
	/* Linux counts ticks of up to 10 ms that found it running, however shortly it ran. */
	CHECK(now_ns(CLOCK_MONOTONIC) - before >= 25 * MS);
	CHECK_EQ(setitimer(ITIMER_PROF, &(struct itimerval){ 0 }, NULL), 0);
	count = 0;
	catch (SIGVTALRM);
	before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	CHECK_EQ(setitimer(ITIMER_VIRTUAL, &value, NULL), 0);
	sleep_until(now_ns(CLOCK_MONOTONIC) + 60 * MS);
	/* Sleeping uses no CPU time; a virtual CPU that its host does not run for a while does. */
	CHECK(count * 20 * MS <= now_ns(CLOCK_PROCESS_CPUTIME_ID) - before);
	burn_until(2);
}

static void itimer_errors(void)
{
	struct itimerval value = in_us(1000000, 0), old;

	CHECK_ERRNO(setitimer(3, &value, NULL), EINVAL);
	CHECK_ERRNO(setitimer(-1, &value, NULL), EINVAL);
	CHECK_ERRNO(getitimer(3, &old), EINVAL);
	CHECK_ERRNO(getitimer(ITIMER_REAL, hidden(16)), EFAULT);
	CHECK_ERRNO(setitimer(ITIMER_REAL, hidden(16), NULL), EFAULT);
	value.it_value.tv_usec = 1000000;
	CHECK_ERRNO(setitimer(ITIMER_REAL, &value, NULL), EINVAL);
	value.it_value.tv_usec = -1;
	CHECK_ERRNO(setitimer(ITIMER_REAL, &value, NULL), EINVAL);
	value = (struct itimerval){ .it_value = { 0, 0 }, .it_interval = { -1, 0 } };
	CHECK_ERRNO(setitimer(ITIMER_REAL, &value, NULL), EINVAL);
	value = (struct itimerval){ .it_value = { 0, 0 }, .it_interval = { 1, 0 } };
	CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
	CHECK_EQ(getitimer(ITIMER_REAL, &old), 0);
	CHECK_EQ(old.it_value.tv_sec + old.it_interval.tv_sec, 0);
}

static void children_begin_without(void)
{
	struct itimerval value = in_us(100 * 1000000L, 0), now;
	timer_t timer;
	pid_t pid;

	CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0);
	pid = fork();
	if (pid == 0) {
		struct itimerspec left;

		CHECK_EQ(getitimer(ITIMER_REAL, &now), 0);
		CHECK_EQ(now.it_value.tv_sec, 0);
		CHECK_ERRNO(timer_gettime(timer, &left), EINVAL);
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK_EQ(getitimer(ITIMER_REAL, &now), 0);
	CHECK(now.it_value.tv_sec > 0);
}

/* A program started by exec dies of the alarm that its predecessor set. */
static void alarms_outlive_exec(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 50000 }, NULL);
		execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	expect_signal(pid, SIGALRM);
}

/* --- POSIX timers --- */

static timer_t make_timer(clockid_t clock, int how, int sig, int value)
{
	struct sigevent e = { .sigev_notify = how, .sigev_signo = sig,
			      .sigev_value.sival_int = value };
	timer_t timer;

	CHECK_EQ(timer_create(clock, &e, &timer), 0);
	return timer;
}

static void set_timer(timer_t timer, int flags, long value, long interval)
{
	struct itimerspec s = in_ns(value, interval);

	CHECK_EQ(timer_settime(timer, flags, &s, NULL), 0);
}

/* TIMER1: a timer fires with no other event than timer interrupts. */
static void one_shot(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };
	struct itimerspec left;

	block(SIGUSR1, true);
	for (int i = 0; i < 3; i++) {
		timer_t timer = make_timer(clocks[i], SIGEV_SIGNAL, SIGUSR1, 70 + i);
		siginfo_t info;

		set_timer(timer, 0, 100 * S, 0);
		CHECK_EQ(timer_gettime(timer, &left), 0);
		CHECK(ns_of(left.it_value) > 90 * S && ns_of(left.it_value) <= 100 * S);
		set_timer(timer, TIMER_ABSTIME, now_ns(clocks[i]) + 2 * MS, 0);
		info = take(SIGUSR1);
		CHECK_EQ(info.si_code, SI_TIMER);
		CHECK_EQ(info.si_value.sival_int, 70 + i);
		CHECK_EQ(info.si_overrun, 0);
		CHECK_EQ(timer_gettime(timer, &left), 0);
		CHECK_EQ(ns_of(left.it_value), 0);
		set_timer(timer, TIMER_ABSTIME, 1, 0);		/* long past */
		take(SIGUSR1);
		CHECK_EQ(timer_delete(timer), 0);
		CHECK_ERRNO(timer_delete(timer), EINVAL);
	}
}

/* While its signal is blocked, a periodic timer counts the signals that it could not send. */
static void overruns(void)
{
	timer_t timer;
	siginfo_t info;
	long start;

	block(SIGRTMIN, true);
	timer = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 1);
	start = now_ns(CLOCK_MONOTONIC);
	set_timer(timer, TIMER_ABSTIME, start + MS, MS);
	sleep_until(start + 20 * MS);
	info = take(SIGRTMIN);
	CHECK(info.si_overrun >= 18);
	CHECK_EQ(timer_getoverrun(timer), (int)info.si_overrun);
	CHECK(!is_pending(SIGRTMIN) || take(SIGRTMIN).si_code == SI_TIMER);
	set_timer(timer, 0, 1, 1);				/* every nanosecond */
	for (int i = 0; i < 3; i++)
		take(SIGRTMIN);
	set_timer(timer, 0, 0, 0);
	CHECK_EQ(timer_delete(timer), 0);
}

/* Two timers have sent the same signal; the end of one takes nothing from the other. */
static void one_of_two_ends(void)
{
	timer_t timers[2];

	block(SIGRTMIN, true);
	for (int i = 0; i < 2; i++) {
		timers[i] = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, i);
		set_timer(timers[i], TIMER_ABSTIME, 1, 0);
	}
	sleep_until(now_ns(CLOCK_MONOTONIC) + MS);
	CHECK(is_pending(SIGRTMIN));
	CHECK_EQ(timer_delete(timers[0]), 0);
	CHECK(is_pending(SIGRTMIN));
	while (take(SIGRTMIN).si_value.sival_int != 1)
		;
	CHECK_EQ(timer_delete(timers[1]), 0);
}

/* POSIXTIMER1: a periodic timer whose signal was ignored is armed when that ends. */
static void ignored_and_then_not(void)
{
	timer_t timer = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);

	signal(SIGUSR1, SIG_IGN);
	set_timer(timer, 0, MS, MS);
	sleep_until(now_ns(CLOCK_MONOTONIC) + 5 * MS);
	catch (SIGUSR1);
	while (count < 3)
		pause();
	CHECK_EQ(last_code, SI_TIMER);
	CHECK_EQ(last_value, 1);
	CHECK_EQ(timer_delete(timer), 0);
}

static void only_looked_at(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_NONE };
	struct itimerspec left;
	timer_t timer;

	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &e, &timer), 0);
	set_timer(timer, 0, MS, 0);
	sleep_until(now_ns(CLOCK_MONOTONIC) + 2 * MS);
	CHECK_EQ(timer_gettime(timer, &left), 0);
	CHECK_EQ(ns_of(left.it_value), 0);
	set_timer(timer, 0, MS, 100 * S);
	sleep_until(now_ns(CLOCK_MONOTONIC) + 2 * MS);
	CHECK_EQ(timer_gettime(timer, &left), 0);
	CHECK(ns_of(left.it_value) > 90 * S);
	CHECK_EQ(ns_of(left.it_interval), 100 * S);
}

/* TIMER2: a timer fires once the thread has used the CPU time, while it runs on. */
static void on_cpu_time(void)
{
	static const clockid_t clocks[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };

	catch (SIGUSR2);
	for (int i = 0; i < 2; i++) {
		long start = now_ns(clocks[i]);
		timer_t timer = make_timer(clocks[i], SIGEV_SIGNAL, SIGUSR2, i);

		count = 0;
		set_timer(timer, 0, 20 * MS, 20 * MS);
		burn_until(2);
		CHECK(now_ns(clocks[i]) - start >= 40 * MS);
		CHECK_EQ(last_value, i);
		CHECK_EQ(timer_delete(timer), 0);
	}
}

static _Atomic pid_t target;
static atomic_int is_there, may_take;

static void *waiter(void *unused)
{
	siginfo_t info;

	target = gettid();
	while (!is_pending(SIGUSR1))
		sched_yield();
	is_there = 1;
	while (!may_take)
		sched_yield();
	info = take(SIGUSR1);
	CHECK_EQ(info.si_code, SI_TIMER);
	CHECK_EQ(info.si_value.sival_int, 5);
	return unused;
}

/* The signal goes to that thread alone. */
static void for_one_thread(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1,
			      .sigev_value.sival_int = 5 };
	timer_t timer;
	pthread_t t;

	block(SIGUSR1, true);
	t = start_thread(waiter, NULL);
	while (!target)
		sched_yield();
	e.sigev_notify_thread_id = target;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &e, &timer), 0);
	set_timer(timer, 0, MS, 0);
	while (!is_there)
		sched_yield();
	CHECK(!is_pending(SIGUSR1));
	may_take = 1;
	join_thread(t);
	while (!tgkill(getpid(), target, 0))	/* a joined thread may still be about to end */
		sched_yield();
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &e, &timer), EINVAL);
}

static void posix_errors(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec s = in_ns(S, 0);
	struct rlimit limit = { 0, 0 };
	timer_t timer, second;

	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC_RAW, &e, &timer), EOPNOTSUPP);
	CHECK_ERRNO(timer_create(CLOCK_REALTIME_COARSE, &e, &timer), EOPNOTSUPP);
	CHECK_ERRNO(timer_create(99, &e, &timer), EINVAL);
	e.sigev_signo = 0;
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &e, &timer), EINVAL);
	e.sigev_signo = 65;
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &e, &timer), EINVAL);
	e = (struct sigevent){ .sigev_notify = 77, .sigev_signo = SIGUSR1 };
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &e, &timer), EINVAL);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0);
	CHECK_ERRNO(timer_settime(timer, 0, NULL, NULL), EINVAL);
	s.it_value.tv_nsec = S;
	CHECK_ERRNO(timer_settime(timer, 0, &s, NULL), EINVAL);
	s.it_value.tv_nsec = -1;
	CHECK_ERRNO(timer_settime(timer, 0, &s, NULL), EINVAL);
	s = in_ns(0, 0);
	s.it_interval.tv_sec = -1;
	CHECK_ERRNO(timer_settime(timer, 0, &s, NULL), EINVAL);
	CHECK_EQ(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, NULL, &second), EAGAIN);
}

/* --- The limit on queued signals --- */

static void no_room_for_signals(void)
{
	struct rlimit limit = { 0, 0 };
	union sigval value = { .sival_int = 7 };
	siginfo_t info;

	block(SIGRTMIN, true);
	block(SIGUSR1, true);
	CHECK_EQ(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
	CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, value), EAGAIN);
	CHECK(!is_pending(SIGRTMIN));
	CHECK_EQ(kill(getpid(), SIGRTMIN), 0);		/* pending once, as a bare number */
	CHECK_EQ(kill(getpid(), SIGRTMIN), 0);
	info = take(SIGRTMIN);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, 0);
	CHECK(!is_pending(SIGRTMIN));
	CHECK_EQ(sigqueue(getpid(), SIGUSR1, value), 0);
	CHECK_EQ(take(SIGUSR1).si_value.sival_int, 0);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(take(SIGUSR1).si_pid, getpid());	/* kill() never needs room in the queue */
}

/* --- CPU clocks --- */

static void sleep_on_cpu_time(void)
{
	struct timespec ts = { 0, 10 * MS };
	pid_t pid = fork();
	clockid_t clock;
	long start;

	if (pid == 0)
		for (;;)
			;
	CHECK_EQ(clock_getcpuclockid(pid, &clock), 0);
	start = now_ns(clock);
	CHECK_EQ(clock_nanosleep(clock, 0, &ts, NULL), 0);
	CHECK(now_ns(clock) - start >= 10 * MS);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
	CHECK_EQ(clock_getcpuclockid(pid, &clock), ESRCH);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &ts, NULL), EOPNOTSUPP);
	CHECK_EQ(clock_nanosleep(99, 0, &ts, NULL), EINVAL);
}

static const struct test_case cases[] = {
	CASE(alarm_ends_a_sleep),
	CASE(default_action_kills),
	CASE(periodic_alarm),
	CASE(late_alarms_keep_the_beat),
	CASE(cpu_time_timers),
	CASE(itimer_errors),
	CASE(children_begin_without),
	CASE(alarms_outlive_exec),
	CASE(one_shot),
	CASE(overruns),
	CASE(one_of_two_ends),
	CASE(ignored_and_then_not),
	CASE(only_looked_at),
	CASE(on_cpu_time),
	CASE(for_one_thread),
	CASE(posix_errors),
	CASE(no_room_for_signals),
	CASE(sleep_on_cpu_time),
};

TEST_MAIN(cases)
