/*
 * Red-black trees whose nodes live inside the objects they order (CLRS, 3rd ed., ch. 13).
 *
 * The caller descends: it finds the place with its own comparison, then rb_insert() links and
 * rebalances. O(log n); the leftmost node is cached, so rb_first() is O(1). Users: sleep queues,
 * address-space regions. No locks here: a tree belongs to whatever lock guards its owner.
 *
 * A node may keep a figure of the whole subtree below it ("augmented", CLRS ch. 14): `update`
 * computes it from the node and its two children, whose figures are right.
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
	void (*update)(struct rb_node *n);	/* NULL: nodes keep nothing of their subtrees */
};

typedef bool (*rb_less_fn)(const struct rb_node *a, const struct rb_node *b);

/* Inserts @n after every node that is not greater, so equal keys leave in order of arrival. */
void rb_insert(struct rb_tree *t, struct rb_node *n, rb_less_fn less);

/* Removes @n, which must be in @t. */
void rb_remove(struct rb_tree *t, struct rb_node *n);

/* Tells that @n's own part of what `update` computes has changed, in @t. */
void rb_updated(struct rb_tree *t, struct rb_node *n);

/* In-order neighbours; NULL at the end. */
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

static inline struct rb_node *rb_first(const struct rb_tree *t)
{
	return t->first;
}
