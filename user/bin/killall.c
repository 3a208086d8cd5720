/*
 * killall [-signal] [-eq] name...: sends TERM, or the given signal, to all processes of these
 * names. -q: no message if there is no such process.
 */
#include "matching.h"
#include "signals.h"

int main(int argc, char **argv)
{
	int sig = SIGTERM, status = 0, i = 1;
	bool quiet = false;
	struct task *tasks;
	size_t n;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		show_help(argv);
	for (; i < argc && argv[i][0] == '-'; i++) {
		const char *name = argv[i] + 1;

		if (!strcmp(name, "q") || !strcmp(name, "e")) {
			quiet |= *name == 'q';
			continue;
		}
		if (!strcmp(name, "s") && i + 1 < argc)
			name = argv[++i];
		sig = signal_named(name);
		if (sig < 0)
			errx(1, "%s: unknown signal; killall -l lists signals.", name);
	}
	if (i == argc) {
		fputs("Usage: killall [OPTION]... NAME...\n", stderr);
		return 1;
	}
	tasks = read_tasks("/proc", &n);
	for (; i < argc; i++) {
		bool found = false;

		for (size_t k = 0; tasks && k < n; k++)
			if (tasks[k].id != getpid() && !strcmp(tasks[k].name, argv[i]))
				found |= !kill(tasks[k].id, sig);
		if (!found && !quiet)
			fprintf(stderr, "%s: no process found\n", argv[i]);
		status |= !found;
	}
	return status;
}
