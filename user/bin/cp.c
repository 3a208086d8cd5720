/* cp [-r] from... to: copies; -r: folders with all in them. */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool recursive;

static int copy(const char *from, const char *to);

static int fail(const char *path)
{
	warn("%s", path);
	return 1;
}

static int copy_file(const char *from, const char *to, mode_t mode)
{
	static char buf[16384];
	int in = open(from, O_RDONLY), out, status = 0;
	ssize_t n;

	if (in < 0)
		return fail(from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
	if (out < 0) {
		close(in);
		return fail(to);
	}
	while ((n = read(in, buf, sizeof(buf))) > 0 && !status)
		if (write(out, buf, n) != n)
			status = fail(to);
	if (n < 0)
		status = fail(from);
	close(in);
	close(out);
	return status;
}

static int copy_link(const char *from, const char *to)
{
	char target[4096];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0)
		return fail(from);
	target[n] = 0;
	return symlink(target, to) ? fail(to) : 0;
}

static int copy_folder(const char *from, const char *to)
{
	char below_from[4096], below_to[4096];
	struct dirent *e;
	struct stat st;
	int status = 0;
	DIR *d;

	if (mkdir(to, 0777) && (stat(to, &st) || !S_ISDIR(st.st_mode)))
		return fail(to);
	d = opendir(from);
	if (!d)
		return fail(from);
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

static int copy(const char *from, const char *to)
{
	struct stat st;

	if (recursive ? lstat(from, &st) : stat(from, &st))
		return fail(from);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to);
	if (!S_ISDIR(st.st_mode))
		return copy_file(from, to, st.st_mode);
	if (recursive)
		return copy_folder(from, to);
	warnx("%s: a folder, and no -r", from);
	return 1;
}

int main(int argc, char **argv)
{
	const char *to = argv[argc - 1], *base;
	int status = 0, c;
	char path[4096];
	struct stat st;
	bool into;

	while ((c = getopt(argc, argv, "r")) != -1) {
		if (c == '?')
			return 2;
		recursive = true;
	}
	if (argc - optind < 2)
		errx(2, "usage: cp [-r] from... to");
	into = !stat(to, &st) && S_ISDIR(st.st_mode);
	if (argc - optind > 2 && !into)
		errx(1, "%s: not a folder", to);
	for (; optind < argc - 1; optind++) {
		base = strrchr(argv[optind], '/') ? strrchr(argv[optind], '/') + 1 : argv[optind];
		snprintf(path, sizeof(path), "%s%s%s", to, into ? "/" : "", into ? base : "");
		status |= copy(argv[optind], path);
	}
	return status;
}
