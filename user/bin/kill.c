/* kill [-signal] pid...: by number or name; -l lists the names. A pid below -1 is a group. */
#include <ctype.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT }, { "BUS", SIGBUS }, { "FPE", SIGFPE },
	{ "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE }, { "ALRM", SIGALRM }, { "TERM", SIGTERM }, { "CHLD", SIGCHLD },
	{ "CONT", SIGCONT }, { "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU },
};

#define COUNT	(sizeof(signals) / sizeof(*signals))

static int signal_named(const char *name)
{
	if (isdigit((unsigned char)*name))
		return atoi(name);
	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (size_t i = 0; i < COUNT; i++)
		if (!strcasecmp(name, signals[i].name))
			return signals[i].number;
	errx(2, "%s: no such signal", name);
}

int main(int argc, char **argv)
{
	int sig = SIGTERM, status = 0, i = 1;

	if (argc > 1 && !strcmp(argv[1], "-l")) {
		for (size_t k = 0; k < COUNT; k++)
			printf("%2d %s\n", signals[k].number, signals[k].name);
		return 0;
	}
	if (argc > 2 && argv[1][0] == '-')
		sig = signal_named(argv[i++] + 1);
	if (i == argc)
		errx(2, "usage: kill [-signal] pid... | kill -l");
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
