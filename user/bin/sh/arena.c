/*
 * Memory for trees and words: a stack of blocks. A command takes memory as it needs it, and all of
 * it is given back at once when the command is over, so there are no reference counts and no calls
 * of free().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

struct block {
	struct block *older;
	size_t start;			/* marks count the bytes of all blocks; this one's first */
	size_t size;
	char data[] __attribute__((aligned(16)));
};

static struct block *newest;
static size_t used, kept;

size_t arena_mark(void)
{
	return used;
}

void arena_keep(void)
{
	kept = used;
}

void arena_release(size_t mark)
{
	struct block *b;

	if (mark < kept)
		mark = kept;
	while ((b = newest) && b->older && b->start >= mark) {
		newest = b->older;
		free(b);
	}
	if (mark < used)
		used = mark;
}

void *need_memory(void *p)
{
	if (p)
		return p;
	fputs("sh: out of memory\n", stderr);
	exit(2);
}

void *arena_alloc(size_t size)
{
	size_t room = newest ? newest->start + newest->size - used : 0, want;
	struct block *b;
	void *p;

	size = (size + 15) & ~15UL;
	if (room < size || !newest) {
		want = size > 4000 ? size : 4000;
		b = need_memory(malloc(sizeof(*b) + want));
		b->older = newest;
		b->size = want;
		b->start = used += room;
		newest = b;
	}
	p = newest->data + (used - newest->start);
	used += size;
	return memset(p, 0, size);
}

char *arena_copy(const char *s, size_t len)
{
	return memcpy(arena_alloc(len + 1), s, len);
}

void text_add(struct text *t, char c)
{
	char *bigger;

	if (t->len + 2 > t->room) {
		t->room = t->room ? 2 * t->room : 32;
		bigger = arena_alloc(t->room);
		if (t->len)
			memcpy(bigger, t->s, t->len);
		t->s = bigger;
	}
	t->s[t->len++] = c;
	t->s[t->len] = 0;
}

void text_add_string(struct text *t, const char *s)
{
	while (*s)
		text_add(t, *s++);
}

void fields_add(struct fields *f, char *s)
{
	char **bigger;

	if (f->n + 2 > f->room) {
		f->room = f->room ? 2 * f->room : 8;
		bigger = arena_alloc(f->room * sizeof(*bigger));
		if (f->n)
			memcpy(bigger, f->v, f->n * sizeof(*bigger));
		f->v = bigger;
	}
	f->v[f->n++] = s;
	f->v[f->n] = NULL;
}
