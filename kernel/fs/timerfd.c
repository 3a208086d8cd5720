/*
 * timerfd: a timer as a file. A read returns how often it has fired since the last read, and waits
 * until that is at least once.
 *
 * As with POSIX timers, a periodic timer does not go on firing while nobody reads: the read arms it
 * again and counts the periods that it has missed.
 *
 * Locks: timer_lock for everything. timerfd_fire() changes `fired` under the lock of the wait
 * queue, too, so that a reader that finds it 0 and blocks is woken.
 */
#include "errno.h"
#include "fs.h"
#include "fs/poll.h"
#include "fs/timerfd.h"
#include "mm/mm.h"
#include "process/timers.h"
#include "sched/cpu.h"

struct timerfd {
	struct inode inode;
	struct timer timer;
	enum timer_clock clock;		/* [const] the one it was made with */
	bool set;			/* armed, or periodic and to be armed by a read */
	u64 interval;			/* 0: fires once */
	_Atomic u64 fired;		/* since the last read, without the missed periods */
	struct wait_queue readers;
};

static const struct file_ops timerfd_file_ops;

static struct timerfd *file_timerfd(const struct file *f)
{
	return container_of(f->inode, struct timerfd, inode);
}

static void timerfd_fire(struct timer *t)
{
	struct timerfd *tf = container_of(t, struct timerfd, timer);

	tf->set = tf->interval;
	spin_lock(&tf->readers.lock);
	tf->fired++;
	wait_wake_all_locked(&tf->readers, 0);
	spin_unlock(&tf->readers.lock);
}

/* Arms a periodic timer that has fired again. Returns how many periods it has missed. */
static u64 go_on(struct timerfd *tf) HOLDS(timer_lock)
{
	struct timer *t = &tf->timer;
	u64 missed = 0;

	if (tf->fired && tf->set && !t->armed)
		timer_start(t, timer_next(t->at, tf->interval, timer_now(t), &missed));
	return missed;
}

static ssize_t timerfd_read(struct file *f, struct iobuf *b, off_t *pos)
{
	struct timerfd *tf = file_timerfd(f);
	int err = 0;
	u64 n;

	(void)pos;
	if (b->left < sizeof(n))
		return -EINVAL;
	for (;;) {
		spin_lock(&timer_lock);
		n = go_on(tf);
		n += atomic_exchange(&tf->fired, 0);
		spin_unlock(&timer_lock);
		if (n || err)
			break;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		spin_lock(&tf->readers.lock);
		while (!tf->fired && !err)
			err = wait_block_locked(&tf->readers, DEADLINE_NEVER, 0);
		spin_unlock(&tf->readers.lock);
	}
	if (!n)
		return err;
	return iobuf_copy_to(b, &n, sizeof(n)) == sizeof(n) ? (ssize_t)sizeof(n) : -EFAULT;
}

static unsigned timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *tf = file_timerfd(f);

	poll_add(pt, &tf->readers);
	return atomic_load(&tf->fired) ? POLLIN : 0;
}

static void timerfd_release(struct inode *i)
{
	struct timerfd *tf = container_of(i, struct timerfd, inode);

	spin_lock(&timer_lock);
	timer_stop(&tf->timer);
	spin_unlock(&timer_lock);
	kfree(tf);
}

static const struct inode_ops timerfd_inode_ops = { .release = timerfd_release };

static const struct file_ops timerfd_file_ops = {
	.name = "[timerfd]",
	.read = timerfd_read,
	.poll = timerfd_poll,
	.placeless = true,
};

int timerfd_create(enum timer_clock clock, u32 flags, struct file **out)
{
	struct timerfd *tf = kzalloc(sizeof(*tf));

	if (!tf)
		return -ENOMEM;
	tf->timer = (struct timer){ .clock = clock, .fire = timerfd_fire };
	list_init(&tf->timer.cpu_node);
	tf->clock = clock;
	wait_queue_init(&tf->readers);
	return file_open_anon(&tf->inode, &timerfd_inode_ops, &timerfd_file_ops, flags, out);
}

static struct interval look(struct timerfd *tf) HOLDS(timer_lock)
{
	struct interval i = { .interval = tf->interval };
	u64 now, missed = go_on(tf);

	tf->fired += missed;
	now = timer_now(&tf->timer);
	if (tf->set)
		i.value = tf->timer.at > now ? tf->timer.at - now : 1;
	return i;
}

static void set(struct timerfd *tf, bool absolute, const struct interval *new) HOLDS(timer_lock)
{
	struct timer *t = &tf->timer;

	timer_stop(t);
	tf->fired = 0;
	tf->set = new->value;
	tf->interval = new->interval;
	/* Setting the wall clock must not change a relative time. */
	t->clock = tf->clock == TIMER_REALTIME && !absolute ? TIMER_MONOTONIC : tf->clock;
	if (new->value)
		timer_start(t, absolute ? new->value : timer_after(timer_now(t), new->value));
}

int timerfd_set(struct file *f, bool absolute, const struct interval *new, struct interval *old)
{
	struct timerfd *tf = file_timerfd(f);

	if (f->ops != &timerfd_file_ops)
		return -EINVAL;
	spin_lock(&timer_lock);
	*old = look(tf);
	if (new)
		set(tf, absolute, new);
	spin_unlock(&timer_lock);
	return 0;
}
