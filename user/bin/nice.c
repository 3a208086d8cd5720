/*
 * nice [-n N | -N] [command [argument...]]: runs the command with N, or 10, added to its niceness,
 * which goes from 19 (others go first) to -20. Without a command: prints the niceness.
 */
#include <err.h>
#include <errno.h>
#include <sys/resource.h>

#include "options.h"

static const struct options options = {
	.letters = "+n:",
	.names = "n:adjustment",
	.bad = 125,
};

int main(int argc, char **argv)
{
	const char *by = NULL;
	char *end;
	long n = 10;

	if (argc > 1 && argv[1][0] == '-' && strchr("-+0123456789", argv[1][1]) && argv[1][1] &&
	    strcmp(argv[1], "--") && strchr("0123456789", argv[1][2] ? argv[1][2] : argv[1][1])) {
		by = argv[1] + 1;
		optind = 2;
	} else {
		while (next_option(argc, argv, &options) != -1)
			by = optarg;
	}
	if (by) {
		n = strtol(by, &end, 10);
		if (end == by || *end)
			errx(125, "invalid adjustment '%s'", by);
	}
	if (optind == argc) {
		if (by) {
			warnx("a command must be given with an adjustment");
			bad_usage(argv, 125);
		}
		printf("%d\n", getpriority(PRIO_PROCESS, 0));
		return 0;
	}
	if (setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + n))
		warn("cannot set niceness");
	execvp(argv[optind], argv + optind);
	warn("'%s'", argv[optind]);
	return errno == ENOENT ? 127 : 126;
}
