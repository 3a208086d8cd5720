/* Process groups, sessions, and orphans. */
#include "test.h"

static pid_t sleeper(pid_t group)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		setpgid(0, group);
		for (;;)
			pause();
	}
	setpgid(pid, group);
	return pid;
}

static void children_are_in_the_parents_group(void)
{
	pid_t group = getpgrp(), session = getsid(0), pid = fork();

	if (pid == 0)
		_exit(getpgrp() != group || getsid(0) != session);
	expect_exit(pid, 0);
	CHECK_EQ(getpgid(0), group);
	CHECK_EQ(getpgid(getpid()), group);
}

static void a_new_group(void)
{
	pid_t a = sleeper(0), b = sleeper(a);

	CHECK_EQ(getpgid(a), a);
	CHECK_EQ(getpgid(b), a);
	CHECK(getpgrp() != a);
	CHECK_EQ(kill(-a, SIGTERM), 0);
	expect_signal(a, SIGTERM);
	expect_signal(b, SIGTERM);
	CHECK_ERRNO(kill(-a, 0), ESRCH);
}

static void errors(void)
{
	pid_t a = sleeper(0);

	CHECK_ERRNO(setpgid(-1, 0), EINVAL);
	CHECK_ERRNO(setpgid(a, -1), EINVAL);
	CHECK_ERRNO(setpgid(a, 1 << 22), EPERM);	/* our session has no such group */
	CHECK_ERRNO(getpgid(1 << 22), ESRCH);
	CHECK_ERRNO(getsid(1 << 22), ESRCH);
	CHECK_ERRNO(kill(-(1 << 22), SIGTERM), ESRCH);
	CHECK_EQ(kill(a, SIGKILL), 0);
	expect_signal(a, SIGKILL);
}

static void kill_the_own_group(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		sleeper(getpid());
		sleeper(getpid());
		kill(0, SIGUSR1);
		_exit(1);
	}
	expect_signal(pid, SIGUSR1);
}

static void wait_for_a_group(void)
{
	pid_t a = sleeper(0), b = sleeper(0), c = sleeper(b);
	int status;

	CHECK_EQ(kill(-b, SIGTERM), 0);
	CHECK_EQ(kill(a, SIGTERM), 0);
	for (int i = 0; i < 2; i++) {
		pid_t pid = waitpid(-b, &status, 0);

		CHECK(pid == b || pid == c);
	}
	CHECK_ERRNO(waitpid(-b, &status, 0), ECHILD);
	expect_signal(a, SIGTERM);
}

static void wait_for_the_own_group(void)
{
	pid_t other = sleeper(0), pid = fork();
	int status;

	if (pid == 0)
		_exit(6);
	CHECK_EQ(waitpid(0, &status, 0), pid);
	CHECK_ERRNO(waitpid(0, &status, 0), ECHILD);
	CHECK_EQ(kill(other, SIGKILL), 0);
	expect_signal(other, SIGKILL);
}

static void a_new_session(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		CHECK_EQ(setsid(), getpid());
		CHECK_EQ(getsid(0), getpid());
		CHECK_EQ(getpgrp(), getpid());
		CHECK_ERRNO(setsid(), EPERM);		/* the caller leads a group already */
		CHECK_ERRNO(setpgid(0, 0), EPERM);	/* a session's leader stays in its group */
		_exit(0);
	}
	expect_exit(pid, 0);
}

/* A process of another session cannot be moved into our groups. */
static void groups_do_not_cross_sessions(void)
{
	int fds[2];
	pid_t pid, mine = sleeper(0);
	char c;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		setsid();
		CHECK_EQ(write(fds[1], "x", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_ERRNO(setpgid(pid, mine), EPERM);
	kill(pid, SIGKILL);
	kill(mine, SIGKILL);
	expect_signal(pid, SIGKILL);
	expect_signal(mine, SIGKILL);
}

/* A grandchild outlives its parent: another process becomes its parent, and reaps it. */
static void orphans_get_a_new_parent(void)
{
	int up[2], down[2];
	pid_t pid, seen;
	char c;

	CHECK_EQ(pipe(up), 0);
	CHECK_EQ(pipe(down), 0);
	pid = fork();
	if (pid == 0) {
		pid_t parent = getpid();

		if (fork())
			_exit(0);
		close(down[1]);
		CHECK_EQ(read(down[0], &c, 1), 0);	/* by now our parent is dead and reaped */
		seen = getppid();
		CHECK(seen != parent && seen > 0);
		CHECK_EQ(write(up[1], &seen, sizeof(seen)), sizeof(seen));
		_exit(0);
	}
	expect_exit(pid, 0);
	close(down[1]);
	close(up[1]);
	CHECK_EQ(read(up[0], &seen, sizeof(seen)), sizeof(seen));
	CHECK(seen != pid && seen != getpid());
	CHECK_EQ(read(up[0], &c, 1), 0);		/* the grandchild is gone as well */
	CHECK_ERRNO(wait(NULL), ECHILD);
}

static void dead_orphans_are_buried(void)
{
	for (int i = 0; i < 3; i++) {
		pid_t *grandchild = shared_memory(4096), pid = fork();

		if (pid == 0) {
			pid_t child = fork();

			if (child == 0)
				_exit(0);
			await_state(child, 'Z');
			*grandchild = child;
			_exit(0);
		}
		expect_exit(pid, 0);
		while (kill(*grandchild, 0) == 0)
			sched_yield();
		CHECK_EQ(errno, ESRCH);
		munmap(grandchild, 4096);
	}
}

/* A group that nobody can continue any more is hung up only if one of it has stopped. */
static void a_running_orphan_is_left_alone(void)
{
	pid_t stopped = sleeper(0), pid;
	int up[2], down[2];
	char c;

	CHECK_EQ(kill(stopped, SIGSTOP), 0);
	await_state(stopped, 'T');
	CHECK_EQ(pipe(up), 0);
	CHECK_EQ(pipe(down), 0);
	pid = fork();
	if (pid == 0) {
		pid_t orphan = fork();

		if (orphan) {
			CHECK_EQ(setpgid(orphan, 0), 0);
			_exit(0);
		}
		close(down[1]);
		CHECK_EQ(read(down[0], &c, 1), 0);	/* by now our parent is dead and reaped */
		CHECK_EQ(write(up[1], "x", 1), 1);
		_exit(0);
	}
	expect_exit(pid, 0);
	close(down[1]);
	close(up[1]);
	CHECK_EQ(read(up[0], &c, 1), 1);		/* no SIGHUP has ended it */
	CHECK_EQ(read(up[0], &c, 1), 0);
	CHECK_EQ(kill(stopped, SIGKILL), 0);
	expect_signal(stopped, SIGKILL);
}

/* A parent in another session could not have continued the group: its end changes nothing. */
static void an_orphan_before_is_left_alone(void)
{
	volatile pid_t *orphan = shared_memory(4096);
	pid_t pid = fork();

	if (pid == 0) {
		pid = fork();
		if (pid == 0) {
			CHECK(setsid() > 0);
			raise(SIGSTOP);
			_exit(0);
		}
		*orphan = pid;
		await_state(pid, 'T');
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK_EQ(state_of(*orphan), 'T');
	CHECK_EQ(kill(*orphan, SIGKILL), 0);
	while (kill(*orphan, 0) == 0)
		sched_yield();
}

static const struct test_case cases[] = {
	CASE(children_are_in_the_parents_group),
	CASE(a_new_group),
	CASE(errors),
	CASE(kill_the_own_group),
	CASE(wait_for_a_group),
	CASE(wait_for_the_own_group),
	CASE(a_new_session),
	CASE(groups_do_not_cross_sessions),
	CASE(orphans_get_a_new_parent),
	CASE(dead_orphans_are_buried),
	CASE(a_running_orphan_is_left_alone),
	CASE(an_orphan_before_is_left_alone),
};

TEST_MAIN(cases)
