/* Processes, signals, scheduling and ids with every two arguments; pairs.h says how. */
#include <limits.h>

#include "pairs.h"

#define NOBODY      0x7ffffff0 /* no process has this id */

#define CLONE3(...) AT(struct linux_clone_args, .exit_signal = SIGCHLD, __VA_ARGS__)
#define IDS         ((uint64_t)(uintptr_t)num(1))

CASE(clone)
{
	PAIRS(clone,
	      A(SIGCHLD, 65, CLONE_VM | CLONE_THREAD, CLONE_SIGHAND, CLONE_FS | 0x20000,
		0x1000 | SIGCHLD),
	      A(0), A(num(0), BAD), A(0), A(0));
	PAIRS(clone3,
	      A(CLONE3(.flags = 0), CLONE3(.flags = 1), CLONE3(.flags = 1UL << 34),
		CLONE3(.set_tid_size = 1), CLONE3(.set_tid = IDS),
		CLONE3(.set_tid = IDS, .set_tid_size = 33), CLONE3(.stack = 4096),
		CLONE3(.stack_size = 4096), CLONE3(.stack = 4096, .stack_size = -1),
		CLONE3(.flags = 0x10000), BAD),
	      A(sizeof(struct linux_clone_args), 0, 63, 64, 80, 4097, -1));
	PAIRS(clone3,
	      A(CLONE3(.flags = 0), CLONE3(.flags = CLONE_PARENT), CLONE3(.flags = CLONE_SIGHAND),
		CLONE3(.flags = 0x1000), CLONE3(.flags = 0x00400000),
		AT(struct linux_clone_args, .exit_signal = 65),
		AT(struct linux_clone_args, .exit_signal = -1),
		CLONE3(.flags = 1UL << 32 | CLONE_VM | CLONE_SIGHAND), CLONE3(.cgroup = -1)),
	      A(sizeof(struct linux_clone_args), 64));
}

CASE(waits)
{
	PAIRS(wait4, A(-1, getpid(), NOBODY, INT_MIN, -NOBODY), A(NULL, BAD),
	      A(0, WNOHANG, WUNTRACED, 0x80000000, 0x40000000, 16), A(NULL, BAD));
	PAIRS(waitid, A(P_ALL, P_PID, P_PGID, 3, 9, -1), A(getpid(), 0, -1, NOBODY),
	      A(buf, NULL, BAD), A(WEXITED, 0, WEXITED | WNOHANG, WSTOPPED, 0x80, -1),
	      A(NULL, BAD));
	PAIRS(setpgid, A(0, getpid(), NOBODY, -1), A(0, -1, NOBODY, 1));
	PAIRS(getpgid, A(0, -1, NOBODY));
	PAIRS(getsid, A(0, -1, NOBODY));
}

CASE(signals)
{
	unsigned char info[128] = { 0 };
	unsigned char from_kernel[128] = { 0 };
	int self = Q(pidfd_open, getpid(), 0), set = Q(signalfd4, -1, bits(1), 8, 0),
	    f = file("f", "");

	on(64, 0);
	info[0] = SIGURG;
	*(int *)(info + 8) = -1; /* SI_QUEUE */
	from_kernel[0] = SIGURG;
	PAIRS(kill, A(getpid(), NOBODY, -NOBODY, INT_MIN), A(0, SIGURG, 64, 65, -1));
	PAIRS(tkill, A(getpid(), NOBODY, 0, -1), A(0, SIGURG, 64, 65, -1));
	PAIRS(tgkill, A(getpid(), NOBODY, 0, -1), A(getpid(), NOBODY, 0, -1),
	      A(0, SIGURG, 65, -1));
	PAIRS(rt_sigaction, A(SIGUSR1, SIGKILL, SIGSTOP, 0, 64, 65, -1), A(NULL, buf, BAD),
	      A(NULL, buf + 64, BAD), A(8, 0, 4, 16));
	PAIRS(rt_sigprocmask, A(SIG_BLOCK, SIG_SETMASK, 3, -1), A(NULL, bits(-1), BAD),
	      A(NULL, buf, BAD), A(8, 0, 4, 16));
	PAIRS(rt_sigpending, A(buf, BAD), A(8, 0, 4, 9, -1));
	PAIRS(rt_sigtimedwait, A(bits(0), bits(-1), NULL, BAD), A(buf, NULL, BAD),
	      A(TIME(0, 0), TIME(-1, 0), TIME(0, -1), TIME(0, 1000000000), BAD), A(8, 0, 16));
	PAIRS(rt_sigqueueinfo, A(getpid(), NOBODY, -1, 0), A(SIGURG, 0, 65, -1),
	      A(info, from_kernel, BAD));
	PAIRS(rt_tgsigqueueinfo, A(getpid(), NOBODY, -1, 0), A(getpid(), NOBODY, -1, 0),
	      A(SIGURG, 0, 65), A(info, from_kernel, BAD));
	PAIRS(pidfd_send_signal, A(self, 77, f, -1), A(0, SIGURG, 65, -1),
	      A(NULL, info, from_kernel, BAD), A(0, 8, -1));
	PAIRS(pidfd_open, A(getpid(), NOBODY, 0, -1), A(0, O_NONBLOCK, 1, -1));
	PAIRS(pidfd_getfd, A(self, 77, f), A(f, 77, -1), A(0, 1));
	PAIRS(signalfd4, A(-1, 77, f, set), A(bits(1), BAD, bits(-1)), A(8, 0, 4, 16),
	      A(0, O_NONBLOCK, 1));
	PAIRS(sigaltstack,
	      A(NULL, AT(stack_t, buf, 0, 8192), AT(stack_t, buf, 1, 8192),
		AT(stack_t, buf, 2, 8192), AT(stack_t, buf, 0, 100), AT(stack_t, buf, 2, 100),
		AT(stack_t, buf, 9, 8192), BAD),
	      A(NULL, buf, BAD));
	PAIRS(set_robust_list, A(buf, BAD, NULL), A(24, 0, 23, 25));
	PAIRS(get_robust_list, A(0, getpid(), NOBODY, -1), A(buf, BAD), A(buf + 8, BAD));
}

CASE(settings)
{
	PAIRS(prctl, A(PR_SET_PDEATHSIG, 2, 3, 4, 7, 8, 15, 16, 21, 29, 30), A(1, 0, 65, -1, BAD),
	      A(0), A(0), A(0));
	PAIRS(prctl, A(PR_SET_NO_NEW_PRIVS, 39), A(1, 0, 2), A(0, 1), A(0, 1), A(0, 1));
	PAIRS(prctl, A(36, 37), A(1, 0, -1, buf, BAD), A(0, 1), A(0), A(0));
	PAIRS(prctl, A(47), A(1, 2, 3, 4, 5), A(0, 10, 40, 41, -1), A(0, 1), A(0, 1));
	PAIRS(membarrier, A(0, 1, 2, 8, 16, 1 << 20, -1), A(0, 1, -1), A(0, 1));
	PAIRS(kcmp, A(getpid(), NOBODY, -1), A(getpid(), NOBODY, -1),
	      A(0, 1, 2, 3, 4, 5, 6, 8, 9, -1), A(0, 77, -1), A(0, 77));
	PAIRS(personality, A(0xffffffff, 0, 0x40000));
	PAIRS(umask, A(022, -1, 0));
}

#define SCHED(...) AT(struct linux_sched_attr, .size = 48, __VA_ARGS__)

CASE(scheduling)
{
	PAIRS(sched_setscheduler, A(0, getpid(), NOBODY, -1),
	      A(SCHED_OTHER, SCHED_FIFO, SCHED_RR, 3, 4, 5, 6, 9, -1),
	      A(num(0), num(1), num(99), num(100), num(-1), NULL, BAD));
	PAIRS(sched_getscheduler, A(0, getpid(), NOBODY, -1));
	PAIRS(sched_setparam, A(0, getpid(), NOBODY, -1), A(num(0), num(1), num(-1), NULL, BAD));
	PAIRS(sched_getparam, A(0, getpid(), NOBODY, -1), A(buf, NULL, BAD));
	PAIRS(sched_setattr, A(0, getpid(), NOBODY, -1),
	      A(SCHED(.nice = 0), SCHED(.nice = 20), SCHED(.nice = -1), SCHED(.policy = 1),
		SCHED(.policy = 1, .priority = 1), SCHED(.priority = 1), SCHED(.flags = 1),
		SCHED(.flags = 0x100), SCHED(.policy = 9), NULL, BAD),
	      A(0, 1, -1));
	PAIRS(sched_setattr, A(0),
	      A(SCHED(.nice = 0), AT(struct linux_sched_attr, .size = 0),
		AT(struct linux_sched_attr, .size = 47),
		AT(struct linux_sched_attr, .size = 4097),
		AT(struct linux_sched_attr, .size = 56)),
	      A(0, 1));
	PAIRS(sched_getattr, A(0, getpid(), NOBODY, -1), A(buf, NULL, BAD),
	      A(48, 0, 47, 56, 4096, 4097, -1), A(0, 1));
	PAIRS(sched_get_priority_max, A(0, 1, 2, 3, 4, 5, 6, -1));
	PAIRS(sched_get_priority_min, A(0, 1, 2, 3, 4, 5, 6, -1));
	PAIRS(sched_rr_get_interval, A(0, getpid(), NOBODY, -1), A(buf, BAD));
	PAIRS(setpriority, A(PRIO_PROCESS, PRIO_PGRP, 3, -1), A(0, getpid(), NOBODY, -1),
	      A(19, 100));
	PAIRS(getpriority, A(PRIO_PROCESS, PRIO_PGRP, PRIO_USER, 3, -1),
	      A(0, getpid(), NOBODY, -1));
	PAIRS(ioprio_set, A(1, 2, 0, 4, -1), A(0, getpid(), NOBODY, -1),
	      A(0, 2 << 13, 1 << 13, 3 << 13, 4 << 13, 2 << 13 | 8, -1));
	PAIRS(ioprio_get, A(1, 2, 0, 4, -1), A(0, getpid(), NOBODY, -1));
	PAIRS(sched_getaffinity, A(0, getpid(), NOBODY, -1), A(1024, 0, 1, 12, -1), A(buf, BAD));
	PAIRS(sched_setaffinity, A(0, getpid(), NOBODY, -1), A(8, 0, 1, -1),
	      A(bits(1), bits(0), BAD));
	PAIRS(getcpu, A(buf, NULL, BAD), A(buf + 8, NULL, BAD));
}

CASE(ids)
{
	static unsigned head[2] = { 0x20080522, 0 }, old[2] = { 0x19980330, 0 },
			odd[2] = { 5, 0 };
	static unsigned other[2] = { 0x20080522, NOBODY }, negative[2] = { 0x20080522, -1 };

	PAIRS(setuid, A(0, 5, -1));
	PAIRS(setgid, A(0, 5, -1));
	PAIRS(setreuid, A(0, 5, -1, 1000), A(0, 5, -1, 1000));
	PAIRS(setregid, A(0, 5, -1, 1000), A(0, 5, -1, 1000));
	PAIRS(setresuid, A(0, 5, -1, 1000), A(0, 5, -1, 1000), A(0, 5, -1, 1000));
	PAIRS(setresgid, A(0, 5, -1, 1000), A(0, 5, -1, 1000), A(0, 5, -1, 1000));
	PAIRS(getresuid, A(buf, BAD), A(buf, BAD), A(buf, BAD));
	PAIRS(getgroups, A(0, 1, 100, -1), A(buf, BAD));
	PAIRS(setgroups, A(0, 1, 65537, -1), A(buf, BAD));
	PAIRS(capget, A(head, old, odd, other, negative, BAD), A(buf, NULL, BAD));
	PAIRS(capset, A(head, old, odd, other, negative, BAD), A(buf, BAD));
}

CASE(limits)
{
	drop_cap(SYS_RESOURCE);
	PAIRS(getrlimit, A(RLIMIT_NOFILE, 15, 16, -1), A(buf, BAD));
	PAIRS(setrlimit, A(RLIMIT_NOFILE, RLIMIT_CPU, RLIMIT_CORE, 16, -1),
	      A(lim(100, 4096), lim(5000, 4096), lim(0, 1 << 30), lim(100, 200), BAD));
	PAIRS(prlimit64, A(0, getpid(), NOBODY, -1), A(RLIMIT_NOFILE, 16, -1),
	      A(NULL, lim(100, 4096), lim(9, 8), lim(9, 1 << 30), BAD), A(NULL, buf, BAD));
	PAIRS(getrusage, A(0, -1, 1, 2, -2), A(buf, BAD));
	PAIRS(times, A(buf, NULL, BAD));
	PAIRS(uname, A(buf, BAD));
	PAIRS(sysinfo, A(buf, BAD));
	PAIRS(getrandom, A(buf, BAD), A(8, 0, -1), A(0, 1, 4, 2 | 4, 8));
}
