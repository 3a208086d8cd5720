/*
 * Processes of the shell: forking, waiting, jobs, and the terminal's foreground group.
 *
 * An interactive shell gives each pipeline a process group of its own and makes that the
 * terminal's foreground group while it waits, so that Ctrl-C, Ctrl-\ and Ctrl-Z reach the
 * pipeline and nothing else. How the pipeline died, or that it stopped, tells the shell which key
 * was pressed; the shell then leaves the whole command line. Both sides of a fork set the group, as
 * either may run first.
 *
 * While builtins run, the shell itself is in the foreground and gets the signal. A handler notes
 * it, and the walk over the tree looks at the note before each node (job_interrupted). Ctrl-C and
 * Ctrl-\ leave the command line, as in bash. For Ctrl-Z there is no process that could stop while
 * the shell goes on, so the shell forks: the copy, in the middle of the same loop, stops and
 * becomes the job, and the shell leaves the line. With fg the copy goes on; variables it sets do
 * not change the shell's.
 *
 * A group that was started in the background, or stopped in the foreground, is a job: fg and bg
 * continue it, jobs lists it, kill %1 signals it. Before each prompt the shell reports changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../signals.h"
#include "sh.h"

static const int terminal_signals[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };

static volatile sig_atomic_t key_signal;	/* came while the shell itself ran; 0: none */

static void note_key(int sig)
{
	key_signal = sig;
}

/*
 * Without SA_RESTART: a call that blocks in a builtin ends with EINTR. Programs get the default
 * action back.
 */
static void catch_keys(void)
{
	struct sigaction act = { .sa_handler = note_key };

	for (size_t i = 0; i < 3; i++)
		sigaction(terminal_signals[i], &act, NULL);
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
}

void job_forget_key(void)
{
	key_signal = 0;
}

bool job_catches(int sig)
{
	bool key = sig == SIGINT || sig == SIGQUIT || sig == SIGTSTP;

	if (key)
		catch_keys();
	return key;
}

static void child_setup(pid_t group, bool foreground)
{
	trap_forget();
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

/* Uses the terminal that the shell was started on, wherever descriptor 0 leads now. */
void job_foreground(pid_t group)
{
	static int terminal = -1;

	if (!shell.interactive)
		return;
	if (terminal < 0) {
		terminal = fcntl(0, F_DUPFD_CLOEXEC, 10);
		catch_keys();
		setpgid(0, 0);
	}
	tcsetpgrp(terminal, group ? group : getpgrp());
}

int status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Leaves the command line with all its loops and functions. */
static void interrupt(int sig)
{
	shell.unwind = UNWIND_INTERRUPT;
	shell.status = 128 + sig;
}

static void report_death(int sig)
{
	bool key = shell.interactive && (sig == SIGINT || sig == SIGQUIT);

	if (sig == SIGINT && key && shell.unwind != UNWIND_INTERRUPT)
		fputc('\n', stderr);
	else if (sig != SIGINT && sig != SIGPIPE)
		fprintf(stderr, "%s\n", strsignal(sig));
	if (key)
		interrupt(sig);
}

/* --- Jobs ------------------------------------------------------------------------------------- */

#define JOBS	16

static struct job {
	pid_t group;			/* 0: free */
	pid_t last;			/* the process whose status is the job's */
	int alive;			/* processes that have not ended */
	int status;			/* of the last process, as wait() gives it */
	bool stopped, told;		/* told: a person has seen this state */
	char text[80];
} jobs[JOBS];

/* Returns the job that was stopped or started last, or NULL. */
static struct job *current_job(void)
{
	for (struct job *j = jobs + JOBS - 1; j >= jobs; j--)
		if (j->group)
			return j;
	return NULL;
}

static struct job *new_job(pid_t group, pid_t last, int n, const char *text)
{
	struct job *j = current_job();

	j = j ? j + 1 : jobs;
	if (j == jobs + JOBS)
		for (j = jobs; j < jobs + JOBS - 1 && j->group; j++)
			;
	*j = (struct job){ .group = group, .last = last, .alive = n };
	snprintf(j->text, sizeof(j->text), "%s", text);
	return j;
}

static void say_job(const struct job *j, const char *state)
{
	printf("[%d] %d %s  %s\n", (int)(j - jobs) + 1, j->group, state, j->text);
	fflush(stdout);
}

/*
 * Notes what has become of one of the job's processes. Returns false if nothing has, or if none is
 * left.
 */
static bool note_change(struct job *j, int options)
{
	int status;
	pid_t pid = waitpid(-j->group, &status, options);

	if (pid < 0 && errno == EINTR)
		return true;
	if (pid < 0)
		j->alive = 0;
	if (pid <= 0)
		return false;
	j->told = j->told && j->stopped == WIFSTOPPED(status);
	j->stopped = WIFSTOPPED(status);
	if (WIFSTOPPED(status) || WIFCONTINUED(status))
		return true;
	j->alive--;
	if (pid == j->last)
		j->status = status;
	return true;
}

/* Waits in the foreground until the job has ended or stopped. Returns its status. */
static int await_job(struct job *j)
{
	while (j->alive && !j->stopped) {
		if (key_signal)		/* the key came just before the job had the terminal */
			kill(-j->group, key_signal);
		key_signal = 0;
		note_change(j, WUNTRACED);
	}
	job_foreground(0);
	if (j->stopped) {
		j->told = true;
		fputc('\n', stderr);
		say_job(j, "stopped");
		interrupt(SIGTSTP);
		return shell.status;
	}
	j->group = 0;
	if (WIFSIGNALED(j->status))
		report_death(WTERMSIG(j->status));
	return status_of(j->status);
}

/* Waits for a pipeline in the foreground. Returns the status of the last of @n processes. */
int job_wait_all(pid_t group, const pid_t *pids, size_t n, const char *text)
{
	int status;

	if (shell.interactive && group)
		return await_job(new_job(group, pids[n - 1], n, text));
	status = job_wait(pids[n - 1]);
	for (size_t i = n - 1; i > 0; i--) {
		int failed = job_wait(pids[i - 1]);

		if (shell.pipe_fails && !status)
			status = failed;
	}
	return status;
}

/* Handles a key that came while builtins ran. Returns true if the command line is being left. */
bool job_interrupted(void)
{
	int sig = key_signal;
	pid_t group = 0, pid;

	key_signal = 0;
	if (sig == SIGTSTP) {
		pid = job_fork(&group, false);
		if (pid == 0)
			raise(SIGTSTP);
		if (pid > 0)
			await_job(new_job(group, pid, 1, describe(shell.typed)));
	} else if (sig) {
		report_death(sig);
	}
	return shell.unwind == UNWIND_INTERRUPT;
}

void job_background(pid_t group, const char *text)
{
	struct job *j = new_job(group, group, 1, text);

	fprintf(stderr, "[%d] %d\n", (int)(j - jobs) + 1, group);
}

/* Finds %1, or the last job. Returns NULL after an error message if there is none. */
static struct job *find_job(const char *name)
{
	struct job *j = name ? NULL : current_job();
	int n = name && *name == '%' ? atoi(name + 1) : 0;

	if (n > 0 && n <= JOBS)
		j = &jobs[n - 1];
	if (j && j->group)
		return j;
	complain("%s: no such job", name ? name : "current");
	return NULL;
}

int builtin_jobs(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (struct job *j = jobs; j < jobs + JOBS; j++) {
		while (j->group && note_change(j, WNOHANG | WUNTRACED | WCONTINUED))
			;
		if (!j->group)
			continue;
		j->told = true;
		say_job(j, !j->alive ? "done" : j->stopped ? "stopped" : "running");
		if (!j->alive)
			j->group = 0;
	}
	return 0;
}

/* fg [%job], bg [%job] */
int builtin_fg(int argc, char **argv)
{
	struct job *j = find_job(argc > 1 ? argv[1] : NULL);
	bool foreground = *argv[0] == 'f';

	if (!j)
		return 1;
	say_job(j, foreground ? "goes on" : "running");
	j->stopped = j->told = false;
	if (foreground)
		job_foreground(j->group);
	kill(-j->group, SIGCONT);
	return foreground ? await_job(j) : 0;
}

/* A builtin because it must work when there are too many processes to start another. */
int builtin_kill(int argc, char **argv)
{
	int sig, status = 0, i = signal_options(argc, argv, &sig);

	if (i < 0 || i >= argc) {
		complain("usage: kill [-s signal | -signal] pid|%%job... | kill -l [number]");
		return 2;
	}
	for (; i && i < argc; i++) {
		struct job *j = *argv[i] == '%' ? find_job(argv[i]) : NULL;
		char *end;
		long pid = j ? -j->group : strtol(argv[i], &end, 10);

		if (!j && (*argv[i] == '%' || *end || end == argv[i])) {
			complain("kill: %s: not a process id", argv[i]);
			status = 1;
		} else if (kill(pid, sig)) {
			complain("kill: %s: %m", argv[i]);
			status = 1;
		} else if (j && j->stopped && sig != SIGSTOP && sig != SIGTSTP) {
			kill(pid, SIGCONT);
		}
	}
	return status;
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

/* Called before a prompt: reaps background children that ended, and reports jobs that changed. */
void job_reap(void)
{
	for (struct job *j = jobs; j < jobs + JOBS; j++) {
		while (j->group && note_change(j, WNOHANG | WUNTRACED | WCONTINUED))
			;
		if (j->group && !j->alive) {
			bool killed = WIFSIGNALED(j->status);

			say_job(j, killed ? strsignal(WTERMSIG(j->status)) : "done");
			j->group = 0;
		} else if (j->group && j->stopped && !j->told) {
			say_job(j, "stopped");
			j->told = true;
		}
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}
