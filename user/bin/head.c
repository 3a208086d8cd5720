/*
 * head [-q] [-n lines | -c bytes | -lines] [file...]: the first lines, 10 if not said otherwise.
 * Above each of several files is its name; -q: without.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "inputs.h"

static long lines = 10, bytes = -1;

static void head(FILE *f, const char *name)
{
	long left = bytes >= 0 ? bytes : lines;
	int c;

	input_title(name);
	while (left > 0 && (c = getc(f)) != EOF) {
		putchar(c);
		left -= bytes >= 0 || c == '\n';
	}
}

int main(int argc, char **argv)
{
	bool quiet = false;
	int c;

	while ((c = getopt(argc, argv, "0123456789c:n:q")) != -1) {
		if (isdigit(c)) {	/* -12 is -n 12 */
			static long typed;

			lines = typed = typed * 10 + c - '0';
		} else if (c == '?') {
			return 1;
		} else if (c == 'q') {
			quiet = true;
		} else if (!isdigit((unsigned char)*optarg)) {
			errx(1, "invalid number of %s: '%s'", c == 'n' ? "lines" : "bytes", optarg);
		} else {
			*(c == 'n' ? &lines : &bytes) = atol(optarg);
		}
	}
	input_titles(argc - optind > 1 && !quiet);
	return for_inputs(argv + optind, head) ? 0 : 1;
}
