/*
 * Files of text that the kernel makes, for /proc and /sys. The text is made when the file is
 * opened, so an open file shows the state at that moment.
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

/* Reads the text from *pos on. Returns the number of bytes, or -EFAULT. */
ssize_t text_copy(const struct text *t, struct iobuf *b, off_t *pos);

/* For struct file_ops. text_open() makes the text of @f: @show writes it. */
int text_open(struct file *f, int (*show)(struct inode *i, struct text *t));
void text_close(struct file *f);
ssize_t text_read(struct file *f, struct iobuf *b, off_t *pos);
