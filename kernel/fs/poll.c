/*
 * Waiting for several files at once: poll(), ppoll(), select().
 *
 * One waiter stands in the wait queues of all files, with one link each. A file's poll operation
 * links it by poll_add() and then looks at its state, without blocking: so a change is either seen,
 * or wakes the waiter. Its links are shared: the wake-up that poll() takes notice of is not used up
 * by it.
 *
 * A waiter is claimed once, so after a wake-up that made nothing ready everything starts anew.
 */
#include "errno.h"
#include "list.h"
#include "mm.h"
#include "vfs.h"
#include "wait.h"

#define LINKS_INLINE	8	/* on the stack: enough for most */

struct links {			/* one piece of memory for links that do not fit before */
	struct list_node node;
	unsigned used;
	struct wait_link link[LINKS_INLINE];
};

struct poll_table {
	struct waiter waiter;
	struct links first;
	struct list_node pieces;	/* all struct links, the one in use last */
	int err;
};

static void table_init(struct poll_table *pt)
{
	waiter_init(&pt->waiter, 0);
	list_init(&pt->pieces);
	list_init(&pt->first.node);
	pt->first.used = 0;
	list_push_back(&pt->pieces, &pt->first.node);
	pt->err = 0;
}

/* Takes the waiter out of every queue: after it nobody can find it. */
static void table_end(struct poll_table *pt)
{
	list_for_each_safe(l, &pt->pieces, struct links, node) {
		for (unsigned i = 0; i < l->used; i++) {
			struct wait_queue *q = l->link[i].q;

			spin_lock(&q->lock);
			wait_unlink(q, &l->link[i]);
			spin_unlock(&q->lock);
		}
		if (l != &pt->first)
			kfree(l);
	}
}

static struct wait_link *new_link(struct poll_table *pt)
{
	struct links *l = list_entry(pt->pieces.prev, struct links, node);

	if (l->used == LINKS_INLINE) {
		l = kmalloc(sizeof(*l));
		if (!l)
			return NULL;
		list_init(&l->node);
		l->used = 0;
		list_push_back(&pt->pieces, &l->node);
	}
	l->link[l->used] = (struct wait_link){ .shared = true };
	list_init(&l->link[l->used].node);
	return &l->link[l->used++];
}

void poll_add(struct poll_table *pt, struct wait_queue *q)
{
	struct wait_link *link;
	int err;

	if (!pt || pt->err)
		return;
	link = new_link(pt);
	if (!link) {
		pt->err = -ENOMEM;
		return;
	}
	spin_lock(&q->lock);
	err = wait_link(q, link, &pt->waiter);
	spin_unlock(&q->lock);
	assert(err == 0);	/* the file keeps its queues */
}

/* Asks every file; once one is ready nobody will wait, so the others need no link. */
static unsigned scan(struct poll_request *r, unsigned n, struct poll_table *pt)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < n; i++) {
		struct file *f = r[i].file;
		unsigned state = POLLIN | POLLOUT;	/* without an operation: never blocks */

		if (!f)
			continue;
		if (f->ops->poll)
			state = f->ops->poll(f, ready ? NULL : pt);
		r[i].ready = state & (r[i].events | POLLERR | POLLHUP);
		ready += r[i].ready != 0;
	}
	return ready;
}

int poll_files(struct poll_request *r, unsigned n, struct deadline d)
{
	struct poll_table pt;
	unsigned ready;
	bool last;
	int err = 0;		/* how the last wait ended */

	for (;;) {
		last = err == -ETIMEDOUT || d.kind == DEADLINE_KIND_POLL;
		table_init(&pt);
		ready = scan(r, n, last ? NULL : &pt);
		if (!ready && !last)
			err = pt.err ? pt.err : waiter_block(&pt.waiter, d);
		table_end(&pt);
		if (ready || last)
			return ready;
		if (err && err != -ETIMEDOUT)
			return err;
	}
}
