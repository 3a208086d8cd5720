/* Places in the tree: O_PATH, and exchanging names. */
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "test.h"

#define NOREPLACE	1
#define EXCHANGE	2

static char base[64];

/* Makes an empty directory for this case the working directory. */
static void set_up(void)
{
	snprintf(base, sizeof(base), "/tmp/place.%d", getpid());
	CHECK_EQ(mkdir(base, 0700), 0);
	CHECK_EQ(chdir(base), 0);
}

static void make_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, name, strlen(name)), strlen(name));
	close(fd);
}

static long swap(const char *a, const char *b, int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

static bool is(const char *name, const char *text)
{
	char buf[16] = "";
	int fd = open(name, O_RDONLY);
	bool same = fd >= 0 && read(fd, buf, 15) >= 0 && !strcmp(buf, text);

	close(fd);
	return same;
}

static void a_place_is_no_file(void)
{
	struct pollfd p = { .events = POLLIN };
	struct stat st;
	char c = 0;
	int fd;

	set_up();
	make_file("f");
	fd = open("f", O_PATH | O_RDWR | O_CREAT | O_TRUNC);
	CHECK(fd >= 0);
	CHECK(is("f", "f"));
	CHECK_EQ(fcntl(fd, F_GETFL), O_PATH);
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_ERRNO(read(fd, &c, 1), EBADF);
	CHECK_ERRNO(write(fd, &c, 1), EBADF);
	CHECK_ERRNO(pread(fd, &c, 1, 0), EBADF);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
	CHECK_ERRNO(ftruncate(fd, 0), EBADF);
	CHECK_ERRNO(fsync(fd), EBADF);
	CHECK_ERRNO(fchmod(fd, 0600), EBADF);
	CHECK_ERRNO(fcntl(fd, F_SETFL, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_ioctl, fd, 0x5401, &c), EBADF);
	CHECK_ERRNO(syscall(SYS_flock, fd, 1), EBADF);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EBADF);
	p.fd = fd;
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLNVAL);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(fcntl(dup(fd), F_GETFL), O_PATH);
	CHECK_ERRNO(open("f", O_PATH | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("g", O_PATH | O_CREAT, 0600), ENOENT);
	CHECK_EQ(unlink("f"), 0);
	CHECK_EQ(rmdir(base), 0);
}

static void a_place_to_start_from(void)
{
	char text[16] = "", buf[16];
	int dir, link;
	struct stat st;

	set_up();
	CHECK_EQ(mkdir("d", 0700), 0);
	CHECK_EQ(symlink("d", "l"), 0);
	dir = open("d", O_PATH);
	CHECK_EQ(openat(dir, "f", O_WRONLY), -1);
	CHECK_EQ(close(openat(dir, "f", O_WRONLY | O_CREAT, 0600)), 0);
	CHECK_ERRNO(syscall(SYS_getdents64, dir, buf, sizeof(buf)), EBADF);
	CHECK_ERRNO(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	link = open("l", O_PATH | O_NOFOLLOW);
	CHECK(link >= 0);
	CHECK_EQ(fstat(link, &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(readlinkat(link, "", text, sizeof(text)), 1);
	CHECK_EQ(text[0], 'd');
	CHECK_ERRNO(openat(link, "f", O_RDONLY), ENOTDIR);
	CHECK_EQ(fstat(open("l", O_PATH), &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_EQ(unlinkat(dir, "f", 0), 0);
	CHECK_EQ(unlink("l"), 0);
	CHECK_EQ(fchdir(dir), 0);
	CHECK_EQ(rmdir("../d"), 0);
	CHECK_EQ(rmdir(base), 0);
}

static void exchanging_files(void)
{
	set_up();
	make_file("a");
	make_file("b");
	CHECK_EQ(swap("a", "b", EXCHANGE), 0);
	CHECK(is("a", "b") && is("b", "a"));
	CHECK_EQ(swap("a", "a", EXCHANGE), 0);
	CHECK_ERRNO(swap("a", "c", EXCHANGE), ENOENT);
	CHECK_ERRNO(swap("c", "a", EXCHANGE), ENOENT);
	CHECK_ERRNO(swap("a", "b", EXCHANGE | NOREPLACE), EINVAL);
	CHECK_ERRNO(swap("a", "b", NOREPLACE), EEXIST);
	CHECK_ERRNO(swap("a", "b", 8), EINVAL);
	CHECK_ERRNO(swap("a/", "b", EXCHANGE), ENOTDIR);
	CHECK_ERRNO(swap("a", "b/", EXCHANGE), ENOTDIR);
	CHECK_EQ(swap("a", "c", NOREPLACE), 0);
	CHECK(is("c", "b"));
	CHECK_EQ(unlink("b"), 0);
	CHECK_EQ(unlink("c"), 0);
	CHECK_EQ(rmdir(base), 0);
}

static long links_of(const char *name)
{
	struct stat st;

	CHECK_EQ(stat(name, &st), 0);
	return st.st_nlink;
}

static void exchanging_directories(void)
{
	char cwd[80], expected[80];

	set_up();
	CHECK_EQ(mkdir("x", 0700), 0);
	CHECK_EQ(mkdir("y", 0700), 0);
	CHECK_EQ(mkdir("x/d", 0700), 0);
	CHECK_EQ(mkdir("x/d/e", 0700), 0);
	make_file("y/f");
	CHECK_EQ(swap("x/d", "y/f", EXCHANGE), 0);
	CHECK_EQ(access("y/f/e", F_OK), 0);
	CHECK(is("x/d", "y/f"));
	CHECK_EQ(links_of("x"), 2);
	CHECK_EQ(links_of("y"), 3);
	CHECK_EQ(chdir("y/f"), 0);
	snprintf(expected, sizeof(expected), "%s/y/f", base);
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, expected));
	CHECK_EQ(access("../../x/d", F_OK), 0);
	CHECK_EQ(chdir(base), 0);
	CHECK_ERRNO(swap("y", "y/f", EXCHANGE), EINVAL);
	CHECK_ERRNO(swap("y/f/e", "y", EXCHANGE), EINVAL);
	CHECK_EQ(swap("x", "y/f", EXCHANGE), 0);
	CHECK_EQ(access("x/e", F_OK), 0);
	CHECK_EQ(unlink("y/f/d"), 0);
	CHECK_EQ(rmdir("y/f"), 0);
	CHECK_EQ(rmdir("x/e"), 0);
	CHECK_EQ(rmdir("x"), 0);
	CHECK_EQ(rmdir("y"), 0);
	CHECK_EQ(rmdir(base), 0);
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino;
}

/* Both get the other's parent, and again when they are exchanged back. */
static void exchanging_two_directories(void)
{
	set_up();
	CHECK_EQ(mkdir("x", 0700), 0);
	CHECK_EQ(mkdir("y", 0700), 0);
	CHECK_EQ(mkdir("x/d", 0700), 0);
	CHECK_EQ(mkdir("y/e", 0700), 0);
	CHECK_EQ(mkdir("y/e/below", 0700), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(swap("x/d", "y/e", EXCHANGE), 0);
		CHECK(same_file("x/d/..", "x") && same_file("y/e/..", "y"));
		CHECK(links_of("x") == 3 && links_of("y") == 3);
		CHECK_EQ(links_of("x/d"), i ? 2 : 3);
	}
	CHECK_EQ(rmdir("y/e/below"), 0);
	CHECK_EQ(rmdir("y/e"), 0);
	CHECK_EQ(rmdir("x/d"), 0);
	CHECK_EQ(rmdir("y"), 0);
	CHECK_EQ(rmdir("x"), 0);
	CHECK_EQ(rmdir(base), 0);
}

static void shared_memory_files(void)
{
	struct stat st;

	CHECK_EQ(stat("/dev/shm", &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 01777);
}

static const struct test_case cases[] = {
	CASE(a_place_is_no_file), CASE(a_place_to_start_from), CASE(exchanging_files),
	CASE(exchanging_directories), CASE(exchanging_two_directories),
	CASE(shared_memory_files),
};

TEST_MAIN(cases)
