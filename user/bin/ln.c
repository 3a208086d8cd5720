/* ln [-s] [-f] target [name]: another name for a file, or with -s a symbolic link to it. */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	bool symbolic = false, force = false;
	const char *target, *name, *base;
	char path[4096];
	struct stat st;
	int c;

	while ((c = getopt(argc, argv, "fs")) != -1) {
		if (c == '?')
			return 2;
		symbolic |= c == 's';
		force |= c == 'f';
	}
	if (argc - optind < 1 || argc - optind > 2)
		errx(2, "usage: ln [-fs] target [name]");
	target = argv[optind];
	name = argc - optind == 2 ? argv[optind + 1] : ".";
	if (!stat(name, &st) && S_ISDIR(st.st_mode)) {
		base = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
		snprintf(path, sizeof(path), "%s/%s", name, base);
		name = path;
	}
	if (force)
		unlink(name);
	if (symbolic ? symlink(target, name) : link(target, name))
		err(1, "%s", name);
	return 0;
}
