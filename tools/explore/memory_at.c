/*
 * Memory where the port wants it.
 */
#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

void explore_memory_at(void *at, size_t size)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;

	if (mmap(at, size, PROT_READ | PROT_WRITE, flags, -1, 0) != at) {
		fprintf(stderr, "explore: there is something at %p already\n", at);
		exit(2);
	}
}
