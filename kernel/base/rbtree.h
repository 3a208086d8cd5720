/*
 * Red-black trees whose nodes live inside the objects they order (CLRS, 3rd ed., ch. 13).
 *
 * rb_insert() finds the place with the caller's comparison, links the node and rebalances, in
 * O(log n). The leftmost node is cached, so rb_first() is O(1). No locks here: the lock of a tree's
 * owner guards it.
 *
 * A node may keep a figure of the whole subtree below it ("augmented", CLRS ch. 14): `update`
 * computes it from the node and from the figures of its two children.
 */
#pragma once

#include "types.h"

struct rb_node {
	struct rb_node *parent, *left, *right;
	bool red;
	bool linked;
};

struct rb_tree {
	struct rb_node *root;
	struct rb_node *first;	/* leftmost */
	void (*update)(struct rb_node *n);	/* NULL: nodes keep no figures */
};

typedef bool (*rb_less_fn)(const struct rb_node *a, const struct rb_node *b);

/* Inserts @n after every node that is not greater: equal keys stay in order of arrival. */
void rb_insert(struct rb_tree *t, struct rb_node *n, rb_less_fn less);

/* Removes @n, which must be in @t. */
void rb_remove(struct rb_tree *t, struct rb_node *n);

/* Computes the figures of @n and of all nodes above it anew, after @n itself has changed. */
void rb_updated(struct rb_tree *t, struct rb_node *n);

/* Return the neighbour in order; NULL at the end. */
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

static inline struct rb_node *rb_first(const struct rb_tree *t)
{
	return t->first;
}
