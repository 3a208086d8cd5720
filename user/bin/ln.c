/*
 * ln [-fnsv] target... [name]: gives a file another name or, with -s, makes a symbolic link to it;
 * without a name: the same name in this folder. -f: replace what is there; -n: treat a link to a
 * folder as a file; -v: say what is linked.
 */
#include "places.h"

static bool symbolic, force, verbose;

static int make(const char *target, const char *name)
{
	struct stat st;

	if (!symbolic && lstat(target, &st)) {
		warn("failed to access '%s'", target);
		return 1;
	}
	if (!symbolic && S_ISDIR(st.st_mode)) {
		warnx("%s: hard link not allowed for directory", target);
		return 1;
	}
	if (force)
		unlink(name);
	if (symbolic ? symlink(target, name) : link(target, name)) {
		if (symbolic || errno == EEXIST)
			warn("failed to create %s link '%s'", symbolic ? "symbolic" : "hard", name);
		else
			warn("failed to create hard link '%s' => '%s'", name, target);
		return 1;
	}
	if (verbose)
		printf("'%s' %s '%s'\n", name, symbolic ? "->" : "=>", target);
	return 0;
}

static const struct options options = {
	.letters = "fnsvt:",
	.names = "f:force n:no-dereference s:symbolic v:verbose t:target-directory",
	.bad = 1,
};

int main(int argc, char **argv)
{
	const char *folder = NULL;
	bool plain = false;
	struct stat st;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		symbolic |= c == 's';
		force |= c == 'f';
		plain |= c == 'n';
		verbose |= c == 'v';
		if (c == 't')
			folder = optarg;
	}
	if (argc - optind == 1 && !folder)
		folder = ".";
	if (plain && argc - optind == 2 && !lstat(argv[argc - 1], &st) && S_ISLNK(st.st_mode))
		return make(argv[optind], argv[argc - 1]);
	return for_places(argc, argv, folder, make);
}
