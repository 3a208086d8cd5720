/*
 * The explorer's own memory, and memory where the port wants it.
 */
#include "explore.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SMALL_PAGE	4096ul
#define HEAP		(512ul << 20)	/* if it grows beyond, then in small pages */
#define LARGEST_PIECE	(32 << 20)	/* that comes from the heap */

void explore_use_large_pages(void)
{
	uintptr_t start;

	mallopt(M_MMAP_THRESHOLD, LARGEST_PIECE);
	mallopt(M_TOP_PAD, HEAP);
	start = ((uintptr_t)malloc(1) + SMALL_PAGE - 1) & -SMALL_PAGE;
	madvise((void *)start, HEAP - SMALL_PAGE, MADV_HUGEPAGE);
}

void explore_memory_at(void *at, size_t size)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;

	if (mmap(at, size, PROT_READ | PROT_WRITE, flags, -1, 0) != at) {
		fprintf(stderr, "explore: there is something at %p already\n", at);
		exit(2);
	}
}
