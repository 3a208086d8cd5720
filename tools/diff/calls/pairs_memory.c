/* Memory with every two arguments; pairs.h says how. */
#include "pairs.h"

#define RW (PROT_READ | PROT_WRITE)

static char *p, *hole; /* four pages; one behind which nothing is */
static int f, ro, o;

static void things(void)
{
	p = pages(4, RW, 0);
	hole = edge(PAGE);
	f = file("f", "abcdefgh");
	ro = Q(openat, AT_FDCWD, "f", O_RDONLY);
	o = Q(openat, AT_FDCWD, "f", O_PATH);
}

CASE(mmap)
{
	things();
	PAIRS(mmap, A(p, p + 1, -4096), A(PAGE, 0, 1, -1, 1L << 60),
	      A(RW, PROT_READ, 0, 8, 1 << 20),
	      A(MAP_PRIVATE, MAP_SHARED, 0, 3, MAP_PRIVATE | MAP_FIXED,
		MAP_PRIVATE | MAP_ANONYMOUS, 0x20),
	      A(f, 77, ro, o, -1), A(0, PAGE, 1, -4096));
	PAIRS(munmap, A(p, p + 1, 0, -4096, hole), A(PAGE, 0, 1, -1, 2 * PAGE));
	PAIRS(mprotect, A(p, p + 1, 0, -4096, hole), A(PAGE, 0, 1, -1, 2 * PAGE),
	      A(PROT_READ, RW, 0, 8, -1, 1 << 24));
	PAIRS(mremap, A(p, p + 1, 0, -4096, hole), A(PAGE, 0, 1, 2 * PAGE, -1),
	      A(PAGE, 0, 2 * PAGE, -1), A(MREMAP_MAYMOVE, 0, 2, 3, 4, 8),
	      A(p + 2 * PAGE, p, p + 1, -4096));
	PAIRS(remap_file_pages, A(p, p + 1, 0, hole), A(PAGE, 0, -1), A(0, 1), A(0, 1, -1),
	      A(0, 1));
}

CASE(advice)
{
	things();
	PAIRS(madvise, A(p, p + 1, 0, -4096, hole), A(PAGE, 0, 1, -1, 2 * PAGE),
	      A(4, 0, 8, 5, 10, 11, 18, 19, 7, -1));
	PAIRS(mincore, A(p, p + 1, 0, -4096, hole), A(PAGE, 0, 1, -1, 2 * PAGE), A(buf, BAD));
	PAIRS(msync, A(p, p + 1, 0, -4096, hole), A(PAGE, 0, 1, -1, 2 * PAGE),
	      A(4, 1, 2, 5, 8, -1));
	PAIRS(mlock, A(p, p + 1, 0, -4096, hole), A(PAGE, 0, 1, -1, 2 * PAGE));
	PAIRS(munlock, A(p, p + 1, 0, -4096, hole), A(PAGE, 0, 1, -1, 2 * PAGE));
	PAIRS(mlock2, A(p, p + 1, 0, -4096, hole), A(PAGE, 0, -1, 2 * PAGE), A(0, 1, 2, -1));
	PAIRS(mlockall, A(2, 0, 4, 6, 8, -1));
}

CASE(process_vm)
{
	things();
	PAIRS(process_vm_readv, A(getpid(), 0x7ffffff0, -1),
	      A(io(buf, 8), io(BAD, 8), io(buf, -1), BAD), A(1, 0, 1025, -1),
	      A(io(p, 8), io(BAD, 8), io(p, -1), BAD), A(1, 0, 1025, -1), A(0, 1));
	PAIRS(process_vm_writev, A(getpid(), 0x7ffffff0, -1),
	      A(io(p, 8), io(BAD, 8), io(p, -1), BAD), A(1, 0, 1025, -1),
	      A(io(p, 8), io(BAD, 8), io(p, -1), BAD), A(1, 0, 1025, -1), A(0, 1));
}
