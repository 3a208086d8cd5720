/* Options of a command line, one letter each; they end at the first operand or at "--". */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *optarg;
int optind = 1, opterr = 1, optopt;

static const char *rest = "";		/* of an argument like -abc */

static int complain(const char *program, const char *options, const char *what)
{
	rest = "";
	if (opterr && *options != ':')
		fprintf(stderr, "%s: %s -- '%c'\n", program, what, optopt);
	return '?';
}

int getopt(int argc, char *const argv[], const char *options)
{
	const char *found;

	options += *options == '+';	/* "operands end it", as here they always do */
	if (!*rest) {
		if (optind >= argc || argv[optind][0] != '-' || !argv[optind][1])
			return -1;
		rest = argv[optind++] + 1;
		if (!strcmp(rest, "-")) {
			rest = "";
			return -1;
		}
	}
	optopt = *rest++;
	found = optopt == ':' ? NULL : strchr(options, optopt);
	if (!found)
		return complain(argv[0], options, "invalid option");
	if (found[1] != ':')
		return optopt;
	if (!*rest && optind >= argc) {
		complain(argv[0], options, "option requires an argument");
		return *options == ':' ? ':' : '?';
	}
	optarg = *rest ? (char *)rest : argv[optind++];
	rest = "";
	return optopt;
}
