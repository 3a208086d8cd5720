/* dirname path...: each path without its last part. */
#include <err.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(1, "missing operand");
	for (int i = 1; i < argc; i++) {
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
