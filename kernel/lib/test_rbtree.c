/*
 * Tests of red-black trees: random insertions and removals beside a plain count of what is in.
 */
#include "rbtree.h"

#include "instrument.h"
#include "ktest.h"

#define NODES	200
#define STEPS	4000

struct item {
	struct rb_node node;
	unsigned key, arrival;
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

/* In order of key, and among equals of arrival; the same backwards. */
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
	CHECK(n == expected, "", "%u nodes of %u", n, expected);
}

KTEST(rbtree_random, "rbtree.random", "", "")
{
	unsigned in = 0;

	tree = (struct rb_tree){ NULL, NULL };
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
