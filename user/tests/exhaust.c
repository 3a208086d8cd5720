/*
 * Memory runs out, and the process that uses it up dies, whether it has pages, page tables or
 * pipes. Runs only where /proc/counters shows that the machine is for tests: elsewhere there is too
 * much memory.
 */
#include "test.h"

#define PAGE	4096UL
#define MB	(1UL << 20)

enum { BYSTANDER_MB = 8, LEFT_MB = 8 };

static atomic_int *ready;

static bool may_exhaust(void)
{
	ready = shared_memory(PAGE);
	return access("/proc/counters", R_OK) == 0;
}

/* Has some memory and keeps asking for a little more, so that it meets the shortage too. */
static void bystander(void)
{
	char *kept = mmap(NULL, BYSTANDER_MB * MB, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(kept != MAP_FAILED);
	memset(kept, 1, BYSTANDER_MB * MB);
	++*ready;
	for (;;) {
		char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(p != MAP_FAILED);
		for (int i = 0; i < 64; i++)
			p[i * PAGE] = 1;
		munmap(p, 64 * PAGE);
		sched_yield();
	}
}

/* Gives each page back at once, but the table that led to it stays. */
static void eat_tables(void)
{
	++*ready;
	for (;;) {
		char *p = mmap(NULL, 1024 * MB, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		CHECK(p != MAP_FAILED);
		for (size_t at = 0; at < 1024 * MB; at += 2 * MB) {
			p[at] = 1;
			madvise(p + at, PAGE, MADV_DONTNEED);
		}
	}
}

static void eat_pages(void)
{
	char *p = mmap(NULL, 2048 * MB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	++*ready;
	for (size_t at = 0; at < 2048 * MB; at += PAGE)
		p[at] = 1;
}

/* Fills pipes until there is no memory for more, and keeps them. */
static void eat_pipes(void)
{
	static char block[65536];
	int fds[2];

	++*ready;
	while (pipe2(fds, O_NONBLOCK) == 0)
		if (write(fds[1], block, sizeof(block)) < 0)
			break;
	for (;;)
		pause();
}

/* Starts @eaters processes; at least one must die by SIGKILL while the bystander lives. */
static void expect_survivor(void (*eat)(void), int eaters)
{
	pid_t other, pids[16], gone;
	int status;

	if (!may_exhaust())
		return;
	other = spawn(bystander);
	while (*ready < 1)
		sched_yield();
	for (int i = 0; i < eaters; i++)
		pids[i] = spawn(eat);
	gone = wait(&status);
	CHECK(gone != other);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGKILL);
	CHECK_EQ(kill(other, 0), 0);
	for (int i = 0; i < eaters; i++)
		if (pids[i] != gone)
			kill(pids[i], SIGKILL);
	for (int i = 1; i < eaters; i++)
		CHECK(wait(&status) != other);
	kill(other, SIGKILL);
	expect_signal(other, SIGKILL);
}

static void who_has_the_pages(void)
{
	expect_survivor(eat_pages, 1);
}

static void who_has_the_tables(void)
{
	expect_survivor(eat_tables, 1);
}

static void who_has_the_pipes(void)
{
	expect_survivor(eat_pipes, 10);
}

static void run_on_first_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

/* Returns the number behind @name in the file @path. */
static unsigned long figure(const char *path, const char *name)
{
	char text[4096] = "", *line;
	int fd = open(path, O_RDONLY);

	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	CHECK_EQ(close(fd), 0);
	line = strstr(text, name);
	CHECK(line);
	return strtoul(line + strlen(name), NULL, 10);
}

static size_t free_memory(void)
{
	return figure("/proc/meminfo", "MemFree:") * 1024;
}

/* Takes all memory but a little, and needs the CPU to give it back. */
static void hoard(void)
{
	size_t size = free_memory() - LEFT_MB * MB;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	run_on_first_cpu();
	for (size_t at = 0; at < size; at += PAGE)
		p[at] = 1;
	++*ready;
	for (;;)
		pause();
}

static long failed_allocations(void)
{
	return (long)figure("/proc/counters", "allocations_failed ");
}

/* Finds no memory for all of this. Each fault that finds none waits for a millisecond or more. */
static void want_too_much(void)
{
	const size_t size = 2 * LEFT_MB * MB;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long failed = failed_allocations();
	int64_t start = now_ns(CLOCK_MONOTONIC), ms;

	CHECK(p != MAP_FAILED);
	run_on_first_cpu();
	for (size_t at = 0; at < size; at += PAGE)
		p[at] = 1;
	ms = (now_ns(CLOCK_MONOTONIC) - start) / 1000000;
	failed = failed_allocations() - failed;
	CHECK(failed > 0 && failed <= 10 + ms);
}

/* OOM1: a thread that waits for memory leaves the CPU to the process that must die for it. */
static void faults_wait(void)
{
	pid_t hoarder, other;

	if (!may_exhaust())
		return;
	hoarder = spawn(hoard);
	while (!*ready)
		sched_yield();
	other = spawn(want_too_much);
	expect_exit(other, 0);
	expect_signal(hoarder, SIGKILL);
}

static const struct test_case cases[] = {
	CASE(who_has_the_pages),
	CASE(who_has_the_tables),
	CASE(who_has_the_pipes),
	CASE(faults_wait),
};

TEST_MAIN(cases)
