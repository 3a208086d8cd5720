/*
 * rm [-dfrv] path...: removes names. -r: folders with their contents; -d: empty folders; -f: a
 * missing file is no error; -v: say what is removed.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <sys/stat.h>

#include "options.h"

static bool recursive, force, folders, verbose;

static int remove_path(const char *path);

/* Starts over after each entry, because a removal may shift entries that were not read yet. */
static int empty_folder(const char *path)
{
	char entry[4096];
	struct dirent *e;
	int status = 0;
	bool again = true;
	DIR *d;

	while (again && !status) {
		d = opendir(path);
		if (!d) {
			warn("cannot remove '%s'", path);
			return 1;
		}
		again = false;
		while (!status && (e = readdir(d))) {
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			snprintf(entry, sizeof(entry), "%s/%s", path, e->d_name);
			status = remove_path(entry);
			again = true;
		}
		closedir(d);
	}
	return status;
}

static int remove_path(const char *path)
{
	struct stat st;
	int status = 0, r = lstat(path, &st);

	if (r && (errno == ENOENT || errno == ENOTDIR) && force)
		return 0;
	if (!r && S_ISDIR(st.st_mode) && recursive) {
		status = empty_folder(path);
		r = status ? 0 : rmdir(path);
	} else if (!r && S_ISDIR(st.st_mode) && folders) {
		r = rmdir(path);
	} else if (!r) {
		r = unlink(path);
	}
	if (r)
		warn("cannot remove '%s'", path);
	else if (verbose && !status)
		printf(S_ISDIR(st.st_mode) ? "removed directory '%s'\n" : "removed '%s'\n", path);
	return status || r;
}

static const struct options options = {
	.letters = "dfrRv",
	.names = "d:dir f:force r:recursive v:verbose",
	.bad = 1,
};

int main(int argc, char **argv)
{
	int status = 0, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		recursive |= c == 'r' || c == 'R';
		force |= c == 'f';
		folders |= c == 'd';
		verbose |= c == 'v';
	}
	if (!force)
		need_operand(argc, argv, 1);
	for (; optind < argc; optind++)
		status |= remove_path(argv[optind]);
	return status;
}
