/*
 * Options of a command line, one letter each. Operands between options are moved behind them,
 * because people type "ls /bin -l". "--" ends the options; with '+' before the letters, so does the
 * first operand.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *optarg;
int optind = 1, opterr = 1, optopt;

static const char *rest = ""; /* what is left of an argument like -abc */
static int behind; /* index of the word after that argument, before the move */

static int complain(const char *program, const char *options, const char *what)
{
	rest = "";
	if (opterr && *options != ':')
		fprintf(stderr, "%s: %s -- '%c'\n", program, what, optopt);
	return '?';
}

static bool is_operand(const char *arg)
{
	return arg[0] != '-' || !arg[1];
}

/* Moves the word at @from down to @to; the words between go one place up. */
static void move_down(char *const argv[], int from, int to)
{
	char **words = (char **)argv, *word = words[from];

	for (; from > to; from--)
		words[from] = words[from - 1];
	words[to] = word;
}

int getopt(int argc, char *const argv[], const char *options)
{
	const char *found;

	bool in_order = *options == '+';
	int at = optind;

	options += in_order;
	if (!*rest) {
		while (!in_order && at < argc && is_operand(argv[at]))
			at++;
		if (at >= argc || is_operand(argv[at]))
			return -1;
		behind = at + 1;
		move_down(argv, at, optind);
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
	if (found[2] == ':' && !*rest) { /* two colons: the value must be in the same word */
		optarg = NULL;
		return optopt;
	}
	if (!*rest && behind >= argc) {
		complain(argv[0], options, "option requires an argument");
		return *options == ':' ? ':' : '?';
	}
	if (!*rest)
		move_down(argv, behind, optind);
	optarg = *rest ? (char *)rest : argv[optind++];
	rest = "";
	return optopt;
}
