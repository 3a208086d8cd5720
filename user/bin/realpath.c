/*
 * realpath [-eq] path...: prints each path from the root, without links, "." or "..". -e: all parts
 * must exist; -q: no error messages.
 */
#include "resolve.h"

static const struct options options = {
	.letters = "eq",
	.names = "e:canonicalize-existing q:quiet",
	.bad = 1,
};

int main(int argc, char **argv)
{
	bool existing = false, quiet = false;
	char path[PATH_ROOM];
	int status = 0, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		existing |= c == 'e';
		quiet |= c == 'q';
	}
	need_operand(argc, argv, 1);
	for (; optind < argc; optind++) {
		if (resolve(argv[optind], existing, path)) {
			puts(path);
			continue;
		}
		if (!quiet)
			warn("%s", argv[optind]);
		status = 1;
	}
	return status;
}
