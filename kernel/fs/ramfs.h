/*
 * The file system in memory: shared by ramfs.c (names) and ramfs_file.c (contents).
 */
#pragma once

#include "base/list.h"
#include "base/rbtree.h"
#include "fs.h"
#include "pagetree.h"

struct entry;

struct ramfs_inode {
	struct inode inode;
	union {
		struct {			/* directory; [inode.lock] */
			struct rb_tree by_name;
			struct list_node entries;	/* in order of position */
			off_t next_pos;
		};
		struct {			/* regular file */
			struct mutex pages_lock;	/* innermost; a page fault takes it */
			struct pagetree pages;		/* [pages_lock] */
		};
		char *target;			/* symbolic link; [const] */
	};
	struct entry *last;		/* [inode.lock] the last name, once removed; or NULL */
};

static inline struct ramfs_inode *to_ramfs(struct inode *i)
{
	return container_of(i, struct ramfs_inode, inode);
}

/* The operations of a regular file. */
extern const struct file_ops ramfs_file_ops;
void ramfs_file_init(struct ramfs_inode *r);
void ramfs_file_release(struct ramfs_inode *r);
int ramfs_truncate(struct inode *i, off_t size) HOLDS(i->lock);
off_t ramfs_seek(struct inode *i, off_t from, bool hole);
int ramfs_allocate(struct inode *i, off_t pos, off_t n, bool keep_size) HOLDS(i->lock);
int ramfs_punch(struct inode *i, off_t pos, off_t n) HOLDS(i->lock);
int ramfs_get_page(struct inode *i, u64 index, bool make, struct page **out);
