/* mv from... to: a new name, or a new place in the folder that the last one is. */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *to = argv[argc - 1], *base;
	bool into = false;
	int status = 0;
	char path[4096];
	struct stat st;

	if (argc < 3)
		errx(2, "usage: mv from... to");
	into = !stat(to, &st) && S_ISDIR(st.st_mode);
	if (argc > 3 && !into)
		errx(1, "%s: not a folder", to);
	for (int i = 1; i < argc - 1; i++) {
		base = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		snprintf(path, sizeof(path), "%s%s%s", to, into ? "/" : "", into ? base : "");
		if (rename(argv[i], path)) {
			warn("%s to %s", argv[i], path);
			status = 1;
		}
	}
	return status;
}
