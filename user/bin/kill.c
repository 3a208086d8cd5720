/*
 * kill [-s name | -signal] pid...: sends TERM, or the given signal. A pid below -1 means a process
 * group. -l: list the names of signals; -l number: print one.
 */
#include <err.h>
#include <signal.h>
#include <stdlib.h>

#include "signals.h"

int main(int argc, char **argv)
{
	int sig, status = 0, i = signal_options(argc, argv, &sig);

	if (i == 0)
		return 0;
	if (i < 0 || i >= argc)
		errx(2, "usage: kill [-s signal | -signal] pid... | kill -l [number]");
	for (; i < argc; i++) {
		char *end;
		long pid = strtol(argv[i], &end, 10);

		if (*end || end == argv[i])
			errx(2, "%s: not a process id", argv[i]);
		if (kill(pid, sig)) {
			warn("%s", argv[i]);
			status = 1;
		}
	}
	return status;
}
