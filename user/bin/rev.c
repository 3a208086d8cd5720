/* rev [file...]: prints each line backwards. */
#include "inputs.h"

static void show(FILE *f, const char *name)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	(void)name;
	while ((n = getline(&line, &size, f)) > 0) {
		bool end = line[n - 1] == '\n';

		for (ssize_t i = n - end - 1; i >= 0; i--)
			putchar(line[i]);
		if (end)
			putchar('\n');
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	cannot_open = "cannot open %s";
	return for_inputs(argv + 1, show) ? 0 : 1;
}
