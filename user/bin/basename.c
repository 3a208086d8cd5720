/*
 * basename path [suffix], or basename -a [-s suffix] path...: prints the last part of a path,
 * without the suffix. -a: of each path; -s: like -a, with this suffix removed.
 */
#include <err.h>

#include "options.h"

static void show(char *path, const char *suffix)
{
	char *base;
	size_t len;

	for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = 0;
	base = strrchr(path, '/');
	base = base && base[1] ? base + 1 : path;
	len = strlen(base);
	if (suffix && strlen(suffix) < len && !strcmp(base + len - strlen(suffix), suffix))
		base[len - strlen(suffix)] = 0;
	puts(base);
}

static const struct options options = {
	.letters = "+as:",
	.names = "a:multiple s:suffix",
	.bad = 1,
};

int main(int argc, char **argv)
{
	const char *suffix = NULL;
	bool all = false;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		all = true;
		if (c == 's')
			suffix = optarg;
	}
	need_operand(argc, argv, 1);
	if (!all && argc - optind > 2) {
		warnx("extra operand '%s'", argv[optind + 2]);
		bad_usage(argv, 1);
	}
	if (!all)
		show(argv[optind], argv[optind + 1]);
	for (; all && optind < argc; optind++)
		show(argv[optind], suffix);
	return 0;
}
