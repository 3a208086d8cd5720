/*
 * chgrp [-hR] group file...: changes the group of files. -h: change a link itself; -R: everything
 * below a folder, too.
 */
#include "owner.h"
#include "options.h"

static gid_t gid;
static bool of_link, below;

static int change(const char *path)
{
	return of_link || below ? lchown(path, -1, gid) : chown(path, -1, gid);
}

static const struct options options = {
	.letters = "hRv",
	.names = "h:no-dereference R:recursive",
	.bad = 1,
};

int main(int argc, char **argv)
{
	int status = 0, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		of_link |= c == 'h';
		below |= c == 'R';
	}
	need_two(argc, argv);
	gid = group_of(argv[optind]);
	while (argv[++optind])
		status |= for_tree(argv[optind], below, change);
	return status;
}
