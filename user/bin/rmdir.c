/* rmdir [-p] folder...: removes empty folders; -p: and the folders above them that become empty. */
#include <err.h>

#include "options.h"

static const struct options options = {
	.letters = "p",
	.names = "p:parents",
	.bad = 1,
};

static int remove_folder(char *path, bool parents)
{
	char *slash = path;

	while (slash) {
		if (rmdir(path)) {
			warn("failed to remove '%s'", path);
			return 1;
		}
		slash = parents ? strrchr(path, '/') : NULL;
		if (slash)
			*slash = 0;
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool parents = false;
	int status = 0;

	while (next_option(argc, argv, &options) != -1)
		parents = true;
	need_operand(argc, argv, 1);
	for (; optind < argc; optind++)
		status |= remove_folder(argv[optind], parents);
	return status;
}
