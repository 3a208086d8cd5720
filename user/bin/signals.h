/* Signals by name or number, for kill and the shell. */
#pragma once

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Returns the signal for "9", "KILL", "SIGKILL" or "kill", or -1. 0 is valid: it only asks whether
 * a process exists.
 */
static inline int signal_named(const char *name)
{
	char *end;
	long n = strtol(name, &end, 10);

	if (isdigit((unsigned char)*name))
		return *end || n > SIGRTMAX ? -1 : (int)n;
	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (int sig = 1; sig < SIGRTMIN; sig++)
		if (sigabbrev_np(sig) && !strcasecmp(name, sigabbrev_np(sig)))
			return sig;
	return -1;
}

static inline void list_signals(void)
{
	for (int sig = 1; sig < SIGRTMIN; sig++)
		if (sigabbrev_np(sig))
			printf("%2d %s\n", sig, sigabbrev_np(sig));
}

/*
 * Parses -l, -l N, -s NAME, -NAME, -N and --. Returns the index of what follows, with *sig set; -1
 * after a mistake; 0 if there is nothing left to do.
 */
static inline int signal_options(int argc, char **argv, int *sig)
{
	const char *name = argc > 1 && argv[1][0] == '-' ? argv[1] + 1 : NULL;
	int i = name ? 2 : 1, n;

	*sig = SIGTERM;
	if (!name || !strcmp(name, "-"))
		return i;
	if (!strcmp(name, "l") && argc == 2) {
		list_signals();
		return 0;
	}
	if (!strcmp(name, "l")) {	/* of a number, or of a status that says so */
		n = atoi(argv[2]) & 127;
		if (!sigabbrev_np(n))
			return -1;
		puts(sigabbrev_np(n));
		return 0;
	}
	if (!strcmp(name, "s"))
		name = argc > 2 ? argv[i++] : "";
	*sig = signal_named(name);
	return *sig < 0 ? -1 : i;
}
