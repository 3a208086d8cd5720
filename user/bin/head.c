/* head [-n lines] [file...]: the first lines, 10 if not said otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "inputs.h"

static long lines = 10;

static void head(FILE *f, const char *name)
{
	long left = lines;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	(void)name;
	while (left-- > 0 && (n = getline(&line, &size, f)) > 0)
		fwrite(line, 1, n, stdout);
	free(line);
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:")) != -1) {
		if (c == '?')
			return 2;
		lines = atol(optarg);
	}
	return for_inputs(argv + optind, head) ? 0 : 1;
}
