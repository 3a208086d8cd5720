/* The flags and errors of mmap, mprotect, mremap, madvise, mincore, msync and mlock. */
#include "test.h"

#define PAGE	4096UL
#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

static char *map_flags(size_t pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static char *map(size_t pages)
{
	return map_flags(pages, RW, ANON);
}

#define MAP_ERRNO(error, ...) \
	do { \
		errno = 0; \
		CHECK(mmap(__VA_ARGS__) == MAP_FAILED); \
		CHECK_EQ(errno, error); \
	} while (0)

#define REMAP_ERRNO(error, ...) \
	do { \
		errno = 0; \
		CHECK(mremap(__VA_ARGS__) == MAP_FAILED); \
		CHECK_EQ(errno, error); \
	} while (0)

static int open_temp(const char *name, int flags, size_t pages)
{
	const char *path = temp_path(name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, pages * PAGE), 0);
	if (flags != O_RDWR) {
		close(fd);
		fd = open(path, flags);
	}
	unlink(path);
	return fd;
}

static void map_errors(void)
{
	int rw = open_temp("rw", O_RDWR, 4), ro = open_temp("ro", O_RDONLY, 4);
	int wo = open_temp("wo", O_WRONLY, 4), fds[2];
	char *p = map(4);

	CHECK_EQ(pipe(fds), 0);
	MAP_ERRNO(EINVAL, NULL, 0, RW, ANON, -1, 0);
	MAP_ERRNO(EBADF, NULL, 0, RW, MAP_PRIVATE, -1, 0);	/* the descriptor is first */
	MAP_ERRNO(EINVAL, NULL, PAGE, RW, MAP_PRIVATE, -1, 1);
	MAP_ERRNO(EINVAL, NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0);
	MAP_ERRNO(EINVAL, NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0);
	MAP_ERRNO(EINVAL, NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
	MAP_ERRNO(EINVAL, NULL, PAGE, RW, 0, rw, 0);
	MAP_ERRNO(EINVAL, NULL, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, rw, 0);
	MAP_ERRNO(EOPNOTSUPP, NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, rw, 0);
	MAP_ERRNO(EOPNOTSUPP, NULL, PAGE, RW, MAP_SHARED_VALIDATE | 1 << 23, rw, 0);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED | 1 << 23, rw, 0) != MAP_FAILED);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_NORESERVE, rw, 0) != MAP_FAILED);
	MAP_ERRNO(EACCES, NULL, PAGE, RW, MAP_SHARED, ro, 0);
	MAP_ERRNO(EACCES, NULL, PAGE, PROT_READ, MAP_SHARED, wo, 0);
	MAP_ERRNO(EACCES, NULL, PAGE, PROT_WRITE, MAP_SHARED, wo, 0);
	MAP_ERRNO(EACCES, NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0);
	CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE, ro, 0) != MAP_FAILED);
	MAP_ERRNO(ENODEV, NULL, PAGE, PROT_READ, MAP_PRIVATE, fds[0], 0);
	MAP_ERRNO(ENOMEM, NULL, -PAGE, RW, ANON, -1, 0);
	MAP_ERRNO(ENOMEM, NULL, -1UL, RW, ANON, -1, 0);
	MAP_ERRNO(EINVAL, p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	MAP_ERRNO(ENOMEM, (void *)-PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	MAP_ERRNO(EOVERFLOW, NULL, PAGE, RW, MAP_PRIVATE, rw, INT64_MAX & -PAGE);
	MAP_ERRNO(EEXIST, p + 3 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK_ERRNO(munmap(p, 0), EINVAL);
	CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(p, -PAGE), EINVAL);
	CHECK_ERRNO(munmap((void *)-PAGE, PAGE), EINVAL);
}

static void devices_of_zeros(void)
{
	int fd = open("/dev/zero", O_RDWR);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	char *q = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	pid_t pid;

	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	CHECK(p[PAGE] == 0 && q[PAGE] == 0);
	pid = fork();
	if (pid == 0) {
		p[0] = q[0] = 1;
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK(p[0] == 0 && q[0] == 1);
	fd = open("/dev/null", O_RDWR);
	MAP_ERRNO(ENODEV, NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
}

static void protect_errors(void)
{
	char *p = map(4);

	CHECK_ERRNO(mprotect(p + 1, PAGE, RW), EINVAL);
	CHECK_EQ(mprotect(p, 0, RW), 0);
	CHECK_EQ(mprotect(hidden(PAGE), 0, 0x1000), 0);		/* a length of 0 checks nothing */
	CHECK_ERRNO(mprotect(p, PAGE, 0x1000), EINVAL);
	CHECK_ERRNO(mprotect(p, -PAGE, RW), ENOMEM);
	CHECK_ERRNO(mprotect(p, PAGE, RW | PROT_GROWSDOWN | PROT_GROWSUP), EINVAL);
	CHECK_ERRNO(mprotect(p, PAGE, RW | PROT_GROWSDOWN), EINVAL);	/* not a stack */
	CHECK_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	CHECK_ERRNO(mprotect(p + 2 * PAGE, PAGE, RW), ENOMEM);
	/* The part before a hole is changed all the same. */
	CHECK_ERRNO(mprotect(p + PAGE, 3 * PAGE, PROT_READ), ENOMEM);
	p[0] = p[3 * PAGE] = 1;
	for (int i = 1; i < 4; i += 2) {
		pid_t pid = fork();

		if (pid == 0) {
			p[i * PAGE] = 1;
			_exit(0);
		}
		if (i == 1)
			expect_signal(pid, SIGSEGV);
		else
			expect_exit(pid, 0);
	}
}

static void remap_errors(void)
{
	char *p = map(8), *q = map(8);

	REMAP_ERRNO(EINVAL, p, PAGE, PAGE, 8);
	REMAP_ERRNO(EINVAL, p + 1, PAGE, PAGE, 0);
	REMAP_ERRNO(EINVAL, p, PAGE, 0, 0);
	REMAP_ERRNO(EINVAL, p, PAGE, PAGE, MREMAP_FIXED, q);
	REMAP_ERRNO(EINVAL, p, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, q + 1);
	REMAP_ERRNO(EINVAL, p, 4 * PAGE, 4 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, p + PAGE);
	REMAP_ERRNO(EINVAL, p, 4 * PAGE, 4 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, (void *)-PAGE);
	REMAP_ERRNO(EINVAL, p, PAGE, PAGE, MREMAP_DONTUNMAP);
	REMAP_ERRNO(EINVAL, p, PAGE, 2 * PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE);
	REMAP_ERRNO(EINVAL, p, 0, PAGE, MREMAP_MAYMOVE);	/* private: it cannot be doubled */
	CHECK_EQ(munmap(q, 8 * PAGE), 0);
	REMAP_ERRNO(EFAULT, q, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	CHECK_EQ(mprotect(p + 4 * PAGE, 4 * PAGE, PROT_READ), 0);
	REMAP_ERRNO(EFAULT, p + 3 * PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	REMAP_ERRNO(ENOMEM, p, 2 * PAGE, 3 * PAGE, 0);
	CHECK(mremap(p, 4 * PAGE, 4 * PAGE, 0) == p);
}

static void remap_to_a_place(void)
{
	char *p = map(4), *q = map(8);

	memset(p, 'p', 4 * PAGE);
	memset(q, 'q', 8 * PAGE);
	CHECK(mremap(p, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE) == q + PAGE);
	CHECK(q[0] == 'q' && q[PAGE] == 'p' && q[3 * PAGE - 1] == 'p' && q[3 * PAGE] == 'q');
	CHECK_ERRNO(msync(p, PAGE, MS_ASYNC), ENOMEM);
	CHECK_ERRNO(msync(p + 2 * PAGE, PAGE, MS_ASYNC), ENOMEM);	/* beyond the cut */
	CHECK(mremap(q + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	CHECK(p[0] == 'p' && p[PAGE] == 0);
}

static void remap_that_leaves_the_place(void)
{
	char *p = map(2), *q;

	memset(p, 'p', 2 * PAGE);
	q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	CHECK(q != MAP_FAILED && q != p);
	CHECK(q[0] == 'p' && q[2 * PAGE - 1] == 'p');
	CHECK(p[0] == 0 && p[PAGE] == 0);
	p[0] = 1;
	CHECK_EQ(q[0], 'p');
}

static void remap_shared_twice(void)
{
	char *p = shared_memory(4 * PAGE), *q;

	p[PAGE] = 'a';
	q = mremap(p + PAGE, 0, 2 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	CHECK_EQ(q[0], 'a');
	q[PAGE] = 'b';
	CHECK_EQ(p[2 * PAGE], 'b');
}

static void advice_errors(void)
{
	char *p = map(4), *s = shared_memory(4 * PAGE);

	CHECK_ERRNO(madvise(p, PAGE, 1234), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, -1), EINVAL);
	CHECK_ERRNO(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
	CHECK_ERRNO(madvise(p, -1UL, MADV_NORMAL), EINVAL);
	CHECK_EQ(madvise(p, 0, MADV_DONTNEED), 0);
	CHECK_ERRNO(madvise(p, 0, 1234), EINVAL);
	for (int advice = MADV_NORMAL; advice <= MADV_WILLNEED; advice++)
		CHECK_EQ(madvise(p, PAGE, advice), 0);
	CHECK_ERRNO(madvise(s, PAGE, MADV_FREE), EINVAL);
	CHECK_ERRNO(madvise(s, PAGE, MADV_WIPEONFORK), EINVAL);
	CHECK_EQ(mlock(p, PAGE), 0);
	CHECK_ERRNO(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, MADV_FREE), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, MADV_COLD), EINVAL);
	CHECK_EQ(munlock(p, PAGE), 0);
	p[0] = p[3 * PAGE] = 1;
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM);	/* but it is done */
	CHECK(p[0] == 0 && p[3 * PAGE] == 0);
	CHECK_ERRNO(madvise(p + PAGE, PAGE, MADV_NORMAL), ENOMEM);
}

static void removing(void)
{
	char *p = map(4), *s = shared_memory(4 * PAGE), *f;
	int fd = open_temp("remove", O_RDWR, 4);

	CHECK_ERRNO(madvise(p, PAGE, MADV_REMOVE), EINVAL);
	memset(s, 's', 4 * PAGE);
	CHECK_EQ(madvise(s + PAGE, 2 * PAGE, MADV_REMOVE), 0);
	CHECK(s[0] == 's' && s[PAGE] == 0 && s[3 * PAGE - 1] == 0 && s[3 * PAGE] == 's');
	s[PAGE] = 't';
	CHECK_EQ(mlock(s, PAGE), 0);
	CHECK_ERRNO(madvise(s, PAGE, MADV_REMOVE), EINVAL);
	f = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK_ERRNO(madvise(f, PAGE, MADV_REMOVE), EACCES);
	f = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, open_temp("ro", O_RDONLY, 4), 0);
	CHECK_ERRNO(madvise(f, PAGE, MADV_REMOVE), EACCES);
	f = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	f[2 * PAGE] = 'f';
	CHECK_EQ(madvise(f + 2 * PAGE, PAGE, MADV_REMOVE), 0);
	CHECK_EQ(f[2 * PAGE], 0);
	f[2 * PAGE + 1] = 'g';
	CHECK_EQ(pread(fd, p, 2, 2 * PAGE), 2);
	CHECK(p[0] == 0 && p[1] == 'g');
}

static void populating(void)
{
	char *p = map(4), *f;
	unsigned char in[4];
	int fd = open_temp("populate", O_RDWR, 1);

	CHECK_EQ(madvise(p, 2 * PAGE, MADV_POPULATE_READ), 0);
	CHECK_EQ(madvise(p + 2 * PAGE, PAGE, MADV_POPULATE_WRITE), 0);
	CHECK_EQ(mincore(p, 4 * PAGE, in), 0);
	CHECK(in[0] && in[1] && in[2] && !in[3]);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ), 0);
	CHECK_ERRNO(madvise(p, PAGE, MADV_POPULATE_WRITE), EINVAL);
	CHECK_EQ(mprotect(p, PAGE, PROT_NONE), 0);
	CHECK_ERRNO(madvise(p, PAGE, MADV_POPULATE_READ), EINVAL);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(madvise(p + PAGE, 2 * PAGE, MADV_POPULATE_READ), ENOMEM);
	f = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK_ERRNO(madvise(f, 2 * PAGE, MADV_POPULATE_READ), EFAULT);
	p = map_flags(4, RW, ANON | MAP_POPULATE);
	CHECK_EQ(mincore(p, 4 * PAGE, in), 0);
	CHECK(in[0] && in[3]);
}

static void in_core(void)
{
	char *p = map(4);
	unsigned char in[4];
	int fd = open_temp("core", O_RDWR, 4);
	char *f = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);

	CHECK_ERRNO(mincore(p + 1, PAGE, in), EINVAL);
	CHECK_ERRNO(mincore(p, PAGE, hidden(16)), EFAULT);
	CHECK_ERRNO(mincore(p, -PAGE, in), ENOMEM);
	CHECK_EQ(mincore(p, 0, in), 0);
	p[PAGE] = 1;
	CHECK_EQ(mincore(p, 3 * PAGE + 1, in), 0);
	CHECK(in[0] == 0 && in[1] == 1 && in[2] == 0 && in[3] == 0);
	CHECK_EQ(pwrite(fd, "x", 1, 2 * PAGE), 1);	/* in the file, though never touched here */
	CHECK_EQ(mincore(f + 2 * PAGE, PAGE, in), 0);
	CHECK_EQ(in[0], 1);
	CHECK_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	CHECK_ERRNO(mincore(p, 4 * PAGE, in), ENOMEM);
}

static void sync_errors(void)
{
	char *p = map(4);

	CHECK_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, 8), EINVAL);
	CHECK_EQ(msync(p, 0, MS_SYNC), 0);
	CHECK_EQ(msync(p, PAGE, 0), 0);
	CHECK_EQ(msync(p, 4 * PAGE, MS_SYNC | MS_INVALIDATE), 0);
	CHECK_ERRNO(msync(p, -PAGE, MS_SYNC), ENOMEM);
	CHECK_EQ(mlock(p, PAGE), 0);
	CHECK_ERRNO(msync(p, 4 * PAGE, MS_INVALIDATE), EBUSY);
	CHECK_EQ(msync(p, 4 * PAGE, MS_ASYNC), 0);
	CHECK_EQ(munlock(p, PAGE), 0);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(msync(p, 4 * PAGE, MS_ASYNC), ENOMEM);
}

/* VmLck of this process, in pages. */
static long locked_pages(void)
{
	static char text[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *line;

	CHECK(n > 0);
	text[n] = 0;
	close(fd);
	line = strstr(text, "VmLck:");
	CHECK(line);
	return atol(line + 6) / 4;
}

static void locking(void)
{
	char *p = map(8), *none = map_flags(1, PROT_NONE, ANON);
	unsigned char in[8];

	CHECK_EQ(mlock(p + 100, PAGE), 0);		/* two pages: rounded outwards */
	CHECK_EQ(locked_pages(), 2);
	CHECK_EQ(mincore(p, 3 * PAGE, in), 0);
	CHECK(in[0] && in[1] && !in[2]);
	CHECK_EQ(mlock(p, PAGE), 0);			/* locks do not nest */
	CHECK_EQ(locked_pages(), 2);
	CHECK_EQ(mlock2(p + 4 * PAGE, 2 * PAGE, MLOCK_ONFAULT), 0);
	CHECK_EQ(locked_pages(), 4);
	CHECK_EQ(mincore(p + 4 * PAGE, 2 * PAGE, in), 0);
	CHECK(!in[0] && !in[1]);
	CHECK_ERRNO(mlock2(p, PAGE, 2), EINVAL);
	CHECK_EQ(munlock(p, 8 * PAGE), 0);
	CHECK_EQ(locked_pages(), 0);
	CHECK_EQ(mlock(p, 0), 0);
	CHECK_ERRNO(mlock(none, PAGE), ENOMEM);
	CHECK_EQ(munlock(none, PAGE), 0);
	CHECK_ERRNO(mlock(p, -PAGE), EINVAL);
	CHECK_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	CHECK_ERRNO(mlock(p, 4 * PAGE), ENOMEM);
	CHECK_EQ(locked_pages(), 2);			/* up to the hole */
	CHECK_ERRNO(munlock(p, 4 * PAGE), ENOMEM);
	CHECK_EQ(locked_pages(), 0);
	CHECK_EQ(mlock(p, PAGE), 0);
	CHECK_EQ(munmap(p, PAGE), 0);
	CHECK_EQ(locked_pages(), 0);
	p = map_flags(2, RW, ANON | MAP_LOCKED);
	CHECK_EQ(locked_pages(), 2);
	CHECK_EQ(mincore(p, 2 * PAGE, in), 0);
	CHECK(in[0] && in[1]);
	if (fork() == 0) {
		CHECK_EQ(locked_pages(), 0);		/* locks are not inherited */
		_exit(0);
	}
	CHECK_EQ(wait(NULL) > 0, 1);
}

static void locking_all(void)
{
	unsigned char in[4];
	char *p;
	long had;

	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK_ERRNO(mlockall(MCL_ONFAULT), EINVAL);
	CHECK_ERRNO(mlockall(8), EINVAL);
	CHECK_EQ(mlockall(MCL_FUTURE), 0);
	had = locked_pages();
	p = map(4);
	CHECK_EQ(locked_pages(), had + 4);
	CHECK_EQ(mincore(p, 4 * PAGE, in), 0);
	CHECK(in[0] && in[3]);
	CHECK_EQ(mlockall(MCL_FUTURE | MCL_ONFAULT), 0);
	had = locked_pages();
	p = map_flags(4, PROT_READ, ANON);
	CHECK_EQ(locked_pages(), had + 4);
	CHECK_EQ(mincore(p, 4 * PAGE, in), 0);
	CHECK(!in[0] && !in[3]);
	CHECK_EQ(munlockall(), 0);
	CHECK_EQ(locked_pages(), 0);
	map(4);
	CHECK_EQ(locked_pages(), 0);
	CHECK_EQ(mlockall(MCL_CURRENT), 0);
	CHECK(locked_pages() >= 8);
	CHECK_EQ(munlockall(), 0);
}

static void what_a_child_gets(void)
{
	char *p = map(3), *s = shared_memory(PAGE);
	unsigned char in;
	pid_t pid;

	memset(p, 'x', 3 * PAGE);
	CHECK_EQ(madvise(p, PAGE, MADV_WIPEONFORK), 0);
	CHECK_EQ(madvise(p + PAGE, PAGE, MADV_DONTFORK), 0);
	CHECK_EQ(madvise(s, PAGE, MADV_DONTFORK), 0);
	pid = fork();
	if (pid == 0) {
		CHECK(p[0] == 0 && p[2 * PAGE] == 'x');
		CHECK_ERRNO(mincore(p + PAGE, PAGE, &in), ENOMEM);
		CHECK_ERRNO(mincore(s, PAGE, &in), ENOMEM);
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK(p[0] == 'x' && p[PAGE] == 'x');
	CHECK_EQ(madvise(p, PAGE, MADV_KEEPONFORK), 0);
	CHECK_EQ(madvise(p + PAGE, PAGE, MADV_DOFORK), 0);
	pid = fork();
	if (pid == 0) {
		CHECK(p[0] == 'x' && p[PAGE] == 'x');
		_exit(0);
	}
	expect_exit(pid, 0);
}

static void a_stack_of_ones_own(void)
{
	size_t room = 1024;			/* pages; more than a stack keeps free below it */
	char *low = map_flags(room, PROT_NONE, ANON), *p;
	pid_t pid;

	CHECK_EQ(munmap(low, room * PAGE), 0);
	p = mmap(low + (room - 1) * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < 64; i++)
		*(volatile char *)(p - i * PAGE) = i;
	CHECK_EQ(mprotect(p - PAGE, PAGE, PROT_READ | PROT_GROWSDOWN), 0);
	CHECK_EQ(p[-40 * (long)PAGE], 40);
	CHECK(mmap(low, 501 * PAGE, RW, ANON | MAP_FIXED, -1, 0) == low);
	for (int i = 0; i < 6; i++) {		/* 256 pages stay free above what is below it */
		static const int places[] = { 500, 501, 600, 756, 757, 800 };

		pid = fork();
		if (pid == 0)
			_exit(*(volatile char *)(low + places[i] * PAGE));
		if (places[i] < 501 || places[i] >= 501 + 256)
			expect_exit(pid, 0);
		else
			expect_signal(pid, SIGSEGV);
	}
}

static void limits(void)
{
	struct rlimit old, new;
	char *p;

	CHECK_EQ(getrlimit(RLIMIT_DATA, &old), 0);
	new = (struct rlimit){ 64 * PAGE, old.rlim_max };
	CHECK_EQ(setrlimit(RLIMIT_DATA, &new), 0);
	MAP_ERRNO(ENOMEM, NULL, 65 * PAGE, RW, ANON, -1, 0);
	CHECK(sbrk(65 * PAGE) == (void *)-1 && errno == ENOMEM);
	p = mmap(NULL, 65 * PAGE, PROT_READ, ANON, -1, 0);	/* read-only memory is no data */
	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, 65 * PAGE, RW), ENOMEM);
	CHECK_EQ(setrlimit(RLIMIT_DATA, &old), 0);
	CHECK_EQ(mprotect(p, 65 * PAGE, RW), 0);
	CHECK_EQ(getrlimit(RLIMIT_AS, &old), 0);
	new = (struct rlimit){ 64 * PAGE, old.rlim_max };
	CHECK_EQ(setrlimit(RLIMIT_AS, &new), 0);
	MAP_ERRNO(ENOMEM, NULL, PAGE, PROT_READ, ANON, -1, 0);
	REMAP_ERRNO(ENOMEM, p, 65 * PAGE, 66 * PAGE, MREMAP_MAYMOVE);
	CHECK_EQ(setrlimit(RLIMIT_AS, &old), 0);
	MAP_ERRNO(ENOMEM, NULL, 1L << 46, RW, ANON, -1, 0);	/* more than the address space */
}

static volatile int last_code;
static void *volatile last_address;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	last_code = info->si_code;
	last_address = info->si_addr;
	_exit(sig == SIGBUS ? info->si_code + 100 : info->si_code);
}

static void expect_code(char *p, int code)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	pid_t pid = fork();

	if (pid == 0) {
		sigaction(SIGSEGV, &sa, NULL);
		sigaction(SIGBUS, &sa, NULL);
		*(volatile char *)p = 1;
		_exit(0);
	}
	expect_exit(pid, code);
}

static void codes_of_faults(void)
{
	char *p = map(2), *f;
	int fd = open_temp("codes", O_RDWR, 1);

	CHECK_EQ(mprotect(p, PAGE, PROT_READ), 0);
	expect_code(p, SEGV_ACCERR);
	CHECK_EQ(mprotect(p, PAGE, PROT_NONE), 0);
	expect_code(p + 5, SEGV_ACCERR);
	CHECK_EQ(munmap(p, 2 * PAGE), 0);
	expect_code(p + PAGE, SEGV_MAPERR);
	expect_code(hidden(0), SEGV_MAPERR);
	f = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	expect_code(f + PAGE, 100 + BUS_ADRERR);
}

/* Returns the line of /proc/self/maps for the region at @p, or the text of smaps from there on. */
static char *line_of(const char *file, const char *p)
{
	static char text[65536];
	char start[32], *line;
	size_t n = 0;
	ssize_t got;
	int fd = open(file, O_RDONLY);

	CHECK(fd >= 0);
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += got;
	close(fd);
	text[n] = 0;
	snprintf(start, sizeof(start), "%08lx-", (long)p);
	line = strstr(text, start);
	CHECK(line);
	return line;
}

static void shown_in_maps(void)
{
	char *p = map(8), expected[64], *line;

	CHECK_EQ(mprotect(p, PAGE, PROT_NONE), 0);
	CHECK_EQ(mprotect(p + PAGE, 4 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	CHECK_EQ(mprotect(p + 5 * PAGE, 3 * PAGE, PROT_NONE), 0);
	snprintf(expected, sizeof(expected), "%08lx-%08lx rwxp 00000000 00:00 0 \n",
		 (long)(p + PAGE), (long)(p + 5 * PAGE));
	CHECK_EQ(strncmp(line_of("/proc/self/maps", p + PAGE), expected, strlen(expected)), 0);
	p[PAGE] = p[2 * PAGE] = 1;
	CHECK_EQ(mlock2(p + PAGE, 4 * PAGE, MLOCK_ONFAULT), 0);
	line = line_of("/proc/self/smaps", p + PAGE);
	CHECK_EQ(strncmp(strstr(line, "\nSize:") + 6, "                 16 kB\n", 22), 0);
	CHECK_EQ(strncmp(strstr(line, "\nRss:") + 5, "                   8 kB\n", 22), 0);
	CHECK_EQ(strncmp(strstr(line, "\nAnonymous:") + 11, "             8 kB\n", 18), 0);
	CHECK_EQ(strncmp(strstr(line, "\nLocked:") + 8, "                8 kB\n", 21), 0);
	line = line_of("/proc/self/maps", p);
	line = strstr(line, "[stack]");
	CHECK(line);
}

static const struct test_case cases[] = {
	CASE(map_errors),
	CASE(devices_of_zeros),
	CASE(protect_errors),
	CASE(remap_errors),
	CASE(remap_to_a_place),
	CASE(remap_that_leaves_the_place),
	CASE(remap_shared_twice),
	CASE(advice_errors),
	CASE(removing),
	CASE(populating),
	CASE(in_core),
	CASE(sync_errors),
	CASE(locking),
	CASE(locking_all),
	CASE(what_a_child_gets),
	CASE(a_stack_of_ones_own),
	CASE(limits),
	CASE(codes_of_faults),
	CASE(shown_in_maps),
};

TEST_MAIN(cases)
