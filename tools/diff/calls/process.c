/* Processes: ids, groups, sessions, clone, exec, prctl, what is told of the system. */
#include "diff.h"

#include <sys/utsname.h>

static pid_t waiting(void)
{
	pid_t pid = child();

	if (!pid)
		for (;;)
			R(ppoll, NULL, 0, NULL, NULL, 8);
	await_blocked(pid);
	return pid;
}

CASE(ids)
{
	V(R(getpid) == R(gettid));
	V(R(getppid) > 0);
	V(R(getpgid, 0) == R(getpid));
	V(R(getsid, 0) == R(getpid));
	T(getuid);
	T(geteuid);
	T(getgid);
	T(getegid);
	T(getpgid, -1);
	T(getpgid, 0x7fffffff);
	T(getsid, -1);
	T(getsid, 0x7fffffff);
	OK(getpgid, 1);
	OK(getsid, 1);
}

CASE(groups)
{
	pid_t pid = waiting();

	T(setpgid, 0, 0);
	T(setpgid, 0, -1);
	T(setpgid, -1, 0);
	T(setpgid, 0x7fffffff, 0);
	T(setpgid, pid, 0x7ffffff);
	T(setpgid, pid, 1);
	T(setpgid, pid, pid);
	V(R(getpgid, pid) == pid);
	T(setpgid, pid, 0);
	T(setpgid, getppid(), 0);
	T(setsid);
	T(setpgid, pid, getpgrp());
	V(R(getpgid, pid) == getpgrp());
	Q(kill, pid, SIGKILL);
	reap(pid);
	T(setpgid, pid, 0);
}

CASE(new_session)
{
	pid_t pid = child();

	if (!pid) {
		V(R(setsid) == getpid());
		V(R(getsid, 0) == getpid());
		V(R(getpgid, 0) == getpid());
		T(setsid);
		T(setpgid, 0, 0);
		end(0);
	}
	W(reap(pid));
}

CASE(child_in_other_session)
{
	int p[2];
	pid_t pid;

	Q(pipe2, p, 0);
	pid = child();
	if (!pid) {
		R(setsid);
		R(write, p[1], "x", 1);
		for (;;)
			R(ppoll, NULL, 0, NULL, NULL, 8);
	}
	T(read, p[0], buf, 1);
	T(setpgid, pid, 0);
	T(setpgid, pid, getpgrp());
	V(R(getsid, pid) == pid);
	Q(kill, pid, SIGKILL);
	reap(pid);
}

CASE(clone_errors)
{
	T(clone, CLONE_THREAD, 0, 0, 0, 0);
	T(clone, CLONE_SIGHAND, 0, 0, 0, 0);
	T(clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0);
	T(clone, CLONE_VM | CLONE_THREAD, 0, 0, 0, 0);
	T(clone3, BAD, sizeof(struct linux_clone_args));
	T(clone3, buf, 8);
	T(clone3, buf, 63);
	T(clone3, buf, 8192);
}

CASE(clone_parent_settid)
{
	int tid = 0;
	pid_t pid = Q(clone, SIGCHLD | CLONE_PARENT_SETTID, 0, &tid, 0, 0);

	if (!pid)
		end(0);
	V(tid == pid);
	W(reap(pid));
}

CASE(clone_parent)
{
	int status;
	pid_t pid = child();

	if (!pid) {
		pid_t sibling = Q(clone, SIGCHLD | CLONE_PARENT, 0, 0, 0, 0);

		if (!sibling)
			end(9);
		T(wait4, sibling, &status, 0, NULL);
		end(8);
	}
	W(reap(pid));
	V(R(wait4, -1, &status, 0, NULL) > 0);
	W(status);
}

CASE(clone_files)
{
	pid_t pid = Q(clone, SIGCHLD | CLONE_FILES, 0, 0, 0, 0);

	if (!pid) {
		R(dup3, 0, 9, 0);
		R(close, 1);
		end(0);
	}
	reap(pid);
	T(fcntl, 9, F_GETFD);
	T(fcntl, 1, F_GETFD);
}

CASE(clone_fs)
{
	pid_t pid;

	Q(mkdirat, AT_FDCWD, "d", 0700);
	file("d/f", "");
	pid = Q(clone, SIGCHLD | CLONE_FS, 0, 0, 0, 0);
	if (!pid) {
		R(chdir, "d");
		R(umask, 0);
		end(0);
	}
	reap(pid);
	T(faccessat, AT_FDCWD, "f", F_OK);
	T(umask, 022);
}

CASE(clone3)
{
	struct linux_clone_args a = { .exit_signal = SIGCHLD };
	int tid = 0;
	long pid;

	a.flags = CLONE_PARENT_SETTID;
	a.parent_tid = (uint64_t)(uintptr_t)&tid;
	pid = R(clone3, &a, sizeof(a));
	if (pid == 0)
		end(3);
	say("clone3 = %s", pid > 0 ? "ok" : error_name(-pid));
	if (pid > 0) {
		V(tid == pid);
		W(reap(pid));
	}
	a.flags = SIGCHLD;
	T(clone3, &a, sizeof(a));
	a.flags = 0;
	a.exit_signal = 65;
	T(clone3, &a, sizeof(a));
	a.exit_signal = SIGCHLD;
	a.stack = 0x1000;
	T(clone3, &a, sizeof(a));
	a.stack = 0;
	a.stack_size = 0x1000;
	T(clone3, &a, sizeof(a));
	a.stack_size = 0;
	a.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM;
	T(clone3, &a, sizeof(a));
}

static char *const no_args[] = { "x", NULL };

CASE(exec_errors)
{
	file("f", "#!");
	file("g", "nothing");
	file("h", "");
	file("i", "#!/gone/interpreter\n");
	file("j", "#!j\n");
	Q(mkdirat, AT_FDCWD, "d", 0700);
	T(execve, "f", no_args, NULL);
	for (const char *c = "fghij"; *c; c++) {
		char name[2] = { *c, 0 };

		Q(fchmodat, AT_FDCWD, name, 0755);
	}
	T(execve, "f", no_args, NULL);
	T(execve, "g", no_args, NULL);
	T(execve, "h", no_args, NULL);
	T(execve, "i", no_args, NULL);
	T(execve, "d", no_args, NULL);
	T(execve, "gone", no_args, NULL);
	T(execve, "f/x", no_args, NULL);
	T(execve, "", no_args, NULL);
	T(execve, BAD, no_args, NULL);
	T(execve, "gone", BAD, NULL);
	T(execve, "g", BAD, NULL);
	T(execve, "g", no_args, BAD);
	T(execve, "/dev/null", no_args, NULL);
}

CASE(exec_elf_errors)
{
	static unsigned char head[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	int fd = file("f", "");

	Q(fchmod, fd, 0755);
	Q(pwrite64, fd, head, 4, 0);
	T(execve, "f", no_args, NULL);
	Q(close, fd);
	T(execve, "f", no_args, NULL);
	fd = Q(openat, AT_FDCWD, "f", O_RDWR);
	Q(pwrite64, fd, head, 64, 0);
	Q(close, fd);
	T(execve, "f", no_args, NULL);
}

CASE(exec_arguments_too_long)
{
	char *big = pages(40, PROT_READ | PROT_WRITE, 0);
	char *args[] = { big, NULL };

	memset(big, 'x', 32 * PAGE);
	T(execve, "/proc/self/exe", args, NULL);
	big[32 * PAGE - 1] = 0;
	file("g", "nothing");
	Q(fchmodat, AT_FDCWD, "g", 0755);
	Q(close, 3);
	T(execve, "g", args, NULL);
}

CASE(text_busy)
{
	int fd = file("f", "nothing");

	Q(fchmod, fd, 0755);
	T(execve, "f", no_args, NULL);
	Q(close, fd);
	T(execve, "f", no_args, NULL);
	T(openat, AT_FDCWD, "/proc/self/exe", O_WRONLY);
	T(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY);
}

CASE(prctl_simple)
{
	char name[17] = "";
	int n = 9;

	T(prctl, PR_SET_NAME, "a name that is far too long");
	T(prctl, PR_GET_NAME, name);
	S(name);
	T(prctl, PR_SET_NAME, BAD);
	T(prctl, PR_GET_NAME, BAD);
	T(prctl, PR_GET_DUMPABLE);
	T(prctl, PR_SET_DUMPABLE, 0);
	T(prctl, PR_GET_DUMPABLE);
	T(prctl, PR_SET_DUMPABLE, 2);
	T(prctl, PR_SET_DUMPABLE, 1);
	T(prctl, PR_GET_KEEPCAPS);
	T(prctl, PR_SET_KEEPCAPS, 1);
	T(prctl, PR_GET_KEEPCAPS);
	T(prctl, PR_SET_KEEPCAPS, 2);
	T(prctl, PR_GET_TIMING);
	T(prctl, PR_SET_TIMING, 0);
	T(prctl, PR_SET_TIMING, 1);
	T(prctl, PR_GET_TIMERSLACK);
	T(prctl, PR_SET_TIMERSLACK, 1000);
	T(prctl, PR_GET_TIMERSLACK);
	T(prctl, PR_SET_TIMERSLACK, 0);
	T(prctl, PR_GET_TIMERSLACK);
	T(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	T(prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
	T(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	T(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	T(prctl, PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0);
	T(prctl, PR_GET_PDEATHSIG, &n);
	T(prctl, PR_GET_PDEATHSIG, BAD);
	T(prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0);
	T(prctl, PR_GET_THP_DISABLE, 1, 0, 0, 0);
	T(prctl, 0);
	T(prctl, 12345);
	T(prctl, -1);
}

/* Threads of the process may; of another one it is an error. */
CASE(name_written)
{
	char name[17] = "", path[40];
	int fd = Q(openat, AT_FDCWD, "/proc/self/comm", O_RDWR);
	pid_t pid;

	T(write, fd, "a name that is too long", 23);
	Q(prctl, PR_GET_NAME, name);
	S(name);
	T(lseek, fd, 0, SEEK_CUR);
	T(pwrite64, fd, "b", 1, 5);
	Q(prctl, PR_GET_NAME, name);
	S(name);
	T(write, fd, BAD, 1);
	fd = Q(openat, AT_FDCWD, "/proc/thread-self/comm", O_WRONLY | O_TRUNC);
	T(write, fd, "c\n", 2);
	Q(prctl, PR_GET_NAME, name);
	V(name[0] == 'c' && name[1] == '\n' && !name[2]);
	pid = child();
	if (!pid)
		R(ppoll, NULL, 0, NULL, NULL, 0);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = Q(openat, AT_FDCWD, path, O_WRONLY);
	T(write, fd, "d", 1);
	T(truncate, "/proc/self/comm", 0);
	T(truncate, "/proc/self/stat", 0);
	Q(kill, pid, SIGKILL);
	W(reap(pid));
}

CASE(uname)
{
	struct utsname u;

	T(uname, &u);
	S(u.sysname);
	T(uname, BAD);
	T(sethostname, "x", 65);
	T(sethostname, BAD, 3);
	T(sethostname, "x", -1);
}

CASE(sysinfo)
{
	T(sysinfo, buf);
	T(sysinfo, BAD);
}

CASE(getcpu)
{
	unsigned cpu = 999, node = 999;

	T(getcpu, &cpu, &node, NULL);
	V(cpu < 999);
	V(node < 999);
	T(getcpu, NULL, NULL, NULL);
	T(getcpu, BAD, NULL, NULL);
}

CASE(random)
{
	T(getrandom, buf, 10, 0);
	T(getrandom, buf, 0, 0);
	T(getrandom, buf, 256, GRND_NONBLOCK);
	T(getrandom, buf, 10, GRND_RANDOM);
	T(getrandom, buf, 10, 8);
	T(getrandom, buf, 10, GRND_RANDOM | GRND_INSECURE);
	T(getrandom, BAD, 10, 0);
	T(getrandom, BAD, 0, 0);
	T(getrandom, edge(3), 10, 0);
}

CASE(personality)
{
	T(personality, 0xffffffff);
}

CASE(capabilities)
{
	struct {
		uint32_t version;
		int pid;
	} head = { 0x20080522, 0 };
	struct {
		uint32_t effective, permitted, inheritable;
	} data[2];

	T(capget, &head, data);
	V(data[0].effective & 1);
	V((data[0].permitted >> 21) & 1);
	head.version = 0;
	T(capget, &head, NULL);
	H(head.version);
	head.version = 1;
	T(capget, &head, data);
	head.version = 0x20080522;
	head.pid = -1;
	T(capget, &head, data);
	head.pid = 0x7fffffff;
	T(capget, &head, data);
	T(capget, BAD, data);
}

CASE(set_tid_address)
{
	V(R(set_tid_address, BAD) == R(gettid));
	V(R(set_tid_address, NULL) == R(gettid));
}

CASE(no_such_call)
{
	say("call 1000 = %s", error_name(-ask(1000, (const long[6]){ 0 })));
	say("call 511 = %s", error_name(-ask(600, (const long[6]){ 0 })));
	say("call -1 = %s", error_name(-ask(-1, (const long[6]){ 0 })));
}

/* Prints whether both names are of the same file. */
static void same(const char *a, const char *b)
{
	struct stat s, t;

	Q(newfstatat, AT_FDCWD, a, &s, 0);
	Q(newfstatat, AT_FDCWD, b, &t, 0);
	V(s.st_ino == t.st_ino && s.st_dev == t.st_dev);
}

CASE(links_of_itself)
{
	struct stat s;
	long n;

	Q(mkdirat, AT_FDCWD, "d", 0755);
	Q(chdir, "d");
	n = Q(readlinkat, AT_FDCWD, "/proc/self/cwd", buf, sizeof(buf) - 1);
	S(buf + n - 2);
	same("/proc/self/cwd", ".");
	Q(unlinkat, AT_FDCWD, "../d", AT_REMOVEDIR);
	same("/proc/self/cwd", ".");
	T(readlinkat, AT_FDCWD, "/proc/self/root", buf, sizeof(buf));
	same("/proc/self/root", "/");
	same("/proc/self/root/proc/self/root/", "/");
	memset(buf, 0, sizeof(buf));
	Q(readlinkat, AT_FDCWD, "/proc/self/exe", buf, sizeof(buf) - 1);
	V(buf[0] == '/');
	same("/proc/self/exe", buf);
	snprintf(buf, sizeof(buf), "/proc/self/task/%d/exe", getpid());
	same("/proc/self/exe", buf);
	Q(newfstatat, AT_FDCWD, "/proc/self/exe", &s, AT_SYMLINK_NOFOLLOW);
	O(s.st_mode);
	T(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY);
	T(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_NOFOLLOW);
	T(openat, AT_FDCWD, "/proc/self/exe/", O_RDONLY);
}

static const char *link_of(pid_t pid, const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return path;
}

CASE(links_of_others)
{
	pid_t pid = child();

	if (!pid) {
		Q(setresuid, 65534, 65534, 65534);
		T(readlinkat, AT_FDCWD, link_of(getppid(), "exe"), buf, 100);
		T(openat, AT_FDCWD, link_of(getppid(), "exe"), O_RDONLY);
		T(chdir, link_of(getppid(), "cwd"));
		T(chdir, link_of(getppid(), "root"));
		end(0);
	}
	await_state(pid, 'Z');
	T(readlinkat, AT_FDCWD, link_of(pid, "exe"), buf, 100);
	T(readlinkat, AT_FDCWD, link_of(pid, "cwd"), buf, 100);
	T(chdir, link_of(pid, "root"));
	Q(wait4, pid, NULL, 0, NULL);
}
