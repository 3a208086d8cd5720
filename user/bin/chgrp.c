/* chgrp [-hR] group file...: gives files to a group; -h: a link itself, -R: all below, too. */
#include "owner.h"

static gid_t gid;
static bool of_link, below;

static int change(const char *path)
{
	return of_link || below ? lchown(path, -1, gid) : chown(path, -1, gid);
}

int main(int argc, char **argv)
{
	int status = 0, c;

	while ((c = getopt(argc, argv, "hR")) != -1) {
		if (c == '?')
			return 2;
		*(c == 'h' ? &of_link : &below) = true;
	}
	if (argc - optind < 2)
		errx(2, "usage: chgrp [-hR] group file...");
	gid = group_of(argv[optind]);
	while (argv[++optind])
		status |= for_tree(argv[optind], below, change);
	return status;
}
