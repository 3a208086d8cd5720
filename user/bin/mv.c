/*
 * mv [-fnv] [-t folder] from... to: renames a file, or moves files to the folder that comes last.
 * -n: never replace a file; -v: say what is moved.
 */
#include "places.h"

static bool keep, verbose;

static int move(const char *from, const char *to)
{
	struct stat old, there;
	int error;

	if (lstat(from, &old)) {
		warn("cannot stat '%s'", from);
		return 1;
	}
	if (!lstat(to, &there)) {
		if (keep)
			return 0;
		if (there.st_dev == old.st_dev && there.st_ino == old.st_ino) {
			warnx("'%s' and '%s' are the same file", from, to);
			return 1;
		}
		if (S_ISDIR(old.st_mode) && !S_ISDIR(there.st_mode)) {
			warnx("cannot overwrite non-directory '%s' with directory '%s'", to, from);
			return 1;
		}
	}
	if (rename(from, to)) {
		error = errno;
		if (error == EINVAL)
			warnx("cannot move '%s' to a subdirectory of itself, '%s'", from, to);
		else
			warn("cannot move '%s' to '%s'", from, to);
		return 1;
	}
	if (verbose)
		printf("renamed '%s' -> '%s'\n", from, to);
	return 0;
}

static const struct options options = {
	.letters = "finvt:",
	.names = "f:force n:no-clobber v:verbose t:target-directory",
	.bad = 1,
};

int main(int argc, char **argv)
{
	const char *folder = NULL;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		keep = c == 'n' || (keep && c != 'f');
		verbose |= c == 'v';
		if (c == 't')
			folder = optarg;
	}
	return for_places(argc, argv, folder, move);
}
