/* The open files of a process by name, /proc/self/fd and /dev/fd; and what is mounted. */
#include <dirent.h>
#include <sys/stat.h>

#include "test.h"

static char text[4096];

static const char *link_of(const char *dir, int fd)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%d", dir, fd);
	n = readlink(path, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = '\0';
	return text;
}

static int open_link(const char *dir, int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%d", dir, fd);
	return open(path, flags);
}

static void files_by_number(void)
{
	const char *path = temp_path("links");
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600), again;
	struct stat a, b;
	char c = 0;

	CHECK_EQ(write(fd, "xyz", 3), 3);
	CHECK(!strcmp(link_of("/proc/self/fd", fd), path));
	CHECK(!strcmp(link_of("/dev/fd", fd), path));
	again = open_link("/dev/fd", fd, O_RDONLY);
	CHECK(again >= 0 && again != fd);
	CHECK_EQ(read(again, &c, 1), 1);	/* it has an offset of its own */
	CHECK_EQ(c, 'x');
	CHECK_ERRNO(write(again, &c, 1), EBADF);
	CHECK_EQ(unlink(path), 0);
	again = open_link("/dev/fd", fd, O_RDONLY);
	CHECK_EQ(fstat(fd, &a), 0);
	CHECK_EQ(fstat(again, &b), 0);
	CHECK(a.st_ino == b.st_ino && b.st_nlink == 0);
	CHECK_ERRNO(open("/dev/fd/900", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/dev/fd/x", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/dev/fd/01", O_RDONLY), ENOENT);
}

static void pipes_by_number(void)
{
	int fds[2], w;
	char c = 0;

	CHECK_EQ(pipe(fds), 0);
	CHECK(!strncmp(link_of("/proc/self/fd", fds[0]), "pipe:[", 6));
	w = open_link("/dev/fd", fds[0], O_WRONLY);
	CHECK(w >= 0);
	close(fds[1]);
	CHECK_EQ(write(w, "p", 1), 1);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	close(w);
	CHECK_EQ(read(fds[0], &c, 1), 0);
}

static void directories_by_number(void)
{
	int dir = open("/proc", O_RDONLY | O_DIRECTORY);
	char path[64];

	CHECK(!strcmp(link_of("/proc/self/fd", dir), "/proc"));
	snprintf(path, sizeof(path), "/dev/fd/%d/self/stat", dir);
	CHECK_EQ(access(path, F_OK), 0);
}

static void standard_names(void)
{
	int fds[2], fd;

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(dup2(fds[1], 2), 2);
	fd = open("/dev/stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "e", 1), 1);
	CHECK_EQ(read(fds[0], text, 10), 1);
}

static void listed(void)
{
	DIR *d;
	struct dirent *e;
	int found = 0;

	CHECK_EQ(dup2(1, 77), 77);
	d = opendir("/proc/self/fd");
	CHECK(d);
	while ((e = readdir(d)))
		found += !strcmp(e->d_name, "77") || !strcmp(e->d_name, "1");
	CHECK_EQ(found, 2);
	closedir(d);
}

static bool has(const char *path, const char *what)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	CHECK(n > 0);
	text[n] = '\0';
	close(fd);
	return strstr(text, what);
}

static void file_systems(void)
{
	CHECK(has("/proc/filesystems", "nodev\tproc\n"));
	CHECK(has("/proc/mounts", " /proc proc rw"));
	CHECK(has("/proc/self/mounts", " / "));
	CHECK(has("/proc/self/mountinfo", " - proc proc "));
}

static const struct test_case cases[] = {
	CASE(files_by_number), CASE(pipes_by_number), CASE(directories_by_number),
	CASE(standard_names), CASE(listed), CASE(file_systems),
};

TEST_MAIN(cases)
