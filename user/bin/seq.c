/*
 * seq [-w] [-s string] [first [step]] last: whole numbers, one a line; -s: with this between
 * them; -w: zeros before them, so that all are equally wide.
 */
#include <ctype.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static long number(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (*end || end == s)
		errx(1, "invalid integer argument: '%s'", s);
	return n;
}

int main(int argc, char **argv)
{
	long first = 1, step = 1, last;
	const char *between = "\n";
	bool wide = false;
	int c, width = 0, width_last;

	while (optind < argc && !isdigit((unsigned char)argv[optind][1]) &&
	       (c = getopt(argc, argv, "+s:w")) != -1) {
		switch (c) {
		case 's':	between = optarg; break;
		case 'w':	wide = true; break;
		default:	return 1;
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 1 || argc > 3)
		errx(1, "usage: seq [-w] [-s string] [first [step]] last");
	last = number(argv[argc - 1]);
	first = argc > 1 ? number(argv[0]) : 1;
	step = argc > 2 ? number(argv[1]) : 1;
	if (step == 0)
		errx(1, "invalid Zero increment value: '0'");
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
