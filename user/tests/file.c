/* Files and folders: contents, names, positions, and every error that says why not. */
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "test.h"

/* Each case works in a fresh folder, and leaves nothing in it. */
static char folder[32], below[40];	/* and a path below that one */

static void enter(void)
{
	snprintf(folder, sizeof(folder), "/tmp/file.%d", getpid());
	snprintf(below, sizeof(below), "%s/d", folder);
	CHECK_EQ(mkdir(folder, 0777), 0);
	CHECK_EQ(chdir(folder), 0);
}

static void leave(void)
{
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(rmdir(folder), 0);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_EQ(close(fd), 0);
}

static bool file_is(const char *path, const char *text)
{
	char buf[256];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, buf, sizeof(buf));
	close(fd);
	return n == (ssize_t)strlen(text) && !memcmp(buf, text, n);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void open_flags(void)
{
	int fd;

	enter();
	CHECK_ERRNO(open("new", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("no/new", O_WRONLY | O_CREAT, 0666), ENOENT);
	fd = open("new", O_WRONLY | O_CREAT | O_EXCL, 0666);
	CHECK(fd >= 0);
	CHECK_ERRNO(read(fd, &fd, 1), EBADF);
	CHECK_EQ(write(fd, "hello", 5), 5);
	close(fd);
	CHECK_ERRNO(open("new", O_WRONLY | O_CREAT | O_EXCL, 0666), EEXIST);
	fd = open("new", O_RDONLY);
	CHECK_ERRNO(write(fd, "x", 1), EBADF);
	close(fd);
	CHECK(file_is("new", "hello"));
	close(open("new", O_WRONLY | O_TRUNC));
	CHECK_EQ(size_of("new"), 0);
	CHECK_ERRNO(open("new", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("new/below", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open(".", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("", O_RDONLY), ENOENT);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	CHECK_ERRNO(read(fd, &fd, 1), EISDIR);
	close(fd);
	CHECK_EQ(unlink("new"), 0);
	leave();
}

static void long_names(void)
{
	static char name[NAME_MAX + 2], path[PATH_MAX + 10];

	enter();
	memset(name, 'n', NAME_MAX);
	write_file(name, "x");
	CHECK(file_is(name, "x"));
	CHECK_EQ(unlink(name), 0);
	name[NAME_MAX] = 'n';
	CHECK_ERRNO(open(name, O_WRONLY | O_CREAT, 0666), ENAMETOOLONG);
	memset(path, '/', sizeof(path) - 1);
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	leave();
}

static void positions(void)
{
	char buf[8] = "";
	int fd;

	enter();
	fd = open("f", O_RDWR | O_CREAT, 0666);
	CHECK_EQ(write(fd, "0123456789", 10), 10);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
	CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
	CHECK_EQ(read(fd, buf, 2), 2);
	CHECK(!memcmp(buf, "34", 2));
	CHECK_EQ(lseek(fd, -2, SEEK_END), 8);
	CHECK_EQ(lseek(fd, 1, SEEK_CUR), 9);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, 77), EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 9);
	CHECK_EQ(pread(fd, buf, 4, 5), 4);
	CHECK(!memcmp(buf, "5678", 4));
	CHECK_EQ(pwrite(fd, "AB", 2, 0), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 9);		/* neither moved it */
	CHECK_EQ(pread(fd, buf, 4, 10), 0);
	CHECK_EQ(pread(fd, buf, 4, 1000), 0);
	CHECK_ERRNO(pread(fd, buf, 1, -1), EINVAL);
	close(fd);
	CHECK(file_is("f", "AB23456789"));
	unlink("f");
	leave();
}

static void holes_are_zero(void)
{
	static char buf[30000];
	int fd;

	enter();
	fd = open("f", O_RDWR | O_CREAT, 0666);
	CHECK_EQ(pwrite(fd, "end", 3, 20000), 3);
	CHECK_EQ(size_of("f"), 20003);
	memset(buf, 1, sizeof(buf));
	CHECK_EQ(read(fd, buf, sizeof(buf)), 20003);
	for (int i = 0; i < 20000; i++)
		CHECK_EQ(buf[i], 0);
	CHECK(!memcmp(buf + 20000, "end", 3));
	close(fd);
	unlink("f");
	leave();
}

static void truncation(void)
{
	char buf[16];
	int fd;

	enter();
	write_file("f", "0123456789");
	CHECK_EQ(truncate("f", 4), 0);
	CHECK(file_is("f", "0123"));
	fd = open("f", O_RDWR);
	CHECK_EQ(ftruncate(fd, 8), 0);
	CHECK_EQ(read(fd, buf, 16), 8);
	CHECK(!memcmp(buf, "0123\0\0\0\0", 8));		/* not what was there before */
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(write(fd, "x", 1), 1);			/* at 8, where the position is */
	CHECK_EQ(size_of("f"), 9);
	close(fd);
	fd = open("f", O_RDONLY);
	CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
	close(fd);
	CHECK_ERRNO(truncate("none", 0), ENOENT);
	unlink("f");
	leave();
}

static void appending(void)
{
	enum { WRITERS = 4, LINES = 50 };
	static char buf[WRITERS * LINES * 8 + 1];
	int fd, seen[WRITERS] = { 0 };

	enter();
	for (int w = 0; w < WRITERS; w++) {
		if (fork())
			continue;
		fd = open("log", O_WRONLY | O_CREAT | O_APPEND, 0666);
		for (int i = 0; i < LINES; i++) {
			char line[9];

			snprintf(line, sizeof(line), "%d %5d\n", w, i);
			CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);	/* makes no difference */
			CHECK_EQ(write(fd, line, 8), 8);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	fd = open("log", O_RDONLY);
	CHECK_EQ(read(fd, buf, sizeof(buf)), WRITERS * LINES * 8);
	close(fd);
	for (char *p = buf; *p; p += 8) {
		int w = *p - '0';

		CHECK(w >= 0 && w < WRITERS && p[7] == '\n');
		CHECK_EQ(atoi(p + 1), seen[w]++);
	}
	unlink("log");
	leave();
}

static void unlinked_but_open(void)
{
	struct stat st;
	char buf[8];
	int fd;

	enter();
	write_file("f", "still");
	fd = open("f", O_RDWR);
	CHECK_EQ(unlink("f"), 0);
	CHECK_ERRNO(open("f", O_RDONLY), ENOENT);
	CHECK_EQ(read(fd, buf, 8), 5);
	CHECK_EQ(write(fd, " here", 5), 5);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(st.st_size, 10);
	write_file("f", "another");
	CHECK_EQ(pread(fd, buf, 5, 0), 5);
	CHECK(!memcmp(buf, "still", 5));
	close(fd);
	unlink("f");
	leave();
}

static void links(void)
{
	struct stat a, b;

	enter();
	write_file("a", "one");
	CHECK_EQ(link("a", "b"), 0);
	CHECK_EQ(stat("a", &a), 0);
	CHECK_EQ(stat("b", &b), 0);
	CHECK(a.st_ino == b.st_ino && a.st_nlink == 2);
	CHECK_ERRNO(link("a", "b"), EEXIST);
	CHECK_ERRNO(link("none", "c"), ENOENT);
	CHECK_ERRNO(link(".", "c"), EPERM);
	CHECK_EQ(unlink("a"), 0);
	CHECK(file_is("b", "one"));
	CHECK_EQ(stat("b", &b), 0);
	CHECK_EQ(b.st_nlink, 1);
	unlink("b");
	leave();
}

static void symbolic_links(void)
{
	struct stat st;
	char buf[16];

	enter();
	write_file("target", "text");
	CHECK_EQ(symlink("target", "soft"), 0);
	CHECK(file_is("soft", "text"));
	CHECK_EQ(lstat("soft", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(st.st_size, 6);
	CHECK_EQ(stat("soft", &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(readlink("soft", buf, sizeof(buf)), 6);
	CHECK_EQ(readlink("soft", buf, 3), 3);
	CHECK_ERRNO(readlink("target", buf, sizeof(buf)), EINVAL);
	CHECK_ERRNO(open("soft", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_EQ(symlink("loop2", "loop1"), 0);
	CHECK_EQ(symlink("loop1", "loop2"), 0);
	CHECK_ERRNO(open("loop1", O_RDONLY), ELOOP);
	CHECK_EQ(symlink("nowhere", "dangling"), 0);
	CHECK_ERRNO(open("dangling", O_RDONLY), ENOENT);
	CHECK_ERRNO(symlink("x", "soft"), EEXIST);
	CHECK_EQ(mkdir("d", 0777), 0);
	CHECK_EQ(symlink("../target", "d/up"), 0);	/* counts from where the link is */
	CHECK(file_is("d/up", "text"));
	CHECK_EQ(unlink("soft"), 0);
	CHECK(file_is("target", "text"));
	unlink("d/up"), unlink("loop1"), unlink("loop2"), unlink("dangling"), unlink("target");
	CHECK_EQ(rmdir("d"), 0);
	leave();
}

static void renaming(void)
{
	enter();
	write_file("a", "A");
	write_file("b", "B");
	CHECK_EQ(mkdir("d", 0777), 0);
	CHECK_EQ(mkdir("e", 0777), 0);
	write_file("e/f", "F");
	CHECK_EQ(rename("a", "c"), 0);
	CHECK_ERRNO(open("a", O_RDONLY), ENOENT);
	CHECK_EQ(rename("c", "b"), 0);			/* in the place of what was there */
	CHECK(file_is("b", "A"));
	CHECK_EQ(rename("b", "b"), 0);
	CHECK_EQ(rename("b", "d/b"), 0);
	CHECK(file_is("d/b", "A"));
	CHECK_ERRNO(rename("none", "x"), ENOENT);
	CHECK_ERRNO(rename("d/b", "e"), EISDIR);
	CHECK_ERRNO(rename("d", "e/f"), ENOTDIR);
	CHECK_ERRNO(rename("d", "e"), ENOTEMPTY);
	CHECK_ERRNO(rename("d", "d/below"), EINVAL);
	CHECK_ERRNO(rename("d/b", "none/b"), ENOENT);
	CHECK_EQ(unlink("e/f"), 0);
	CHECK_EQ(rename("d", "e"), 0);			/* over an empty folder */
	CHECK(file_is("e/b", "A"));
	CHECK_ERRNO(rmdir("d"), ENOENT);
	CHECK_EQ(link("e/b", "two"), 0);
	CHECK_EQ(rename("two", "e/b"), 0);		/* the same file: nothing happens */
	CHECK(file_is("two", "A"));
	unlink("e/b"), unlink("two");
	CHECK_EQ(rmdir("e"), 0);
	leave();
}

static void folders(void)
{
	struct stat st;

	enter();
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_ERRNO(mkdir("d", 0755), EEXIST);
	CHECK_ERRNO(mkdir("no/d", 0755), ENOENT);
	CHECK_EQ(stat("d", &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	write_file("d/f", "x");
	CHECK_ERRNO(mkdir("d/f/g", 0755), ENOTDIR);
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("d/f"), ENOTDIR);
	CHECK_ERRNO(unlink("d"), EISDIR);
	CHECK_ERRNO(rmdir("d/."), EINVAL);
	CHECK_ERRNO(unlink("d/none"), ENOENT);
	CHECK_EQ(unlink("d/../d/./f"), 0);
	CHECK_EQ(rmdir("d"), 0);
	leave();
}

static void reading_folders(void)
{
	enum { COUNT = 300 };
	bool seen[COUNT] = { false };
	int dots = 0, files = 0;
	struct dirent *e;
	char name[40];
	DIR *d;

	enter();
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "entry-with-a-longer-name-%d", i);
		write_file(name, "");
	}
	d = opendir(".");
	CHECK(d);
	while ((e = readdir(d))) {
		int i = -1;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) {
			CHECK(e->d_type == DT_DIR || e->d_type == DT_UNKNOWN);
			dots++;
			continue;
		}
		CHECK_EQ(sscanf(e->d_name, "entry-with-a-longer-name-%d", &i), 1);
		CHECK(i >= 0 && i < COUNT && !seen[i] && e->d_ino);
		seen[i] = true;
		files++;
	}
	CHECK_EQ(dots, 2);
	CHECK_EQ(files, COUNT);
	rewinddir(d);
	CHECK(readdir(d));
	closedir(d);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "entry-with-a-longer-name-%d", i);
		CHECK_EQ(unlink(name), 0);
	}
	leave();
}

static void current_folder(void)
{
	char path[PATH_MAX];
	pid_t pid;
	int fd;

	enter();
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, folder));
	CHECK_ERRNO(getcwd(path, 3) ? 0 : -1, ERANGE);
	CHECK_EQ(mkdir("d", 0777), 0);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	CHECK_EQ(chdir("d"), 0);
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, below));
	pid = fork();
	if (pid == 0)
		_exit(chdir("..") || !getcwd(path, sizeof(path)) || strcmp(path, folder));
	expect_exit(pid, 0);
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, below));
	CHECK_EQ(fchdir(fd), 0);
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, folder));
	close(fd);
	write_file("f", "");
	CHECK_ERRNO(chdir("f"), ENOTDIR);
	CHECK_ERRNO(chdir("none"), ENOENT);
	CHECK_EQ(chdir("/.."), 0);
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, "/"));
	CHECK_EQ(chdir(below), 0);
	CHECK_EQ(rmdir("../d"), 0);			/* from under us */
	CHECK_ERRNO(open("new", O_WRONLY | O_CREAT, 0666), ENOENT);
	CHECK_ERRNO(getcwd(path, sizeof(path)) ? 0 : -1, ENOENT);
	CHECK_EQ(chdir(folder), 0);
	unlink("f");
	leave();
}

static void relative_to_a_descriptor(void)
{
	char buf[4];
	int dir, fd;

	enter();
	CHECK_EQ(mkdir("d", 0777), 0);
	dir = open("d", O_RDONLY | O_DIRECTORY);
	fd = openat(dir, "f", O_RDWR | O_CREAT, 0666);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "at", 2), 2);
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(pread(fd, buf, 4, 0), 2);
	CHECK_ERRNO(openat(fd, "f", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(openat(999, "f", O_RDONLY), EBADF);
	CHECK_EQ(unlinkat(dir, "f", 0), 0);
	close(fd);
	close(dir);
	CHECK_EQ(unlinkat(AT_FDCWD, below, AT_REMOVEDIR), 0);
	leave();
}

static void what_stat_says(void)
{
	struct stat st, null;
	mode_t old = umask(022);

	enter();
	write_file("f", "12345");
	CHECK_EQ(stat("f", &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 0777, 0644);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(st.st_nlink, 1);
	CHECK(st.st_ino && st.st_blksize > 0);
	CHECK_EQ(chmod("f", 0600), 0);
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK_EQ(access("f", R_OK | W_OK), 0);
	CHECK_ERRNO(access("f", X_OK), EACCES);
	CHECK_ERRNO(access("none", F_OK), ENOENT);
	CHECK_EQ(stat("/dev/null", &null), 0);
	CHECK(S_ISCHR(null.st_mode) && null.st_rdev == (1 << 8 | 3));
	CHECK_ERRNO(stat("none", &st), ENOENT);
	CHECK_ERRNO(fstat(999, &st), EBADF);
	unlink("f");
	umask(old);
	leave();
}

static void scattered_buffers(void)
{
	char a[3], b[10] = "";
	struct iovec out[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
	struct iovec in[2] = { { a, 3 }, { b, 10 } };
	int fd;

	enter();
	fd = open("f", O_RDWR | O_CREAT, 0666);
	CHECK_EQ(writev(fd, out, 3), 8);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(readv(fd, in, 2), 8);
	CHECK(!memcmp(a, "one", 3) && !strcmp(b, "three"));
	close(fd);
	unlink("f");
	leave();
}

static void a_big_file(void)
{
	static unsigned char buf[65536];
	int fd;

	enter();
	fd = open("big", O_RDWR | O_CREAT, 0666);
	for (int k = 0; k < 32; k++) {
		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = i * 7 + k * 13 + (i >> 8);
		CHECK_EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	}
	CHECK_EQ(size_of("big"), 32 * sizeof(buf));
	for (int k = 31; k >= 0; k--) {
		CHECK_EQ(pread(fd, buf, sizeof(buf), k * sizeof(buf)), sizeof(buf));
		for (size_t i = 0; i < sizeof(buf); i += 61)
			CHECK_EQ(buf[i], (unsigned char)(i * 7 + k * 13 + (i >> 8)));
	}
	close(fd);
	unlink("big");
	leave();
}

static void devices(void)
{
	char buf[64];
	int fd = open("/dev/null", O_RDWR);

	CHECK_EQ(write(fd, "gone", 4), 4);
	CHECK_EQ(read(fd, buf, 4), 0);
	close(fd);
	fd = open("/dev/zero", O_RDWR);
	memset(buf, 1, sizeof(buf));
	CHECK_EQ(read(fd, buf, sizeof(buf)), sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		CHECK_EQ(buf[i], 0);
	close(fd);
	fd = open("/dev/full", O_WRONLY);
	CHECK_ERRNO(write(fd, "x", 1), ENOSPC);
	close(fd);
	fd = open("/dev/urandom", O_RDONLY);
	CHECK_EQ(read(fd, buf, sizeof(buf)), sizeof(buf));
	CHECK(memcmp(buf, buf + 32, 32));
	close(fd);
}

/* Processes fight over names: each name is made by exactly one, and is gone at the end. */
static void racing_for_names(void)
{
	volatile int *made = shared_memory(64 * sizeof(int));
	char name[16];

	enter();
	for (int p = 0; p < 4; p++) {
		if (fork())
			continue;
		for (int i = 0; i < 64; i++) {
			int fd;

			snprintf(name, sizeof(name), "n%d", i);
			fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
			if (fd >= 0)
				__atomic_add_fetch(&made[i], 1, __ATOMIC_SEQ_CST);
			else
				CHECK_EQ(errno, EEXIST);
			close(fd);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < 64; i++) {
		CHECK_EQ(made[i], 1);
		snprintf(name, sizeof(name), "n%d", i);
		CHECK_EQ(unlink(name), 0);
	}
	leave();
}

static const struct test_case cases[] = {
	CASE(open_flags),
	CASE(long_names),
	CASE(positions),
	CASE(holes_are_zero),
	CASE(truncation),
	CASE(appending),
	CASE(unlinked_but_open),
	CASE(links),
	CASE(symbolic_links),
	CASE(renaming),
	CASE(folders),
	CASE(reading_folders),
	CASE(current_folder),
	CASE(relative_to_a_descriptor),
	CASE(what_stat_says),
	CASE(scattered_buffers),
	CASE(a_big_file),
	CASE(devices),
	CASE(racing_for_names),
};

TEST_MAIN(cases)
