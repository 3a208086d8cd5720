/* sort [-nru] [file...]: the lines in order; -n by number, -r backwards, -u equal ones once. */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool numeric, reverse, unique;
static char **lines;
static size_t count, room;

static int order(const char *a, const char *b)
{
	long x = numeric ? atol(a) : 0, y = numeric ? atol(b) : 0;

	return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

static int compare(const void *a, const void *b)
{
	int r = order(*(char *const *)a, *(char *const *)b);

	return reverse ? -r : r;
}

static void take(FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		if (count == room) {
			room = room ? 2 * room : 64;
			lines = realloc(lines, room * sizeof(*lines));
			if (!lines)
				err(1, "too many lines");
		}
		lines[count++] = line;
		line = NULL;
		size = 0;
	}
	free(line);
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "nru")) != -1) {
		if (c == '?')
			return 2;
		numeric |= c == 'n';
		reverse |= c == 'r';
		unique |= c == 'u';
	}
	if (optind == argc)
		take(stdin);
	for (; optind < argc; optind++) {
		FILE *f = fopen(argv[optind], "r");

		if (!f)
			err(2, "%s", argv[optind]);
		take(f);
		fclose(f);
	}
	qsort(lines, count, sizeof(*lines), compare);
	for (size_t i = 0; i < count; i++)
		if (!unique || i == 0 || order(lines[i - 1], lines[i]))
			puts(lines[i]);
	return 0;
}
