/* Pages of anonymous memory. */
#include <sys/mman.h>

#include "bench.h"

#define PAGE	4096
#define BATCH	500u

static char *map(unsigned pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void touch(volatile char *p, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		p[i * PAGE] = 1;
}

uint64_t page_touch(unsigned n)
{
	uint64_t total = 0;

	for (unsigned done = 0; done < n; done += BATCH) {
		uint64_t start = clock_now();
		char *p = map(BATCH);

		touch(p, BATCH);
		total += clock_now() - start;
		munmap(p, BATCH * PAGE);
	}
	return total;
}

uint64_t munmap_page(unsigned n)
{
	uint64_t total = 0;

	for (unsigned done = 0; done < n; done += BATCH) {
		char *p = map(BATCH);
		uint64_t start;

		touch(p, BATCH);
		start = clock_now();
		check(munmap(p, BATCH * PAGE), "munmap");
		total += clock_now() - start;
	}
	return total;
}
