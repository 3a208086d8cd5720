/* The contents of files: reading, writing, positions, lengths, and what stat says. */
#include <sys/uio.h>

#include "folder.h"

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
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 9);		/* neither call moved it */
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
	CHECK(!memcmp(buf, "0123\0\0\0\0", 8));		/* not the old contents */
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(write(fd, "x", 1), 1);			/* at 8, the position */
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
			CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);	/* O_APPEND ignores the position */
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

static const struct test_case cases[] = {
	CASE(open_flags),
	CASE(positions),
	CASE(holes_are_zero),
	CASE(truncation),
	CASE(appending),
	CASE(unlinked_but_open),
	CASE(what_stat_says),
	CASE(scattered_buffers),
	CASE(a_big_file),
	CASE(devices),
};

TEST_MAIN(cases)
