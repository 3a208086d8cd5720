/* Pages of anonymous memory, and the cost of a mapping among many. */
#include <fcntl.h>
#include <stdlib.h>
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

/* Maps each page by a call of its own, so that it cannot be merged with the mapping before. */
static uint64_t map_each(unsigned n, int flags, int fd)
{
	char **maps = malloc(n * sizeof(*maps));
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++) {
		maps[i] = mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_NONE, flags, fd, 0);
		if (maps[i] == MAP_FAILED)
			err(1, "mmap");
	}
	start = clock_now() - start;
	for (unsigned i = 0; i < n; i++)
		munmap(maps[i], PAGE);
	free(maps);
	return start;
}

uint64_t map_many(unsigned n)
{
	return map_each(n, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

uint64_t map_file_many(unsigned n)
{
	int fd = open("/tmp/mapped", O_RDWR | O_CREAT, 0600);
	uint64_t total = map_each(n, MAP_SHARED, check(fd, "open"));

	close(fd);
	unlink("/tmp/mapped");
	return total;
}
