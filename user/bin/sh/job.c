/*
 * Processes of the shell: forking, waiting, and who has the terminal.
 *
 * An interactive shell gives each pipeline a process group of its own and makes that the terminal's
 * foreground group while it waits, so that Ctrl-C reaches the pipeline and nothing else; the shell
 * ignores the signal for the moments when it is in the foreground itself. It learns of Ctrl-C by
 * how the pipeline died, and then leaves whatever loop it is in. Both sides of a fork set the
 * group, as either may run first.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sh.h"

static const int terminal_signals[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };

static void child_setup(pid_t group, bool foreground)
{
	if (shell.interactive) {
		setpgid(0, group);
		if (foreground)
			job_foreground(group ? group : getpid());
		for (size_t i = 0; i < sizeof(terminal_signals) / sizeof(int); i++)
			signal(terminal_signals[i], SIG_DFL);
		shell.interactive = false;
	} else if (!foreground) {
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
	}
}

pid_t job_fork(pid_t *group, bool foreground)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		complain("cannot fork: %m");
	if (pid == 0)
		child_setup(*group, foreground);
	if (pid > 0 && shell.interactive) {
		if (!*group)
			*group = pid;
		setpgid(pid, *group);
	}
	return pid;
}

/* The terminal is the one we were started on, wherever descriptor 0 leads at the moment. */
void job_foreground(pid_t group)
{
	static int terminal = -1;

	if (!shell.interactive)
		return;
	if (terminal < 0) {
		terminal = fcntl(0, F_DUPFD_CLOEXEC, 10);
		for (size_t i = 0; i < sizeof(terminal_signals) / sizeof(int); i++)
			signal(terminal_signals[i], SIG_IGN);
		setpgid(0, 0);
	}
	tcsetpgrp(terminal, group ? group : getpgrp());
}

int status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void report_death(int sig)
{
	if (sig == SIGINT && shell.interactive) {
		if (shell.unwind != UNWIND_INTERRUPT)
			fputc('\n', stderr);
		shell.unwind = UNWIND_INTERRUPT;
	} else if (sig != SIGINT && sig != SIGPIPE) {
		fprintf(stderr, "%s\n", strsignal(sig));
	}
}

int job_wait(pid_t pid)
{
	int status;
	pid_t r;

	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return 127;
	if (WIFSIGNALED(status))
		report_death(WTERMSIG(status));
	return status_of(status);
}

/* Before a prompt: buries children that ended in the background. */
void job_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		fprintf(stderr, "[%d] done, status %d\n", pid, status_of(status));
}
