/*
 * POSIX message queues: their names, limits, making and end.
 *
 * Names are in one flat folder of their own, in which every user may make queues and remove their
 * own, as in /tmp. A name keeps its queue and the messages in it; a queue without a name goes with
 * its last descriptor.
 *
 * The limits are Linux's defaults, which /proc/sys/fs/mqueue/ shows: QUEUES_MAX queues, MSG_MAX
 * messages of MSGSIZE_MAX bytes in one. CAP_SYS_RESOURCE lifts them to HARD_*. The size of a user's
 * queues when full counts against RLIMIT_MSGQUEUE, whoever fills them.
 */
#include "base/string.h"
#include "errno.h"
#include "mqueue_impl.h"

#define QUEUES_MAX       256
#define MSG_MAX          10 /* also what a queue has room for by default */
#define MSGSIZE_MAX      8192
#define HARD_MSG_MAX     65536
#define HARD_MSGSIZE_MAX (16 << 20)

#define MESSAGE_COST     48 /* bytes Linux adds for a message, and for a priority */
#define STATE_SIZE       80 /* st_size of every queue */

static struct mutex names_lock = MUTEX_INIT(names_lock);
static struct list_node names = LIST_INIT(names); /* [names_lock] */
static _Atomic unsigned nr_queues;

/* --- One queue -------------------------------------------------------------------------------- */

static int check_attr(const struct mqueue_attr *attr)
{
	bool privileged = capable(CAP_SYS_RESOURCE);

	if (attr->maxmsg <= 0 || attr->maxmsg > (privileged ? HARD_MSG_MAX : MSG_MAX) ||
	    attr->msgsize <= 0 || attr->msgsize > (privileged ? HARD_MSGSIZE_MAX : MSGSIZE_MAX))
		return -EINVAL;
	return 0;
}

/* Charges the user for a full @mq: 0, or -EMFILE at the limit. */
static int charge(struct mqueue *mq)
{
	_Atomic u64 *count = user_mqueues(mq->owner->user);
	u64 limit = current_process()->limits[RLIMIT_MSGQUEUE].cur, before;

	mq->charged = (u64)mq->maxmsg * mq->msgsize + mq->maxmsg * MESSAGE_COST +
		      MIN(mq->maxmsg, MQ_PRIO_MAX) * MESSAGE_COST;
	before = atomic_fetch_add(count, mq->charged);
	if (before + mq->charged <= limit)
		return 0;
	atomic_fetch_sub(count, mq->charged);
	mq->charged = 0;
	return -EMFILE;
}

/* Frees the queue. A registration is left if its descriptor was closed while it was made. */
static void mqueue_release(struct inode *i)
{
	struct mqueue *mq = container_of(i, struct mqueue, inode);

	if (mq->notify_process)
		process_put(mq->notify_process);
	mqueue_drop_messages(mq);
	atomic_fetch_sub(user_mqueues(mq->owner->user), mq->charged);
	cred_put(mq->owner);
	wait_queue_destroy(&mq->q);
	atomic_fetch_sub(&nr_queues, 1);
	kfree(mq);
}

static const char *mqueue_lost_name(struct inode *i)
{
	return container_of(i, struct mqueue, inode)->name;
}

/* A file's size, which says nothing of the queue. */
static int mqueue_truncate(struct inode *i, off_t size)
{
	i->size = size;
	return 0;
}

static const struct inode_ops mqueue_inode_ops = {
	.truncate = mqueue_truncate,
	.lost_name = mqueue_lost_name,
	.release = mqueue_release,
};

static int mqueue_create(const char *name, u32 mode, const struct mqueue_attr *attr,
			 struct mqueue **out)
{
	static const struct mqueue_attr defaults = { .maxmsg = MSG_MAX, .msgsize = MSGSIZE_MAX };
	struct mqueue *mq;
	int err;

	if (atomic_load(&nr_queues) >= QUEUES_MAX && !capable(CAP_SYS_RESOURCE))
		return -ENOSPC;
	if (!attr)
		attr = &defaults;
	err = check_attr(attr);
	if (err)
		return err;
	mq = kzalloc(sizeof(*mq));
	if (!mq)
		return -ENOMEM;
	inode_init(&mq->inode, S_IFREG | (mode & 07777), &mqueue_inode_ops, &mqueue_file_ops);
	inode_init_owner(&mq->inode, NULL);
	mq->inode.dev = DEV_QUEUES;
	mq->inode.size = STATE_SIZE;
	strlcpy(mq->name, name, sizeof(mq->name));
	mq->maxmsg = attr->maxmsg;
	mq->msgsize = attr->msgsize;
	mq->owner = cred_get(current_thread()->cred);
	wait_queue_init(&mq->q);
	list_init(&mq->names);
	atomic_fetch_add(&nr_queues, 1);
	err = charge(mq);
	if (err)
		inode_put(&mq->inode);
	else
		*out = mq;
	return err;
}

/* --- Names ------------------------------------------------------------------------------------ */

static struct mqueue *find(const char *name) HOLDS(names_lock)
{
	list_for_each(mq, &names, struct mqueue, names)
		if (strcmp(mq->name, name) == 0)
			return mq;
	return NULL;
}

static int check_name(const char *name)
{
	if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EACCES;
	return strlen(name) > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int may_open(const struct mqueue *mq, u32 flags)
{
	static const u8 needs[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE };

	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return inode_permission(&mq->inode, needs[flags & O_ACCMODE]);
}

/* Finds the queue of that name and checks that it may be opened, or makes a new one. */
static int find_or_create(const char *name, u32 flags, u32 mode, const struct mqueue_attr *attr,
			  struct mqueue **out) HOLDS(names_lock)
{
	int err;

	*out = find(name);
	if (*out)
		return may_open(*out, flags);
	if (!(flags & O_CREAT))
		return -ENOENT;
	err = mqueue_create(name, mode, attr, out);
	if (!err)
		list_push_back(&names, &(*out)->names);
	return err;
}

int mqueue_open(const char *name, u32 flags, u32 mode, const struct mqueue_attr *attr,
		struct file **out)
{
	struct mqueue *mq = NULL;
	int err = check_name(name);

	if (err)
		return err;
	mutex_lock(&names_lock);
	err = find_or_create(name, flags, mode, attr, &mq);
	if (!err)
		err = file_open_inode(&mq->inode, flags & (O_ACCMODE | O_NONBLOCK), out);
	mutex_unlock(&names_lock);
	return err;
}

int mqueue_unlink(const char *name)
{
	struct mqueue *mq;
	int err = check_name(name);

	if (err)
		return err;
	mutex_lock(&names_lock);
	mq = find(name);
	if (!mq)
		err = -ENOENT;
	else if (!inode_owned(&mq->inode))
		err = -EPERM;
	else
		list_remove(&mq->names);
	mutex_unlock(&names_lock);
	if (!err) {
		mutex_lock(&mq->inode.lock);
		mq->inode.nlink = 0;
		mutex_unlock(&mq->inode.lock);
		inode_put(&mq->inode);
	}
	return err;
}
