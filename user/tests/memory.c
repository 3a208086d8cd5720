/* Address spaces: mapping, protecting, moving, growing, and access outside of mappings. */
#include <sys/stat.h>

#include "test.h"

#define PAGE	4096UL
#define MB	(1UL << 20)

static char *map(size_t size, int prot)
{
	char *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK_EQ((uintptr_t)p % PAGE, 0);
	return p;
}

/* --- Does touching these addresses end a process? --- */

static void touch(volatile char *p, bool write)
{
	if (write)
		*p = 1;
	else
		(void)*p;
	_exit(0);
}

static void expect_fault(volatile char *p, bool write)
{
	pid_t pid = fork();

	if (pid == 0)
		touch(p, write);
	expect_signal(pid, SIGSEGV);
}

static void expect_access(volatile char *p, bool write)
{
	pid_t pid = fork();

	if (pid == 0)
		touch(p, write);
	expect_exit(pid, 0);
}

static void fresh_memory_is_zero(void)
{
	char *p = map(64 * PAGE, PROT_READ | PROT_WRITE);

	for (size_t i = 0; i < 64 * PAGE; i += 8)
		CHECK_EQ(*(long *)(p + i), 0);
	memset(p, 0xa5, 64 * PAGE);
	CHECK_EQ(munmap(p, 64 * PAGE), 0);
	p = map(64 * PAGE, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < 64 * PAGE; i += 8)
		CHECK_EQ(*(long *)(p + i), 0);
	CHECK_EQ(munmap(p, 64 * PAGE), 0);
}

static void unmapped_is_gone(void)
{
	char *p = map(4 * PAGE, PROT_READ | PROT_WRITE);

	memset(p, 1, 4 * PAGE);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);		/* unmapping nothing is no error */
	expect_fault(p + PAGE, false);
	expect_fault(p + PAGE, true);
	CHECK(p[0] == 1 && p[PAGE - 1] == 1 && p[2 * PAGE] == 1 && p[4 * PAGE - 1] == 1);
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
	expect_fault(p, false);
	expect_fault(p + 3 * PAGE, false);
}

static void protection(void)
{
	char *p = map(4 * PAGE, PROT_READ | PROT_WRITE);

	memset(p, 7, 4 * PAGE);
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(mprotect(p + 2 * PAGE, PAGE, PROT_NONE), 0);
	expect_access(p + PAGE, false);
	expect_fault(p + PAGE, true);
	expect_fault(p + 2 * PAGE, false);	/* FAULT1 */
	expect_fault(p + 2 * PAGE, true);
	expect_access(p + 3 * PAGE, true);
	CHECK_EQ(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE), 0);
	for (size_t i = 0; i < 4 * PAGE; i++)
		CHECK_EQ(p[i], 7);
	p[2 * PAGE] = 8;
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
}

static void protection_of_untouched(void)
{
	char *p = map(2 * PAGE, PROT_NONE);

	expect_fault(p, false);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ), 0);
	CHECK_EQ(p[5], 0);
	expect_fault(p, true);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_WRITE), 0);
	p[5] = 1;
	CHECK_EQ(p[5], 1);
	expect_fault(p + PAGE, false);
}

static void data_is_not_code(void)
{
	static char code[16];
	char *p = map(PAGE, PROT_READ | PROT_WRITE);
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		pid = fork();
		if (pid == 0) {
			((void (*)(void))(i ? p : code))();
			_exit(0);
		}
		expect_signal(pid, SIGSEGV);
	}
}

static void code_is_not_data(void)
{
	static const char constant[] = "constant";

	expect_fault((char *)hidden((uintptr_t)&code_is_not_data), true);
	expect_access((char *)hidden((uintptr_t)&code_is_not_data), false);
	expect_fault((char *)constant, true);
}

static void not_the_kernels(void)
{
	expect_fault(hidden(0), false);
	expect_fault(hidden(-PAGE), false);
	expect_fault(hidden(1UL << 63), false);
	expect_fault(hidden(0xffffffc000000000), true);
	expect_fault(hidden(0xffffffff80200000), false);
	expect_fault(hidden(0xffffffff80200000), true);
}

static void errors(void)
{
	const int rw = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *p = map(PAGE, rw);

	CHECK(mmap(NULL, 0, rw, flags, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, rw, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, rw, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
	CHECK(mmap(p + 1, PAGE, rw, flags | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, 1UL << 60, rw, flags, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(p, 0), EINVAL);
	CHECK_ERRNO(mprotect(p + 1, PAGE, rw), EINVAL);
	CHECK_EQ(munmap(p, PAGE), 0);
	CHECK_ERRNO(mprotect(p, PAGE, rw), ENOMEM);
}

static void fixed_replaces(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);

	memset(p, 3, 3 * PAGE);
	CHECK(mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, -1, 0) == p + PAGE);
	CHECK(p[0] == 3 && p[PAGE - 1] == 3 && p[PAGE] == 0 && p[2 * PAGE] == 3);
	CHECK(mmap(p + PAGE, PAGE, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, EEXIST);
	CHECK_EQ(munmap(p, 3 * PAGE), 0);
}

/* A mapping larger than the memory of any machine here: only touched pages count. */
static void sparse(void)
{
	size_t size = 4096 * MB;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	for (size_t at = 0; at < size; at += 128 * MB) {
		CHECK_EQ(p[at + 12345], 0);
		p[at + 12345] = at / MB / 128 + 1;
	}
	for (size_t at = 0; at < size; at += 128 * MB)
		CHECK_EQ(p[at + 12345], at / MB / 128 + 1);
	CHECK_EQ(munmap(p, size), 0);
}

static void remap_grows_and_moves(void)
{
	char *p = map(2 * PAGE, PROT_READ | PROT_WRITE), *q;

	for (size_t i = 0; i < 2 * PAGE; i++)
		p[i] = i % 251;
	q = mremap(p, 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	for (size_t i = 0; i < 2 * PAGE; i++)
		CHECK_EQ((unsigned char)q[i], i % 251);
	for (size_t i = 2 * PAGE; i < 100 * PAGE; i += 512)
		CHECK_EQ(q[i], 0);
	q[100 * PAGE - 1] = 9;
	p = mremap(q, 100 * PAGE, PAGE, 0);
	CHECK(p == q);
	CHECK_EQ((unsigned char)p[250], 250);
	expect_fault(p + PAGE, false);
	expect_fault(p + 99 * PAGE, false);
	CHECK(mremap(p + 1, PAGE, PAGE, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mremap(p, PAGE, 0, 0) == MAP_FAILED && errno == EINVAL);
	CHECK_EQ(munmap(p, PAGE), 0);
	CHECK(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
}

static void dontneed_forgets(void)
{
	char *p = map(8 * PAGE, PROT_READ | PROT_WRITE);

	memset(p, 5, 8 * PAGE);
	CHECK_EQ(madvise(p + 2 * PAGE, 3 * PAGE, MADV_DONTNEED), 0);
	CHECK(p[2 * PAGE - 1] == 5 && p[2 * PAGE] == 0 && p[5 * PAGE - 1] == 0 && p[5 * PAGE] == 5);
	CHECK_EQ(munmap(p, 8 * PAGE), 0);
}

static void the_break_moves(void)
{
	char *start = sbrk(0), *p = sbrk(10 * PAGE);

	CHECK(p == start && sbrk(0) == start + 10 * PAGE);
	for (size_t i = 0; i < 10 * PAGE; i += 64)
		CHECK_EQ(p[i], 0);
	memset(p, 1, 10 * PAGE);
	CHECK(sbrk(-5 * PAGE) == start + 10 * PAGE);
	expect_fault(start + 7 * PAGE, false);
	CHECK(sbrk(5 * PAGE) == start + 5 * PAGE);
	CHECK_EQ(start[6 * PAGE], 0);		/* not the old contents */
	CHECK_EQ(start[PAGE], 1);
	CHECK_EQ(brk(start), 0);
	CHECK(sbrk(1L << 50) == (void *)-1 && errno == ENOMEM);
	CHECK(sbrk(0) == start);
}

static long recurse(long depth)
{
	volatile char frame[512];

	frame[depth % 512] = depth;	/* varies, so that the whole stack is needed */
	return depth ? recurse(depth - 1) + (frame[depth % 512] == (char)depth) : 0;
}

static void the_stack_grows(void)
{
	CHECK_EQ(recurse(8000), 8000);		/* more than 4 MB */
}

static void the_stack_has_an_end(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(recurse(1L << 40) == 0);
	expect_signal(pid, SIGSEGV);
}

static void shared_with_children(void)
{
	volatile long *p = shared_memory(16 * PAGE);
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 16; i++)
			p[i * PAGE / sizeof(long)] = i + 100;
		_exit(0);
	}
	expect_exit(pid, 0);
	for (int i = 0; i < 16; i++)
		CHECK_EQ(p[i * PAGE / sizeof(long)], i + 100);
}

static int make_file(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char c;

	CHECK(fd >= 0);
	for (size_t i = 0; i < size; i++) {
		c = 'a' + i % 23;
		if (i % 512 == 0 || i == size - 1)
			CHECK_EQ(pwrite(fd, &c, 1, i), 1);
	}
	return fd;
}

static void private_file_mapping(void)
{
	const char *path = temp_path("private");
	int fd = make_file(path, 2 * PAGE + 100);
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), c;

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < 2 * PAGE; i += 512)
		CHECK_EQ(p[i], 'a' + i % 23);
	CHECK_EQ(p[2 * PAGE + 100], 0);		/* beyond the end of the file, in its last page */
	p[512] = 'X';
	CHECK_EQ(pread(fd, &c, 1, 512), 1);
	CHECK_EQ(c, 'a' + 512 % 23);		/* the file does not change */
	CHECK_EQ(munmap(p, 3 * PAGE), 0);
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(p[512], 'a' + (PAGE + 512) % 23);
	close(fd);
	unlink(path);
	CHECK_EQ(p[0], 'a' + PAGE % 23);	/* the mapping keeps the file */
	CHECK_EQ(munmap(p, PAGE), 0);
}

static void shared_file_mapping(void)
{
	const char *path = temp_path("shared");
	int fd = make_file(path, 2 * PAGE);
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), c;
	pid_t pid;

	CHECK(p != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		p[512] = 'Y';
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK_EQ(p[512], 'Y');
	CHECK_EQ(pread(fd, &c, 1, 512), 1);
	CHECK_EQ(c, 'Y');
	CHECK_EQ(pwrite(fd, "Z", 1, PAGE), 1);
	CHECK_EQ(p[PAGE], 'Z');
	close(fd);
	fd = open(path, O_RDONLY);
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED &&
	      errno == EACCES);
	close(fd);
	unlink(path);
	CHECK_EQ(munmap(p, 2 * PAGE), 0);
}

/* A file is read into, and written from, pages of its own mapping that were not touched before. */
static void file_into_its_own_mapping(void)
{
	const char *path = temp_path("own");
	int fd = make_file(path, 0);
	char *p;

	unlink(path);
	CHECK_EQ(ftruncate(fd, 4 * PAGE), 0);
	CHECK_EQ(pwrite(fd, "abcd", 4, 2 * PAGE), 4);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(pread(fd, p, PAGE, 2 * PAGE), PAGE);
	CHECK(memcmp(p, "abcd", 4) == 0);
	CHECK_EQ(pwrite(fd, p + 2 * PAGE, PAGE, 3 * PAGE), PAGE);
	CHECK(memcmp(p + 3 * PAGE, "abcd", 4) == 0);
	close(fd);
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
}

/* The kernel checks pointers, even if only their end is bad. */
static void bad_pointers_are_errors(void)
{
	char *p = map(2 * PAGE, PROT_READ | PROT_WRITE), *end = p + PAGE;
	struct stat st;
	int fds[2];

	CHECK_EQ(munmap(end, PAGE), 0);
	memset(p, 'x', PAGE);
	CHECK_EQ(pipe(fds), 0);
	CHECK_ERRNO(write(fds[1], hidden(16), 5), EFAULT);
	CHECK_ERRNO(write(fds[1], hidden(-PAGE), 5), EFAULT);
	CHECK_ERRNO(write(fds[1], hidden(0xffffffff80200000), 8), EFAULT);
	CHECK_EQ(write(fds[1], "abc", 3), 3);
	CHECK_ERRNO(read(fds[0], hidden(16), 3), EFAULT);
	CHECK_ERRNO(open(hidden(16), O_RDONLY), EFAULT);
	CHECK_ERRNO(open(end - 5, O_RDONLY), EFAULT);	/* there is no terminating zero */
	CHECK_ERRNO(stat("/", hidden(16)), EFAULT);
	CHECK_ERRNO(stat("/", (struct stat *)(end - 8)), EFAULT);
	CHECK_EQ(stat("/", &st), 0);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ), 0);
	CHECK_EQ(write(fds[1], "abc", 3), 3);
	CHECK_ERRNO(read(fds[0], p, 3), EFAULT);	/* the kernel may not write there either */
}

static void many_mappings(void)
{
	enum { COUNT = 200 };
	char *p[COUNT];

	for (int i = 0; i < COUNT; i++) {
		p[i] = map((1 + i % 3) * PAGE, i % 2 ? PROT_READ | PROT_WRITE : PROT_READ);
		if (i % 2)
			p[i][0] = i;
	}
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ((unsigned char)p[i][0], i % 2 ? i : 0);
	for (int i = 0; i < COUNT; i += 2)
		CHECK_EQ(munmap(p[i], (1 + i % 3) * PAGE), 0);
	for (int i = 1; i < COUNT; i += 2)
		CHECK_EQ((unsigned char)p[i][0], i);
}

/* Threads unmap and map while others use their own mappings: stale translations would show. */
static void *map_and_check(void *arg)
{
	for (int i = 0; i < 150; i++) {
		long *p = (long *)map(4 * PAGE, PROT_READ | PROT_WRITE);

		for (int k = 0; k < 4; k++) {
			CHECK_EQ(p[k * 512], 0);
			p[k * 512] = (long)arg;
		}
		sched_yield();
		for (int k = 0; k < 4; k++)
			CHECK_EQ(p[k * 512], (long)arg);
		CHECK_EQ(munmap(p, 4 * PAGE), 0);
	}
	return NULL;
}

static void threads_map_at_once(void)
{
	pthread_t t[6];

	for (long i = 0; i < 6; i++)
		t[i] = start_thread(map_and_check, (void *)(i + 1));
	for (int i = 0; i < 6; i++)
		join_thread(t[i]);
}

/* --- Rights that are removed from a page in use ----------------------------------------------- */

static volatile long *used;
static atomic_int may_go_on, done;

static void wait_for_right(int sig)
{
	(void)sig;
	while (!may_go_on)
		sched_yield();
}

static void *use_it(void *unused)
{
	while (!done)
		(*used)++;
	return unused;
}

/* When mprotect() has returned, no thread can write any more, on any CPU. */
static void rights_taken_while_in_use(void)
{
	volatile long *p = (volatile long *)map(PAGE, PROT_READ | PROT_WRITE);
	pthread_t t;

	signal(SIGSEGV, wait_for_right);
	used = p;
	t = start_thread(use_it, NULL);
	for (int i = 0; i < 20; i++) {
		long seen = *p, then;

		while (*p == seen)
			sched_yield();
		may_go_on = 0;
		CHECK_EQ(mprotect((void *)p, PAGE, PROT_READ), 0);
		then = *p;
		for (int k = 0; k < 50; k++) {
			sched_yield();
			CHECK_EQ(*p, then);
		}
		CHECK_EQ(mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE), 0);
		may_go_on = 1;
	}
	done = 1;
	join_thread(t);
}

static const struct test_case cases[] = {
	CASE(fresh_memory_is_zero),
	CASE(unmapped_is_gone),
	CASE(protection),
	CASE(protection_of_untouched),
	CASE(data_is_not_code),
	CASE(code_is_not_data),
	CASE(not_the_kernels),
	CASE(errors),
	CASE(fixed_replaces),
	CASE(sparse),
	CASE(remap_grows_and_moves),
	CASE(dontneed_forgets),
	CASE(the_break_moves),
	CASE(the_stack_grows),
	CASE(the_stack_has_an_end),
	CASE(shared_with_children),
	CASE(private_file_mapping),
	CASE(shared_file_mapping),
	CASE(file_into_its_own_mapping),
	CASE(bad_pointers_are_errors),
	CASE(many_mappings),
	CASE(threads_map_at_once),
	CASE(rights_taken_while_in_use),
};

TEST_MAIN(cases)
