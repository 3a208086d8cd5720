/* Clocks, sleeping, interval timers and POSIX timers. */
#include "diff.h"

static struct timespec left;

CASE(clocks)
{
	static const int clocks[] = { 0, 1, 2, 3, 4, 5, 6, 7, 10, 12, 16, 99 };

	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		V(clocks[i]);
		T(clock_gettime, clocks[i], &left);
	}
	T(clock_gettime, -1, &left);
	T(clock_gettime, CLOCK_MONOTONIC, BAD);
	T(clock_gettime, 99, BAD);
	T(clock_settime, CLOCK_MONOTONIC, ts(1, 0));
	T(clock_settime, 99, ts(1, 0));
	T(clock_settime, CLOCK_REALTIME, ts(0, -1));
	T(clock_settime, CLOCK_REALTIME, ts(0, 1000000000));
	T(clock_settime, CLOCK_REALTIME, ts(-1, 0));
	T(clock_settime, CLOCK_REALTIME, BAD);
	T(clock_settime, CLOCK_PROCESS_CPUTIME_ID, ts(0, 0));
}

CASE(resolutions)
{
	T(clock_getres, CLOCK_REALTIME, &left);
	V(left.tv_nsec);
	T(clock_getres, CLOCK_MONOTONIC, &left);
	V(left.tv_nsec);
	T(clock_getres, CLOCK_PROCESS_CPUTIME_ID, &left);
	V(left.tv_nsec);
	T(clock_getres, 99, &left);
	T(clock_getres, 0, NULL);
	T(clock_getres, 0, BAD);
}

/* The clock of a process, or (4 more) a thread: 0 both, 1 in user mode, 2 as scheduled. */
static int clock_of(pid_t pid, int kind)
{
	return (int)(~(unsigned)pid << 3) | kind;
}

CASE(cpu_clocks_of_others)
{
	pid_t pid = child();

	if (!pid)
		for (;;)
			R(ppoll, NULL, 0, NULL, NULL, 8);
	await_blocked(pid);
	T(clock_gettime, clock_of(pid, 2), &left);
	T(clock_gettime, clock_of(pid, 0), &left);
	T(clock_gettime, clock_of(pid, 3), &left);
	T(clock_gettime, clock_of(pid, 6), &left);
	T(clock_getres, clock_of(pid, 2), &left);
	T(clock_gettime, clock_of(getpid(), 6), &left);
	T(clock_gettime, clock_of(0x7ffffff, 2), &left);
	T(clock_gettime, clock_of(0, 2), &left);
	Q(kill, pid, SIGKILL);
	reap(pid);
	T(clock_gettime, clock_of(pid, 2), &left);
}

CASE(nanosleep_errors)
{
	T(nanosleep, ts(0, 0), NULL);
	T(nanosleep, ts(0, 1), NULL);
	T(nanosleep, ts(-1, 0), NULL);
	T(nanosleep, ts(0, -1), NULL);
	T(nanosleep, ts(0, 1000000000), NULL);
	T(nanosleep, BAD, NULL);
	T(nanosleep, ts(0, 1), BAD);
	T(clock_nanosleep, CLOCK_MONOTONIC, 0, ts(0, 1), NULL);
	T(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, ts(0, 1), NULL);
	T(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, ts(-1, 0), NULL);
	T(clock_nanosleep, CLOCK_MONOTONIC, 2, ts(0, 1), NULL);
	T(clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, ts(1, 0), NULL);
	T(clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, ts(0, 1), NULL);
	T(clock_nanosleep, 99, 0, ts(0, 1), NULL);
	T(clock_nanosleep, 99, 0, BAD, NULL);
	T(clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, ts(0, 1), NULL);
	T(clock_nanosleep, CLOCK_MONOTONIC_COARSE, 0, ts(0, 1), NULL);
	T(clock_nanosleep, CLOCK_BOOTTIME, 0, ts(0, 1), NULL);
}

CASE(sleep_interrupted)
{
	on(SIGUSR1, SA_RESTART);
	poke(SIGUSR1);
	T(nanosleep, ts(1000, 0), &left);
	V(left.tv_sec > 900 && left.tv_sec <= 1000);
	poke(SIGUSR1);
	T(nanosleep, ts(1000, 0), NULL);
	poke(SIGUSR1);
	T(nanosleep, ts(1000, 0), BAD);
	left.tv_sec = 77;
	poke(SIGUSR1);
	T(clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, ts(1L << 40, 0), &left);
	V(left.tv_sec);
}

CASE(sleep_interrupted_very_long)
{
	on(SIGUSR1, 0);
	poke(SIGUSR1);
	T(nanosleep, ts(1L << 33, 0), &left);
	V(left.tv_sec > (1L << 33) - 1000);
	poke(SIGUSR1);
	T(nanosleep, ts(0x7fffffffffffffff, 999999999), &left);
	V(left.tv_sec > 1L << 33);
}

CASE(interval_timer)
{
	struct linux_itimerval t = { { 0, 0 }, { 1000, 0 } }, old;

	T(getitimer, ITIMER_REAL, &old);
	V(old.value.tv_sec);
	T(setitimer, ITIMER_REAL, &t, &old);
	V(old.value.tv_sec);
	T(getitimer, ITIMER_REAL, &old);
	V(old.value.tv_sec > 900);
	V(old.interval.tv_sec);
	T(setitimer, ITIMER_REAL, NULL, &old);
	V(old.value.tv_sec > 900);
	T(getitimer, ITIMER_REAL, &old);
	V(old.value.tv_sec);
	t.value.tv_usec = 1000000;
	T(setitimer, ITIMER_REAL, &t, NULL);
	t.value.tv_usec = -1;
	T(setitimer, ITIMER_REAL, &t, NULL);
	t.value.tv_usec = 0;
	t.value.tv_sec = -1;
	T(setitimer, ITIMER_REAL, &t, NULL);
	T(setitimer, 3, &t, NULL);
	T(setitimer, -1, &t, NULL);
	T(setitimer, ITIMER_REAL, BAD, NULL);
	T(getitimer, 3, &t);
	T(getitimer, ITIMER_REAL, BAD);
}

CASE(interval_timer_fires)
{
	struct linux_itimerval t = { { 0, 0 }, { 0, 1000 } };

	on(SIGALRM, 0);
	block(SIGALRM);
	T(setitimer, ITIMER_REAL, &t, NULL);
	T(rt_sigsuspend, bits(0), 8);
	V(hits[SIGALRM]);
	T(getitimer, ITIMER_REAL, &t);
	V(t.value.tv_sec);
	V(t.value.tv_usec);
}

CASE(interval_timer_repeats)
{
	struct linux_itimerval t = { { 0, 1000 }, { 0, 1000 } };

	on(SIGALRM, 0);
	block(SIGALRM);
	T(setitimer, ITIMER_REAL, &t, NULL);
	for (int i = 0; i < 3; i++)
		R(rt_sigsuspend, bits(0), 8);
	V(hits[SIGALRM]);
}

/* It is armed again when its signal is taken, which somebody else may have sent before. */
CASE(interval_timer_after_a_kill)
{
	struct linux_itimerval t = { { 1000, 0 }, { 0, 1000 } };

	block(SIGALRM);
	Q(kill, getpid(), SIGALRM);
	T(setitimer, ITIMER_REAL, &t, NULL);
	do {
		/* By then it is over: with less than a microsecond left, none is, too. */
		Q(nanosleep, ts(0, 5000000), NULL);
		Q(getitimer, ITIMER_REAL, &t);
	} while (t.value.tv_sec || t.value.tv_usec);
	T(rt_sigtimedwait, bits(1UL << (SIGALRM - 1)), NULL, ts(30, 0), 8);
	T(getitimer, ITIMER_REAL, &t);
	V(t.value.tv_sec > 900);
}

/* A timer that is switched off stays off, whatever interval was given, though its signal comes. */
CASE(interval_timer_is_off)
{
	struct linux_itimerval t = { { 2000, 0 }, { 1000, 0 } };

	on(SIGALRM, 0);
	for (int i = 0; i < 2; i++) {
		t.value.tv_sec = 1000;
		Q(setitimer, ITIMER_REAL, &t, NULL);
		t.value.tv_sec = 0;
		if (i)
			t.interval.tv_sec = 0;
		T(setitimer, ITIMER_REAL, &t, NULL);
		Q(kill, getpid(), SIGALRM);
		V(hits[SIGALRM]);
		T(getitimer, ITIMER_REAL, &t);
		V(t.value.tv_sec);
		V(t.interval.tv_sec);
		t.interval.tv_sec = 2000;
	}
}

CASE(interval_timer_kills)
{
	struct linux_itimerval t = { { 0, 0 }, { 0, 1000 } };

	T(setitimer, ITIMER_REAL, &t, NULL);
	R(ppoll, NULL, 0, NULL, NULL, 8);
}

CASE(interval_timer_of_cpu)
{
	struct linux_itimerval t = { { 0, 0 }, { 0, 1000 } };

	on(SIGVTALRM, 0);
	on(SIGPROF, 0);
	T(setitimer, ITIMER_VIRTUAL, &t, NULL);
	while (!hits[SIGVTALRM])
		;
	T(setitimer, ITIMER_PROF, &t, NULL);
	while (!hits[SIGPROF])
		;
	V(hits[SIGVTALRM]);
}

CASE(interval_timer_not_inherited)
{
	struct linux_itimerval t = { { 0, 0 }, { 1000, 0 } };
	pid_t pid;

	Q(setitimer, ITIMER_REAL, &t, NULL);
	pid = child();
	if (!pid) {
		T(getitimer, ITIMER_REAL, &t);
		V(t.value.tv_sec);
		end(0);
	}
	reap(pid);
}

static struct linux_itimerspec spec, old;
static int id;

CASE(timer_create)
{
	struct linux_sigevent ev = { .notify = SIGEV_NONE };

	T(timer_create, CLOCK_MONOTONIC, NULL, &id);
	V(id);
	T(timer_create, CLOCK_REALTIME, &ev, &id);
	V(id);
	T(timer_create, 99, NULL, &id);
	T(timer_create, CLOCK_MONOTONIC, NULL, BAD);
	T(timer_create, CLOCK_MONOTONIC, BAD, &id);
	ev.notify = 9;
	T(timer_create, CLOCK_MONOTONIC, &ev, &id);
	ev.notify = SIGEV_SIGNAL;
	ev.signo = 0;
	T(timer_create, CLOCK_MONOTONIC, &ev, &id);
	ev.signo = 65;
	T(timer_create, CLOCK_MONOTONIC, &ev, &id);
	ev.signo = SIGUSR1;
	ev.notify = SIGEV_THREAD_ID;
	ev.tid = getppid();
	T(timer_create, CLOCK_MONOTONIC, &ev, &id);
	ev.tid = getpid();
	OK(timer_create, CLOCK_MONOTONIC, &ev, &id);
	T(timer_delete, 0);
	T(timer_delete, 0);
	T(timer_delete, 77);
	T(timer_delete, -1);
	T(timer_gettime, 77, &spec);
	T(timer_settime, 77, 0, &spec, NULL);
	T(timer_getoverrun, 77);
	T(timer_create, CLOCK_MONOTONIC_RAW, NULL, &id);
	T(timer_create, CLOCK_MONOTONIC_COARSE, NULL, &id);
}

CASE(timer_settime)
{
	Q(timer_create, CLOCK_MONOTONIC, NULL, &id);
	T(timer_gettime, id, &spec);
	V(spec.value.tv_sec);
	spec.value.tv_sec = 1000;
	spec.interval.tv_sec = 5;
	T(timer_settime, id, 0, &spec, &old);
	V(old.value.tv_sec);
	T(timer_gettime, id, &old);
	V(old.value.tv_sec > 900);
	V(old.interval.tv_sec);
	spec.value.tv_nsec = 1000000000;
	T(timer_settime, id, 0, &spec, NULL);
	spec.value.tv_nsec = -1;
	T(timer_settime, id, 0, &spec, NULL);
	spec.value.tv_nsec = 0;
	spec.value.tv_sec = -1;
	T(timer_settime, id, 0, &spec, NULL);
	T(timer_settime, id, 0, NULL, NULL);
	T(timer_settime, id, 0, BAD, NULL);
	T(timer_settime, id, 2, ts(0, 0), NULL);
	spec.value.tv_sec = 0;
	T(timer_settime, id, 0, &spec, &old);
	V(old.value.tv_sec > 900);
	T(timer_gettime, id, &old);
	V(old.value.tv_sec);
	V(old.interval.tv_sec);
	T(timer_gettime, id, BAD);
	T(timer_getoverrun, id);
}

CASE(timer_fires)
{
	struct linux_sigevent ev = { .notify = SIGEV_SIGNAL, .signo = 40, .value = 1234 };
	siginfo_t info;

	block(40);
	Q(timer_create, CLOCK_MONOTONIC, &ev, &id);
	spec.value.tv_nsec = 1000;
	T(timer_settime, id, 0, &spec, NULL);
	T(rt_sigtimedwait, bits(1UL << 39), &info, NULL, 8);
	V(info.si_code);
	V(info.si_value.sival_int);
	T(timer_getoverrun, id);
	spec.value.tv_sec = 0;
	spec.value.tv_nsec = 1;
	T(timer_settime, id, TIMER_ABSTIME, &spec, NULL);
	T(rt_sigtimedwait, bits(1UL << 39), &info, NULL, 8);
	V(info.si_code);
}

CASE(timer_default_signal)
{
	Q(timer_create, CLOCK_REALTIME, NULL, &id);
	spec.value.tv_nsec = 1000;
	T(timer_settime, id, 0, &spec, NULL);
	R(ppoll, NULL, 0, NULL, NULL, 8);
}

/* Its value is its id, which is 0 for the first one. */
CASE(timer_default_value)
{
	siginfo_t info;

	block(SIGALRM);
	Q(timer_create, CLOCK_MONOTONIC, NULL, &id);
	Q(timer_create, CLOCK_MONOTONIC, NULL, &id);
	spec.value.tv_nsec = 1000;
	T(timer_settime, id, 0, &spec, NULL);
	T(rt_sigtimedwait, bits(1UL << (SIGALRM - 1)), &info, NULL, 8);
	V(info.si_timerid);
	V(info.si_value.sival_int);
}

/* A timer that is set anew forgets that it has fired, though nobody has taken its signal. */
CASE(timer_set_again)
{
	struct linux_sigevent ev = { .notify = SIGEV_SIGNAL, .signo = 40 };
	struct timespec none = { 0 };
	unsigned long pending = 0;
	siginfo_t info;

	block(40);
	Q(timer_create, CLOCK_MONOTONIC, &ev, &id);
	spec.value.tv_nsec = 1000;
	T(timer_settime, id, 0, &spec, NULL);
	while (!(pending & 1UL << 39))
		Q(rt_sigpending, &pending, 8);
	spec.value.tv_nsec = 0;
	T(timer_settime, id, 0, &spec, NULL);
	T(rt_sigtimedwait, bits(1UL << 39), &info, &none, 8);
}

/* Sets spec to every millisecond from now on. */
static void every_ms(void)
{
	Q(clock_gettime, CLOCK_MONOTONIC, &spec.value);
	spec.interval.tv_nsec = 1000000;
}

/* A look at a timer takes nothing from what a read will tell. */
CASE(timerfd_missed)
{
	int fd = Q(timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);

	for (int looks = 0; looks < 3; looks++) {
		uint64_t count = 0;

		every_ms();
		T(timerfd_settime, fd, TIMER_ABSTIME, &spec, NULL);
		Q(nanosleep, ts(0, 20000000), NULL);
		for (int i = 0; i < looks; i++) {
			T(timerfd_gettime, fd, &old);
			V(old.value.tv_nsec > 0 && old.value.tv_nsec <= 1000000);
			V(old.interval.tv_nsec);
		}
		T(read, fd, &count, 8);
		V(count >= 20);
	}
}

/* The same of a timer that sends signals: those that it could not send are its overrun. */
CASE(timer_missed)
{
	struct linux_sigevent ev = { .notify = SIGEV_SIGNAL, .signo = 40 };
	siginfo_t info;

	block(40);
	for (int looks = 0; looks < 3; looks++) {
		Q(timer_create, CLOCK_MONOTONIC, &ev, &id);
		every_ms();
		T(timer_settime, id, TIMER_ABSTIME, &spec, NULL);
		Q(nanosleep, ts(0, 20000000), NULL);
		for (int i = 0; i < looks; i++)
			T(timer_gettime, id, &old);
		T(rt_sigtimedwait, bits(1UL << 39), &info, NULL, 8);
		V(info.si_overrun >= 19);
		V(info.si_overrun == R(timer_getoverrun, id));
		Q(timer_delete, id);
	}
}

CASE(timeofday)
{
	T(gettimeofday, buf, NULL);
	T(gettimeofday, NULL, NULL);
	T(gettimeofday, BAD, NULL);
	T(gettimeofday, NULL, BAD);
	OK(times, buf);
	OK(times, NULL);
	T(times, BAD);
}

/* The figures of a clock that is kept right: nothing of ours is changed. */
static void say_timex(long r)
{
	struct timex {
		uint32_t modes, pad;
		int64_t offset, freq, maxerror, esterror;
		int32_t status, pad2;
		int64_t constant, precision, tolerance;
		struct timeval time;
		int64_t tick;
	} *t = (void *)buf;

	V(r >= 0 && r <= 5);
	V(t->precision);
	V(t->tolerance);
	V(t->tick);
	V(t->time.tv_sec > 0);
	V(t->maxerror > 0);
}

CASE(adjtimex)
{
	say_timex(R(adjtimex, buf));
	say_timex(R(clock_adjtime, CLOCK_REALTIME, buf));
	*(int *)buf = 0xa001;
	V(R(adjtimex, buf) >= 0);
	*(int *)buf = 0;
	T(adjtimex, BAD);
	T(adjtimex, NULL);
	T(clock_adjtime, CLOCK_MONOTONIC, buf);
	T(clock_adjtime, CLOCK_BOOTTIME, buf);
	T(clock_adjtime, CLOCK_TAI, buf);
	T(clock_adjtime, CLOCK_REALTIME_COARSE, buf);
	T(clock_adjtime, CLOCK_THREAD_CPUTIME_ID, buf);
	T(clock_adjtime, 99, buf);
	T(clock_adjtime, 10, buf);
	T(clock_adjtime, -2, buf);
	T(clock_adjtime, -6, buf);
	T(clock_adjtime, CLOCK_MONOTONIC, BAD);
	T(clock_adjtime, 99, BAD);
}

CASE(adjtimex_of_a_user)
{
	Q(setuid, 5);
	say_timex(R(adjtimex, buf));
	for (int bit = 0; bit < 16; bit++) {
		*(int *)buf = 1 << bit;
		say("%#x: %s", 1 << bit, error_name(-R(adjtimex, buf)));
	}
	*(int *)buf = 0x8001;
	T(adjtimex, buf);
	*(int *)buf = 0xa001;
	V(R(adjtimex, buf) >= 0);
}
