/*
 * touch [-acm] [-r file] file...: creates missing files, and sets the times of others to now. -c:
 * create none; -r: use the times of that file; -a, -m: only the time of the last access, or change.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "options.h"

static bool access_only, change_only, only_old;
static struct timespec when[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };

static int touch(const char *path)
{
	int fd;

	if (!utimensat(AT_FDCWD, path, when, 0))
		return 0;
	if (errno == ENOENT && only_old)
		return 0;
	fd = errno == ENOENT ? open(path, O_WRONLY | O_CREAT, 0666) : -1;
	if (fd < 0 || futimens(fd, when)) {
		warn("cannot touch '%s'", path);
		return 1;
	}
	close(fd);
	return 0;
}

static const struct options options = {
	.letters = "acmr:",
	.names = "c:no-create r:reference",
	.bad = 1,
};

int main(int argc, char **argv)
{
	int status = 0, c;
	struct stat st;

	while ((c = next_option(argc, argv, &options)) != -1) {
		access_only |= c == 'a';
		change_only |= c == 'm';
		only_old |= c == 'c';
		if (c != 'r')
			continue;
		if (stat(optarg, &st))
			err(1, "failed to get attributes of '%s'", optarg);
		when[0] = st.st_atim;
		when[1] = st.st_mtim;
	}
	if (access_only != change_only)
		when[access_only].tv_nsec = UTIME_OMIT;
	if (optind == argc) {
		fputs("touch: missing file operand\n", stderr);
		bad_usage(argv, 1);
	}
	for (; optind < argc; optind++)
		status |= touch(argv[optind]);
	return status;
}
