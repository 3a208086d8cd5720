/*
 * Red-black trees (CLRS, 3rd ed., ch. 13), with NULL leaves instead of a sentinel.
 *
 *  RBTREE1  The root is black; a red node has no red child.
 *  RBTREE2  Every path from a node down to a leaf passes the same number of black nodes.
 *  RBTREE3  In-order, the nodes are sorted by the `less` of rb_insert(); t->first is the leftmost.
 *  RBTREE4  If the tree has `update`, each node's figure is what `update` computes from its
 *           children's. A change is carried up to the root before the tree is rebalanced; a
 *           rotation then changes only the figures of the two nodes that it turns.
 */
#include "base/rbtree.h"

#include "base/panic.h"

static bool is_red(const struct rb_node *n)
{
	return n && n->red;
}

/* Makes @new (may be NULL) the child of @old's parent in place of @old. */
static void replace_child(struct rb_tree *t, struct rb_node *old, struct rb_node *new)
{
	struct rb_node *p = old->parent;

	if (!p)
		t->root = new;
	else if (p->left == old)
		p->left = new;
	else
		p->right = new;
	if (new)
		new->parent = p;
}

void rb_updated(struct rb_tree *t, struct rb_node *n)
{
	for (; n; n = n->parent)
		t->update(n);
}

/* Moves @n down to the left (or right); its child of the other side takes its place. */
static void rotate(struct rb_tree *t, struct rb_node *n, bool left)
{
	struct rb_node *up = left ? n->right : n->left;
	struct rb_node *inner = left ? up->left : up->right;

	replace_child(t, n, up);
	if (left) {
		n->right = inner;
		up->left = n;
	} else {
		n->left = inner;
		up->right = n;
	}
	if (inner)
		inner->parent = n;
	n->parent = up;
	if (t->update) {
		t->update(n);
		t->update(up);
	}
}

static void insert_fixup(struct rb_tree *t, struct rb_node *n)
{
	while (is_red(n->parent)) {
		struct rb_node *p = n->parent, *g = p->parent;
		bool p_is_left = g->left == p;
		struct rb_node *uncle = p_is_left ? g->right : g->left;

		if (is_red(uncle)) {
			p->red = false;
			uncle->red = false;
			g->red = true;
			n = g;
			continue;
		}
		if (n == (p_is_left ? p->right : p->left)) {
			rotate(t, p, p_is_left);
			p = n;
		}
		p->red = false;
		g->red = true;
		rotate(t, g, !p_is_left);
		break;
	}
	t->root->red = false;
}

void rb_insert(struct rb_tree *t, struct rb_node *n, rb_less_fn less)
{
	struct rb_node *p = NULL, **link = &t->root;
	bool leftmost = true;

	assert(!n->linked);
	while (*link) {
		p = *link;
		if (less(n, p)) {
			link = &p->left;
		} else {
			link = &p->right;
			leftmost = false;
		}
	}
	*n = (struct rb_node){ .parent = p, .red = true, .linked = true };
	*link = n;
	if (leftmost)
		t->first = n;
	if (t->update)
		rb_updated(t, n);
	insert_fixup(t, n);
}

/* Repairs the paths through @n (may be NULL), child of @p, which lack a black node (CLRS). */
static void remove_fixup(struct rb_tree *t, struct rb_node *n, struct rb_node *p)
{
	while (n != t->root && !is_red(n)) {
		bool left = p->left == n;
		struct rb_node *s = left ? p->right : p->left;

		if (is_red(s)) {
			s->red = false;
			p->red = true;
			rotate(t, p, left);
			s = left ? p->right : p->left;
		}
		if (!is_red(s->left) && !is_red(s->right)) {
			s->red = true;
			n = p;
			p = n->parent;
			continue;
		}
		if (!is_red(left ? s->right : s->left)) {
			(left ? s->left : s->right)->red = false;
			s->red = true;
			rotate(t, s, !left);
			s = left ? p->right : p->left;
		}
		s->red = p->red;
		p->red = false;
		(left ? s->right : s->left)->red = false;
		rotate(t, p, left);
		n = t->root;
	}
	if (n)
		n->red = false;
}

/*
 * Puts @next, the leftmost node right of @n, in @n's place. *child is what took @next's place, and
 * the result its parent: a black node may be missing there.
 */
static struct rb_node *splice_successor(struct rb_tree *t, struct rb_node *n, struct rb_node *next,
					struct rb_node **child)
{
	struct rb_node *p = next->parent == n ? next : next->parent;

	*child = next->right;
	if (next->parent != n) {
		replace_child(t, next, next->right);
		next->right = n->right;
		next->right->parent = next;
	}
	replace_child(t, n, next);
	next->left = n->left;
	next->left->parent = next;
	return p;
}

void rb_remove(struct rb_tree *t, struct rb_node *n)
{
	struct rb_node *child, *p;
	bool was_red = n->red;

	assert(n->linked);
	if (t->first == n)
		t->first = rb_next(n);
	if (n->left && n->right) {
		struct rb_node *next = n->right;

		while (next->left)
			next = next->left;
		was_red = next->red;
		p = splice_successor(t, n, next, &child);
		next->red = n->red;
	} else {
		child = n->left ? n->left : n->right;
		p = n->parent;
		replace_child(t, n, child);
	}
	if (t->update)
		rb_updated(t, p);
	if (!was_red)
		remove_fixup(t, child, p);
	n->linked = false;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct rb_node *)n;
	}
	while (n->parent && n->parent->right == n)
		n = n->parent;
	return n->parent;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	if (n->left) {
		n = n->left;
		while (n->right)
			n = n->right;
		return (struct rb_node *)n;
	}
	while (n->parent && n->parent->left == n)
		n = n->parent;
	return n->parent;
}
