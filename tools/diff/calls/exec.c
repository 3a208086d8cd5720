/* Programs by descriptors: execveat(); the signal at the end. More of exec is in process.c. */
#include "diff.h"

static char *const no_args[] = { "x", NULL };

CASE(at_errors)
{
	int d, fd = file("f", "nothing");

	Q(symlinkat, "f", AT_FDCWD, "l");
	T(execveat, fd, "", no_args, NULL, AT_EMPTY_PATH);
	Q(fchmod, fd, 0755);
	T(execveat, fd, "", no_args, NULL, AT_EMPTY_PATH);
	Q(close, fd);
	fd = Q(openat, AT_FDCWD, "f", O_RDONLY);
	d = Q(openat, AT_FDCWD, ".", O_RDONLY);
	T(execveat, fd, "", no_args, NULL, AT_EMPTY_PATH);
	T(execveat, fd, "", no_args, NULL, 0);
	T(execveat, fd, "x", no_args, NULL, 0);
	T(execveat, d, "f", no_args, NULL, 0);
	T(execveat, d, "gone", no_args, NULL, 0);
	T(execveat, d, "l", no_args, NULL, 0);
	T(execveat, d, "l", no_args, NULL, AT_SYMLINK_NOFOLLOW);
	T(execveat, d, "f", no_args, NULL, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
	T(execveat, d, "", no_args, NULL, AT_EMPTY_PATH);
	T(execveat, AT_FDCWD, "", no_args, NULL, AT_EMPTY_PATH);
	T(execveat, AT_FDCWD, "", no_args, NULL, 0x100000);
	T(execveat, 99, "", no_args, NULL, AT_EMPTY_PATH);
	T(execveat, 99, "f", no_args, NULL, 0);
	T(execveat, 99, "f", no_args, NULL, 0x100000);
	T(execveat, 99, BAD, no_args, NULL, 0x100000);
	T(execveat, 99, "/gone", no_args, NULL, 0);
	T(execveat, d, "f", BAD, NULL, 0);
	d = Q(openat, AT_FDCWD, "l", O_PATH | O_NOFOLLOW);
	T(execveat, d, "", no_args, NULL, AT_EMPTY_PATH);
	d = Q(openat, AT_FDCWD, "f", O_PATH);
	T(execveat, d, "", no_args, NULL, AT_EMPTY_PATH);
}

/* A script is run by its path; with a descriptor that exec closes there is none. */
CASE(at_scripts)
{
	int d, fd = file("f", "#!/bin/sh\ncase $0 in /dev/fd/*) exit 7;; esac\n");
	pid_t pid;

	Q(fchmod, fd, 0755);
	Q(close, fd);
	d = Q(openat, AT_FDCWD, ".", O_RDONLY);
	fd = Q(openat, AT_FDCWD, "f", O_RDONLY);
	pid = child();
	if (!pid)
		T(execveat, fd, "", no_args, NULL, AT_EMPTY_PATH);
	W(reap(pid));
	pid = child();
	if (!pid)
		T(execveat, d, "f", no_args, NULL, 0);
	W(reap(pid));
	Q(fcntl, fd, F_SETFD, FD_CLOEXEC);
	T(execveat, fd, "", no_args, NULL, AT_EMPTY_PATH);
}

/* Five scripts may run each other, and no more. */
CASE(scripts_run_by_scripts)
{
	char name[2] = "a", line[] = "#!/bin/true\n";

	for (; *name <= 'f'; ++*name) {
		Q(fchmod, file(name, line), 0755);
		Q(close, 3);
		snprintf(line, sizeof(line), "#!./%s\n", name);
	}
	for (*name = 'a'; *name <= 'f'; ++*name) {
		pid_t pid = child();

		if (!pid) {
			T(execveat, AT_FDCWD, name, no_args, NULL, 0);
			end(1);
		}
		W(reap(pid));
	}
}

/* The descriptor that comes with the file does not keep it from being run; another one does. */
CASE(memory_file)
{
	int fd = Q(memfd_create, "m", 0);

	T(write, fd, "nothing", 7);
	T(execveat, fd, "", no_args, NULL, AT_EMPTY_PATH);
	T(openat, AT_FDCWD, "/proc/self/fd/3", O_RDWR);
	T(execveat, fd, "", no_args, NULL, AT_EMPTY_PATH);
	T(close, 4);
	T(execveat, fd, "", no_args, NULL, AT_EMPTY_PATH);
}

/* At its end a program sends SIGCHLD, whatever the process that became it would have sent. */
CASE(then_the_signal_is_the_usual_one)
{
	static const int signals[] = { 0, SIGUSR1, SIGCHLD };
	static char *const args[] = { "sh", "-c", "exit 3", NULL };

	on(SIGUSR1, SA_RESTART);
	on(SIGCHLD, SA_RESTART);
	for (int i = 0; i < 6; i++) {
		int execs = i % 2, status = 0;
		long r, pid = R(clone, signals[i / 2], 0, 0, 0, 0);

		if (!pid) {
			if (execs)
				R(execve, "/bin/sh", args, NULL);
			end(3);
		}
		say("%s%s", signal_name(signals[i / 2]), execs ? " and exec" : "");
		Q(waitid, P_PID, pid, NULL, WEXITED | WNOWAIT | __WALL, NULL);
		V(hits[SIGUSR1]);
		V(hits[SIGCHLD]);
		r = R(wait4, pid, &status, 0, NULL);
		say("waits for it as for any child: %s", r < 0 ? error_name(-r) : "yes");
		R(wait4, pid, &status, __WALL, NULL);
		W(status);
	}
}
