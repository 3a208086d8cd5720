/*
 * Users and groups: which ids a process has, how it changes them, and what that means for its
 * threads, signals and programs. Users and files: permission.c. Needs root.
 */
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "test.h"

#define KEEP	((uid_t)-1)

static bool uids_are(uid_t real, uid_t effective, uid_t saved)
{
	uid_t r, e, s;

	CHECK_EQ(getresuid(&r, &e, &s), 0);
	CHECK_EQ(getuid(), r);
	CHECK_EQ(geteuid(), e);
	return r == real && e == effective && s == saved;
}

static bool gids_are(gid_t real, gid_t effective, gid_t saved)
{
	gid_t r, e, s;

	CHECK_EQ(getresgid(&r, &e, &s), 0);
	CHECK_EQ(getgid(), r);
	CHECK_EQ(getegid(), e);
	return r == real && e == effective && s == saved;
}

/* Checks the file-system ids, which can be read only by a change that fails. */
static bool fs_ids_are(uid_t uid, gid_t gid)
{
	return (uid_t)setfsuid(-1) == uid && (gid_t)setfsgid(-1) == gid;
}

static void root_sets_all(void)
{
	CHECK(uids_are(0, 0, 0) && gids_are(0, 0, 0));
	CHECK_EQ(setgid(7), 0);
	CHECK(gids_are(7, 7, 7));
	CHECK_EQ(setuid(1000), 0);
	CHECK(uids_are(1000, 1000, 1000));
	CHECK(fs_ids_are(1000, 7));
	CHECK_ERRNO(setuid(0), EPERM);
	CHECK_ERRNO(setgid(8), EPERM);
	CHECK_EQ(setuid(1000), 0);
	CHECK_EQ(setgid(7), 0);
	CHECK_ERRNO(setuid(-1), EINVAL);
	CHECK_ERRNO(setgid(-1), EINVAL);
}

/* Starts with the ids 1, 2 and 3, and checks what each call makes of them. */
static void others_choose_among_three(void)
{
	static const struct {
		uid_t real, effective;
		int error;
		uid_t then[3];
	} re[] = {
		{ 1, KEEP, 0, { 1, 2, 2 } },
		{ 2, KEEP, 0, { 2, 2, 2 } },
		{ 3, KEEP, EPERM, { 1, 2, 3 } },
		{ KEEP, 1, 0, { 1, 1, 3 } },
		{ KEEP, 2, 0, { 1, 2, 2 } },
		{ KEEP, 3, 0, { 1, 3, 3 } },
		{ KEEP, 4, EPERM, { 1, 2, 3 } },
		{ 2, 1, 0, { 2, 1, 1 } },
		{ 2, 3, 0, { 2, 3, 3 } },
		{ 0, 1, EPERM, { 1, 2, 3 } },
		{ KEEP, KEEP, 0, { 1, 2, 3 } },
	};

	for (size_t i = 0; i < sizeof(re) / sizeof(*re); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			CHECK_EQ(setresgid(1, 2, 3), 0);
			CHECK_EQ(setresuid(1, 2, 3), 0);
			CHECK_EQ(setregid(re[i].real, re[i].effective), re[i].error ? -1 : 0);
			CHECK_EQ(setreuid(re[i].real, re[i].effective), re[i].error ? -1 : 0);
			if (re[i].error)
				CHECK_EQ(errno, re[i].error);
			CHECK(uids_are(re[i].then[0], re[i].then[1], re[i].then[2]));
			CHECK(gids_are(re[i].then[0], re[i].then[1], re[i].then[2]));
			CHECK(fs_ids_are(re[i].then[1], re[i].then[1]));
			_exit(0);
		}
		expect_exit(pid, 0);
	}
	CHECK_EQ(setresuid(1, 2, 3), 0);
	CHECK_ERRNO(setresuid(1, 4, 3), EPERM);
	CHECK_ERRNO(setresuid(KEEP, KEEP, 0), EPERM);
	CHECK(uids_are(1, 2, 3));
	CHECK_EQ(setresuid(3, 1, 2), 0);
	CHECK(uids_are(3, 1, 2));
	CHECK_EQ(setresuid(KEEP, 3, KEEP), 0);
	CHECK(uids_are(3, 3, 2));
	CHECK_EQ(setuid(2), 0);
	CHECK(uids_are(3, 2, 2));
}

/* Root becomes another user for a while, and then root again. */
static void root_comes_back(void)
{
	CHECK_EQ(seteuid(1000), 0);
	CHECK(uids_are(0, 1000, 0));
	CHECK_ERRNO(setgid(5), EPERM);
	CHECK_EQ(seteuid(0), 0);
	CHECK_EQ(setgid(5), 0);
	CHECK_EQ(setreuid(1000, 0), 0);
	CHECK(uids_are(1000, 0, 0));
	CHECK_EQ(setuid(1000), 0);
	CHECK_ERRNO(seteuid(0), EPERM);
}

static void file_ids(void)
{
	CHECK_EQ(setfsuid(1000), 0);
	CHECK_EQ(setfsuid(-1), 1000);
	CHECK_EQ(setfsgid(50), 0);
	CHECK_EQ(setfsgid(50), 50);
	CHECK(uids_are(0, 0, 0));
	CHECK_EQ(setresuid(KEEP, 0, KEEP), 0);	/* only the file-system id changes */
	CHECK_EQ(setfsuid(-1), 0);
	CHECK_EQ(setresuid(1, 2, 3), 0);
	CHECK_EQ(setfsuid(1), 2);
	CHECK_EQ(setfsuid(4), 1);
	CHECK_EQ(setfsuid(3), 1);
	CHECK_EQ(setfsuid(-1), 3);
}

static void groups(void)
{
	gid_t set[4] = { 30, 10, 20, 10 }, got[8] = { 0 };

	CHECK_EQ(setgroups(4, set), 0);
	CHECK_EQ(getgroups(0, NULL), 4);
	CHECK_ERRNO(getgroups(3, got), EINVAL);
	CHECK_ERRNO(getgroups(-1, got), EINVAL);
	CHECK_EQ(getgroups(8, got), 4);
	CHECK(got[0] == 10 && got[1] == 10 && got[2] == 20 && got[3] == 30);
	CHECK_ERRNO(getgroups(8, hidden(8)), EFAULT);
	CHECK_ERRNO(setgroups(1, hidden(8)), EFAULT);
	CHECK_ERRNO(setgroups(65537, set), EINVAL);
	set[1] = -1;
	CHECK_ERRNO(setgroups(2, set), EINVAL);
	CHECK_EQ(getgroups(0, NULL), 4);
	CHECK_EQ(setuid(1000), 0);
	CHECK_ERRNO(setgroups(0, NULL), EPERM);
	CHECK_EQ(getgroups(0, NULL), 4);
	expect_exit(spawn(test_nothing), 0);
}

static void many_groups(void)
{
	enum { N = 65536 };
	gid_t *g = malloc(N * sizeof(*g));

	for (int i = 0; i < N; i++)
		g[i] = i * 40503u % 65536;	/* each number once */
	CHECK_EQ(setgroups(N, g), 0);
	memset(g, 0, N * sizeof(*g));
	CHECK_EQ(getgroups(N, g), N);
	for (int i = 0; i < N; i++)
		CHECK_EQ(g[i], i);
	free(g);
}

static void bad_addresses(void)
{
	uid_t a, b;

	CHECK_ERRNO(syscall(SYS_getresuid, &a, &b, 8L), EFAULT);
	CHECK_ERRNO(syscall(SYS_getresuid, &a, 8L, &b), EFAULT);
	CHECK_ERRNO(syscall(SYS_getresgid, 8L, &a, &b), EFAULT);
}

/* --- Threads: the system call changes only the caller --- */

static void *change_mine(void *arg)
{
	CHECK_EQ(syscall(SYS_setresuid, 1000, 1000, 1000), 0);
	CHECK_EQ(syscall(SYS_getuid), 1000);
	return arg;
}

/* CRED1: a change goes to a copy, so the thread's siblings do not see it. */
static void threads_differ(void)
{
	join_thread(start_thread(change_mine, NULL));
	CHECK_EQ(syscall(SYS_getuid), 0);
	CHECK_EQ(syscall(SYS_setresuid, 1001, 1001, 1001), 0);
	CHECK_EQ(syscall(SYS_getuid), 1001);
}

/* --- Signals --- */

static pid_t sleeper(uid_t real, uid_t effective, uid_t saved)
{
	int fds[2];
	pid_t pid;
	char c;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(setresuid(real, effective, saved), 0);
		CHECK_EQ(write(fds[1], "", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(fds[0], &c, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void end(pid_t pid)
{
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

/* The sender's real or effective id must equal the target's real or saved one. */
static void kill_asks_for_ids(void)
{
	static const struct {
		uid_t real, effective, saved;
		bool may;
	} cases[] = {
		{ 10, 10, 10, true }, { 10, 30, 30, true }, { 30, 30, 10, true },
		{ 20, 30, 30, true }, { 30, 30, 20, true }, { 30, 10, 30, false },
		{ 30, 20, 30, false }, { 30, 30, 30, false }, { 0, 0, 0, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pid_t pid = sleeper(cases[i].real, cases[i].effective, cases[i].saved);
		pid_t sender = fork();

		if (sender == 0) {
			CHECK_EQ(setresuid(10, 20, 0), 0);
			CHECK_EQ(kill(pid, 0), cases[i].may ? 0 : -1);
			CHECK(cases[i].may || errno == EPERM);
			CHECK_EQ(syscall(SYS_tgkill, pid, pid, 0), cases[i].may ? 0 : -1);
			CHECK_EQ(kill(pid, SIGCONT), 0);	/* of the same session */
			_exit(0);
		}
		expect_exit(sender, 0);
		end(pid);
	}
}

static void sigcont_stays_in_the_session(void)
{
	pid_t pid = sleeper(30, 30, 30), sender = fork();

	if (sender == 0) {
		CHECK(setsid() > 0);
		CHECK_EQ(setresuid(10, 10, 10), 0);
		CHECK_ERRNO(kill(1, SIGTERM), EPERM);
		CHECK_ERRNO(kill(pid, SIGCONT), EPERM);
		CHECK_ERRNO(kill(pid, 99), EINVAL);
		CHECK_ERRNO(kill(pid, -1), EINVAL);	/* rather than EPERM */
		CHECK_ERRNO(kill(-pid, 0), ESRCH);
		_exit(0);
	}
	expect_exit(sender, 0);
	end(pid);
}

/* A group: one process that may be signalled is enough. */
static void kill_a_group(void)
{
	pid_t mine = sleeper(10, 10, 10), other = sleeper(30, 30, 30), sender;

	CHECK_EQ(setpgid(mine, mine), 0);
	CHECK_EQ(setpgid(other, mine), 0);
	sender = fork();
	if (sender == 0) {
		CHECK_EQ(setresuid(10, 10, 10), 0);
		CHECK_EQ(kill(-mine, SIGTERM), 0);
		_exit(0);
	}
	expect_exit(sender, 0);
	expect_signal(mine, SIGTERM);
	CHECK_EQ(setpgid(0, 0), 0);
	sender = fork();
	if (sender == 0) {
		CHECK_EQ(setresuid(10, 10, 10), 0);
		CHECK_ERRNO(kill(-mine, SIGTERM), EPERM);
		_exit(0);
	}
	expect_exit(sender, 0);
	end(other);
}

/* -1: all that may be signalled but the sender. That there are others, too, is no error. */
static void kill_all_of_a_user(void)
{
	uid_t uid = 20000 + getpid() % 40000;	/* of nobody else on this machine */
	pid_t mine = sleeper(uid, uid, uid), other = sleeper(30, 30, 30), sender = fork();

	if (sender == 0) {
		CHECK_EQ(setresuid(uid, uid, uid), 0);
		CHECK_EQ(kill(-1, SIGTERM), 0);
		_exit(0);
	}
	expect_exit(sender, 0);
	expect_signal(mine, SIGTERM);
	sender = fork();
	if (sender == 0) {
		CHECK_EQ(setresuid(uid, uid, uid), 0);
		CHECK_EQ(kill(-1, SIGTERM), 0);		/* none is left, which is no error */
		_exit(0);
	}
	expect_exit(sender, 0);
	end(other);
}

static volatile uid_t sender_uid;

static void note_uid(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	sender_uid = info->si_uid;
}

static void signals_tell_the_sender(void)
{
	struct sigaction sa = { .sa_sigaction = note_uid, .sa_flags = SA_SIGINFO | SA_RESTART };
	pid_t parent = getpid(), pid;
	siginfo_t info;

	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	CHECK_EQ(setresuid(1000, KEEP, KEEP), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(kill(parent, SIGUSR1), 0);
		CHECK_EQ(setresuid(7, 8, 9), 0);
		_exit(0);
	}
	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED), 0);
	CHECK_EQ(sender_uid, 1000);
	CHECK_EQ(info.si_uid, 7);
}

/* --- Operations that need privilege --- */

static void become(uid_t uid, gid_t gid)
{
	CHECK_EQ(setgroups(0, NULL), 0);
	CHECK_EQ(setresgid(gid, gid, gid), 0);
	CHECK_EQ(setresuid(uid, uid, uid), 0);
}

static void hard_limits(void)
{
	struct rlimit limit = { 10, 20 };
	pid_t other = sleeper(30, 30, 30), pid;

	CHECK_EQ(setrlimit(RLIMIT_CORE, &limit), 0);
	pid = fork();
	if (pid == 0) {
		become(10, 10);
		limit.rlim_max = 21;
		CHECK_ERRNO(setrlimit(RLIMIT_CORE, &limit), EPERM);
		limit.rlim_cur = limit.rlim_max = 20;
		CHECK_EQ(setrlimit(RLIMIT_CORE, &limit), 0);
		limit.rlim_cur = limit.rlim_max = 19;
		CHECK_EQ(setrlimit(RLIMIT_CORE, &limit), 0);
		limit.rlim_max = 20;
		CHECK_ERRNO(setrlimit(RLIMIT_CORE, &limit), EPERM);
		limit.rlim_cur = 21;
		CHECK_ERRNO(setrlimit(RLIMIT_CORE, &limit), EINVAL);
		CHECK_ERRNO(prlimit(other, RLIMIT_CORE, NULL, &limit), EPERM);
		_exit(0);
	}
	expect_exit(pid, 0);
	end(other);
}

static void scheduling(void)
{
	struct sched_param p = { .sched_priority = 1 };
	struct rlimit none = { 0, 0 };
	pid_t other = sleeper(30, 30, 30), mine = sleeper(10, 10, 10);
	cpu_set_t cpus;
	pid_t pid;

	CHECK_EQ(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	CHECK_EQ(setrlimit(RLIMIT_NICE, &none), 0);
	CHECK_EQ(setrlimit(RLIMIT_RTPRIO, &none), 0);
	pid = fork();
	if (pid == 0) {
		become(10, 10);
		CHECK_EQ(setpriority(PRIO_PROCESS, 0, 0), 0);
		CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
		CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, 4), EACCES);
		CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
		CHECK_EQ(setpriority(PRIO_PROCESS, mine, 3), 0);
		CHECK_ERRNO(setpriority(PRIO_PROCESS, other, 19), EPERM);
		CHECK_ERRNO(setpriority(PRIO_USER, 30, 19), EPERM);
		CHECK_ERRNO(setpriority(PRIO_USER, 54321, 19), ESRCH);
		CHECK_EQ(setpriority(PRIO_USER, 0, 10), 0);
		CHECK_EQ(getpriority(PRIO_PROCESS, mine), 10);
		CHECK_EQ(getpriority(PRIO_USER, 10), 10);
		CHECK_ERRNO(nice(-1), EPERM);
		CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &p), EPERM);
		CHECK_ERRNO(sched_setscheduler(0, 99, &p), EINVAL);
		p.sched_priority = 0;
		CHECK_ERRNO(sched_setscheduler(other, SCHED_BATCH, &p), EPERM);
		CHECK_EQ(sched_setscheduler(mine, SCHED_BATCH, &p), 0);
		CHECK_EQ(sched_setaffinity(mine, sizeof(cpus), &cpus), 0);
		CHECK_ERRNO(sched_setaffinity(other, sizeof(cpus), &cpus), EPERM);
		_exit(0);
	}
	expect_exit(pid, 0);
	end(other);
	end(mine);
}

static void the_machine_is_roots(void)
{
	struct timespec now;
	struct timeval tv = { .tv_usec = 1000001 };

	become(10, 10);
	CHECK_EQ(clock_gettime(CLOCK_REALTIME, &now), 0);
	CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &now), EPERM);
	CHECK_ERRNO(syscall(SYS_settimeofday, &tv, NULL), EINVAL);
	tv = (struct timeval){ now.tv_sec, 0 };
	CHECK_ERRNO(syscall(SYS_settimeofday, &tv, NULL), EPERM);
	CHECK_ERRNO(syscall(SYS_settimeofday, 8L, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_sethostname, "x", 1), EPERM);
	CHECK_ERRNO(syscall(SYS_setdomainname, "x", 1000), EPERM);
	CHECK_ERRNO(syscall(SYS_reboot, 1, 2, 3, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_chroot, "/"), EPERM);
	CHECK_ERRNO(syscall(SYS_chroot, "/none"), ENOENT);
	CHECK_ERRNO(syscall(SYS_chroot, "/dev/null"), ENOTDIR);
}

/* chroot: nothing is above the new root, and links start there. */
static void another_root(void)
{
	char dir[40], inside[60], cwd[60];
	pid_t pid;

	snprintf(dir, sizeof(dir), "/tmp/root.%d", getpid());
	snprintf(inside, sizeof(inside), "%s/d", dir);
	CHECK_EQ(mkdir(dir, 0755), 0);
	CHECK_EQ(mkdir(inside, 0755), 0);
	CHECK_EQ(chdir(dir), 0);
	CHECK_EQ(symlink("/d", "link"), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(syscall(SYS_chroot, dir), 0);
		CHECK_EQ(chdir("/link/../../.."), 0);
		CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
		CHECK_EQ(chdir("/link"), 0);
		CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/d"));
		CHECK_ERRNO(chdir(dir), ENOENT);
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK_EQ(unlink("link"), 0);
	CHECK_EQ(rmdir("d"), 0);
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(rmdir(dir), 0);
}

static const struct test_case cases[] = {
	CASE(root_sets_all),
	CASE(others_choose_among_three),
	CASE(root_comes_back),
	CASE(file_ids),
	CASE(groups),
	CASE(many_groups),
	CASE(bad_addresses),
	CASE(threads_differ),
	CASE(kill_asks_for_ids),
	CASE(sigcont_stays_in_the_session),
	CASE(kill_a_group),
	CASE(kill_all_of_a_user),
	CASE(signals_tell_the_sender),
	CASE(hard_limits),
	CASE(scheduling),
	CASE(the_machine_is_roots),
	CASE(another_root),
};

TEST_MAIN(cases)
