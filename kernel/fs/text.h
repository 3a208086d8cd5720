/*
 * Files of text that the kernel makes: /proc and /sys. The text is made when the file is opened, so
 * what one open file reads is one moment's picture.
 */
#pragma once

#include "fs/vfs.h"
#include "types.h"

/* Text that grows as it is written. A lack of memory is remembered and loses the rest. */
struct text {
	char *buf;
	size_t len, size;
	bool failed;
};

void text_append(struct text *t, const char *s, size_t len);
void text_printf(struct text *t, const char *fmt, ...) printf_like(2, 3);

/* For struct file_ops: opens @f on what @show writes about its inode. */
int text_open(struct file *f, int (*show)(struct inode *i, struct text *t));
void text_close(struct file *f);
ssize_t text_read(struct file *f, struct iobuf *b, off_t *pos);
