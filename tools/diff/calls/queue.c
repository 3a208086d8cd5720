/* Queued signals at their limit, RLIMIT_SIGPENDING: what each way to send one says then. */
#include "diff.h"

static siginfo_t info;

static siginfo_t *queued(int code, int value)
{
	memset(&info, 0, sizeof(info));
	info.si_code = code;
	info.si_value.sival_int = value;
	return &info;
}

/* Every signal is blocked, and @n of them have room, of a user with nothing queued elsewhere. */
static void room_for(int n)
{
	int user = 100000 + getpid();

	Q(rt_sigprocmask, SIG_BLOCK, bits(-1UL), NULL, 8);
	Q(setresuid, user, user, user);
	Q(prlimit64, 0, RLIMIT_SIGPENDING, lim(n, n), NULL);
}

/* Takes all that is pending. */
static void taken(void)
{
	int n = 0;

	memset(&info, 0, sizeof(info));
	while (R(rt_sigtimedwait, bits(-1UL), &info, ts(0, 0), 8) > 0) {
		if (info.si_signo == SIGCHLD)
			continue;
		say("taken: %s, code %d, value %d", signal_name(info.si_signo), info.si_code,
		    info.si_code < 0 && info.si_code != -6 ? info.si_value.sival_int : 0);
		memset(&info, 0, sizeof(info));
		n++;
	}
	V(n);
}

CASE(sigqueue)
{
	room_for(2);
	T(rt_sigqueueinfo, getpid(), 40, queued(SI_QUEUE, 1));
	T(rt_sigqueueinfo, getpid(), 41, queued(SI_QUEUE, 2));
	T(rt_sigqueueinfo, getpid(), 40, queued(SI_QUEUE, 3));
	T(rt_sigqueueinfo, getpid(), 42, queued(SI_QUEUE, 4));
	T(rt_sigqueueinfo, getpid(), 42, queued(SI_TIMER, 5));
	taken();
	T(rt_sigqueueinfo, getpid(), 42, queued(SI_QUEUE, 6));
	taken();
}

CASE(sigqueue_of_a_standard_signal)
{
	room_for(1);
	T(rt_sigqueueinfo, getpid(), SIGUSR1, queued(SI_QUEUE, 1));
	T(rt_sigqueueinfo, getpid(), SIGUSR2, queued(SI_QUEUE, 2));
	T(rt_sigqueueinfo, getpid(), SIGUSR1, queued(SI_QUEUE, 3));
	T(kill, getpid(), SIGHUP);
	T(tkill, getpid(), SIGTERM);
	taken();
}

CASE(to_a_thread)
{
	room_for(1);
	T(rt_tgsigqueueinfo, getpid(), getpid(), 40, queued(SI_QUEUE, 1));
	T(rt_tgsigqueueinfo, getpid(), getpid(), 40, queued(SI_QUEUE, 2));
	T(tkill, getpid(), 40);
	T(tgkill, getpid(), getpid(), 41);
	T(rt_sigqueueinfo, getpid(), 42, queued(SI_QUEUE, 3));
	T(kill, getpid(), 43);
	T(kill, getpid(), 43);
	taken();
	T(tkill, getpid(), 40);
	T(tgkill, getpid(), getpid(), 41);
	taken();
}

CASE(by_pidfd)
{
	int fd = Q(pidfd_open, getpid(), 0);

	room_for(1);
	T(pidfd_send_signal, fd, 41, NULL, 0);
	queued(SI_QUEUE, 1)->si_signo = 40;
	T(pidfd_send_signal, fd, 40, &info, 0);
	T(pidfd_send_signal, fd, 41, NULL, 0);
	taken();
	queued(SI_QUEUE, 2)->si_signo = 40;
	T(pidfd_send_signal, fd, 40, &info, 0);
	T(pidfd_send_signal, fd, 40, &info, 0);
	taken();
}

static void act(int sig, unsigned long handler)
{
	struct kernel_sigaction a = { .handler = handler };

	T(rt_sigaction, sig, &a, NULL, 8);
}

/* Values of signals are forgotten with them, and there is room for others. */
CASE(ignored)
{
	room_for(2);
	T(rt_tgsigqueueinfo, getpid(), getpid(), 40, queued(SI_QUEUE, 1));
	T(rt_sigqueueinfo, getpid(), 41, queued(SI_QUEUE, 2));
	act(40, (unsigned long)SIG_IGN);
	act(41, (unsigned long)SIG_IGN);
	act(40, (unsigned long)SIG_DFL);
	act(41, (unsigned long)SIG_DFL);
	T(rt_tgsigqueueinfo, getpid(), getpid(), 40, queued(SI_QUEUE, 3));
	T(rt_sigqueueinfo, getpid(), 41, queued(SI_QUEUE, 4));
	taken();
}

/* The receiver's limit, and the count of its user. */
CASE(to_another)
{
	int ready[2], go[2];
	pid_t pid;

	Q(pipe2, ready, 0);
	Q(pipe2, go, 0);
	pid = child();
	if (!pid) {
		room_for(1);
		Q(write, ready[1], "x", 1);
		Q(read, go[0], buf, 1);
		taken();
		end(0);
	}
	Q(read, ready[0], buf, 1);
	T(rt_sigqueueinfo, pid, 40, queued(SI_QUEUE, 1));
	T(rt_sigqueueinfo, pid, 40, queued(SI_QUEUE, 2));
	T(rt_sigqueueinfo, getpid(), SIGURG, queued(SI_QUEUE, 3));
	Q(write, go[1], "x", 1);
	reap(pid);
}

static struct linux_sigevent event;
static int id, other;

static struct linux_sigevent *tell_by(int sig, int value)
{
	event = (struct linux_sigevent){ .signo = sig, .notify = SIGEV_SIGNAL, .value = value };
	return &event;
}

static long set_timer(int which)
{
	struct linux_itimerspec t = { .value = { 0, 1 } };

	return R(timer_settime, which, 0, &t, NULL);
}

/* Its place in the queue is taken once for all, when it is made. */
CASE(timer)
{
	room_for(1);
	T(timer_create, CLOCK_MONOTONIC, tell_by(40, 1), &id);
	T(timer_create, CLOCK_MONOTONIC, tell_by(41, 2), &other);
	T(timer_create, CLOCK_MONOTONIC, tell_by(SIGUSR1, 2), &other);
	T(rt_sigqueueinfo, getpid(), 42, queued(SI_QUEUE, 3));
	V(set_timer(id));
	T(rt_sigtimedwait, bits(-1UL), &info, ts(30, 0), 8);
	V(info.si_code);
	V(info.si_value.sival_int);
	T(timer_delete, id);
	T(timer_create, CLOCK_MONOTONIC, tell_by(41, 2), &other);
	T(timer_delete, other);
	T(rt_sigqueueinfo, getpid(), 42, queued(SI_QUEUE, 4));
	T(timer_create, CLOCK_MONOTONIC, tell_by(41, 5), &other);
	taken();
}

CASE(timer_keeps_its_place)
{
	room_for(1);
	Q(timer_create, CLOCK_MONOTONIC, tell_by(40, 1), &id);
	Q(prlimit64, 0, RLIMIT_SIGPENDING, lim(0, 0), NULL);
	for (int i = 0; i < 3; i++) {
		V(set_timer(id));
		T(rt_sigtimedwait, bits(-1UL), &info, ts(30, 0), 8);
		V(info.si_code);
	}
	T(rt_sigqueueinfo, getpid(), 42, queued(SI_QUEUE, 2));
	T(timer_create, CLOCK_MONOTONIC, tell_by(41, 3), &other);
}

CASE(timer_without_signal)
{
	struct linux_sigevent none = { .notify = SIGEV_NONE };

	room_for(0);
	T(timer_create, CLOCK_MONOTONIC, &none, &id);
	T(timer_create, CLOCK_MONOTONIC, NULL, &id);
}
