/*
 * Steps with memory: maps come and go in an arena at a fixed address. It is never touched by the
 * program itself: the kernel copies to and from it, and says EFAULT where there is nothing.
 */
#include "random.h"

#define ARENA       ((char *)0x200000000UL)
#define ARENA_PAGES 12
#define PATTERN     100 /* descriptors that are no step's */
#define SCRATCH     101

void memory_prepare(void)
{
	int fd = file("../pattern", "");

	for (int i = 0; i < 4 * PAGE; i++)
		buf[i] = i % 251 + 1;
	Q(write, fd, buf, 4 * PAGE);
	Q(dup3, fd, PATTERN, 0);
	Q(close, fd);
	fd = file("../scratch", "");
	Q(dup3, fd, SCRATCH, 0);
	Q(close, fd);
	Q(prlimit64, 0, RLIMIT_NOFILE, lim(64, 64), NULL);
}

static unsigned page(void)
{
	return below(ARENA_PAGES);
}

static const struct flag protections[] = { { PROT_READ, "PROT_READ" },
					   { PROT_WRITE, "PROT_WRITE" },
					   { PROT_READ | PROT_WRITE, "PROT_READ | PROT_WRITE" },
					   { 0, "PROT_NONE" },
					   { PROT_READ | PROT_WRITE, "PROT_READ | PROT_WRITE" } };

static void do_mmap(void)
{
	const struct flag *prot = &PICK(protections);
	unsigned at = page(), n = 1 + below(4), from = below(3);
	int shared = below(2), fd = below(2) ? pick_fd() : -1;
	int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | (fd < 0 ? MAP_ANONYMOUS : 0) | MAP_FIXED;
	long r = R(mmap, ARENA + at * PAGE, n * PAGE, prot->value, flags, fd, from * PAGE);

	answer(r < 0 ? r : (r - (long)ARENA) / PAGE,
	       "mmap(page %u, %u pages, %s, %s%s | MAP_FIXED, %d, %u * PAGE)", at, n, prot->name,
	       shared ? "MAP_SHARED" : "MAP_PRIVATE", fd < 0 ? " | MAP_ANONYMOUS" : "", fd, from);
}

static void do_munmap(void)
{
	unsigned at = page(), n = below(4);

	answer(R(munmap, ARENA + at * PAGE, n * PAGE), "munmap(page %u, %u pages)", at, n);
}

static void do_mprotect(void)
{
	const struct flag *prot = &PICK(protections);
	unsigned at = page(), n = below(4);

	answer(R(mprotect, ARENA + at * PAGE, n * PAGE, prot->value),
	       "mprotect(page %u, %u pages, %s)",
	       at, n, prot->name);
}

static void do_mremap(void)
{
	unsigned at = page(), n = 1, m = 1 + below(3), to = page();
	long r = R(mremap, ARENA + at * PAGE, n * PAGE, m * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   ARENA + to * PAGE);

	answer(r < 0 ? r : (r - (long)ARENA) / PAGE,
	       "mremap(page %u, %u pages, %u pages, MREMAP_MAYMOVE | MREMAP_FIXED, page %u)",
	       at, n, m,
	       to);
}

static void do_madvise(void)
{
	unsigned at = page(), n = 1 + below(3);

	answer(R(madvise, ARENA + at * PAGE, n * PAGE, MADV_DONTNEED),
	       "madvise(page %u, %u pages, MADV_DONTNEED)", at, n);
}

static void do_store(void)
{
	unsigned at = below(ARENA_PAGES * PAGE), n = 1 + below(2 * PAGE), from = below(PAGE);

	answer(R(pread64, PATTERN, ARENA + at, n, from),
	       "store(%#x, %u, pattern + %u)", at, n, from);
}

static void do_load(void)
{
	unsigned at = below(ARENA_PAGES * PAGE), n = 1 + below(2 * PAGE);
	long r = R(pwrite64, SCRATCH, ARENA + at, n, 0);

	answer(r, "load(%#x, %u)", at, n);
	if (r > 0) {
		R(pread64, SCRATCH, buf, r, 0);
		say("  data %lx", sum_of(buf, r));
	}
}

static void do_direct(void)
{
	unsigned at = below(ARENA_PAGES * PAGE), n = 1 + below(2 * PAGE);
	int fd = pick_fd(), store = below(2);

	if (store)
		answer(R(read, fd, ARENA + at, n), "read(%d, %#x, %u)", fd, at, n);
	else
		answer(R(write, fd, ARENA + at, n), "write(%d, %#x, %u)", fd, at, n);
}

const struct step memory_steps[] = {
	{ "mmap", do_mmap, 14 },
	{ "munmap", do_munmap, 4 },
	{ "mprotect", do_mprotect, 5 },
	{ "mremap", do_mremap, 3 },
	{ "madvise", do_madvise, 3 },
	{ "store", do_store, 10 },
	{ "load", do_load, 10 },
	{ "direct", do_direct, 4 },
	END_OF_STEPS,
};
