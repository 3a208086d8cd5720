/*
 * tail [-fqv] [-n lines | -c bytes | -lines] [file...]: prints the last 10 lines, or as many as
 * given; +n: from line n on; -f: then also what is added to the last file, until a signal.
 */
#include <ctype.h>
#include <time.h>

#include "inputs.h"
#include "options.h"

static const char *count = "10";
static bool by_bytes, follow;

static bool ends_unit(int c)
{
	return by_bytes || c == '\n';
}

static void from_unit(FILE *f, long first)
{
	int c;

	for (long i = 1; (c = getc(f)) != EOF; i += ends_unit(c))
		if (i >= first)
			putchar(c);
}

/* Keeps all of the file, and finds from its end where the last units begin. */
static void last_units(FILE *f, long keep)
{
	size_t room = BUFSIZ, n = 0, got, from;
	char *all = malloc(room);

	while (all && (got = fread(all + n, 1, room - n, f)) > 0) {
		n += got;
		if (n == room)
			all = realloc(all, room *= 2);
	}
	if (!all)
		err(1, "%zu bytes", room);
	for (from = n; from > 0; from--)
		if (ends_unit(all[from - 1]) && (by_bytes || from < n) && keep-- <= !by_bytes)
			break;
	fwrite(all + from, 1, n - from, stdout);
	free(all);
}

/* No call waits for a file to grow, so this looks ten times a second. */
static void follow_file(FILE *f)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	int c;

	for (;;) {
		clearerr(f);
		while ((c = getc(f)) != EOF)
			putchar(c);
		fflush(stdout);
		nanosleep(&moment, NULL);
	}
}

static void tail(FILE *f, const char *name)
{
	long n = atol(count + (*count == '-'));

	input_title(name);
	if (*count == '+')
		from_unit(f, n);
	else if (n > 0)
		last_units(f, n);
	if (follow)
		follow_file(f);
}

static const struct options options = {
	.letters = "c:fn:qv",
	.names = "n:lines c:bytes f:follow q:quiet q:silent v:verbose",
	.bad = 1,
};

static void check_count(void)
{
	const char *digits = count + (*count == '-' || *count == '+');

	if (!*digits || digits[strspn(digits, "0123456789")])
		errx(1, "invalid number of %s: '%s'", by_bytes ? "bytes" : "lines", count);
}

int main(int argc, char **argv)
{
	bool quiet = false, titled = false;
	int c;

	if (argc > 1 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1])) {
		count = argv[1] + 1; /* -12 means -n 12 */
		optind = 2;
	}
	while ((c = next_option(argc, argv, &options)) != -1) {
		switch (c) {
		case 'c':
		case 'n':
			count = optarg;
			by_bytes = c == 'c';
			check_count();
			break;
		case 'f':
			follow = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 'v':
			titled = true;
			break;
		}
	}
	input_titles(titled || (argc - optind > 1 && !quiet));
	cannot_open = "cannot open '%s' for reading";
	cannot_read = "error reading '%s'";
	each_folder = input_title;
	return for_inputs(argv + optind, tail) ? 0 : 1;
}
