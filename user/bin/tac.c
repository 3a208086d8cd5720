/* tac [file...]: prints the lines of each file, the last first. */
#include "inputs.h"
#include "options.h"

static void show(FILE *f, const char *name)
{
	char *all = NULL;
	size_t n = 0, room = 0, got, end;

	(void)name;
	do {
		if (n + BUFSIZ > room)
			all = realloc(all, room = 2 * room + BUFSIZ);
		if (!all)
			err(1, "memory exhausted");
		n += got = fread(all + n, 1, room - n, f);
	} while (got > 0);
	for (end = n; end > 0; end = n) {
		for (n = end - 1; n > 0 && all[n - 1] != '\n'; n--)
			;
		fwrite(all + n, 1, end - n, stdout);
	}
	free(all);
}

static const struct options options = { .letters = "", .bad = 1 };

int main(int argc, char **argv)
{
	next_option(argc, argv, &options);
	cannot_open = "failed to open '%s' for reading";
	cannot_read = "%s: read error";
	return for_inputs(argv + optind, show) ? 0 : 1;
}
