/*
 * Pipes: what pipe.c (bytes), splice.c (whole slots) and fifo.c (opening and closing) share.
 */
#pragma once

#include "fs.h"
#include "sync/sync.h"

#define PIPE_SLOTS	16u		/* of a new one */
#define PIPE_MANY	(1u << 20)	/* bytes: the limit without CAP_SYS_RESOURCE */
#define PIPE_MOST	(1u << 31)	/* bytes: the limit with it */

/* A part of the ring: len bytes of a page, beginning at from. */
struct pipe_slot {
	char *data;			/* the page; NULL until the first use */
	u32 from;
	u16 len;
	bool packet;			/* a read ends with these bytes */
	bool closed;			/* no write may add bytes */
};

struct pipe {
	struct mutex lock;
	struct pipe_slot *slots;	/* [lock] */
	u32 head;			/* [lock] the slot to be read next, modulo size */
	u32 mask;			/* [lock] size - 1 */
	_Atomic u32 size;		/* [lock] to write; slots, a power of two */
	_Atomic u32 used;		/* [lock] to write; PIPE1 */
	_Atomic unsigned readers, writers;	/* [lock] to write; open files of each kind */
	unsigned reads_begun, writes_begun;	/* [lock] files of each kind ever opened */
	unsigned files;			/* [inode->lock] open ones; the last frees the pipe */
	struct condvar readable;	/* new: data, a first writer, or no writer left */
	struct condvar writable;	/* new: room, a first reader, or no reader left */
	struct pipe_slot first[PIPE_SLOTS];	/* slots until the size is changed */
};

struct pipe *pipe_alloc(void);
void pipe_free(struct pipe *p);

/* --- Slots: poll and splice.c look without the lock, all others hold it ----------------------- */

static inline u32 pipe_used(const struct pipe *p)
{
	return atomic_load_explicit(&p->used, memory_order_relaxed);
}

static inline bool pipe_is_full(const struct pipe *p)
{
	return pipe_used(p) == atomic_load_explicit(&p->size, memory_order_relaxed);
}

static inline bool pipe_has_readers(const struct pipe *p)
{
	return atomic_load_explicit(&p->readers, memory_order_relaxed);
}

static inline bool pipe_has_writers(const struct pipe *p)
{
	return atomic_load_explicit(&p->writers, memory_order_relaxed);
}

/* Returns the slot that is @n behind the next one to be read. */
static inline struct pipe_slot *pipe_slot_at(struct pipe *p, u32 n)
{
	return &p->slots[(p->head + n) & p->mask];
}

/*
 * Gets the first free slot, with a page; there must be one. pipe_push() then makes it the last used
 * one. -ENOMEM.
 */
int pipe_free_slot(struct pipe *p, struct pipe_slot **out) HOLDS(p->lock);
void pipe_push(struct pipe *p) HOLDS(p->lock);

/* Frees the first slot, whose bytes have been read or are lost. */
void pipe_pop(struct pipe *p) HOLDS(p->lock);

/* --- Waiting ---------------------------------------------------------------------------------- */

/* Blocks until the other side signals a change by @c. 0, -EAGAIN (with @nonblock), -EINTR. */
int pipe_wait(struct pipe *p, struct condvar *c, bool nonblock) HOLDS(p->lock);

/* Waits until there is a free slot. 0, -EPIPE, -EAGAIN, -EINTR. */
int pipe_wait_room(struct pipe *p, bool nonblock) HOLDS(p->lock);

/* Returns the result of a write that failed after @done bytes. -EPIPE sends SIGPIPE in any case. */
ssize_t pipe_write_failed(size_t done, int err);

/* The open and close operations of a pipe. */
int fifo_open(struct file *f);
void fifo_close(struct file *f);

/* Whether the pipe had a writer when @f was opened, or has had one since. */
bool fifo_had_writers(const struct file *f);
