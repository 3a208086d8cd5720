/*
 * A file system whose files are the rows of a table: /sys and /proc/sys. A directory exists because
 * a row's path names it.
 */
#pragma once

#include "fs/text.h"

/*
 * One file, or one for each of several things: '#' in its path stands for the numbers 0 to
 * count() - 1, as in "cpu#/online". There is at most one in a path.
 *
 * The first of show_each, show, says and get that is there makes the text; without any of them it
 * is @number. A file with store or set can be written.
 */
struct table_file {
	const char *path;
	unsigned (*count)(void);
	void (*show_each)(struct text *t, unsigned n);
	void (*show)(struct text *t);
	const char *says;			/* without the newline at its end */
	long (*get)(void);
	long number;
	int (*store)(const char *value);	/* without a newline at its end: 0 or an error */
	int (*set)(long value);			/* from @min to @max: 0 or an error */
	long min, max;
};

struct table_fs {
	const struct table_file *rows;	/* the last one has no path */
	u64 dev;
	bool whole;			/* a read that cannot copy all its bytes fails */
	u8 fixed;			/* FIXED_* of all its inodes */
	u32 dir_mode;			/* of its directories except the root */
	u64 ino_bit;			/* set in all its inode numbers, if it shares @dev */
};

/* Makes the root, a new inode; NULL: no memory. */
struct inode *tablefs_root(const struct table_fs *fs);
