/* head [-n lines] [file...]: the first lines, 10 if not said otherwise. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void head(FILE *f, long lines)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while (lines-- > 0 && (n = getline(&line, &size, f)) > 0)
		fwrite(line, 1, n, stdout);
	free(line);
}

int main(int argc, char **argv)
{
	long lines = 10;
	int status = 0, c;

	while ((c = getopt(argc, argv, "n:")) != -1) {
		if (c == '?')
			return 2;
		lines = atol(optarg);
	}
	if (optind == argc)
		head(stdin, lines);
	for (; optind < argc; optind++) {
		FILE *f = fopen(argv[optind], "r");

		if (!f) {
			warn("%s", argv[optind]);
			status = 1;
			continue;
		}
		head(f, lines);
		fclose(f);
	}
	return status;
}
