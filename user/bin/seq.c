/*
 * seq [-w] [-s string] [first [step]] last: prints whole numbers, one a line. -s: with this between
 * them; -w: with leading zeros, so that all are equally wide.
 */
#include <ctype.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "options.h"

static char **args;

static long number(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (!*end && end != s)
		return n;
	warnx("invalid floating point argument: '%s'", s);
	bad_usage(args, 1);
}

static const struct options options = {
	.letters = "+s:w",
	.names = "s:separator w:equal-width",
	.bad = 1,
};

int main(int argc, char **argv)
{
	long first = 1, step = 1, last;
	const char *between = "\n";
	bool wide = false;
	int c, width = 0, width_last;

	while (optind < argc && !isdigit((unsigned char)argv[optind][1]) &&
	       (c = next_option(argc, argv, &options)) != -1) {
		switch (c) {
		case 's':
			between = optarg;
			break;
		case 'w':
			wide = true;
			break;
		}
	}
	args = argv;
	argc -= optind;
	argv += optind;
	if (argc < 1) {
		warnx("missing operand");
		bad_usage(args, 1);
	}
	if (argc > 3) {
		warnx("extra operand '%s'", argv[3]);
		bad_usage(args, 1);
	}
	last = number(argv[argc - 1]);
	first = argc > 1 ? number(argv[0]) : 1;
	step = argc > 2 ? number(argv[1]) : 1;
	if (step == 0) {
		warnx("invalid Zero increment value: '%s'", argv[1]);
		bad_usage(args, 1);
	}
	if (wide) {
		width = snprintf(NULL, 0, "%ld", first);
		width_last = snprintf(NULL, 0, "%ld", last);
		width = width > width_last ? width : width_last;
	}
	for (long n = first; step > 0 ? n <= last : n >= last; n += step)
		printf("%s%0*ld", n == first ? "" : between, width, n);
	if (step > 0 ? first <= last : first >= last)
		putchar('\n');
	return 0;
}
