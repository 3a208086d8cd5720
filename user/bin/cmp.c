/*
 * cmp [-ls] [-n bytes] file1 [file2]: says where two files first differ. -l: list all bytes that
 * differ, in octal; -s: print nothing; -n: compare at most so many bytes. Status 0: equal, 1:
 * different, 2: an error.
 */
#include <err.h>
#include <sys/stat.h>

#include "options.h"

static bool list, silent;

static FILE *open_input(const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;

	if (!f && !silent)
		warn("%s", path);
	if (!f)
		exit(2);
	return f;
}

static int ended(const char *name, long byte, long line, bool whole_line)
{
	if (silent)
		return 1;
	fflush(stdout);
	if (byte == 0)
		fprintf(stderr, "cmp: EOF on %s which is empty\n", name);
	else if (list)
		fprintf(stderr, "cmp: EOF on %s after byte %ld\n", name, byte);
	else
		fprintf(stderr, "cmp: EOF on %s after byte %ld, %sline %ld\n", name, byte,
			whole_line ? "" : "in ", whole_line ? line - 1 : line);
	return 1;
}

/* Returns the width of the largest byte number, if both sizes are known. */
static int number_width(FILE *f, FILE *g)
{
	struct stat x, y;

	if (fstat(fileno(f), &x) || fstat(fileno(g), &y) || !S_ISREG(x.st_mode) ||
	    !S_ISREG(y.st_mode))
		return 1;
	return snprintf(NULL, 0, "%ld", (long)(x.st_size < y.st_size ? x.st_size : y.st_size));
}

static int compare(char **names, long most)
{
	FILE *f = open_input(names[0]), *g = open_input(names[1]);
	long byte = 0, line = 1;
	int status = 0, last = '\n', width = number_width(f, g);

	for (; byte != most; byte++) {
		int a = getc(f), b = getc(g);

		if (a == EOF || b == EOF) {
			if (a != b)
				status = ended(names[a != EOF], byte, line, last == '\n');
			break;
		}
		if (a != b) {
			status = 1;
			if (list)
				printf("%*ld %3o %3o\n", width, byte + 1, a, b);
			else if (!silent)
				printf("%s %s differ: char %ld, line %ld\n", names[0], names[1],
				       byte + 1, line);
			if (!list)
				break;
		}
		last = a;
		line += a == '\n';
	}
	return status;
}

static const struct options options = {
	.letters = "lsn:",
	.names = "l:verbose s:quiet s:silent n:bytes",
	.bad = 2,
};

int main(int argc, char **argv)
{
	char *names[] = { "-", "-" };
	long most = -1;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		list |= c == 'l';
		silent |= c == 's';
		if (c == 'n')
			most = atol(optarg);
	}
	if (optind == argc) {
		warnx("missing operand after 'cmp'");
		bad_usage(argv, 2);
	}
	names[0] = argv[optind];
	if (optind + 1 < argc)
		names[1] = argv[optind + 1];
	return compare(names, most);
}
