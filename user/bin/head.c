/*
 * head [-qv] [-n lines | -c bytes | -lines] [file...]: prints the first 10 lines, or as many as
 * given. Several files get their names as headings; -q: never, -v: always.
 */
#include <ctype.h>

#include "inputs.h"
#include "options.h"

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

static const struct options options = {
	.letters = "0123456789c:n:qv",
	.names = "n:lines c:bytes q:quiet q:silent v:verbose",
	.bad = 1,
};

int main(int argc, char **argv)
{
	bool quiet = false, titled = false;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		if (isdigit(c)) { /* -12 means -n 12 */
			static long typed;

			lines = typed = typed * 10 + c - '0';
		} else if (c == 'q' || c == 'v') {
			quiet = c == 'q';
			titled = c == 'v';
		} else if (!isdigit((unsigned char)*optarg)) {
			errx(1, "invalid number of %s: '%s'", c == 'n' ? "lines" : "bytes", optarg);
		} else {
			*(c == 'n' ? &lines : &bytes) = atol(optarg);
		}
	}
	input_titles(titled || (argc - optind > 1 && !quiet));
	cannot_open = "cannot open '%s' for reading";
	cannot_read = "error reading '%s'";
	each_folder = input_title;
	return for_inputs(argv + optind, head) ? 0 : 1;
}
