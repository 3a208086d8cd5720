/*
 * uniq [-cdiu] [-f n] [-s n] [-w n] [file [output]]: prints equal lines that follow each other only
 * once. -c: with their number; -d: only lines that are repeated; -u: only lines that are not; -i:
 * ignore case; -f, -s: skip the first n words or bytes; -w: compare only the first n bytes.
 */
#include <ctype.h>
#include <err.h>

#include "options.h"

static bool option[128];
static long words, bytes, most = -1;

static const char *compared(const char *line)
{
	for (long i = 0; i < words && *line; i++) {
		while (isspace((unsigned char)*line))
			line++;
		while (*line && !isspace((unsigned char)*line))
			line++;
	}
	for (long i = 0; i < bytes && *line; i++)
		line++;
	return line;
}

static bool equal(const char *a, const char *b)
{
	a = compared(a);
	b = compared(b);
	for (long i = 0; i != most; i++) {
		int x = (unsigned char)a[i], y = (unsigned char)b[i];

		if (option['i'] ? tolower(x) != tolower(y) : x != y)
			return false;
		if (!x)
			return true;
	}
	return true;
}

static void show(const char *line, long times)
{
	if (!line || (option['d'] && times < 2) || (option['u'] && times > 1))
		return;
	if (option['c'])
		printf("%7ld ", times);
	puts(line);
}

static const struct options options = {
	.letters = "cdiuf:s:w:",
	.names = "c:count d:repeated i:ignore-case u:unique f:skip-fields s:skip-chars "
		 "w:check-chars",
	.bad = 1,
};

int main(int argc, char **argv)
{
	char *line = NULL, *last = NULL;
	size_t size = 0;
	long times = 0;
	ssize_t n;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		option[c] = true;
		if (strchr("fsw", c))
			*(c == 'f' ? &words : c == 's' ? &bytes
						       : &most) = atol(optarg);
	}
	if (optind < argc && strcmp(argv[optind], "-") && !freopen(argv[optind], "r", stdin))
		err(1, "%s", argv[optind]);
	if (optind + 1 < argc && !freopen(argv[optind + 1], "w", stdout))
		err(1, "%s", argv[optind + 1]);
	for (; (n = getline(&line, &size, stdin)) > 0; times++) {
		line[n - 1] = line[n - 1] == '\n' ? 0 : line[n - 1];
		if (last && equal(line, last))
			continue;
		show(last, times);
		free(last);
		last = strdup(line);
		times = 0;
	}
	if (ferror(stdin))
		errx(1, "error reading '%s'", argv[optind] ? argv[optind] : "-");
	show(last, times);
	return 0;
}
