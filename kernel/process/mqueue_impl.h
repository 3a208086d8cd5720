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
	struct list_node names; /* [names_lock] linked: it has its name */
	char name[NAME_MAX + 1]; /* [const] */
	u32 maxmsg, msgsize; /* [const] */
	struct cred *owner; /* [const] referenced: whose user its memory is counted for */
	u64 charged; /* [const] bytes, of RLIMIT_MSGQUEUE */

	struct wait_queue q; /* senders or receivers, and poll() */
	struct rb_tree messages; /* [q.lock] by priority, then by arrival */
	u32 nr; /* [q.lock] of them */
	u64 bytes; /* [q.lock] in them */

	struct process *notify_process; /* [q.lock] referenced; NULL: nobody has registered */
	const struct fdtable *notify_fds; /* [q.lock] with notify_process: its descriptors */
	struct mqueue_notify notify; /* [q.lock] with notify_process */
};

static inline struct mqueue *file_mqueue(const struct file *f)
{
	return container_of(f->inode, struct mqueue, inode);
}

extern const struct file_ops mqueue_file_ops;

/* Nobody can reach it any more. */
void mqueue_drop_messages(struct mqueue *mq);
