/*
 * Locks on files: what the system calls ask for, and what closing a file does. See filelock.c.
 */
#pragma once

#include "fs/vfs.h"

enum lock_kind { LOCK_KIND_FLOCK, LOCK_KIND_POSIX, LOCK_KIND_OFD };
enum lock_type { LOCK_READ, LOCK_WRITE, LOCK_NONE };	/* Linux's F_RDLCK, F_WRLCK, F_UNLCK */

/* A lock that is wanted, or held. */
struct lock_request {
	const void *owner;
	pid_t pid;			/* that is told of it */
	enum lock_kind kind;
	enum lock_type type;
	off_t start, end;		/* the first byte and the last */
};

/* Sets or takes away. 0, -EAGAIN (not @wait), -EDEADLK, -EINTR, -ENOLCK. */
int filelock_set(struct inode *i, const struct lock_request *want, bool wait);

/* Replaces @want by the lock that stands in its way, if one does. */
bool filelock_test(struct inode *i, struct lock_request *want);

/* The owner, or with NULL the inode, goes; its locks on @i do too. */
void filelock_drop_all(struct inode *i, const void *owner);

static inline void filelock_drop(struct inode *i, const void *owner)
{
	if (unlikely(atomic_load_explicit(&i->nr_locks, memory_order_relaxed)))
		filelock_drop_all(i, owner);
}

struct text;
void filelock_show(struct text *t);
void filelock_init(void);
