/*
 * POSIX message queues: named queues of messages with priorities. A descriptor of one is an open
 * file whose inode is the queue. See kernel/process/mqueue.c.
 */
#pragma once

#include "base/rbtree.h"
#include "fs/vfs.h"
#include "sched/time.h"

#define MQ_PRIO_MAX 32768u /* priorities are below it */

/* Linux's struct mq_attr. */
struct mqueue_attr {
	s64 flags, maxmsg, msgsize, curmsgs, unused[4];
};

struct mqueue_message {
	struct rb_node node; /* [the queue's lock] */
	u32 priority;
	size_t len;
	u8 data[];
};

/* How mq_notify() notifies, once, of a message that enters the empty queue and has no receiver. */
struct mqueue_notify {
	int how; /* SIGEV_* */
	int sig;
	u64 value;
};

/*
 * Opens the queue @name. O_CREAT makes one with @attr (NULL: the defaults) and @mode, to which the
 * umask was already applied. -EACCES for an invalid name.
 */
int mqueue_open(const char *name, u32 flags, u32 mode, const struct mqueue_attr *attr,
		struct file **out);
int mqueue_unlink(const char *name);

bool file_is_mqueue(const struct file *f);
void mqueue_get_attr(const struct file *f, struct mqueue_attr *attr);

/* Send and receive messages from kmalloc(), given away on success. Wait for room, or a message. */
int mqueue_send(struct file *f, struct mqueue_message *m, struct deadline d);
int mqueue_receive(struct file *f, struct mqueue_message **out, struct deadline d);

/* Registers the current process for @n; NULL ends its registration. -EBUSY. */
int mqueue_notify(struct file *f, const struct mqueue_notify *n);
