/*
 * Files of text that the kernel makes, for /proc and /sys. The text is made when the file is read
 * from its beginning: a program keeps it open, and rewinds it to see what has changed.
 */
#pragma once

#include "fs/vfs.h"
#include "types.h"

/* Text that grows as it is written. Once memory is short, failed is set and the rest is lost. */
struct text {
	char *buf;
	size_t len, size;
	bool failed;
};

void text_append(struct text *t, const char *s, size_t len);
void text_printf(struct text *t, const char *fmt, ...) printf_like(2, 3);

/* Writes the text of a file, or returns an error. */
typedef int (*text_fn)(struct inode *i, struct text *t);

/*
 * For struct file_ops. Reads from *pos on what @show writes, and returns the number of bytes or an
 * error. From one read() to the next the text is kept if f->private is a struct text, which
 * text_close() frees; else it is NULL.
 */
ssize_t text_read(struct file *f, struct iobuf *b, off_t *pos, text_fn show);
void text_close(struct file *f);
