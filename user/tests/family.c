/*
 * Parents and children at their edges: end signals, subreapers, alternate stacks with
 * SS_AUTODISARM.
 */
#include <sys/prctl.h>
#include "test.h"

/* --- The end of the parent --- */

static void end_of_parent_is_told(void)
{
	int up[2];
	char c;
	pid_t pid;

	CHECK_EQ(pipe(up), 0);
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			sigset_t set;
			int sig;

			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
			CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
			CHECK_EQ(write(up[1], "r", 1), 1);
			CHECK_EQ(sigwait(&set, &sig), 0);
			CHECK_EQ(write(up[1], "s", 1), 1);
			_exit(0);
		}
		CHECK_EQ(read(up[0], &c, 1), 1);
		_exit(0);
	}
	expect_exit(pid, 0);
	close(up[1]);
	CHECK_EQ(read(up[0], &c, 1), 1);
	CHECK_EQ(c, 's');
	CHECK_EQ(read(up[0], &c, 1), 0);
}

static void subreapers_get_orphans(void)
{
	pid_t *orphan = shared_memory(4096), pid;
	int on = 0;

	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &on), 0);
	CHECK_EQ(on, 1);
	pid = fork();
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			_exit(9);
		*orphan = pid;
		await_state(*orphan, 'Z');
		_exit(3);
	}
	expect_exit(pid, 3);
	expect_exit(*orphan, 9);
	CHECK_ERRNO(wait(NULL), ECHILD);
}

static volatile sig_atomic_t told;

static void count(int sig)
{
	(void)sig;
	told++;
}

/*
 * Leaves a zombie to this process, a subreaper that sleeps, while the parent of the zombie's parent
 * goes on. The page returned has the zombie's id, and behind it 1 once that has happened.
 */
static volatile pid_t *leave_zombie(int go[2])
{
	volatile pid_t *orphan = shared_memory(4096);
	pid_t reaper = getpid(), pid;
	char c;

	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	CHECK_EQ(pipe(go), 0);
	pid = fork();
	if (pid)
		close(go[0]);
	if (pid == 0) {
		close(go[1]);
		signal(SIGCHLD, SIG_DFL);
		pid = fork();
		if (pid == 0) {
			pid = fork();
			if (pid == 0)
				_exit(9);
			*orphan = pid;
			await_state(pid, 'Z');
			await_state(reaper, 'S');
			_exit(3);
		}
		expect_exit(pid, 3);
		orphan[1] = 1;
		CHECK_EQ(read(go[0], &c, 1), 0);
		_exit(4);
	}
	return orphan;
}

static pid_t inherit_zombie(int go[2])
{
	volatile pid_t *orphan = leave_zombie(go);

	while (!orphan[1])
		usleep(1000);
	return *orphan;
}

/* The new parent of a zombie is told as if the child had ended then. */
static void zombies_are_reported(void)
{
	int go[2];
	pid_t orphan;

	signal(SIGCHLD, count);
	orphan = inherit_zombie(go);
	CHECK_EQ(told, 1);
	expect_exit(orphan, 9);
	close(go[1]);
	CHECK(wait(NULL) > 0);
}

static void zombies_end_a_wait(void)
{
	int go[2];
	volatile pid_t *orphan = leave_zombie(go);
	pid_t first = wait(NULL);

	CHECK_EQ(first, *orphan);
	close(go[1]);
	CHECK(wait(NULL) > 0);
}

static void unwanted_zombies_go(void)
{
	int go[2];

	signal(SIGCHLD, SIG_IGN);
	CHECK_ERRNO(kill(inherit_zombie(go), 0), ESRCH);
	close(go[1]);
	CHECK_ERRNO(wait(NULL), ECHILD);
}

/* --- Waiting --- */

/* Group 1 is a group as any other. */
static void members_of_group_1(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(setpgid(0, 0) ? 2 : 1);
	await_state(pid, 'Z');
	CHECK_ERRNO(waitid(P_PGID, 1, NULL, WEXITED | WNOHANG), ECHILD);
	expect_exit(pid, 1);
}

static void kinds_of_children(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(1);
	CHECK_ERRNO(waitpid(pid, NULL, __WCLONE), ECHILD);	/* it ends with SIGCHLD */
	CHECK_EQ(waitpid(pid, NULL, __WALL), pid);
	CHECK_ERRNO(waitid(P_PID, 0, NULL, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(waitid(99, 0, NULL, WEXITED), EINVAL);
}

/* --- Stacks for handlers --- */

static char stack[64 << 10] __attribute__((aligned(16)));
static stack_t seen;

static void look(int sig)
{
	(void)sig;
	CHECK_EQ(sigaltstack(NULL, &seen), 0);
}

static void stack_flags(void)
{
	struct sigaction action = { .sa_handler = look, .sa_flags = SA_ONSTACK };
	stack_t s = { .ss_sp = stack, .ss_size = sizeof(stack) };

	for (int flags = 3; flags < 8; flags++) {
		s.ss_flags = flags;
		CHECK_ERRNO(sigaltstack(&s, NULL), EINVAL);
	}
	CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	s.ss_flags = 0;
	CHECK_EQ(sigaltstack(&s, NULL), 0);
	raise(SIGUSR1);
	CHECK_EQ(seen.ss_flags, SS_ONSTACK);
	s.ss_flags = (int)(1u << 31);			/* SS_AUTODISARM */
	CHECK_EQ(sigaltstack(&s, NULL), 0);
	raise(SIGUSR1);
	CHECK_EQ(seen.ss_flags, SS_DISABLE);
	CHECK_EQ(sigaltstack(NULL, &seen), 0);
	CHECK_EQ(seen.ss_flags, (int)(1u << 31));
	CHECK_EQ(seen.ss_size, sizeof(stack));
	s.ss_sp = (char *)&s - sizeof(stack) / 2;	/* around us, and not in use all the same */
	CHECK_EQ(sigaltstack(&s, NULL), 0);
	CHECK_EQ(sigaltstack(&s, &seen), 0);
	CHECK_EQ(seen.ss_flags, (int)(1u << 31));
	s.ss_flags = SS_DISABLE;
	CHECK_EQ(sigaltstack(&s, NULL), 0);
}

/* --- Errors of signals, in Linux's order --- */

static void order_of_checks(void)
{
	CHECK_ERRNO(kill(0x3fffffff, 65), ESRCH);
	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(tgkill(getpid(), 0x3fffffff, 65), ESRCH);
	CHECK_ERRNO(sigqueue(0x3fffffff, 65, (union sigval){ .sival_int = 1 }), ESRCH);
	CHECK_ERRNO(sigqueue(getpid(), 65, (union sigval){ .sival_int = 1 }), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	CHECK_EQ(setuid(65534), 0);
	CHECK_ERRNO(kill(1, 65), EINVAL);
	CHECK_ERRNO(tgkill(1, 1, -1), EINVAL);
	CHECK_ERRNO(kill(1, 64), EPERM);
}

static const struct test_case cases[] = {
	CASE(end_of_parent_is_told),
	CASE(subreapers_get_orphans),
	CASE(zombies_are_reported),
	CASE(zombies_end_a_wait),
	CASE(unwanted_zombies_go),
	CASE(members_of_group_1),
	CASE(kinds_of_children),
	CASE(stack_flags),
	CASE(order_of_checks),
};

TEST_MAIN(cases)
