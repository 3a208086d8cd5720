/*
 * Pipes: what pipe.c (bytes) and fifo.c (opening and closing) share.
 */
#pragma once

#include "fs.h"
#include "sync.h"

#define PIPE_SLOTS	16u		/* of a new one */
#define PIPE_MANY	(1u << 20)	/* bytes, no more for everybody */
#define PIPE_MOST	(1u << 31)	/* bytes, no more at all */

/* A part of the ring: @len bytes of a page, from @from on. */
struct pipe_slot {
	char *data;			/* the page; NULL: never used */
	u32 from;
	u16 len;
	bool packet;			/* one read takes no more than this */
};

struct pipe {
	struct mutex lock;
	struct pipe_slot *slots;	/* [lock] */
	u32 head;			/* [lock] the slot to be read next, modulo size */
	u32 mask;			/* [lock] size - 1 */
	_Atomic u32 size;		/* [lock] to write; slots, a power of two */
	_Atomic u32 used;		/* [lock] to write; P1 */
	_Atomic unsigned readers, writers;	/* [lock] to write; open files of each kind */
	unsigned reads_begun, writes_begun;	/* [lock] such files ever opened */
	unsigned files;			/* [inode->lock] open ones; the last frees the pipe */
	struct condvar readable;	/* data came, or a first writer, or the last one went */
	struct condvar writable;	/* room came, or a first reader, or the last one went */
	struct pipe_slot first[PIPE_SLOTS];	/* what slots is until the size is changed */
};

struct pipe *pipe_alloc(void);
void pipe_free(struct pipe *p);

/* An open file of a pipe: its file_ops. */
int fifo_open(struct file *f);
void fifo_close(struct file *f);

/* It had a writer since @f was opened. */
bool fifo_had_writers(const struct file *f);

static inline bool file_reads(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY;
}

static inline bool file_writes(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY;
}
