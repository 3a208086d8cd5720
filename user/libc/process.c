/* Processes: creating them, running programs, waiting, and asking for ids. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libc.h"

/* The child has only the calling thread, so no other thread's lock may be held in it. */
pid_t fork(void)
{
	struct pthread *self = thread_self();
	long pid;

	if (__malloc_fork_prepare)
		__malloc_fork_prepare();
	pid = sys6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
	if (__malloc_fork_done)
		__malloc_fork_done();
	if (pid == 0) {
		self->tid = sys3(SYS_set_tid_address, (long)&self->tid, 0, 0);
		__live_threads = 1;
		if (__stdio_fork_child)
			__stdio_fork_child();
	}
	return __result(pid);
}

int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

/*
 * Tries each folder of PATH. EACCES is remembered and returned at the end, as a later folder may
 * have a file that can be run.
 */
int execvp(const char *file, char *const argv[])
{
	const char *path = getenv("PATH"), *end;
	int denied = 0;
	char full[4096];

	if (strchr(file, '/'))
		return execv(file, argv);
	for (path = path ? path : "/bin:/usr/bin"; path; path = *end ? end + 1 : NULL) {
		end = strchrnul(path, ':');
		snprintf(full, sizeof(full), "%.*s%s%s", (int)(end - path), path,
			 end == path ? "" : "/", file);
		execv(full, argv);
		if (errno == EACCES)
			denied = errno;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -1;
	}
	errno = denied ? denied : ENOENT;
	return -1;
}

#define MAX_LIST	64

static void collect(const char *arg0, va_list ap, const char **argv)
{
	int n = 0;

	for (argv[n++] = arg0; n < MAX_LIST && (argv[n] = va_arg(ap, const char *)); n++)
		;
	argv[MAX_LIST] = NULL;
}

int execl(const char *path, const char *arg0, ...)
{
	const char *argv[MAX_LIST + 1];
	va_list ap;

	va_start(ap, arg0);
	collect(arg0, ap, argv);
	va_end(ap);
	return execv(path, (char *const *)argv);
}

int execlp(const char *file, const char *arg0, ...)
{
	const char *argv[MAX_LIST + 1];
	va_list ap;

	va_start(ap, arg0);
	collect(arg0, ap, argv);
	va_end(ap);
	return execvp(file, (char *const *)argv);
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
	return wait4(-1, status, options, usage);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	return wait4(pid, status, options, NULL);
}

pid_t wait(int *status)
{
	return waitpid(-1, status, 0);
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	return call6(SYS_waitid, type, id, (long)info, options, 0, 0);
}

pid_t getpgrp(void)
{
	return getpgid(0);
}

int seteuid(uid_t uid)
{
	return setresuid(-1, uid, -1);
}

int setegid(gid_t gid)
{
	return setresgid(-1, gid, -1);
}

int gethostname(char *name, size_t size)
{
	struct utsname u;

	if (uname(&u))
		return -1;
	snprintf(name, size, "%s", u.nodename);
	return 0;
}

int reboot(int how)
{
	return call(SYS_reboot, 0xfee1dead, 0x28121969, how);
}
