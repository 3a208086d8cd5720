/* Files that tell by a signal: their owners of each kind, and what these must have a right to. */
#include <pthread.h>

#include "async.h"

static struct linux_owner owner;

static struct linux_owner *own(int kind, int id)
{
	owner = (struct linux_owner){ kind, id };
	return &owner;
}

static void say_owner(const char *what)
{
	long r = R(fcntl, p[0], F_GETOWN_EX, &owner);

	say("%s: %s, kind %d, %s", what, r < 0 ? error_name(-r) : "0", owner.kind,
	    !owner.id		    ? "nobody"
	    : owner.id == getpid()  ? "us"
	    : owner.id == getppid() ? "parent"
				    : "another");
}

/* --- Setting and asking ------------------------------------------------------------------- */

CASE(owner)
{
	make_pipe();
	T(fcntl, p[0], F_GETOWN);
	say_owner("at first");
	T(fcntl, p[0], F_SETOWN, 0x7fffffff);
	T(fcntl, p[0], F_SETOWN, 0x80000000);
	T(fcntl, p[0], F_SETOWN, -0x7fffffff);
	say_owner("after errors");
	T(fcntl, p[0], F_SETOWN, getpid());
	V(R(fcntl, p[0], F_GETOWN) == getpid());
	say_owner("set");
	V(R(fcntl, p[1], F_GETOWN));
	T(fcntl, p[0], F_SETOWN, 0x7fffffff);
	say_owner("after an error");
	T(fcntl, p[0], F_SETOWN, -getpid());
	V(R(fcntl, p[0], F_GETOWN) == -getpid());
	say_owner("our group");
	T(fcntl, p[0], F_SETOWN, getppid());
	say_owner("parent");
	T(fcntl, p[0], F_SETOWN, 0);
	say_owner("nobody");
	T(fcntl, p[0], F_SETOWN, 0x100000000 + getpid());
	say_owner("too large");
}

CASE(owner_ex)
{
	make_pipe();
	for (int kind = -1; kind < 4; kind++) {
		T(fcntl, p[0], F_SETOWN_EX, own(kind, getpid()));
		say_owner("set");
		V(R(fcntl, p[0], F_GETOWN) == (kind == 2 ? -getpid() : getpid()));
	}
	T(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_PID, 0x7fffffff));
	T(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_PID, -getpid()));
	T(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_PGRP, -getpid()));
	T(fcntl, p[0], F_SETOWN_EX, own(9, 0x7fffffff));
	say_owner("after errors");
	for (int kind = 0; kind < 3; kind++) {
		T(fcntl, p[0], F_SETOWN_EX, own(kind, 0));
		say_owner("nobody");
		T(fcntl, p[0], F_GETOWN);
	}
	T(fcntl, p[0], F_SETOWN_EX, BAD);
	T(fcntl, p[0], F_GETOWN_EX, BAD);
}

CASE(signal_errors)
{
	make_pipe();
	T(fcntl, p[0], F_GETSIG);
	T(fcntl, p[0], F_SETSIG, 65);
	T(fcntl, p[0], F_SETSIG, -1);
	T(fcntl, p[0], F_SETSIG, 64);
	T(fcntl, p[0], F_GETSIG);
	T(fcntl, p[1], F_GETSIG);
	say_owner("with a signal");
	T(fcntl, p[0], F_SETSIG, SIGKILL);
	T(fcntl, p[0], F_GETSIG);
	T(fcntl, p[0], F_SETSIG, 0);
	T(fcntl, p[0], F_GETSIG);
}

CASE(places_and_bad_descriptors)
{
	int fd = Q(openat, AT_FDCWD, "/dev/null", O_PATH);

	T(fcntl, fd, F_GETOWN);
	T(fcntl, fd, F_SETOWN, getpid());
	T(fcntl, fd, F_GETOWN_EX, BAD);
	T(fcntl, fd, F_SETOWN_EX, BAD);
	T(fcntl, fd, F_SETSIG, 65);
	T(fcntl, fd, F_GETSIG);
	T(fcntl, 77, F_SETOWN, 0x7fffffff);
	T(fcntl, 77, F_SETOWN_EX, BAD);
	T(fcntl, 77, F_SETSIG, 65);
	T(ioctl, 77, FIOASYNC, BAD);
}

CASE(shared_by_dup_and_fork)
{
	pid_t pid;

	make_pipe();
	listen_to(Q(dup, p[0]), 40);
	say_owner("the file");
	T(fcntl, p[0], F_GETSIG);
	O(R(fcntl, p[0], F_GETFL) & ~O_LARGEFILE_RAW);
	Q(write, p[1], "x", 1);
	told("by the duplicate");
	Q(close, 5);
	Q(write, p[1], "x", 1);
	told("which is closed");
	pid = child();
	if (!pid) {
		V(R(fcntl, p[0], F_GETOWN) == getppid());
		Q(write, p[1], "x", 1);
		told("child's own");
		T(fcntl, p[0], F_SETFL, O_NONBLOCK);
		end(0);
	}
	reap(pid);
	told("by the child");
	O(R(fcntl, p[0], F_GETFL) & ~O_LARGEFILE_RAW);
	Q(write, p[1], "x", 1);
	told("turned off");
}

CASE(owner_gone)
{
	pid_t pid;

	make_pipe();
	pid = child();
	if (!pid)
		end(0);
	await_state(pid, 'Z');
	T(fcntl, p[0], F_SETOWN, pid);
	V(R(fcntl, p[0], F_GETOWN) == pid);
	T(fcntl, p[1], F_SETOWN, -pid);
	Q(fcntl, p[0], F_SETFL, O_NONBLOCK | O_ASYNC);
	T(write, p[1], "x", 1);
	reap(pid);
	T(fcntl, p[0], F_GETOWN);
	say_owner("reaped");
	T(write, p[1], "x", 1);
	T(fcntl, p[0], F_SETOWN, pid);
	T(fcntl, p[0], F_SETOWN, -pid);
	T(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_TID, pid));
	told("to nobody");
}

CASE(group_of_which_the_leader_is_gone)
{
	pid_t leader = child(), member;

	make_pipe();
	if (!leader) {
		Q(setpgid, 0, 0);
		member = child();
		if (!member)
			for (;;)
				pause();
		end(0);
	}
	reap(leader);
	T(fcntl, p[0], F_SETOWN, -leader);
	V(R(fcntl, p[0], F_GETOWN) == -leader);
	T(fcntl, p[0], F_SETOWN, leader);
	T(fcntl, p[0], F_GETOWN);
	T(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_TID, leader));
	T(fcntl, p[0], F_GETOWN);
	T(kill, -leader, SIGKILL);
}

CASE(without_owner)
{
	make_pipe();
	T(fcntl, p[0], F_SETFL, O_NONBLOCK | O_ASYNC);
	say_owner("on");
	T(write, p[1], "x", 1);
	told("no owner");
	T(fcntl, p[0], F_SETOWN, getpid());
	told("an owner");
	T(write, p[1], "x", 1);
	told("write");
	T(fcntl, p[0], F_SETOWN, 0);
	T(write, p[1], "x", 1);
	told("no owner again");
}

/* --- Owners of each kind ----------------------------------------------------------------- */

/* A child that says what it was told once the parent writes to @go. */
static pid_t listener(const char *name, int go[2])
{
	pid_t pid;

	Q(pipe2, go, 0);
	pid = child();
	if (!pid) {
		char c;

		R(close, go[1]);
		R(read, go[0], &c, 1);
		told(name);
		end(0);
	}
	return pid;
}

static void finish(pid_t pid, int go[2])
{
	Q(write, go[1], "x", 1);
	reap(pid);
}

CASE(another_process)
{
	int go[2];
	pid_t pid;

	make_pipe();
	pid = listener("child", go);
	Q(fcntl, p[0], F_SETSIG, 40);
	T(fcntl, p[0], F_SETOWN, pid);
	Q(fcntl, p[0], F_SETFL, O_NONBLOCK | O_ASYNC);
	T(write, p[1], "x", 1);
	told("we");
	finish(pid, go);
	T(write, p[1], "x", 1);
	told("after its end");
}

CASE(group)
{
	int go[3][2];
	pid_t pid[3];

	make_pipe();
	pid[0] = listener("leader", go[0]);
	Q(setpgid, pid[0], 0);
	pid[1] = listener("member", go[1]);
	Q(setpgid, pid[1], pid[0]);
	pid[2] = listener("stranger", go[2]);
	Q(fcntl, p[0], F_SETSIG, 40);
	T(fcntl, p[0], F_SETOWN, -pid[0]);
	Q(fcntl, p[0], F_SETFL, O_NONBLOCK | O_ASYNC);
	T(write, p[1], "x", 1);
	told("we");
	for (int i = 0; i < 3; i++)
		finish(pid[i], go[i]);
	T(fcntl, p[0], F_GETOWN);
}

static int thread_id;
static pthread_barrier_t meet;

static void *thread(void *arg)
{
	(void)arg;
	thread_id = R(gettid);
	pthread_barrier_wait(&meet);
	pthread_barrier_wait(&meet);
	told("the thread");
	pthread_barrier_wait(&meet);
	pthread_barrier_wait(&meet);
	told("the thread then");
	return NULL;
}

CASE(thread)
{
	pthread_t t;

	make_pipe();
	pthread_barrier_init(&meet, NULL, 2);
	pthread_create(&t, NULL, thread, NULL);
	pthread_barrier_wait(&meet);
	listen_to(p[0], 40);
	T(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_TID, thread_id));
	V(R(fcntl, p[0], F_GETOWN) == thread_id);
	T(write, p[1], "x", 1);
	told("the process");
	Q(fcntl, p[0], F_SETSIG, 0);
	T(write, p[1], "x", 1);
	told("the process");
	Q(fcntl, p[0], F_SETSIG, 40);
	pthread_barrier_wait(&meet);
	pthread_barrier_wait(&meet);
	/* by the id of a thread, but all of them are meant */
	T(fcntl, p[0], F_SETOWN, thread_id);
	V(R(fcntl, p[0], F_GETOWN) == 0);
	say_owner("a thread's id");
	T(write, p[1], "x", 1);
	told("the process");
	T(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_PID, thread_id));
	T(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_TID, getpid()));
	T(write, p[1], "x", 1);
	told("the first thread");
	pthread_barrier_wait(&meet);
	pthread_join(t, NULL);
	T(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_TID, getpid()));
	T(write, p[1], "x", 1);
	told("the first thread");
}

CASE(thread_gone)
{
	pthread_t t;

	make_pipe();
	pthread_barrier_init(&meet, NULL, 2);
	pthread_create(&t, NULL, thread, NULL);
	pthread_barrier_wait(&meet);
	listen_to(p[0], 40);
	Q(fcntl, p[0], F_SETOWN_EX, own(F_OWNER_TID, thread_id));
	for (int i = 0; i < 3; i++)
		pthread_barrier_wait(&meet);
	pthread_join(t, NULL);
	while (R(tgkill, getpid(), thread_id, 0) == 0)
		R(sched_yield);
	T(fcntl, p[0], F_GETOWN);
	say_owner("gone");
	T(write, p[1], "x", 1);
	told("we");
}

CASE(kept_by_exec)
{
	static char *args[] = { "cat", NULL };
	pid_t pid;
	int q[2];

	Q(pipe2, p, 0);
	Q(pipe2, q, O_CLOEXEC);
	pid = child();
	if (!pid) {
		R(close, p[1]);
		Q(dup3, p[0], 0, 0);
		listen_to(0, SIGUSR1);
		execv("/bin/cat", args);
		end(99);
	}
	R(close, q[1]);
	T(read, q[0], buf, 1);		/* 0: it runs the other program */
	V(R(fcntl, p[0], F_GETOWN) == pid);
	T(write, p[1], "x", 1);
	W(reap(pid));
}

/* --- Rights ------------------------------------------------------------------------------ */

/* A sender with real and effective ids @r and @e, and the receiver that it names the owner. */
static void rights(int r, int e, int to_r, int to_s)
{
	int ready[2], go[2];
	pid_t to, from;

	Q(pipe2, ready, 0);
	Q(pipe2, go, 0);
	to = child();
	if (!to) {
		Q(setresuid, to_r, 98, to_s);
		Q(write, ready[1], "x", 1);
		Q(read, go[0], buf, 1);
		told("told");
		end(0);
	}
	Q(read, ready[0], buf, 1);
	say("from %d, %d to %d, %d", r, e, to_r, to_s);
	from = child();
	if (!from) {
		Q(setresuid, r, e, 99);
		T(fcntl, p[0], F_SETOWN, to);
		Q(write, p[1], "x", 1);
		end(0);
	}
	reap(from);
	Q(write, go[1], "x", 1);
	reap(to);
}

CASE(rights)
{
	make_pipe();
	Q(fcntl, p[0], F_SETSIG, 40);
	Q(fcntl, p[0], F_SETFL, O_NONBLOCK | O_ASYNC);
	rights(0, 0, 5, 6);
	rights(7, 0, 5, 6);
	rights(0, 7, 5, 6);
	rights(5, 7, 5, 6);
	rights(6, 7, 5, 6);
	rights(7, 5, 5, 6);
	rights(7, 6, 5, 6);
	rights(7, 8, 5, 6);
	rights(98, 98, 5, 6);
	rights(99, 99, 99, 0);
	rights(7, 7, 0, 0);
}

CASE(rights_of_the_one_who_set_it)
{
	pid_t pid;

	make_pipe();
	pid = child();
	if (!pid) {
		Q(setresuid, 5, 5, 5);
		Q(fcntl, p[0], F_SETOWN, getppid());
		end(0);
	}
	reap(pid);
	Q(fcntl, p[0], F_SETSIG, 40);
	Q(fcntl, p[0], F_SETFL, O_NONBLOCK | O_ASYNC);
	T(write, p[1], "x", 1);
	told("set by another user, written by root");
	Q(fcntl, p[0], F_SETOWN, getpid());
	pid = child();
	if (!pid) {
		Q(setresuid, 5, 5, 5);
		Q(write, p[1], "x", 1);
		end(0);
	}
	reap(pid);
	told("set by root, written by another user");
	Q(setresuid, 5, 5, 5);
	T(write, p[1], "x", 1);
	told("who has given up root");
}

CASE(rights_in_a_group)
{
	int go[2][2];
	pid_t pid[2];

	make_pipe();
	pid[0] = listener("root's", go[0]);
	Q(setpgid, pid[0], 0);
	pid[1] = child();
	if (!pid[1]) {
		Q(setpgid, 0, pid[0]);
		Q(setresuid, 5, 5, 5);
		T(fcntl, p[0], F_SETOWN, -pid[0]);
		T(fcntl, p[0], F_SETSIG, 40);
		T(fcntl, p[0], F_SETFL, O_NONBLOCK | O_ASYNC);
		Q(write, p[1], "x", 1);
		told("user's");
		end(0);
	}
	reap(pid[1]);
	finish(pid[0], go[0]);
}
