/*
 * POSIX message queues: the queues themselves. Their names, limits and making are in mqueue_name.c.
 *
 * Messages leave by priority, equals in order of arrival: they are in a tree. Waiters stand in one
 * wait queue, whose lock guards the whole message queue:
 *
 *  MQUEUE1  A receiver is armed there only while the queue is empty, a sender only while it is
 *           full. As a queue has room for at least one message, never both.
 *  MQUEUE2  A waiter is handed what it waits for: a message goes to a waiting receiver without
 *           entering the tree, and the room that a receiver makes goes to a waiting sender's
 *           message. So a later thread cannot overtake it, and a wait that ends by its deadline or
 *           by a signal has moved no message.
 *
 * Of several waiters the one with the highest real-time priority is served first, equals in order
 * of arrival. poll() stands in the same queue, with shared links.
 *
 * A registration by mq_notify() ends when it is used, when its process closes a descriptor of the
 * queue, and with the queue. The signal is sent after the lock has been released.
 */
#include "errno.h"
#include "fs/poll.h"
#include "fs/text.h"
#include "mqueue_impl.h"
#include "process/signal.h"
#include "thread/thread.h"

/* A thread that waits, on its stack. */
struct mqueue_waiter {
	struct wait_link link;
	struct mqueue_message *message; /* [q.lock] the sender's; or the one a receiver gets */
	u32 priority; /* [const] */
};

static struct mqueue_waiter *waiter_of(struct wait_link *link)
{
	return container_of(link, struct mqueue_waiter, link);
}

static bool goes_before(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct mqueue_message, node)->priority >
	       container_of(b, struct mqueue_message, node)->priority;
}

/* --- Waiting ---------------------------------------------------------------------------------- */

/* Wakes the waiter that is served next and returns it; NULL: there is none. */
static struct mqueue_waiter *claim_next(struct mqueue *mq) HOLDS(mq->q.lock)
{
	for (;;) {
		struct mqueue_waiter *best = NULL;

		list_for_each(link, &mq->q.links, struct wait_link, node)
			if (!link->shared &&
			    (!best || waiter_of(link)->priority > best->priority))
				best = waiter_of(link);
		if (!best)
			return NULL;
		list_remove(&best->link.node);
		if (waiter_claim(best->link.waiter, WAIT_EVENT, 0))
			return best;
	}
}

/* Wakes poll(): the queue is no longer empty, or no longer full. */
static void wake_pollers(struct mqueue *mq) HOLDS(mq->q.lock)
{
	list_for_each_safe(link, &mq->q.links, struct wait_link, node) {
		if (!link->shared)
			continue;
		list_remove(&link->node);
		waiter_claim(link->waiter, WAIT_EVENT, 0);
	}
}

static int wait_turn(struct mqueue *mq, const struct file *f, struct mqueue_waiter *w,
		     struct deadline d)
	HOLDS(mq->q.lock)
{
	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	assert(mq->nr == (w->message ? mq->maxmsg : 0));	/* MQUEUE1 */
	w->priority = current_thread()->se.params.rt_priority;
	return wait_block_link(&mq->q, &w->link, d, 0);
}

static void insert(struct mqueue *mq, struct mqueue_message *m) HOLDS(mq->q.lock)
{
	rb_insert(&mq->messages, &m->node, goes_before);
	mq->nr++;
	mq->bytes += m->len;
}

/* --- Notification ----------------------------------------------------------------------------- */

/* Ends the registration, and returns its process or NULL. The caller puts it after unlocking. */
static struct process *notify_end(struct mqueue *mq) HOLDS(mq->q.lock)
{
	struct process *p = mq->notify_process;

	mq->notify_process = NULL;
	return p;
}

static void notify_send(struct process *p, const struct mqueue_notify *n)
{
	struct signal_info info = {
		.signo = n->sig,
		.code = SI_MESGQ,
		.pid = current_process()->pid,
		.uid = current_cred()->uid.real,
		.value = n->value,
	};

	if (n->how == SIGEV_SIGNAL && n->sig)
		(void)signal_send_info(p, NULL, &info);
}

int mqueue_notify(struct file *f, const struct mqueue_notify *n)
{
	struct mqueue *mq = file_mqueue(f);
	struct process *me = current_process(), *old = NULL;
	int err = 0;

	spin_lock(&mq->q.lock);
	if (!n) {
		if (mq->notify_process == me)
			old = notify_end(mq);
	} else if (mq->notify_process) {
		err = -EBUSY;
	} else {
		mq->notify_process = process_get(me);
		mq->notify_fds = me->fds;
		mq->notify = *n;
	}
	spin_unlock(&mq->q.lock);
	if (old)
		process_put(old);
	return err;
}

/* Ends a registration made through the table @t, of which a descriptor is being closed. */
static void mqueue_flush(struct file *f, const struct fdtable *t)
{
	struct mqueue *mq = file_mqueue(f);
	struct process *old = NULL;

	spin_lock(&mq->q.lock);
	if (mq->notify_process && mq->notify_fds == t)
		old = notify_end(mq);
	spin_unlock(&mq->q.lock);
	if (old)
		process_put(old);
}

/* --- Sending and receiving -------------------------------------------------------------------- */

/* Adds a message to a queue with room. Returns the process to notify, or NULL. */
static struct process *put_message(struct mqueue *mq, struct mqueue_message *m) HOLDS(mq->q.lock)
{
	struct mqueue_waiter *receiver = mq->nr ? NULL : claim_next(mq);

	if (receiver) {
		receiver->message = m; /* it reads this under q.lock */
		return NULL;
	}
	insert(mq, m);
	if (mq->nr > 1)
		return NULL;
	wake_pollers(mq);
	return notify_end(mq);
}

/* Takes the first message; a waiting sender's message gets the room. */
static struct mqueue_message *take_message(struct mqueue *mq) HOLDS(mq->q.lock)
{
	struct mqueue_message *m =
		container_of(rb_first(&mq->messages), struct mqueue_message, node);
	struct mqueue_waiter *sender = mq->nr == mq->maxmsg ? claim_next(mq) : NULL;

	rb_remove(&mq->messages, &m->node);
	mq->nr--;
	mq->bytes -= m->len;
	if (sender)
		insert(mq, sender->message);
	else if (mq->nr == mq->maxmsg - 1)
		wake_pollers(mq);
	return m;
}

static void touch(struct inode *i)
{
	mutex_lock(&i->lock);
	inode_touch(i);
	i->atime = i->mtime;
	mutex_unlock(&i->lock);
}

int mqueue_send(struct file *f, struct mqueue_message *m, struct deadline d)
{
	struct mqueue *mq = file_mqueue(f);
	struct mqueue_waiter w = { .message = m };
	struct mqueue_notify notify;
	struct process *told = NULL;
	int err = 0;

	spin_lock(&mq->q.lock);
	notify = mq->notify;
	if (mq->nr < mq->maxmsg)
		told = put_message(mq, m);
	else
		err = wait_turn(mq, f, &w, d);
	spin_unlock(&mq->q.lock);
	if (told) {
		notify_send(told, &notify);
		process_put(told);
	}
	if (!err)
		touch(&mq->inode);
	return err;
}

int mqueue_receive(struct file *f, struct mqueue_message **out, struct deadline d)
{
	struct mqueue *mq = file_mqueue(f);
	struct mqueue_waiter w = { .message = NULL };
	int err = 0;

	spin_lock(&mq->q.lock);
	if (mq->nr)
		w.message = take_message(mq);
	else
		err = wait_turn(mq, f, &w, d);
	spin_unlock(&mq->q.lock);
	assert(err || w.message);	/* MQUEUE2 */
	*out = w.message;
	if (!err)
		touch(&mq->inode);
	return err;
}

/* --- As a file -------------------------------------------------------------------------------- */

static unsigned mqueue_poll(struct file *f, struct poll_table *pt)
{
	struct mqueue *mq = file_mqueue(f);
	unsigned ready;

	poll_add(pt, &mq->q);
	spin_lock(&mq->q.lock);
	ready = (mq->nr ? POLLIN : 0) | (mq->nr < mq->maxmsg ? POLLOUT : 0);
	spin_unlock(&mq->q.lock);
	return ready;
}

static int show_state(struct inode *i, struct text *t)
{
	struct mqueue *mq = container_of(i, struct mqueue, inode);
	struct mqueue_notify n = { 0 };
	pid_t pid = 0;
	u64 bytes;

	spin_lock(&mq->q.lock);
	bytes = mq->bytes;
	if (mq->notify_process) {
		n = mq->notify;
		pid = mq->notify_process->pid;
	}
	spin_unlock(&mq->q.lock);
	text_printf(t, "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", bytes, n.how,
		    n.how == SIGEV_SIGNAL ? n.sig : 0, pid);
	return 0;
}

/* Reading the descriptor shows the queue's present state. */
static ssize_t mqueue_read(struct file *f, struct iobuf *b, off_t *pos)
{
	return text_read(f, b, pos, show_state);
}

void mqueue_get_attr(const struct file *f, struct mqueue_attr *attr)
{
	struct mqueue *mq = file_mqueue(f);

	*attr = (struct mqueue_attr){ .maxmsg = mq->maxmsg, .msgsize = mq->msgsize };
	attr->flags = f->flags & O_NONBLOCK;
	spin_lock(&mq->q.lock);
	attr->curmsgs = mq->nr;
	spin_unlock(&mq->q.lock);
}

void mqueue_drop_messages(struct mqueue *mq)
{
	struct rb_node *n;

	while ((n = rb_first(&mq->messages))) {
		rb_remove(&mq->messages, n);
		kfree(container_of(n, struct mqueue_message, node));
	}
}

const struct file_ops mqueue_file_ops = {
	.read = mqueue_read,
	.poll = mqueue_poll,
	.flush = mqueue_flush,
	.seekable = true,
};

bool file_is_mqueue(const struct file *f)
{
	return f->ops == &mqueue_file_ops;
}
