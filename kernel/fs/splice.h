/*
 * Moving bytes into and out of pipes within the kernel: splice(), tee(), vmsplice(), sendfile().
 */
#pragma once

#include "fs/vfs.h"

struct pipe;
struct pipe *pipe_of(const struct file *f);	/* NULL: @f is no pipe */

/* Whether splice can read from, or write to, @f as the side that is no pipe. */
bool splice_reads(const struct file *f);
bool splice_writes(const struct file *f);

/* The side that is no pipe: a file, at *pos (NULL: its own offset), or memory. */
struct splice_side {
	struct file *file;
	off_t *pos;
	struct iobuf *memory;
};

/*
 * Move up to @n bytes, as many as there are and as there is room for, and return how many. 0 means
 * the end of the file, or a pipe without writers. They block only before the first byte: -EAGAIN,
 * -EINTR. -EPIPE comes with SIGPIPE. With @keep splice_pipes() copies.
 */
ssize_t splice_to_pipe(struct splice_side *from, struct pipe *p, size_t n, bool nonblock);
ssize_t splice_from_pipe(struct pipe *p, struct splice_side *to, size_t n, bool nonblock);
ssize_t splice_pipes(struct pipe *from, struct pipe *to, size_t n, bool keep, bool nonblock);
