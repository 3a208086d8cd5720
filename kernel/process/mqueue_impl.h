/*
 * A message queue, for mqueue.c and mqueue_name.c.
 */
#pragma once

#include "fs/fs.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "process/mqueue.h"
#include "process/process.h"
#include "sched/cpu.h"

struct mqueue {
	struct inode inode;
	struct list_node names; /* [names_lock] linked until unlinked by name */
	char name[NAME_MAX + 1]; /* [const] */
	u32 maxmsg, msgsize; /* [const] */
	struct cred *owner; /* [const] referenced; its user is charged for the memory */
	u64 charged; /* [const] bytes, of RLIMIT_MSGQUEUE */

	struct wait_queue q; /* senders or receivers, and poll() */
	struct rb_tree messages; /* [q.lock] by priority, then by arrival */
	u32 nr; /* [q.lock] number of messages */
	u64 bytes; /* [q.lock] in all messages */

	struct process *notify_process; /* [q.lock] registered, referenced; or NULL */
	const struct fdtable *notify_fds; /* [q.lock] with notify_process: its descriptors */
	struct mqueue_notify notify; /* [q.lock] with notify_process */
};

static inline struct mqueue *file_mqueue(const struct file *f)
{
	return container_of(f->inode, struct mqueue, inode);
}

extern const struct file_ops mqueue_file_ops;

/* Frees the messages of a queue that is going away. */
void mqueue_drop_messages(struct mqueue *mq);
