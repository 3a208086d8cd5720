/*
 * trap: commands that run when a signal comes, or when the shell ends. The handler only notes the
 * signal. The walk over the tree looks at the notes before each node, so the commands run between
 * others and not in the middle of one. A child has no traps, but ignores what its parent ignores.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../signals.h"
#include "sh.h"

#define AT_EXIT 0 /* in place of a signal's number */
#define SIGNALS 64

static char *actions[SIGNALS]; /* NULL: none; "": the signal is ignored */
static volatile sig_atomic_t pending[SIGNALS], any_pending;
static bool ending;

static void note(int sig)
{
	pending[sig] = any_pending = 1;
}

bool trap_is_set(void)
{
	for (int sig = 0; sig < SIGNALS; sig++)
		if (actions[sig] && *actions[sig])
			return true;
	return false;
}

bool trap_is_pending(void)
{
	return any_pending;
}

/* Runs the commands for @sig, and keeps $? as it was. */
static void run_action(int sig)
{
	int status = shell.status;

	if (!actions[sig] || !*actions[sig])
		return;
	run_string(arena_copy(actions[sig], strlen(actions[sig])));
	shell.status = status;
}

void trap_run(void)
{
	if (!any_pending)
		return;
	any_pending = 0;
	for (int sig = 1; sig < SIGNALS; sig++) {
		if (!pending[sig])
			continue;
		pending[sig] = 0;
		run_action(sig);
	}
}

/* Forgets all traps, in a child. */
void trap_forget(void)
{
	for (int sig = 0; sig < SIGNALS; sig++) {
		if (actions[sig] && *actions[sig] && sig != AT_EXIT)
			signal(sig, SIG_DFL);
		if (actions[sig] && *actions[sig])
			actions[sig] = NULL;
		pending[sig] = 0;
	}
	any_pending = 0;
}

/* Ends the shell, after the commands of "trap ... EXIT"; an "exit" in those ends it at once. */
void shell_exit(int status)
{
	shell.status = status & 255;
	if (!ending) {
		ending = true;
		shell.unwind = UNWIND_NONE;
		run_action(AT_EXIT);
	}
	exit(shell.status);
}

static int trap_named(const char *name)
{
	int sig = strcmp(name, "EXIT") ? signal_named(name) : AT_EXIT;

	return sig < SIGNALS ? sig : -1;
}

static void set_trap(int sig, const char *action)
{
	free(actions[sig]);
	actions[sig] = action ? need_memory(strdup(action)) : NULL;
	if (sig == AT_EXIT)
		return;
	if (!action && shell.interactive && job_catches(sig))
		return;
	if (action && *action) {
		/* Without SA_RESTART: a call that blocks in a builtin ends with EINTR. */
		struct sigaction act = { .sa_handler = note };

		sigaction(sig, &act, NULL);
	} else {
		signal(sig, action ? SIG_IGN : SIG_DFL);
	}
}

/* trap [action | -] signal...: without an action, or with "-", restores the original action. */
int builtin_trap(int argc, char **argv)
{
	int i = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1, status = 0;
	const char *action = NULL;

	if (i >= argc) {
		for (int sig = 0; sig < SIGNALS; sig++)
			if (actions[sig])
				printf("trap -- '%s' %s\n", actions[sig],
				       sig == AT_EXIT ? "EXIT" : sigabbrev_np(sig));
		return fflush(stdout) ? 1 : 0;
	}
	if (i + 1 < argc && trap_named(argv[i]) != AT_EXIT) {
		action = strcmp(argv[i], "-") ? argv[i] : NULL;
		i++;
	}
	for (; i < argc; i++) {
		int sig = trap_named(argv[i]);

		if (sig >= 0) {
			set_trap(sig, action);
			continue;
		}
		complain("trap: %s: bad trap", argv[i]);
		status = 1;
	}
	return status;
}
