/*
 * Waiting for several files at once: poll(), ppoll().
 *
 * One waiter is in the wait queues of all the files; its links are in the requests, so nothing is
 * allocated. A file's poll operation links it with poll_add() and then looks at the file's state
 * without blocking: so a change is either seen there or wakes the waiter. The links are shared: a
 * wake-up for one waiter that meets poll() still wakes another.
 *
 * A waiter is claimed only once. So if a wake-up has made nothing ready, everything starts anew.
 */
#include "errno.h"
#include "fs/poll.h"

struct poll_table {
	struct waiter waiter;
	struct poll_request *request;	/* the one whose file is being asked */
};

void poll_add(struct poll_table *pt, struct wait_queue *q)
{
	struct wait_link *link;
	int err;

	if (!pt)
		return;
	assert(pt->request->nr_links < POLL_QUEUES);
	link = &pt->request->link[pt->request->nr_links++];
	*link = (struct wait_link){ .shared = true };
	list_init(&link->node);
	spin_lock(&q->lock);
	err = wait_link(q, link, &pt->waiter);
	spin_unlock(&q->lock);
	assert(err == 0);	/* an open file's queues are not destroyed */
}

/* Takes the waiter out of every queue: from then on no other thread can find it. */
static void leave_queues(struct poll_request *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		while (r[i].nr_links) {
			struct wait_link *link = &r[i].link[--r[i].nr_links];
			struct wait_queue *q = link->q;

			spin_lock(&q->lock);
			wait_unlink(q, link);
			spin_unlock(&q->lock);
		}
}

/* Asks every file. Once one is ready there will be no wait, so the others need no link. */
static unsigned scan(struct poll_request *r, unsigned n, struct poll_table *pt)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < n; i++) {
		struct file *f = r[i].file;
		unsigned state = POLLIN | POLLOUT;	/* of a file without the operation */

		r[i].nr_links = 0;
		if (!f)
			continue;
		if (pt)
			pt->request = &r[i];
		if (f->ops->poll)
			state = f->ops->poll(f, ready ? NULL : pt);
		if (f->inode->dev != DEV_ANON)	/* eventfd() and its like set no more bits */
			state |= (state & POLLIN ? POLLRDNORM : 0) |
				 (state & POLLOUT ? POLLWRNORM : 0);
		r[i].ready = state & r[i].events;
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
		waiter_init(&pt.waiter, 0);
		ready = scan(r, n, last ? NULL : &pt);
		if (!ready && !last)
			err = waiter_block(&pt.waiter, d);
		leave_queues(r, n);
		if (ready || last)
			return ready;
		if (err && err != -ETIMEDOUT)
			return err;
	}
}
