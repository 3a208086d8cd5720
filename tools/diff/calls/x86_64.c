/* Calls that only x86_64 has: older forms of others. */
#include "diff.h"

#ifdef __x86_64__

CASE(open)
{
	T(open, "a", O_CREAT | O_RDWR, 0600);
	T(open, "gone", O_RDONLY);
	T(creat, "b", 0640);
	T(creat, ".", 0640);
	T(access, "a", R_OK);
	T(access, "gone", F_OK);
	T(access, "a", 8);
}

CASE(names)
{
	T(mkdir, "d", 0755);
	T(mkdir, "d", 0755);
	T(rmdir, "gone");
	T(rmdir, ".");
	T(symlink, "x", "l");
	T(readlink, "l", buf, 10);
	T(readlink, "d", buf, 10);
	T(link, "gone", "y");
	T(rename, "d", "e");
	T(renameat, AT_FDCWD, "e", AT_FDCWD, "d");
	T(unlink, "d");
	T(unlink, "l");
	T(rmdir, "d");
	T(chmod, "gone", 0);
	T(chown, "gone", 0, 0);
	T(lchown, "gone", 0, 0);
	T(mknod, "p", S_IFIFO | 0600, 0);
}

CASE(stat)
{
	struct stat st;

	T(stat, ".", &st);
	T(stat, "gone", &st);
	T(lstat, ".", BAD);
	T(utime, ".", NULL);
	T(utimes, "gone", NULL);
	T(futimesat, AT_FDCWD, ".", NULL);
}

CASE(futimesat)
{
	struct timeval t[2] = { { 5, 6 }, { 7, 999999 } };
	struct stat st;

	file("f", "");
	T(futimesat, AT_FDCWD, "f", t);
	Q(stat, "f", &st);
	V(st.st_atim.tv_sec);
	V(st.st_atim.tv_nsec);
	V(st.st_mtim.tv_sec);
	V(st.st_mtim.tv_nsec);
	t[1].tv_usec = 1000000;
	T(futimesat, AT_FDCWD, "f", t);
	t[1].tv_usec = -1;
	T(futimesat, AT_FDCWD, "f", t);
	T(futimesat, AT_FDCWD, "f", BAD);
	T(futimesat, AT_FDCWD, "gone", NULL);
}

CASE(descriptors)
{
	int p[2];

	T(pipe, p);
	T(pipe, BAD);
	T(dup2, 0, 10);
	T(dup2, 10, 10);
	T(dup2, 77, 77);
	T(dup2, 77, 5);
	T(dup2, 0, -1);
	T(dup2, 0, 1024);
	T(eventfd, 5);
	T(getdents, 0, buf, 100);
}

CASE(poll)
{
	struct pollfd f = { 0, POLLIN, 0 };

	T(poll, &f, 1, -1);
	T(poll, &f, 1, 0);
	T(poll, &f, 2000, 0);
	T(poll, BAD, 1, 0);
	T(poll, NULL, 0, 1);
	on(SIGUSR1, SA_RESTART);
	poke(SIGUSR1);
	T(poll, NULL, 0, -1);
}

CASE(select)
{
	unsigned long in[16] = { 1 };
	struct timeval t = { 1000, 0 };

	T(select, 1, in, NULL, NULL, &t);
	V(t.tv_sec > 900);
	H(in[0]);
	t.tv_usec = -1;
	T(select, 1, in, NULL, NULL, &t);
	t = (struct timeval){ 0, 2000000 };
	in[0] = 1;
	T(select, 1, in, NULL, NULL, &t);
	T(select, -1, in, NULL, NULL, &t);
	T(select, 1, in, NULL, NULL, BAD);
	t = (struct timeval){ 0, 1000 };
	T(select, 0, NULL, NULL, NULL, &t);
	V(t.tv_usec);
}

CASE(alarm)
{
	T(alarm, 0);
	T(alarm, 1000);
	V(R(alarm, 0) >= 999);
	T(alarm, 0);
}

CASE(pause)
{
	on(SIGUSR1, SA_RESTART);
	poke(SIGUSR1);
	T(pause);
	V(hits[SIGUSR1]);
}

CASE(processes)
{
	long pid = R(fork);
	unsigned long base;

	if (!pid)
		end(4);
	W(reap(pid));
	V(R(getpgrp) == R(getpid));
	OK(time, NULL);
	T(time, BAD);
	T(arch_prctl, ARCH_GET_FS, &base);
	T(arch_prctl, ARCH_GET_FS, BAD);
	T(arch_prctl, 0x9999, 0);
	T(arch_prctl, ARCH_SET_FS, 1UL << 63);
	T(arch_prctl, ARCH_SET_GS, 0x1234);
	T(arch_prctl, ARCH_GET_GS, &base);
	H(base);
}

#endif
