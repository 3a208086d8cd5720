/*
 * Tests of red-black trees: random insertions and removals, and a count of the nodes inside.
 */
#include "base/rbtree.h"

#include "test/instrument.h"
#include "test/ktest.h"

#define NODES	200
#define STEPS	4000

struct item {
	struct rb_node node;
	unsigned key, arrival;
	unsigned below;			/* RBTREE4: how many nodes its subtree has */
};

static struct item items[NODES];
static struct rb_tree tree;

static struct item *item_of(const struct rb_node *n)
{
	return container_of(n, struct item, node);
}

static bool item_less(const struct rb_node *a, const struct rb_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

static unsigned nodes_below(const struct rb_node *n)
{
	return n ? item_of(n)->below : 0;
}

static void count_below(struct rb_node *n)
{
	item_of(n)->below = 1 + nodes_below(n->left) + nodes_below(n->right);
}

/* Checks RBTREE1, RBTREE2 and RBTREE4 below @n; returns the number of black nodes on a path. */
static int check_blacks(const struct rb_node *n, const struct rb_node *parent)
{
	int l, r;

	if (!n)
		return 1;
	assert(n->linked && n->parent == parent);
	assert(!(n->red && parent && parent->red));				/* RBTREE1 */
	/* RBTREE4 */
	assert(nodes_below(n) == 1 + nodes_below(n->left) + nodes_below(n->right));
	l = check_blacks(n->left, n);
	r = check_blacks(n->right, n);
	assert(l == r);							/* RBTREE2 */
	return l + !n->red;
}

static void rb_check(const struct rb_tree *t, rb_less_fn less)
{
	const struct rb_node *n = t->root;

	assert(!n || !n->red);
	check_blacks(n, NULL);
	while (n && n->left)
		n = n->left;
	assert(t->first == n);
	for (; n && rb_next(n); n = rb_next(n))
		assert(!less(rb_next(n), n));				/* RBTREE3 */
}

/* Checks that nodes are in order of key, equal ones in order of arrival; also backwards. */
static void check_order(unsigned expected)
{
	struct rb_node *last = NULL;
	unsigned n = 0;

	rb_check(&tree, item_less);
	for (struct rb_node *i = rb_first(&tree); i; i = rb_next(i), n++) {
		if (last) {
			struct item *a = item_of(last), *b = item_of(i);

			CHECK(a->key < b->key || (a->key == b->key && a->arrival < b->arrival), "",
			      "%u/%u before %u/%u", a->key, a->arrival, b->key, b->arrival);
		}
		CHECK(rb_prev(i) == last, "", "the way back is another one");
		last = i;
	}
	CHECK(n == expected && nodes_below(tree.root) == n, "", "%u nodes of %u", n, expected);
}

KTEST(rbtree_random, "rbtree.random", "", "")
{
	unsigned in = 0;

	tree = (struct rb_tree){ .update = count_below };
	for (unsigned i = 0; i < NODES; i++)
		items[i] = (struct item){ .key = 0 };
	for (unsigned step = 0; step < STEPS; step++) {
		struct item *i = &items[test_random() % NODES];

		if (i->node.linked) {
			rb_remove(&tree, &i->node);
			in--;
		} else {
			i->key = test_random() % 50;
			i->arrival = step;
			rb_insert(&tree, &i->node, item_less);
			in++;
		}
		if (step % 16 == 0)
			check_order(in);
	}
	while (rb_first(&tree)) {
		rb_remove(&tree, rb_first(&tree));
		in--;
	}
	check_order(0);
	CHECK(in == 0, "", "%u nodes lost", in);
}
