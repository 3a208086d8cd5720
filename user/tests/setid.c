/*
 * Programs that run as another user: set-user-id and set-group-id, what exec does to ids and
 * capabilities, no_new_privs, and what such a process keeps from its caller. Needs root.
 */
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "test.h"

#ifndef PR_GET_DUMPABLE
#define PR_GET_DUMPABLE		3
#define PR_SET_DUMPABLE		4
#define PR_GET_KEEPCAPS		7
#define PR_SET_KEEPCAPS		8
#define PR_CAPBSET_READ		23
#define PR_CAPBSET_DROP		24
#define PR_SET_NO_NEW_PRIVS	38
#define PR_GET_NO_NEW_PRIVS	39
#endif
#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT		47
#define PR_CAP_AMBIENT_RAISE	2
#endif

static char *self;
static char copy[40];

struct cap_header {
	unsigned version;
	int pid;
};

struct caps {
	unsigned effective, permitted, inheritable;
};

static struct caps caps_of(pid_t pid)
{
	struct cap_header header = { 0x20080522, pid };
	struct caps c[2];

	CHECK_EQ(syscall(SYS_capget, &header, c), 0);
	return c[0];
}

/* The exit status: what the program finds out about itself. */
enum { IDS_0_1000 = 1, SECURE = 2, DUMPABLE = 4, ALL_CAPS = 8, GROUP_7 = 16 };

static unsigned long auxv(unsigned long what)
{
	char **end = environ;

	while (*end)
		end++;
	while (!*end)		/* a C library removes dangerous variables in a set-id program */
		end++;
	for (unsigned long *a = (unsigned long *)end; a[0]; a += 2)
		if (a[0] == what)
			return a[1];
	return -1;
}

static int report(void)
{
	int found = 0;

	if (auxv(11) != getuid() || auxv(12) != geteuid() || auxv(13) != getgid() ||
	    auxv(14) != getegid())
		return 99;
	if (getuid() == 1000 && geteuid() == 0)
		found |= IDS_0_1000;
	if (auxv(23))
		found |= SECURE;
	if (prctl(PR_GET_DUMPABLE) == 1)
		found |= DUMPABLE;
	if (caps_of(0).effective & 1)
		found |= ALL_CAPS;
	if (getegid() == 7)
		found |= GROUP_7;
	return found;
}

/* Makes a copy of this program with mode @mode, owned by user 0 and group 7. */
static void make_copy(mode_t mode)
{
	char buf[4096];
	int in = open(self, O_RDONLY), out;
	ssize_t n;

	snprintf(copy, sizeof(copy), "/tmp/setid.%d", getpid());
	out = open(copy, O_WRONLY | O_CREAT, 0700);
	CHECK(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		CHECK_EQ(write(out, buf, n), n);
	CHECK_EQ(close(in), 0);
	CHECK_EQ(close(out), 0);
	CHECK_EQ(chown(copy, 0, 7), 0);
	CHECK_EQ(chmod(copy, mode), 0);
}

enum how { PLAIN, NO_NEW_PRIVS, AMBIENT };

/* Keeps the right to chown() through the change of user @uid, and for its programs. */
static void become_with_a_capability(uid_t uid)
{
	struct cap_header header = { 0x20080522, 0 };
	struct caps c[2] = { { .permitted = 1, .inheritable = 1 } };

	CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	CHECK_EQ(setresuid(uid, uid, uid), 0);
	CHECK_EQ(syscall(SYS_capset, &header, c), 0);
	CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0), 0);
}

static void run_as_user(mode_t mode, enum how how, int expected)
{
	char *argv[] = { copy, "report", NULL };
	pid_t pid;

	make_copy(mode);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(setgroups(0, NULL), 0);
		CHECK_EQ(setresgid(100, 100, 100), 0);
		if (how == AMBIENT)
			become_with_a_capability(1000);
		CHECK_EQ(setresuid(1000, 1000, 1000), 0);
		if (how == NO_NEW_PRIVS)
			CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		execve(copy, argv, environ);
		_exit(errno == EACCES ? 98 : 97);
	}
	expect_exit(pid, expected);
	CHECK_EQ(unlink(copy), 0);
}

static void bits_on_programs(void)
{
	run_as_user(0755, PLAIN, DUMPABLE);
	run_as_user(04755, PLAIN, IDS_0_1000 | SECURE | ALL_CAPS);
	run_as_user(02755, PLAIN, SECURE | GROUP_7);
	run_as_user(02745, PLAIN, DUMPABLE);	/* the group may not execute it: no set-id bit */
	run_as_user(06755, PLAIN, IDS_0_1000 | SECURE | ALL_CAPS | GROUP_7);
	run_as_user(06755, NO_NEW_PRIVS, DUMPABLE);
	run_as_user(0711, PLAIN, 0);		/* unreadable, so not to be dumped */
	run_as_user(0700, PLAIN, 98);
	run_as_user(04644, PLAIN, 98);
	run_as_user(0755, AMBIENT, DUMPABLE | ALL_CAPS);
	run_as_user(02755, AMBIENT, SECURE | GROUP_7);	/* and no ambient capability */
}

/* Reads 'f' from the memory of a program that has not run yet, 'o' from its caller's. */
static volatile char image = 'f';

/* Spies on @pid until that is no longer allowed; exit status 1 if it saw the new program. */
static void spy(pid_t pid)
{
	char got = 'o';
	struct iovec own = { &got, 1 }, other = { (void *)&image, 1 };

	while (syscall(SYS_process_vm_readv, pid, &own, 1L, &other, 1L, 0L) == 1)
		if (got == 'f')
			_exit(1);
	_exit(0);
}

static void start_under_eyes(void)
{
	char *argv[] = { copy, "report", NULL }, c;
	int go[2], own[2];
	pid_t pid, spies;

	CHECK_EQ(pipe(go), 0);
	CHECK_EQ(setresuid(1000, 1000, 1000), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
		for (int i = 0; i < 450; i++) {		/* so that the exec takes its time */
			CHECK_EQ(pipe2(own, O_CLOEXEC), 0);
			CHECK_EQ(write(own[1], "p", 1), 1);
		}
		CHECK_EQ(read(go[0], &c, 1), 1);
		execve(copy, argv, environ);
		_exit(97);
	}
	spies = fork();
	if (spies == 0) {
		CHECK_EQ(write(go[1], "g", 1), 1);
		spy(pid);
	}
	expect_exit(spies, 0);
	expect_exit(pid, IDS_0_1000 | SECURE | ALL_CAPS);
}

/* From its first moment, the new program's memory is closed to the user who starts it. */
static void starts_unseen(void)
{
	make_copy(04755);
	image = 'o';
	for (int i = 0; i < 5; i++)
		expect_exit(spawn(start_under_eyes), 0);
	CHECK_EQ(unlink(copy), 0);
}

/* Root, too, can only execute what at least one class may execute. */
static void root_needs_one_x_bit(void)
{
	char *argv[] = { copy, "report", NULL };
	pid_t pid;

	make_copy(0644);
	CHECK_ERRNO(execve(copy, argv, environ), EACCES);
	CHECK_EQ(chmod(copy, 0001), 0);
	pid = fork();
	if (pid == 0) {
		execve(copy, argv, environ);
		_exit(97);
	}
	expect_exit(pid, DUMPABLE | ALL_CAPS);
	CHECK_EQ(unlink(copy), 0);
}

static void capabilities_follow_ids(void)
{
	unsigned all = caps_of(0).permitted;

	CHECK(all & 1);
	CHECK_EQ(seteuid(1000), 0);
	CHECK_EQ(caps_of(0).effective, 0);
	CHECK_EQ(caps_of(0).permitted, all);
	CHECK_EQ(seteuid(0), 0);
	CHECK_EQ(caps_of(0).effective, all);
	CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
	CHECK_EQ(prctl(PR_GET_KEEPCAPS), 1);
	CHECK_EQ(setresuid(1000, 1000, 1000), 0);
	CHECK_EQ(caps_of(0).effective, 0);
	CHECK_EQ(caps_of(0).permitted, all);
}

/* Leaves the calling process only those capabilities of @effective that it may have. */
static void keep_effective(unsigned effective)
{
	struct cap_header header = { 0x20080522, 0 };
	struct caps c[2];

	CHECK_EQ(syscall(SYS_capget, &header, c), 0);
	c[0].effective = c[0].permitted & effective;
	c[1].effective = 0;
	CHECK_EQ(syscall(SYS_capset, &header, c), 0);
}

static int may_open(void)
{
	int fd = open(copy, O_RDONLY);

	return fd < 0 ? -errno : close(fd);
}

/* access() asks for the real user: root with all that it may have, everybody else with nothing. */
static void access_is_the_real_users(void)
{
	pid_t pid;

	make_copy(0);
	pid = fork();
	if (pid == 0) {
		keep_effective(0);
		CHECK_EQ(may_open(), -EACCES);
		CHECK_EQ(access(copy, R_OK), 0);
		CHECK_EQ(may_open(), -EACCES);
		_exit(0);
	}
	expect_exit(pid, 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
		CHECK_EQ(setresuid(1000, 1000, 1000), 0);
		keep_effective(~0U);
		CHECK_EQ(may_open(), 0);
		CHECK_ERRNO(access(copy, R_OK), EACCES);
		CHECK_EQ(may_open(), 0);
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK_EQ(unlink(copy), 0);
}

static void options(void)
{
	struct cap_header header = { 1, 0 };
	struct caps c[2];

	CHECK_EQ(syscall(SYS_capget, &header, NULL), 0);
	CHECK_EQ(header.version, 0x20080522);
	header.version = 1;
	CHECK_ERRNO(syscall(SYS_capget, &header, c), EINVAL);
	header.pid = -1;
	CHECK_ERRNO(syscall(SYS_capget, &header, c), EINVAL);
	header.pid = 99999;
	CHECK_ERRNO(syscall(SYS_capget, &header, c), ESRCH);
	CHECK_ERRNO(syscall(SYS_capset, &header, c), EPERM);
	CHECK_ERRNO(syscall(SYS_capget, 8L, c), EFAULT);
	CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 0), 0);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
	CHECK_ERRNO(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_CAPBSET_READ, 0), 1);
	CHECK_ERRNO(prctl(PR_CAPBSET_READ, 63), EINVAL);
	CHECK_EQ(prctl(PR_CAPBSET_DROP, 0), 0);
	CHECK_EQ(prctl(PR_CAPBSET_READ, 0), 0);
	CHECK_EQ(setuid(1000), 0);
	CHECK_ERRNO(prctl(PR_CAPBSET_DROP, 1), EPERM);
}

/* In the new program: exit status 0 if the saved ids are the effective ones, and those are. */
static int saved(void)
{
	uid_t real, effective, saved;
	gid_t group, effective_group, saved_group;

	if (getresuid(&real, &effective, &saved) ||
	    getresgid(&group, &effective_group, &saved_group))
		return 2;
	return real != 1000 || effective != 1001 || saved != 1001 || group != 100 ||
	       effective_group != 101 || saved_group != 101;
}

static void saves_the_effective_ids(void)
{
	char *argv[] = { copy, "saved", NULL };
	pid_t pid;

	make_copy(0755);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(setresgid(100, 101, 102), 0);
		CHECK_EQ(setresuid(1000, 1001, 1002), 0);
		execve(copy, argv, environ);
		_exit(97);
	}
	expect_exit(pid, 0);
	CHECK_EQ(unlink(copy), 0);
}

static const struct test_case cases[] = {
	CASE(bits_on_programs),
	CASE(starts_unseen),
	CASE(saves_the_effective_ids),
	CASE(root_needs_one_x_bit),
	CASE(capabilities_follow_ids),
	CASE(access_is_the_real_users),
	CASE(options),
};

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && !strcmp(argv[1], "report"))
		return report();
	if (argc > 1 && !strcmp(argv[1], "saved"))
		return saved();
	return test_main(argc, argv, cases, sizeof(cases) / sizeof(*cases));
}
