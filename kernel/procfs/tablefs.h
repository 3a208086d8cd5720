/*
 * A file system whose files are the rows of a table: /sys and /proc/sys. Directories are there
 * because a row's path names them.
 */
#pragma once

#include "fs/text.h"

/*
 * One file, or one for each of several things: '#' in its path stands for the numbers 0 to
 * count() - 1, as in "cpu#/online". There is at most one in a path.
 */
struct table_file {
	const char *path;
	void (*show)(struct text *t, unsigned n);	/* NULL: it is @says and a newline */
	/* Takes what was written, without a newline at its end: 0 or an error. NULL: read-only. */
	int (*store)(const char *value);
	unsigned (*count)(void);
	const char *says;
};

struct table_fs {
	const struct table_file *rows;	/* the last one has no path */
	u64 dev;
	bool whole;			/* a read that cannot copy all that it should fails */
	u8 fixed;			/* FIXED_* of all its inodes */
	u32 dir_mode;			/* of its directories but the root */
	u64 ino_bit;			/* set in all its inode numbers, if it shares @dev */
};

/* Its root, a new inode; NULL: no memory. */
struct inode *tablefs_root(const struct table_fs *fs);

/* A decimal number from @min to @max, which may have blanks around it: 0 or -EINVAL. */
int table_number(const char *value, long min, long max, long *out);

/* CPUs or nodes 0 to @n - 1 as Linux lists them ("0-3"), and as a mask in hexadecimal digits. */
void text_range(struct text *t, unsigned n);
void text_mask(struct text *t, u32 mask, unsigned n);
