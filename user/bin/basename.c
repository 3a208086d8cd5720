/* basename path [suffix]: the last part of a path, without the suffix. */
#include <err.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	char *path, *base;
	size_t len;

	if (argc < 2 || argc > 3)
		errx(1, argc < 2 ? "missing operand" : "extra operand '%s'", argv[3]);
	path = argv[1];
	for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = 0;
	base = strrchr(path, '/');
	base = base && base[1] ? base + 1 : path;
	len = strlen(base);
	if (argc == 3 && strlen(argv[2]) < len && !strcmp(base + len - strlen(argv[2]), argv[2]))
		base[len - strlen(argv[2])] = 0;
	puts(base);
	return 0;
}
