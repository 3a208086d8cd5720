/*
 * Radix trees of pages: see pagetree.h.
 *
 *  PAGETREE1  Height h covers indexes below 64^h; a node at height h has 64 children of height h -
 *             1, and height 0 is a page.
 *  PAGETREE2  A tree only gets lower when it becomes empty. A node may be empty: an allocation
 *             below it failed, or its pages were taken out one by one.
 */
#include "pagetree.h"

#include "base/panic.h"
#include "mm/mm.h"

#define BITS	6
#define FANOUT	(1u << BITS)

struct node {
	void *child[FANOUT];
};

static bool covers(unsigned height, u64 index)
{
	return index >> (BITS * height) == 0;
}

/* Returns which child of a node at @height leads to @index. */
static unsigned child_of(unsigned height, u64 index)
{
	return index >> (BITS * (height - 1)) & (FANOUT - 1);
}

struct page *pagetree_find(const struct pagetree *t, u64 index)
{
	void *p = t->root;

	if (!covers(t->height, index))
		return NULL;
	for (unsigned h = t->height; h && p; h--)
		p = ((struct node *)p)->child[child_of(h, index)];
	return p;
}

/*
 * Returns the first index with a page at or after @index below @p, which is at @height; ~0: none.
 * Both count from the first index below @p. The recursion is as deep as the tree is high: < 10.
 */
static u64 next_below(const void *p, unsigned height, u64 index)
{
	const struct node *n = p;
	u64 span, found;

	if (!p || height == 0)
		return p ? 0 : ~0ull;
	span = 1ull << (BITS * (height - 1));
	for (u64 i = index / span; i < FANOUT; i++) {
		found = next_below(n->child[i], height - 1, i == index / span ? index % span : 0);
		if (~found)
			return i * span + found;
	}
	return ~0ull;
}

u64 pagetree_next(const struct pagetree *t, u64 index)
{
	return covers(t->height, index) ? next_below(t->root, t->height, index) : ~0ull;
}

/* Adds levels on top until @index is covered. The old tree becomes the first child. */
static bool grow(struct pagetree *t, u64 index)
{
	for (; !covers(t->height, index); t->height++) {
		struct node *top;

		if (!t->root)
			continue;
		top = kzalloc(sizeof(*top));
		if (!top)
			return false;
		top->child[0] = t->root;
		t->root = top;
	}
	return true;
}

struct page **pagetree_slot(struct pagetree *t, u64 index)
{
	void **slot = &t->root;

	if (!grow(t, index))
		return NULL;
	for (unsigned h = t->height; h; h--) {
		if (!*slot)
			*slot = kzalloc(sizeof(struct node));
		if (!*slot)
			return NULL;
		slot = &((struct node *)*slot)->child[child_of(h, index)];
	}
	return (struct page **)slot;
}

/*
 * Drops the pages from @first on below *@slot and returns how many. @first counts from the first
 * index there. The recursion is as in next_below().
 */
static u64 prune(void **slot, unsigned height, u64 first)
{
	struct node *n = *slot;
	u64 span, gone = 0;

	if (!n)
		return 0;
	if (height == 0) {
		page_put(*slot);
		*slot = NULL;
		return 1;
	}
	span = 1ull << (BITS * (height - 1));
	for (u64 i = first / span; i < FANOUT; i++)
		gone += prune(&n->child[i], height - 1, i == first / span ? first % span : 0);
	if (first == 0) {
		kfree(n);
		*slot = NULL;
	}
	return gone;
}

u64 pagetree_truncate(struct pagetree *t, u64 first)
{
	u64 gone;

	if (!covers(t->height, first))
		return 0;
	gone = prune(&t->root, t->height, first);
	if (first == 0) {
		assert(!t->root);	/* PAGETREE2 */
		t->height = 0;
	}
	return gone;
}
