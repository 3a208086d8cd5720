/*
 * A file's pages by index: a radix tree of 64-way nodes that is as high as the largest index needs.
 * A file of one page has no node at all. It has no lock of its own and holds a reference to each
 * page.
 */
#pragma once

#include "types.h"

struct page;

struct pagetree {
	void *root;		/* height 0: page 0; else a node of 64 children; or NULL */
	unsigned height;
};

struct page *pagetree_find(const struct pagetree *t, u64 index);

/* Returns the index of the first page at or after @index, ~0 if there is none. */
u64 pagetree_next(const struct pagetree *t, u64 index);

/* Returns the place of page @index, which may be empty; NULL: no memory for the nodes. */
struct page **pagetree_slot(struct pagetree *t, u64 index);

/* Drops all pages from @first on and returns how many there were. */
u64 pagetree_truncate(struct pagetree *t, u64 first);
