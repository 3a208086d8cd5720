/*
 * mkdir [-pv] [-m mode] folder...: makes folders. -p: missing folders above them, too, and an
 * existing folder is no error; -v: say what is made.
 */
#include <err.h>
#include <errno.h>
#include <sys/stat.h>

#include "options.h"

static bool parents, verbose;
static mode_t mode = 0777;

static int make(char *path)
{
	struct stat st;

	for (char *slash = path; parents && (slash = strchr(slash + 1, '/'));) {
		*slash = 0;
		if (!mkdir(path, 0777) && verbose)
			printf("mkdir: created directory '%s'\n", path);
		*slash = '/';
	}
	if (!mkdir(path, mode)) {
		if (verbose)
			printf("mkdir: created directory '%s'\n", path);
		return mode == 0777 ? 0 : chmod(path, mode) != 0;
	}
	if (parents && errno == EEXIST && !stat(path, &st) && S_ISDIR(st.st_mode))
		return 0;
	warn("cannot create directory '%s'", path);
	return 1;
}

static const struct options options = {
	.letters = "pvm:",
	.names = "p:parents v:verbose m:mode",
	.bad = 1,
};

int main(int argc, char **argv)
{
	int status = 0, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		parents |= c == 'p';
		verbose |= c == 'v';
		if (c == 'm')
			mode = strtoul(optarg, NULL, 8);
	}
	need_operand(argc, argv, 1);
	for (; optind < argc; optind++)
		status |= make(argv[optind]);
	return status;
}
