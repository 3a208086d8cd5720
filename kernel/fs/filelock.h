/*
 * Locks on files: setting and testing them, and dropping them when a file is closed.
 */
#pragma once

#include "fs/vfs.h"

enum lock_kind { LOCK_KIND_FLOCK, LOCK_KIND_POSIX, LOCK_KIND_OFD };
enum lock_type { LOCK_READ, LOCK_WRITE, LOCK_NONE };	/* Linux's F_RDLCK, F_WRLCK, F_UNLCK */

/* A lock that is requested, or held. */
struct lock_request {
	const void *owner;
	pid_t pid;			/* the one that F_GETLK and /proc/locks report */
	enum lock_kind kind;
	enum lock_type type;
	off_t start, end;		/* the first byte and the last */
};

/* Sets a lock, or with LOCK_NONE removes it. -EAGAIN (without @wait), -EDEADLK, -EINTR, -ENOLCK. */
int filelock_set(struct inode *i, const struct lock_request *want, bool wait);

/*
 * Replaces @want by a lock that excludes it and returns true, if there is one. LOCK_NONE asks for
 * one that the owner itself has there.
 */
bool filelock_test(struct inode *i, struct lock_request *want);

/* Removes @owner's locks on @i, or with NULL all locks on @i. */
void filelock_drop_all(struct inode *i, const void *owner);

static inline void filelock_drop(struct inode *i, const void *owner)
{
	if (unlikely(atomic_load_explicit(&i->nr_locks, memory_order_relaxed)))
		filelock_drop_all(i, owner);
}

struct text;
void filelock_show(struct text *t);
void filelock_init(void);
