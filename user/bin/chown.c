/*
 * chown [-hR] [user][:group] file...: changes the owner or the group of files. -h: change a link
 * itself; -R: everything below a folder, too.
 */
#include "owner.h"
#include "options.h"

static uid_t uid = -1;
static gid_t gid = -1;
static bool of_link, below;

static int change(const char *path)
{
	return of_link || below ? lchown(path, uid, gid) : chown(path, uid, gid);
}

static const struct options options = {
	.letters = "hRv",
	.names = "h:no-dereference R:recursive",
	.bad = 1,
};

int main(int argc, char **argv)
{
	int status = 0, c;
	char *group;

	while ((c = next_option(argc, argv, &options)) != -1) {
		of_link |= c == 'h';
		below |= c == 'R';
	}
	need_two(argc, argv);
	group = strchr(argv[optind], ':');
	if (group)
		*group++ = 0;
	if (*argv[optind])
		uid = user_of(argv[optind]);
	if (group && *group)
		gid = group_of(group);
	while (argv[++optind])
		status |= for_tree(argv[optind], below, change);
	return status;
}
