/* Mapped files that shrink and grow: what their mappings show, and where they end. */
#include "test.h"

#define PAGE	4096UL

static int make_file(const char *name, size_t size, char fill)
{
	const char *path = temp_path(name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char page[PAGE];

	CHECK(fd >= 0);
	unlink(path);
	memset(page, fill, PAGE);
	for (size_t at = 0; at < size; at += PAGE)
		CHECK_EQ(pwrite(fd, page, PAGE, at), PAGE);
	return fd;
}

static volatile char *map_file(int fd, size_t size, int flags)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static char byte_at(int fd, off_t at)
{
	char c = '?';

	CHECK_EQ(pread(fd, &c, 1, at), 1);
	return c;
}

static void expect_end(volatile char *p)
{
	pid_t pid = fork();

	if (pid == 0) {
		*p = 1;
		_exit(0);
	}
	expect_signal(pid, SIGBUS);
}

/* After a file was cut and has grown again, stores reach its new pages, not the old ones. */
static void stores_reach_the_file_again(void)
{
	int fd = make_file("again", 2 * PAGE, 'a');
	volatile char *p = map_file(fd, 2 * PAGE, MAP_SHARED), *q = map_file(fd, PAGE, MAP_SHARED);

	CHECK(p[0] == 'a' && p[PAGE] == 'a' && q[0] == 'a');
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
	CHECK(p[0] == 0 && p[PAGE] == 0 && q[0] == 0);
	p[0] = 'x';
	p[PAGE + 1] = 'y';
	CHECK(byte_at(fd, 0) == 'x' && byte_at(fd, PAGE + 1) == 'y');
	CHECK_EQ(q[0], 'x');
	CHECK_EQ(pwrite(fd, "z", 1, 5), 1);
	CHECK(p[5] == 'z' && q[5] == 'z');
}

static void the_end_is_an_error(void)
{
	int fd = make_file("end", 3 * PAGE, 'b');
	volatile char *p = map_file(fd, 3 * PAGE, MAP_SHARED);

	CHECK(p[0] == 'b' && p[PAGE] == 'b' && p[2 * PAGE] == 'b');
	CHECK_EQ(ftruncate(fd, PAGE + 10), 0);
	CHECK_EQ(p[PAGE + 9], 'b');
	CHECK_EQ(p[PAGE + 10], 0);		/* the rest of the last page is cleared */
	expect_end(p + 2 * PAGE);
	CHECK_EQ(ftruncate(fd, 0), 0);
	expect_end(p);
	expect_end(p + PAGE);
	CHECK_EQ(ftruncate(fd, 3 * PAGE), 0);
	CHECK(p[0] == 0 && p[2 * PAGE] == 0);
}

/* Private copies of the cut part go, too; those of the remaining part stay. */
static void private_copies_end(void)
{
	int fd = make_file("private", 2 * PAGE, 'c');
	volatile char *p = map_file(fd, 2 * PAGE, MAP_PRIVATE);

	p[0] = 'P';
	p[PAGE] = 'Q';
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	CHECK_EQ(p[0], 'P');
	expect_end(p + PAGE);
	CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(p[0], 'P');
}

/* The file is mapped in parts that were cut, moved and joined, in this process and in another. */
static void wherever_it_is_mapped(void)
{
	int fd = make_file("many", 8 * PAGE, 'd');
	volatile char *p = map_file(fd, 8 * PAGE, MAP_SHARED), *q;
	volatile int *step = shared_memory(PAGE);
	pid_t pid;

	for (int i = 0; i < 8; i++)
		CHECK_EQ(p[i * PAGE], 'd');
	q = mremap((char *)p + 6 * PAGE, 2 * PAGE, 2 * PAGE + 64 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK_EQ(mprotect((char *)p + 2 * PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(munmap((char *)p + 4 * PAGE, PAGE), 0);
	pid = fork();
	if (pid == 0) {
		CHECK(p[0] == 'd' && q[0] == 'd');
		*step = 1;
		while (*step != 2)
			sched_yield();
		CHECK(p[0] == 0 && p[2 * PAGE] == 0 && p[5 * PAGE] == 0 && q[PAGE] == 0);
		q[PAGE] = 'C';
		_exit(0);
	}
	while (*step != 1)
		sched_yield();
	CHECK_EQ(mprotect((char *)p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(ftruncate(fd, 8 * PAGE), 0);
	*step = 2;
	expect_exit(pid, 0);
	CHECK(p[0] == 0 && p[2 * PAGE] == 0 && q[0] == 0 && q[PAGE] == 'C');
	CHECK_EQ(byte_at(fd, 7 * PAGE), 'C');
}

enum { ROUNDS = 60 };

static volatile char *racing;
static atomic_bool racing_on;

static void on_bus_error(int sig)
{
	(void)sig;
	_exit(0);
}

static void *map_and_unmap(void *fd)
{
	while (racing_on) {
		volatile char *p = map_file((int)(long)fd, 4 * PAGE, MAP_SHARED);

		CHECK_EQ(mprotect((char *)p + PAGE, PAGE, PROT_READ), 0);
		CHECK_EQ(mprotect((char *)p + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
		munmap((char *)p, 4 * PAGE);
		sched_yield();
	}
	return NULL;
}

/*
 * After a truncation every store reaches the file, whatever other processes do to mappings
 * meanwhile.
 */
static void among_others_that_map(void)
{
	int fd = make_file("race", 4 * PAGE, 'r');
	pthread_t other;

	racing = map_file(fd, 4 * PAGE, MAP_SHARED);
	racing_on = true;
	other = start_thread(map_and_unmap, (void *)(long)fd);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid;

		racing[0] = racing[3 * PAGE] = i;
		pid = fork();
		if (pid == 0) {
			signal(SIGBUS, on_bus_error);
			for (int k = 0; k < 50; k++)
				racing[PAGE * (k % 4)] = k;
			_exit(0);
		}
		CHECK_EQ(ftruncate(fd, 0), 0);
		expect_exit(pid, 0);
		CHECK_EQ(ftruncate(fd, 4 * PAGE), 0);
		CHECK(racing[0] == 0 && racing[3 * PAGE] == 0);
		racing[PAGE] = 'A' + i % 20;
		CHECK_EQ(byte_at(fd, PAGE), 'A' + i % 20);
	}
	racing_on = false;
	join_thread(other);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		CASE(stores_reach_the_file_again),
		CASE(the_end_is_an_error),
		CASE(private_copies_end),
		CASE(wherever_it_is_mapped),
		CASE(among_others_that_map),
	};

	return test_main(argc, argv, cases, sizeof(cases) / sizeof(*cases));
}
