/*
 * cp [-afinpruv] [-t folder] from... to: copies files. -r: folders with their contents, and links
 * as links; -p: keep owner, mode and times; -a: both; -f: replace a file that cannot be written;
 * -n: never replace a file; -i: accepted, but cp does not ask; -u: only replace older files; -v:
 * say what is copied.
 */
#include <dirent.h>
#include <fcntl.h>

#include "places.h"

static bool recursive, preserve, force, keep, update, verbose;

static int copy(const char *from, const char *to);

static int fail(const char *what, const char *path)
{
	warn("%s '%s'", what, path);
	return 1;
}

static int copy_file(const char *from, const char *to, mode_t mode)
{
	static char buf[16384];
	int in = open(from, O_RDONLY), out, status = 0;
	ssize_t n;

	if (in < 0) {
		warn("cannot open '%s' for reading", from);
		return 1;
	}
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
	if (out < 0 && force && !unlink(to))
		out = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
	if (out < 0) {
		close(in);
		return fail("cannot create regular file", to);
	}
	while ((n = read(in, buf, sizeof(buf))) > 0 && !status)
		if (write(out, buf, n) != n)
			status = fail("error writing", to);
	if (n < 0)
		status = fail("error reading", from);
	close(in);
	close(out);
	return status;
}

static int copy_link(const char *from, const char *to)
{
	char target[4096];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0)
		return fail("cannot read symbolic link", from);
	target[n] = 0;
	if (force)
		unlink(to);
	return symlink(target, to) ? fail("cannot create symbolic link", to) : 0;
}

static int copy_folder(const char *from, const char *to)
{
	char below_from[4096], below_to[4096];
	struct dirent *e;
	struct stat st;
	int status = 0;
	DIR *d;

	if (mkdir(to, 0777) && (stat(to, &st) || !S_ISDIR(st.st_mode)))
		return fail("cannot create directory", to);
	d = opendir(from);
	if (!d)
		return fail("cannot access", from);
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(below_from, sizeof(below_from), "%s/%s", from, e->d_name);
		snprintf(below_to, sizeof(below_to), "%s/%s", to, e->d_name);
		status |= copy(below_from, below_to);
	}
	closedir(d);
	return status;
}

static void keep_attributes(const char *to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (lchown(to, st->st_uid, st->st_gid) && errno != EPERM)
		warn("failed to preserve ownership for '%s'", to);
	if (!S_ISLNK(st->st_mode))
		chmod(to, st->st_mode & 07777);
	utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW);
}

static bool wanted(const struct stat *from, const char *to)
{
	struct stat st;

	if (stat(to, &st) || S_ISDIR(from->st_mode))
		return true;
	return !keep && !(update && st.st_mtim.tv_sec >= from->st_mtim.tv_sec);
}

static int copy(const char *from, const char *to)
{
	struct stat st, there;
	int status;

	if (recursive ? lstat(from, &st) : stat(from, &st))
		return fail("cannot stat", from);
	if (S_ISDIR(st.st_mode) && !recursive) {
		warnx("-r not specified; omitting directory '%s'", from);
		return 1;
	}
	if (!wanted(&st, to))
		return 0;
	if (!stat(to, &there)) {
		if (there.st_dev == st.st_dev && there.st_ino == st.st_ino) {
			warnx("'%s' and '%s' are the same file", from, to);
			return 1;
		}
		if (S_ISDIR(st.st_mode) && !S_ISDIR(there.st_mode)) {
			warnx("cannot overwrite non-directory '%s' with directory '%s'", to, from);
			return 1;
		}
	}
	if (verbose)
		printf("'%s' -> '%s'\n", from, to);
	if (S_ISLNK(st.st_mode))
		status = copy_link(from, to);
	else if (S_ISDIR(st.st_mode))
		status = copy_folder(from, to);
	else
		status = copy_file(from, to, st.st_mode);
	if (preserve && !status)
		keep_attributes(to, &st);
	return status;
}

static const struct options options = {
	.letters = "adfinprRt:uv",
	.names = "a:archive f:force n:no-clobber r:recursive t:target-directory u:update v:verbose",
	.bad = 1,
};

int main(int argc, char **argv)
{
	const char *folder = NULL;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		recursive |= strchr("arR", c) != NULL;
		preserve |= c == 'a' || c == 'p';
		force |= c == 'f';
		keep |= c == 'n';
		update |= c == 'u';
		verbose |= c == 'v';
		if (c == 't')
			folder = optarg;
	}
	return for_places(argc, argv, folder, copy);
}
