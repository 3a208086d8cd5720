/*
 * init: process 1. The kernel starts it, and powers the machine off when it ends, with its status.
 *
 * If there is a file /etc/run, init runs it with sh and ends with its status (128 + n if signal n
 * ended it). Otherwise it runs a shell on the console, and a new one whenever that ends.
 *
 * All the while init is the parent of every process whose own parent has gone, and reaps it.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT	"/etc/run"

/* Opens the standard descriptors if the kernel gave us none. */
static void open_console(void)
{
	int fd = 0;

	if (fcntl(0, F_GETFD) >= 0)
		return;
	fd = open("/dev/console", O_RDWR);
	while (fd >= 0 && fd < 2)
		fd = dup(fd);
}

/* Starts a shell in a session of its own on the console. @script NULL: an interactive one. */
static pid_t start_shell(const char *script)
{
	pid_t pid = fork();

	if (pid < 0)
		err(126, "fork");
	if (pid == 0) {
		setsid();
		ioctl(0, TIOCSCTTY, 1);
		execl("/bin/sh", "sh", script, NULL);
		err(127, "/bin/sh");
	}
	return pid;
}

/* Reaps every child that ends, until that is @pid. */
static int wait_for(pid_t pid)
{
	int status;
	pid_t ended;

	do
		ended = wait(&status);
	while (ended != pid && ended > 0);
	if (ended < 0)
		err(125, "wait");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(void)
{
	open_console();
	setenv("PATH", "/bin:/tests", 0);
	setenv("HOME", "/", 0);
	if (!access(SCRIPT, R_OK))
		return wait_for(start_shell(SCRIPT));
	for (;;)
		wait_for(start_shell(NULL));
}
