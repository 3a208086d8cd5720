/* Waiting for descriptors: ppoll, pselect6. */
#include "diff.h"

static struct pollfd f[4];

CASE(ppoll_errors)
{
	T(ppoll, NULL, 0, ts(0, 0), NULL, 8);
	T(ppoll, NULL, 1, ts(0, 0), NULL, 8);
	T(ppoll, BAD, 1, ts(0, 0), NULL, 8);
	T(ppoll, f, 1025, ts(0, 0), NULL, 8);
	T(ppoll, f, -1, ts(0, 0), NULL, 8);
	T(ppoll, f, 1, ts(-1, 0), NULL, 8);
	T(ppoll, f, 1, ts(0, -1), NULL, 8);
	T(ppoll, f, 1, ts(0, 1000000000), NULL, 8);
	T(ppoll, f, 1, BAD, NULL, 8);
	T(ppoll, f, 1, ts(0, 0), bits(0), 4);
	T(ppoll, f, 1, ts(0, 0), bits(0), 8);
	T(ppoll, f, 1, ts(0, 0), NULL, 4);
	T(ppoll, f, 1, ts(0, 0), BAD, 8);
}

CASE(ppoll_files)
{
	f[0] = (struct pollfd){ 0, POLLIN | POLLOUT | POLLPRI, 0 };
	f[1] = (struct pollfd){ 77, POLLIN, 0 };
	f[2] = (struct pollfd){ -5, POLLIN, 99 };
	f[3] = (struct pollfd){ file("a", ""), POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM, 0 };
	T(ppoll, f, 4, NULL, NULL, 8);
	for (int i = 0; i < 4; i++)
		H(f[i].revents);
	f[0].events = 0;
	T(ppoll, f, 1, ts(0, 0), NULL, 8);
	f[0].fd = Q(openat, AT_FDCWD, ".", O_RDONLY);
	f[0].events = POLLIN | POLLOUT;
	T(ppoll, f, 1, ts(0, 0), NULL, 8);
	H(f[0].revents);
}

CASE(ppoll_remaining)
{
	struct timespec t = { 0, 1000 };

	T(ppoll, NULL, 0, &t, NULL, 8);
	V(t.tv_sec);
	V(t.tv_nsec);
	t.tv_sec = 1000;
	f[0] = (struct pollfd){ 0, POLLIN, 0 };
	T(ppoll, f, 1, &t, NULL, 8);
	V(t.tv_sec >= 900 && t.tv_sec <= 1000);
}

CASE(ppoll_interrupted)
{
	struct timespec t = { 1000, 0 };

	on(SIGUSR1, SA_RESTART);
	poke(SIGUSR1);
	T(ppoll, NULL, 0, NULL, NULL, 8);
	poke(SIGUSR1);
	T(ppoll, NULL, 0, &t, NULL, 8);
	V(t.tv_sec >= 900 && t.tv_sec < 1000);
	V(hits[SIGUSR1]);
}

CASE(ppoll_mask)
{
	unsigned long set;

	on(SIGUSR1, 0);
	block(SIGUSR1);
	Q(kill, getpid(), SIGUSR1);
	T(ppoll, NULL, 0, NULL, bits(0), 8);
	V(hits[SIGUSR1]);
	T(rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
	H(set);
	Q(kill, getpid(), SIGUSR1);
	f[0] = (struct pollfd){ 0, POLLIN, 0 };
	T(ppoll, f, 1, NULL, bits(0), 8);
	V(hits[SIGUSR1]);
}

CASE(ppoll_woken)
{
	int p[2];
	pid_t us = getpid();

	Q(pipe2, p, 0);
	if (!child()) {
		await_blocked(us);
		R(write, p[1], "x", 1);
		end(0);
	}
	f[0] = (struct pollfd){ p[0], POLLIN, 0 };
	T(ppoll, f, 1, NULL, NULL, 8);
	H(f[0].revents);
}

struct mask_argument {
	unsigned long *mask;
	size_t size;
};

CASE(pselect_errors)
{
	unsigned long in[16] = { 0 };
	struct mask_argument m = { bits(0), 4 };

	T(pselect6, 0, NULL, NULL, NULL, ts(0, 0), NULL);
	T(pselect6, -1, NULL, NULL, NULL, ts(0, 0), NULL);
	T(pselect6, 1, BAD, NULL, NULL, ts(0, 0), NULL);
	T(pselect6, 1, in, NULL, NULL, ts(-1, 0), NULL);
	T(pselect6, 1, in, NULL, NULL, ts(0, 1000000000), NULL);
	T(pselect6, 1, in, NULL, NULL, BAD, NULL);
	T(pselect6, 1, in, NULL, NULL, ts(0, 0), &m);
	T(pselect6, 1, in, NULL, NULL, ts(0, 0), BAD);
	in[0] = 1UL << 50;
	T(pselect6, 51, in, NULL, NULL, ts(0, 0), NULL);
	T(pselect6, 50, in, NULL, NULL, ts(0, 0), NULL);
	H(in[0]);
	in[0] = 0;
	T(pselect6, 2000, in, NULL, NULL, ts(0, 0), NULL);
}

CASE(pselect_ready)
{
	unsigned long in[16] = { 0 }, out[16] = { 0 }, ex[16] = { 0 };
	int p[2];

	Q(pipe2, p, 0);
	in[0] = 1UL << p[0] | 1;
	out[0] = 1UL << p[1] | 1;
	ex[0] = 1;
	T(pselect6, 5, in, out, ex, ts(0, 0), NULL);
	H(in[0]);
	H(out[0]);
	H(ex[0]);
	Q(close, p[1]);
	in[0] = 1UL << p[0];
	T(pselect6, 4, in, NULL, NULL, NULL, NULL);
	H(in[0]);
	in[0] = 0;
	T(pselect6, 4, in, NULL, NULL, ts(0, 1000), NULL);
}

CASE(pselect_mask)
{
	struct mask_argument m = { bits(0), 8 };

	on(SIGUSR1, SA_RESTART);
	block(SIGUSR1);
	Q(kill, getpid(), SIGUSR1);
	T(pselect6, 0, NULL, NULL, NULL, NULL, &m);
	V(hits[SIGUSR1]);
}
