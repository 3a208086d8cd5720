/*
 * Message queues: limits that count what comes and goes on two CPUs, a notification that changes
 * while a message is sent, and a message for a receiver whose time is over.
 *
 * Of files there are only the inodes of the queues; an open file is its inode alone.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "fs/fs.h"
#include "process/mqueue_impl.h"
#include "sync/sync.h"

/* --- What the queues need of files and users -------------------------------------------------- */

static _Atomic u64 charged;

_Atomic u64 *user_mqueues(struct user *u)
{
	(void)u;
	return &charged;
}

void inode_init(struct inode *i, u32 mode, const struct inode_ops *ops, const struct file_ops *fops)
{
	*i = (struct inode){ .mode = mode, .refs = 1, .nlink = 1, .ops = ops, .fops = fops };
	mutex_init(&i->lock);
}

void inode_init_owner(struct inode *i, const struct inode *dir)
{
	(void)i;
	(void)dir;
}

bool inode_owned(const struct inode *i)
{
	(void)i;
	return true;
}

void inode_touch(struct inode *i)
{
	i->mtime.nsec = time_now();
}

void inode_put(struct inode *i)
{
	if (atomic_fetch_sub(&i->refs, 1) == 1)
		i->ops->release(i);
}

int file_open_inode(struct inode *i, u32 flags, struct file **out)
{
	*out = kmalloc(sizeof(**out));
	**out = (struct file){ .inode = i, .flags = flags };
	atomic_fetch_add(&i->refs, 1);
	return 0;
}

static void close_queue(struct file *f)
{
	inode_put(f->inode);
	kfree(f);
}

/* --- Queues ----------------------------------------------------------------------------------- */

#define QUEUES_MAX 256	/* as in mqueue_name.c */

static struct file *queue;
static struct actor first;

/* A queue without a name, for @messages of one byte; NULL: there are too many. */
static struct file *try_make_queue(const char *name, unsigned messages)
{
	struct mqueue_attr attr = { .maxmsg = messages, .msgsize = 1 };
	struct file *f;
	int err = mqueue_open(name, O_RDWR | O_CREAT, 0600, &attr, &f);

	if (err == -ENOSPC)
		return NULL;
	expect(!err, "opening a queue returned %d", err);
	err = mqueue_unlink(name);
	expect(!err, "removing its name returned %d", err);
	return f;
}

static struct file *make_queue(const char *name, unsigned messages)
{
	struct file *f = try_make_queue(name, messages);

	expect(f, "a queue could not be made");
	return f;
}

static int send(struct file *to)
{
	struct mqueue_message *m = kmalloc(sizeof(*m) + 1);
	int err;

	*m = (struct mqueue_message){ .len = 1 };
	err = mqueue_send(to, m, DEADLINE_NEVER);
	expect(!err, "sending returned %d", err);
	return 0;
}

/* --- Limits ----------------------------------------------------------------------------------- */

static struct completion done;

static int make_and_close(void)
{
	close_queue(make_queue("another", 1));
	complete(&done);
	return 0;
}

/* Makes queues, which stay, until only @n more are allowed. */
static void allow_only(unsigned n)
{
	for (unsigned i = n; i < QUEUES_MAX; i++)
		make_queue("queue", 1);
}

/* A queue is made while another one goes: both counts must be right afterwards. */
SCENARIO(counted, "mqueue.counted", "", "", .cpus = 2, .keeps = true, .sets_up = true)
{
	struct file *one;
	u64 before;

	stay_on(0);
	allow_only(2);
	before = atomic_load(&charged);
	one = make_queue("one", 1);
	completion_init(&done);
	explore_from_here();
	act_on(1, &first, make_and_close);
	close_queue(one);
	expect(!completion_wait(&done, DEADLINE_NEVER, WAIT_UNKILLABLE), "a wait failed");
	expect(atomic_load(&charged) == before, "%ld bytes are charged for queues that are gone",
	       atomic_load(&charged) - before);
	make_queue("queue", 1);
	make_queue("queue", 1);
	expect(!try_make_queue("queue", 1), "one queue more than is allowed was made");
	end_here();
}

static int close_it(void)
{
	close_queue(queue);
	return 0;
}

static const char *nothing_charged(void)
{
	if (charged)
		return wrong("%lu bytes are charged for queues that are gone or were refused",
			     charged);
	return NULL;
}

/* A queue goes while another is refused, as the user may not have so many bytes in queues. */
SCENARIO(refused, "mqueue.refused", "", "", .cpus = 2, .after = nothing_charged, .keeps = true,
	 .sets_up = true)
{
	struct mqueue_attr attr = { .maxmsg = 10, .msgsize = 1 };
	struct file *f;
	int err;

	stay_on(0);
	queue = make_queue("one", 1);
	current_process()->limits[RLIMIT_MSGQUEUE].cur = 100;
	explore_from_here();
	act_on(1, &first, close_it);
	err = mqueue_open("another", O_RDWR | O_CREAT, 0600, &attr, &f);
	expect(err == -EMFILE, "a queue beyond the limit: %d", err);
	end_here();
}

/* --- Sending ---------------------------------------------------------------------------------- */

static int send_here(void)
{
	return send(queue);
}

/* Messages of two senders: each writes the queue's times. */
SCENARIO(two_senders, "mqueue.two_senders", "", "", .cpus = 2, .keeps = true, .sets_up = true)
{
	stay_on(0);
	queue = make_queue("two", 2);
	explore_from_here();
	act_on(1, &first, send_here);
	send(queue);
	end_here();
}

static int receive_timed(void)
{
	struct mqueue_message *m;
	int err = mqueue_receive(queue, &m, deadline_in(1000));

	if (!err)
		kfree(m);
	return err;
}

static const char *taken_or_left(void)
{
	unsigned left = file_mqueue(queue)->nr;

	if (first.result != (left ? -ETIMEDOUT : 0))
		return wrong("receiving returned %d, and %u are left", first.result, left);
	return NULL;
}

/* MQUEUE2: a message comes when the receiver's time is over; it is taken, or it is left. */
SCENARIO(deadline, "mqueue.receive_timed", "", "", .cpus = 2, .after = taken_or_left, .keeps = true)
{
	stay_on(0);
	queue = make_queue("one", 1);
	act_on(1, &first, receive_timed);
	expect(!thread_sleep(1000), "a sleep failed");
	send(queue);
	end_here();
}

/* --- Notification ----------------------------------------------------------------------------- */

static struct process *p;

static void ask_for(int sig)
{
	struct mqueue_notify n = { .how = SIGEV_SIGNAL, .sig = sig };
	int err = mqueue_notify(queue, &n);

	expect(!err, "registering returned %d", err);
}

static int ask_then_another(void)
{
	ask_for(SIGUSR1);
	complete(&done);
	mqueue_notify(queue, NULL);
	ask_for(SIGUSR2);
	return 0;
}

static const char *told_once(void)
{
	u64 told = atomic_load(&p->sigpending);
	bool waits = file_mqueue(queue)->notify_process;

	if (waits ? told & SIGSET(SIGUSR2) : told != SIGSET(SIGUSR2))
		return wrong("signals %lx are pending, and it %s registered", told,
			     waits ? "is" : "is not");
	return NULL;
}

/* A message comes while a registration is replaced: only the one that is used ends. */
SCENARIO(replaced, "mqueue.notify_replaced", "", "", .cpus = 2, .after = told_once, .keeps = true)
{
	struct thread *t;

	stay_on(0);
	queue = make_queue("one", 1);
	completion_init(&done);
	p = make_child();
	t = create_actor_in(p, 1, &first, ask_then_another);
	t->sigmask = SIGSET(SIGUSR1) | SIGSET(SIGUSR2);
	start_actor(&first, t);
	expect(!completion_wait(&done, DEADLINE_NEVER, WAIT_UNKILLABLE), "a wait failed");
	send(queue);
	end_here();
}
