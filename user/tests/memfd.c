/* Files without a name, and what their seals forbid. */
#include <sys/stat.h>
#include <sys/syscall.h>

#include "test.h"

#define PAGE	4096UL
#define RW	(PROT_READ | PROT_WRITE)

#define ALLOW_SEALING	2u
#define NOEXEC_SEAL	8u
#define EXEC		16u
#define ADD_SEALS	1033
#define GET_SEALS	1034

enum { SEAL = 1, SHRINK = 2, GROW = 4, WRITE = 8, FUTURE_WRITE = 16, SEAL_EXEC = 32 };

static int create(const char *name, unsigned flags)
{
	return syscall(SYS_memfd_create, name, flags);
}

static int sealable(size_t pages)
{
	int fd = create("sealed", ALLOW_SEALING);

	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, pages * PAGE), 0);
	return fd;
}

static void creating(void)
{
	char name[252];
	struct stat st;
	int fd;

	memset(name, 'n', sizeof(name));
	name[250] = 0;
	CHECK_ERRNO(create(name, 0), EINVAL);
	name[249] = 0;
	CHECK(create(name, 0) >= 0);
	CHECK_ERRNO(create(hidden(16), 0), EFAULT);
	CHECK_ERRNO(create("x", 0x100), EINVAL);
	CHECK_ERRNO(create("x", EXEC | NOEXEC_SEAL), EINVAL);
	fd = create("", 1);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(st.st_size == 0 && st.st_nlink == 0 && S_ISREG(st.st_mode));
	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, name, 10), 5);
}

static void which_seals(void)
{
	int fd = create("plain", 0), pipes[2];

	CHECK_EQ(fcntl(fd, GET_SEALS), SEAL);
	CHECK_ERRNO(fcntl(fd, ADD_SEALS, GROW), EPERM);
	CHECK_ERRNO(fcntl(fd, ADD_SEALS, 0x1000), EINVAL);
	fd = sealable(1);
	CHECK_EQ(fcntl(fd, GET_SEALS), 0);
	CHECK_EQ(fcntl(fd, ADD_SEALS, GROW), 0);
	CHECK_EQ(fcntl(fd, ADD_SEALS, SHRINK | SEAL), 0);
	CHECK_EQ(fcntl(fd, GET_SEALS), GROW | SHRINK | SEAL);
	CHECK_ERRNO(fcntl(fd, ADD_SEALS, GROW), EPERM);
	fd = create("noexec", NOEXEC_SEAL);
	CHECK_EQ(fcntl(fd, GET_SEALS), SEAL_EXEC);
	CHECK_EQ(pipe(pipes), 0);
	CHECK_ERRNO(fcntl(pipes[0], GET_SEALS), EINVAL);
	CHECK_ERRNO(fcntl(pipes[1], ADD_SEALS, GROW), EINVAL);
}

static void sizes(void)
{
	static char buf[3 * PAGE];
	int fd = sealable(2);

	CHECK_EQ(fcntl(fd, ADD_SEALS, GROW), 0);
	CHECK_ERRNO(ftruncate(fd, 2 * PAGE + 1), EPERM);
	CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
	CHECK_EQ(pwrite(fd, buf, 2 * PAGE, 0), 2 * PAGE);
	CHECK_EQ(pwrite(fd, buf, 3 * PAGE, 0), 2 * PAGE);
	CHECK_ERRNO(pwrite(fd, buf, 1, 2 * PAGE), EPERM);
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	fd = sealable(2);
	CHECK_EQ(fcntl(fd, ADD_SEALS, SHRINK), 0);
	CHECK_ERRNO(ftruncate(fd, PAGE), EPERM);
	CHECK_EQ(ftruncate(fd, 3 * PAGE), 0);
}

static void writing(void)
{
	int fd = sealable(1);
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(fcntl(fd, ADD_SEALS, WRITE), EBUSY);
	CHECK_EQ(munmap(p, PAGE), 0);
	CHECK_EQ(fcntl(fd, ADD_SEALS, WRITE), 0);
	CHECK_ERRNO(write(fd, "x", 1), EPERM);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
	p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	p[0] = 1;
	fd = sealable(1);
	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	CHECK_EQ(fcntl(fd, ADD_SEALS, FUTURE_WRITE), 0);
	p[0] = 'm';				/* a mapping made before the seal */
	CHECK_ERRNO(write(fd, "x", 1), EPERM);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && p[0] == 'm');
	CHECK_ERRNO(mprotect(p, PAGE, RW), EACCES);
}

static const struct test_case cases[] = {
	CASE(creating),
	CASE(which_seals),
	CASE(sizes),
	CASE(writing),
};

TEST_MAIN(cases)
