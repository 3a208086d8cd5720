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

/* The one notice when a message comes into the empty queue and nobody waits for it. */
struct mqueue_notify {
	int how; /* SIGEV_* */
	int sig;
	u64 value;
};

/*
 * Opens the queue @name; O_CREAT makes one as @attr says (NULL: the defaults), its @mode without
 * the umask. -EACCES for a name that is none.
 */
int mqueue_open(const char *name, u32 flags, u32 mode, const struct mqueue_attr *attr,
		struct file **out);
int mqueue_unlink(const char *name);

bool file_is_mqueue(const struct file *f);
void mqueue_get_attr(const struct file *f, struct mqueue_attr *attr);

/* @m from kmalloc(), given away if it succeeds. They wait if the queue is full, or empty. */
int mqueue_send(struct file *f, struct mqueue_message *m, struct deadline d);
int mqueue_receive(struct file *f, struct mqueue_message **out, struct deadline d);

/* Registers the current process for @n, or takes back its registration (NULL). -EBUSY. */
int mqueue_notify(struct file *f, const struct mqueue_notify *n);
