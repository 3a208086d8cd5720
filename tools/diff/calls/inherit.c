/* A child's inheritance: what it gets, what is shared with it, and what is its own. */
#include "diff.h"

CASE(umask)
{
	Q(umask, 027);
	if (!child()) {
		T(umask, 0);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(umask, 0);
}

CASE(descriptors)
{
	Q(dup3, 0, 9, O_CLOEXEC);
	if (!child()) {
		T(fcntl, 9, F_GETFD);
		T(close, 9);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(fcntl, 9, F_GETFD);
}

CASE(status_flags_are_shared)
{
	Q(dup3, 0, 9, 0);
	if (!child()) {
		T(fcntl, 9, F_SETFL, O_APPEND);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	O(R(fcntl, 9, F_GETFL) & O_APPEND);
}

CASE(descriptor_flags_are_not)
{
	Q(dup3, 0, 9, 0);
	if (!child()) {
		T(fcntl, 9, F_SETFD, 1);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(fcntl, 9, F_GETFD);
}

CASE(folder)
{
	Q(mkdirat, AT_FDCWD, "d", 0755);
	if (!child()) {
		T(chdir, "d");
		T(faccessat, AT_FDCWD, "d", F_OK);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(faccessat, AT_FDCWD, "d", F_OK);
}

CASE(mask)
{
	block(SIGUSR1);
	if (!child()) {
		unsigned long set;

		T(rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
		H(set);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
}

CASE(actions)
{
	on(SIGUSR1, 0);
	if (!child()) {
		T(kill, getpid(), SIGUSR1);
		V(hits[SIGUSR1]);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	V(hits[SIGUSR1]);
}

CASE(alternate_stack)
{
	stack_t s = { .ss_sp = buf, .ss_size = 2 * PAGE };

	Q(sigaltstack, &s, NULL);
	if (!child()) {
		T(sigaltstack, NULL, &s);
		V(s.ss_size);
		V(s.ss_flags);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
}

CASE(niceness)
{
	Q(setpriority, PRIO_PROCESS, 0, 3);
	if (!child()) {
		T(getpriority, PRIO_PROCESS, 0);
		T(setpriority, PRIO_PROCESS, 0, 9);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(getpriority, PRIO_PROCESS, 0);
}

/* 0 goes back to what the creator had, not to the default. */
CASE(timer_slack)
{
	T(prctl, PR_GET_TIMERSLACK);
	Q(prctl, PR_SET_TIMERSLACK, 12345);
	if (!child()) {
		T(prctl, PR_GET_TIMERSLACK);
		T(prctl, PR_SET_TIMERSLACK, 77);
		T(prctl, PR_SET_TIMERSLACK, 0);
		T(prctl, PR_GET_TIMERSLACK);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(prctl, PR_SET_TIMERSLACK, 0);
	T(prctl, PR_GET_TIMERSLACK);
}

CASE(name)
{
	char name[16];

	Q(prctl, PR_SET_NAME, "parent");
	if (!child()) {
		T(prctl, PR_GET_NAME, name);
		S(name);
		T(prctl, PR_SET_NAME, "child");
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(prctl, PR_GET_NAME, name);
	S(name);
}

CASE(no_new_privileges)
{
	Q(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!child()) {
		T(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
}

CASE(death_signal)
{
	int sig;

	Q(prctl, PR_SET_PDEATHSIG, SIGUSR1);
	if (!child()) {
		T(prctl, PR_GET_PDEATHSIG, &sig);
		V(sig);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(prctl, PR_GET_PDEATHSIG, &sig);
	V(sig);
}

CASE(heap)
{
	long b = R(brk, 0);

	Q(brk, b + PAGE);
	if (!child()) {
		V(R(brk, 0) - b);
		V(R(brk, b + 4 * PAGE) - b);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	V(R(brk, 0) - b);
}

/* Locked pages are the parent's alone: the child may do with its copies what it likes. */
CASE(locked_memory)
{
	char *p = pages(4, PROT_READ | PROT_WRITE, 0);

	Q(mlock, p, 2 * PAGE);
	if (!child()) {
		T(madvise, p, PAGE, MADV_DONTNEED);
		T(munmap, p, PAGE);
		Q(setresuid, 1000, 1000, 1000);
		Q(prlimit64, 0, RLIMIT_MEMLOCK, lim(PAGE, PAGE), NULL);
		T(mlock, p + PAGE, PAGE);
		T(mlock, p + 2 * PAGE, PAGE);
		T(munlock, p + PAGE, PAGE);
		T(mlock, p + 2 * PAGE, PAGE);
		end(0);
	}
	W(reap(-1));
	T(madvise, p, PAGE, MADV_DONTNEED);
}

CASE(session)
{
	if (!child()) {
		V(R(getsid, 0) == getppid());
		V(R(getpgid, 0) == getppid());
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
}

CASE(group_changes)
{
	pid_t group = getpgrp();

	if (!child()) {
		R(setpgid, 0, 0);
		V(getpgrp() == getpid());
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	V(getpgrp() == group);
}

/* --- Actions of signals, which CLONE_SIGHAND shares ------------------------------------------ */

/* A child in our memory, which runs @body on a stack of its own. */
static pid_t child_beside(long flags, void (*body)(void))
{
	char *stack = pages(16, PROT_READ | PROT_WRITE, 0) + 16 * PAGE;
#ifdef __x86_64__
	long pid = NR_clone;
	register long parent_tid __asm__("rdx") = 0;
	register long child_tid __asm__("r10") = 0;
	register long tls __asm__("r8") = 0;

	__asm__ volatile("syscall\n\ttest %0, %0\n\tjnz 1f\n\tcall *%3\n1:"
			 : "+a"(pid), "+D"(flags), "+S"(stack)
			 : "b"(body), "r"(parent_tid), "r"(child_tid), "r"(tls)
			 : "rcx", "r11", "cc", "memory");
#else
	register long pid __asm__("a0") = flags;
	register char *top __asm__("a1") = stack;
	register long parent_tid __asm__("a2") = 0;
	register long tls __asm__("a3") = 0;
	register long child_tid __asm__("a4") = 0;
	register long call __asm__("a7") = NR_clone;
	register void (*go)(void) __asm__("s2") = body;

	__asm__ volatile("ecall\n\tbnez a0, 1f\n\tjalr s2\n1:"
			 : "+r"(pid)
			 : "r"(top), "r"(parent_tid), "r"(tls), "r"(child_tid), "r"(call), "r"(go)
			 : "ra", "memory");
#endif
	return pid;
}

static void show_alternate_stack(void)
{
	stack_t s;

	T(sigaltstack, NULL, &s);
	V(s.ss_flags);
	end(0);
}

/* In a memory with two users it would serve both at once; unless one waits, as after vfork(). */
CASE(alternate_stack_beside)
{
	stack_t s = { .ss_sp = buf, .ss_size = 2 * PAGE };

	Q(sigaltstack, &s, NULL);
	W(reap(child_beside(CLONE_VM | SIGCHLD, show_alternate_stack)));
	W(reap(child_beside(CLONE_VM | CLONE_VFORK | SIGCHLD, show_alternate_stack)));
}

static const char *action_of(int sig)
{
	struct sigaction a;

	sigaction(sig, NULL, &a);
	return a.sa_handler == SIG_DFL ? "default" : a.sa_handler == SIG_IGN ? "ignore" : "handler";
}

static void ignore(int sig)
{
	struct sigaction a = { .sa_handler = SIG_IGN };

	sigaction(sig, &a, NULL);
}

static void show_actions(void)
{
	S(action_of(SIGUSR1));
	S(action_of(SIGUSR2));
	S(action_of(SIGTERM));
}

static void change_actions(void)
{
	show_actions();
	ignore(SIGUSR1);
	on(SIGUSR2, 0);
	on(SIGTERM, SA_RESETHAND);
	R(kill, R(getpid), SIGTERM);
	V(hits[SIGTERM]);
	end(0);
}

static int before_going_on[2], gone_on[2];

static void fork_and_wait(void)
{
	pid_t pid = R(clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid) {
		on(SIGUSR1, 0);		/* a copy of its own */
		end(0);
	}
	R(wait4, pid, NULL, 0, NULL);
	R(write, gone_on[1], "x", 1);
	R(read, before_going_on[0], buf, 1);
	end(5);
}

CASE(actions_are_copied)
{
	on(SIGUSR1, 0);
	W(reap(child_beside(CLONE_VM | SIGCHLD, change_actions)));
	show_actions();
}

CASE(actions_are_shared)
{
	T(clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0);
	on(SIGUSR1, 0);
	W(reap(child_beside(CLONE_VM | CLONE_SIGHAND | SIGCHLD, change_actions)));
	show_actions();
	W(reap(child_beside(CLONE_VM | CLONE_SIGHAND | SIGCHLD, change_actions)));
	show_actions();
}

static void wait_for_end(void)
{
	for (;;)
		pause();
}

/* Which pairs share them, as kcmp() says: parent and child, two such children, and others. */
CASE(actions_are_the_same)
{
	const long shared = CLONE_VM | CLONE_SIGHAND | SIGCHLD;
	pid_t pids[] = { getpid(), child_beside(shared, wait_for_end),
			 child_beside(shared, wait_for_end),
			 child_beside(CLONE_VM | SIGCHLD, wait_for_end) };

	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 4; k++)
			say("%d and %d: %s", i, k,
			    R(kcmp, pids[i], pids[k], 4) ? "apart" : "shared");
	for (int i = 1; i < 4; i++) {
		Q(kill, pids[i], SIGKILL);
		reap(pids[i]);
	}
}

CASE(actions_are_shared_by_several)
{
	pid_t one, two;

	Q(pipe2, before_going_on, 0);
	Q(pipe2, gone_on, 0);
	one = child_beside(CLONE_VM | CLONE_SIGHAND | SIGCHLD, fork_and_wait);
	two = child_beside(CLONE_VM | CLONE_SIGHAND | SIGCHLD, fork_and_wait);
	Q(read, gone_on[0], buf, 1);
	Q(read, gone_on[0], buf, 1);
	show_actions();
	ignore(SIGUSR1);
	Q(kill, one, SIGUSR1);
	Q(kill, one, SIGKILL);
	W(reap(one));
	ignore(SIGUSR2);
	Q(kill, two, SIGUSR1);
	Q(kill, two, SIGUSR2);
	Q(write, before_going_on[1], "x", 1);
	W(reap(two));
	on(SIGUSR1, 0);
	show_actions();
}

static void become_shell(void)
{
	char *arguments[] = { "sh", "-c", "trap '' USR1 TERM; exit 3", NULL };

	R(execve, "/bin/sh", arguments, NULL);
	end(9);
}

CASE(exec_ends_sharing_actions)
{
	on(SIGUSR1, 0);
	ignore(SIGUSR2);
	W(reap(child_beside(CLONE_VM | CLONE_SIGHAND | SIGCHLD, become_shell)));
	show_actions();
}

/* --- What a child is told, and what it stops sharing ------------------------------------------ */

/* In the child: whether its id is stored. The place of the address depends on the machine. */
static void show_child_tid(long flags)
{
	int tid = -1;
	pid_t pid = Q(clone, SIGCHLD | flags, 0, NULL, &tid, &tid);

	if (!pid) {
		V(tid == -1 ? -1 : tid == R(getpid));
		end(0);
	}
	W(reap(pid));
	V(tid);
}

CASE(child_tid)
{
	show_child_tid(CLONE_CHILD_SETTID);
	show_child_tid(0);
}

CASE(unshare_files)
{
	int fd = file("f", "abc"), other = file("g", "def");
	pid_t pid = Q(clone, SIGCHLD | CLONE_FILES, 0, 0, 0, 0);

	if (!pid) {
		T(close_range, fd, fd, CLOSE_RANGE_UNSHARE);
		T(fcntl, fd, F_GETFD);
		T(pread64, other, buf, 3, 0);
		R(dup3, 0, 9, 0);
		end(0);
	}
	W(reap(pid));
	T(fcntl, fd, F_GETFD);
	T(fcntl, 9, F_GETFD);
}
