/*
 * The heap: blocks with their size at both ends ("boundary tags", Knuth, 1973), so that a freed
 * block merges with free neighbours at once. Free blocks are kept in bins by size.
 *
 * UMALLOC1  Blocks follow each other without a gap up to a fence, a block of size 0 that is in use.
 * UMALLOC2  b->before is the size of the block before b, or 0 at the start of a stretch.
 * UMALLOC3  Two free blocks are never neighbours.
 * UMALLOC4  A block is in a bin exactly when it is free, and the bin's bit is set exactly when the
 *           bin is not empty.
 *
 * heap_lock guards all of it. Big requests get mappings of their own.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libc.h"

struct block {
	size_t before;			/* UMALLOC2 */
	size_t size;			/* of the whole block; the low bits are FLAGS */
	struct block *next, *prev;	/* while free; the payload starts here */
};

#define IN_USE		1UL
#define MAPPED		2UL		/* alone in a mapping of `size` bytes */
#define FLAGS		15UL

#define HEADER		offsetof(struct block, next)
#define MIN_BLOCK	sizeof(struct block)
#define GROW		(64UL << 10)
#define MAP_FROM	(256UL << 10)
#define MAX_REQUEST	(SIZE_MAX / 4)
#define MAX_ALIGNED	(1UL << 40)	/* keeps bin_of() in range */

/* Bins 2 to 63 hold one size each, 32 to 1008; bin 64 + k holds sizes from 1024 << k on. */
#define BINS		96

static struct block *bins[BINS];
static uint64_t nonempty[2];		/* UMALLOC4: one bit for each bin */
static char *heap_end;			/* the end of the last fence */
static int heap_lock;

static size_t size_of(const struct block *b)
{
	return b->size & ~FLAGS;
}

static struct block *after(struct block *b)
{
	return (struct block *)((char *)b + size_of(b));
}

static struct block *block_of(void *p)
{
	struct block *b = (struct block *)((char *)p - HEADER);

	if ((uintptr_t)p % 16 || !(b->size & IN_USE))
		abort();		/* not a block of ours, or freed already */
	return b;
}

static unsigned bin_of(size_t size)
{
	return size < 1024 ? size / 16 : 64u + (53 - __builtin_clzl(size));
}

static struct block *previous(struct block *b)
{
	return (struct block *)((char *)b - b->before);
}

static void bin_add(struct block *b)
{
	unsigned i = bin_of(size_of(b));

	assert(after(b)->size & IN_USE);			/* UMALLOC3 */
	assert(!b->before || previous(b)->size & IN_USE);	/* UMALLOC3 */
	b->prev = NULL;
	b->next = bins[i];
	if (b->next)
		b->next->prev = b;
	bins[i] = b;
	nonempty[i / 64] |= 1UL << i % 64;
}

static void bin_remove(struct block *b)
{
	unsigned i = bin_of(size_of(b));

	if (b->next)
		b->next->prev = b->prev;
	if (b->prev)
		b->prev->next = b->next;
	else if (!(bins[i] = b->next))
		nonempty[i / 64] &= ~(1UL << i % 64);
}

static void set_size(struct block *b, size_t size, size_t flags)
{
	b->size = size | flags;
	after(b)->before = size;	/* UMALLOC2 */
}

/* Cuts @b, which is in no bin, down to @size and frees the rest. */
static void trim(struct block *b, size_t size)
{
	size_t rest = size_of(b) - size;
	struct block *tail;

	if (rest < MIN_BLOCK)
		return;
	set_size(b, size, IN_USE);
	tail = after(b);
	set_size(tail, rest, 0);
	if (!(after(tail)->size & IN_USE)) {	/* UMALLOC3 */
		bin_remove(after(tail));
		set_size(tail, rest + size_of(after(tail)), 0);
	}
	bin_add(tail);
}

static void release(struct block *b)
{
	struct block *next = after(b), *prev = previous(b);
	size_t size = size_of(b);

	if (!(next->size & IN_USE)) {
		bin_remove(next);
		size += size_of(next);
	}
	if (b->before && !(prev->size & IN_USE)) {
		bin_remove(prev);
		size += size_of(prev);
		b = prev;
	}
	set_size(b, size, 0);
	bin_add(b);
}

/* Takes a block of at least @size out of the bins and marks it in use. NULL: there is none. */
static struct block *take(size_t size)
{
	unsigned i = bin_of(size);
	struct block *b = bins[i];
	uint64_t bits;

	while (b && size_of(b) < size)	/* a bin of one size needs no search */
		b = b->next;
	for (i++; !b && i < BINS; i = (i / 64 + 1) * 64) {
		bits = nonempty[i / 64] >> i % 64;
		if (bits)
			b = bins[i + __builtin_ctzl(bits)];
	}
	if (b) {
		bin_remove(b);
		b->size |= IN_USE;
	}
	return b;
}

/* Makes room for a block of @size at the end of the heap. Returns false if there is no memory. */
static bool grow(size_t size)
{
	size_t want = ((size + 2 * HEADER + GROW - 1) & -GROW) + -(uintptr_t)sbrk(0) % 16;
	char *start = sbrk(want), *end = start + want;
	struct block *b, *fence = (struct block *)(end - HEADER);

	if (start == (char *)-1)
		return false;
	if (start == heap_end) {
		b = (struct block *)(start - HEADER);		/* the old fence becomes a block */
	} else {			/* the first stretch, or the program moved the break */
		b = (struct block *)(((uintptr_t)start + 15) & ~15UL);
		b->before = 0;
	}
	heap_end = end;
	fence->size = IN_USE;		/* UMALLOC1 */
	set_size(b, (char *)fence - (char *)b, IN_USE);
	release(b);
	return true;
}

static void *map_block(size_t size)
{
	struct block *b;

	size = (size + 4095) & ~4095UL;
	b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b == MAP_FAILED)
		return NULL;
	b->size = size | MAPPED | IN_USE;
	return (char *)b + HEADER;
}

static size_t block_size_for(size_t request)
{
	size_t size = (request + HEADER + 15) & ~15UL;

	return size < MIN_BLOCK ? MIN_BLOCK : size;
}

void *malloc(size_t request)
{
	size_t size = block_size_for(request);
	struct block *b = NULL;
	void *p;

	if (request > MAX_REQUEST) {
		errno = ENOMEM;
		return NULL;
	}
	if (size >= MAP_FROM)
		return map_block(size);
	__lock(&heap_lock);
	b = take(size);
	if (!b && grow(size))
		b = take(size);
	if (b)
		trim(b, size);
	p = b ? (char *)b + HEADER : NULL;
	__unlock(&heap_lock);
	return p;
}

void free(void *p)
{
	struct block *b;

	if (!p)
		return;
	b = block_of(p);
	if (b->size & MAPPED) {
		munmap(b, size_of(b));
		return;
	}
	__lock(&heap_lock);
	release(b);
	__unlock(&heap_lock);
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	p = malloc(bytes);
	if (p && !(block_of(p)->size & MAPPED))	/* fresh mappings are zero */
		memset(p, 0, bytes);
	return p;
}

/* Grows or shrinks @b in place. Returns false if the block behind it is in use or too small. */
static bool resize_in_place(struct block *b, size_t size)
{
	struct block *next = after(b);

	if (size_of(b) < size && !(next->size & IN_USE)) {
		bin_remove(next);
		set_size(b, size_of(b) + size_of(next), IN_USE);
	}
	if (size_of(b) < size)
		return false;
	trim(b, size);
	return true;
}

void *realloc(void *p, size_t request)
{
	size_t size = block_size_for(request), old;
	bool done = false;
	struct block *b;
	void *copy;

	if (!p)
		return malloc(request);
	b = block_of(p);
	old = size_of(b) - HEADER;
	if (request <= MAX_REQUEST && size < MAP_FROM && !(b->size & MAPPED)) {
		__lock(&heap_lock);
		done = resize_in_place(b, size);
		__unlock(&heap_lock);
	}
	if (done)
		return p;
	copy = malloc(request);
	if (copy) {
		memcpy(copy, p, old < request ? old : request);
		free(p);
	}
	return copy;
}

/* Takes a block that is too long, and frees the part before the first aligned address. */
void *aligned_alloc(size_t align, size_t size)
{
	char *p, *aligned;
	struct block *b;

	if (align <= 16)
		return malloc(size);
	if (size >= MAX_ALIGNED || align >= MAX_ALIGNED || align & (align - 1)) {
		errno = EINVAL;
		return NULL;
	}
	__lock(&heap_lock);
	size = block_size_for(size);
	b = take(size + align + MIN_BLOCK);
	if (!b && grow(size + align + MIN_BLOCK))
		b = take(size + align + MIN_BLOCK);
	p = b ? (char *)b + HEADER : NULL;
	if (b && (uintptr_t)p % align) {
		aligned = (char *)(((uintptr_t)p + MIN_BLOCK + align - 1) & -align);
		trim(b, aligned - p);
		b = (struct block *)(aligned - HEADER);
		bin_remove(b);		/* trim() freed the aligned part: take it, free the other */
		b->size |= IN_USE;
		release(block_of(p));
		p = aligned;
	}
	if (b)
		trim(b, size);
	__unlock(&heap_lock);
	return p;
}

int posix_memalign(void **out, size_t align, size_t size)
{
	void *p;

	if (align % sizeof(void *) || align & (align - 1))
		return EINVAL;
	p = aligned_alloc(align, size);
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

void __malloc_fork_prepare(void)
{
	__lock(&heap_lock);
}

void __malloc_fork_done(void)
{
	__unlock(&heap_lock);
}
