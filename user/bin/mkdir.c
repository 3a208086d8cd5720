/* mkdir [-p] folder...: makes them; -p: and those above, and none need be new. */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make(char *path, bool parents)
{
	for (char *slash = path; parents && (slash = strchr(slash + 1, '/'));) {
		*slash = 0;
		mkdir(path, 0777);
		*slash = '/';
	}
	if (!mkdir(path, 0777) || (parents && errno == EEXIST))
		return 0;
	warn("%s", path);
	return 1;
}

int main(int argc, char **argv)
{
	bool parents = false;
	int status = 0, c;

	while ((c = getopt(argc, argv, "p")) != -1) {
		if (c != 'p')
			return 2;
		parents = true;
	}
	for (; optind < argc; optind++)
		status |= make(argv[optind], parents);
	return status;
}
