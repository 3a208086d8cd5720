/*
 * Pipes: what pipe.c (bytes), splice.c (whole slots) and fifo.c (opening and closing) share.
 */
#pragma once

#include "fs.h"
#include "sync/sync.h"

#define PIPE_SLOTS	16u		/* of a new one */
#define PIPE_MANY	(1u << 20)	/* bytes, no more for everybody */
#define PIPE_MOST	(1u << 31)	/* bytes, no more at all */

/* A part of the ring: @len bytes of a page, from @from on. */
struct pipe_slot {
	char *data;			/* the page; NULL: never used */
	u32 from;
	u16 len;
	bool packet;			/* one read takes no more than this */
	bool closed;			/* no write goes behind these bytes */
};

struct pipe {
	struct mutex lock;
	struct pipe_slot *slots;	/* [lock] */
	u32 head;			/* [lock] the slot to be read next, modulo size */
	u32 mask;			/* [lock] size - 1 */
	_Atomic u32 size;		/* [lock] to write; slots, a power of two */
	_Atomic u32 used;		/* [lock] to write; PIPE1 */
	_Atomic unsigned readers, writers;	/* [lock] to write; open files of each kind */
	unsigned reads_begun, writes_begun;	/* [lock] such files ever opened */
	unsigned files;			/* [inode->lock] open ones; the last frees the pipe */
	struct condvar readable;	/* data came, or a first writer, or the last one went */
	struct condvar writable;	/* room came, or a first reader, or the last one went */
	struct pipe_slot first[PIPE_SLOTS];	/* what slots is until the size is changed */
};

struct pipe *pipe_alloc(void);
void pipe_free(struct pipe *p);

/* --- Slots: pipe lock held; poll and splice.c also look without it, and then again with it --- */

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

/* The slot that is @n behind the next one to be read. */
static inline struct pipe_slot *pipe_slot_at(struct pipe *p, u32 n)
{
	return &p->slots[(p->head + n) & p->mask];
}

/* The first free slot, with a page; there is one. -ENOMEM. pipe_push() makes it the last. */
int pipe_free_slot(struct pipe *p, struct pipe_slot **out) HOLDS(p->lock);
void pipe_push(struct pipe *p) HOLDS(p->lock);

/* The first slot's bytes have been read, or are lost. */
void pipe_pop(struct pipe *p) HOLDS(p->lock);

/* --- Waiting ---------------------------------------------------------------------------------- */

/*
 * Blocks until the other side has changed something, which it tells by @c. 0, -EAGAIN, -EINTR. Pipe
 * lock held again after.
 */
int pipe_wait(struct pipe *p, struct condvar *c, bool nonblock) HOLDS(p->lock);

/* Waits until there is a free slot. 0, -EPIPE, or why not. */
int pipe_wait_room(struct pipe *p, bool nonblock) HOLDS(p->lock);

/* Ends a write of @done bytes that met @err. SIGPIPE comes also where some of it was written. */
ssize_t pipe_write_failed(size_t done, int err);

/* An open file of a pipe: its file_ops. */
int fifo_open(struct file *f);
void fifo_close(struct file *f);

/* It had a writer since @f was opened. */
bool fifo_had_writers(const struct file *f);
