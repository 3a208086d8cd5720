/* uniq [-cd] [file]: runs of equal lines once; -c with their number, -d only those repeated. */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool with_count, repeated;

static void show(const char *line, long times)
{
	if (!line || (repeated && times < 2))
		return;
	if (with_count)
		printf("%7ld ", times);
	fputs(line, stdout);
}

int main(int argc, char **argv)
{
	char *line = NULL, *last = NULL;
	FILE *in = stdin;
	size_t size = 0;
	long times = 0;
	int c;

	while ((c = getopt(argc, argv, "cd")) != -1) {
		if (c == '?')
			return 2;
		with_count |= c == 'c';
		repeated |= c == 'd';
	}
	if (optind < argc && !(in = fopen(argv[optind], "r")))
		err(1, "%s", argv[optind]);
	for (; getline(&line, &size, in) > 0; times++) {
		if (last && !strcmp(line, last))
			continue;
		show(last, times);
		free(last);
		last = strdup(line);
		times = 0;
	}
	show(last, times);
	return 0;
}
