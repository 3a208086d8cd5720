/* dirname path...: prints each path without its last part. */
#include <stdio.h>
#include <string.h>

#include "options.h"

static const struct options options = {
	.letters = "+",
	.bad = 1,
};

int main(int argc, char **argv)
{
	next_option(argc, argv, &options);
	need_operand(argc, argv, 1);
	for (int i = optind; i < argc; i++) {
		char *path = argv[i];
		size_t len = strlen(path);

		while (len > 1 && path[len - 1] == '/')
			len--;
		while (len > 0 && path[len - 1] != '/')
			len--;
		while (len > 1 && path[len - 1] == '/')
			len--;
		printf("%.*s\n", len ? (int)len : 1, len ? path : ".");
	}
	return 0;
}
