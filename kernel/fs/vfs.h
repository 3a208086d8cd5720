/*
 * Files: inodes with operations, open file descriptions, paths.
 *
 * inode	a file's identity and contents; reference counted; inode->lock, a mutex, guards
 *		contents and directory entries. Of two: parent before child, else by address.
 * file		one open(): offset, flags; reference counted, shared by dup and fork
 * fdtable	a process's descriptors: fs/fdtable.h
 *
 * Lock order: rename lock -> file->lock -> inode->lock (directory, then child) -> as->lock (a copy
 * to or from user memory faults) -> spin locks. So inode_ops.get_page(), which a fault calls, must
 * not take inode->lock.
 */
#pragma once

#include "base/list.h"
#include "lock/spinlock.h"
#include "sched/wait.h"
#include "sync/mutex.h"
#include "types.h"

#define S_IFMT		0170000u
#define S_IFSOCK	0140000u
#define S_IFLNK		0120000u
#define S_IFREG		0100000u
#define S_IFBLK		0060000u
#define S_IFDIR		0040000u
#define S_IFCHR		0020000u
#define S_IFIFO		0010000u
#define S_ISUID		0004000u
#define S_ISGID		0002000u
#define S_ISVTX		0001000u

/* Linux's open flags. */
#define O_RDONLY	00u
#define O_WRONLY	01u
#define O_RDWR		02u
#define O_ACCMODE	03u
#define O_CREAT		0100u
#define O_EXCL		0200u
#define O_NOCTTY	0400u
#define O_TRUNC		01000u
#define O_APPEND	02000u
#define O_NONBLOCK	04000u
#define O_ASYNC		020000u
#define O_DIRECT	040000u
#define O_LARGEFILE	0100000u
#define O_DIRECTORY	0200000u
#define O_NOFOLLOW	0400000u
#define O_NOATIME	01000000u
#define O_CLOEXEC	02000000u
#define O_PATH		010000000u
#define O_TMPFILE_ALONE	020000000u	/* O_TMPFILE without the O_DIRECTORY in it */

/* Device numbers of the file systems: inode.dev. They begin at 1: to programs 0 is no device. */
enum { DEV_ROOT = 1, DEV_PROC, DEV_SYSFS, DEV_SHARED, DEV_PIPES, DEV_QUEUES, DEV_ANON };

#define NAME_MAX	255
#define PATH_MAX	4096
#define SYMLINK_MAX	40	/* followed in one path before -ELOOP */

struct fdtable;
struct file;
struct cred;
struct inode;
struct page;
struct poll_table;

/* A segment of readv() and writev(): Linux's struct iovec. */
struct iovec {
	vaddr_t base;
	size_t len;
};

/* Flags of preadv2() and pwritev2(): for one transfer, in addition to the file's own. */
#define RWF_HIPRI	0x01u
#define RWF_DSYNC	0x02u
#define RWF_SYNC	0x04u
#define RWF_NOWAIT	0x08u
#define RWF_APPEND	0x10u
#define RWF_NOAPPEND	0x20u

/*
 * The memory of one transfer, the destination of a read or the source of a write: a range, or the
 * segments of a vector one after the other. Copying checks user addresses.
 */
struct iobuf {
	vaddr_t addr;			/* the next byte of the current segment */
	size_t left;			/* bytes still to be moved, in all segments */
	size_t later;			/* those of them in the segments after the current one */
	const struct iovec *next;	/* these segments, if there are any */
	bool kernel;			/* addr is a kernel address; see iobuf_kernel() */
	u32 flags;			/* RWF_* */
};

/*
 * The kernel's own memory. All its bytes count as later ones, so the current segment is empty and
 * the fast path, which is for user memory alone, is not taken.
 */
static inline struct iobuf iobuf_kernel(const void *p, size_t n)
{
	return (struct iobuf){ .addr = (vaddr_t)p, .left = n, .later = n, .kernel = true };
}

/*
 * Copy @n <= left bytes to or from the memory, or fill it with zeros, and advance it. They return
 * how many bytes were moved: fewer than @n only where user memory cannot be reached.
 */
size_t iobuf_copy_to(struct iobuf *b, const void *src, size_t n);
size_t iobuf_copy_from(struct iobuf *b, void *dst, size_t n);
size_t iobuf_clear(struct iobuf *b, size_t n);

/* Returns how many of the next bytes of user memory lie in one segment and page; left > 0. */
size_t iobuf_part(struct iobuf *b);

/* Called by readdir for each entry. Returns false if it did not take the entry: readdir stops. */
typedef bool (*dirent_fn)(void *arg, const char *name, size_t len, u64 ino, u32 mode, off_t next);

/* The object that a new name is to stand for. */
struct new_name {
	u32 mode;			/* S_IF* and permissions of the inode to be made */
	u64 rdev;			/* of a device */
	const char *target;		/* of a symbolic link, without a terminator */
	size_t target_len;
	struct inode *existing;		/* gets another name, and nothing is made; or NULL */
};

struct inode_ops {
	/* Directories; dir->lock held. */
	int (*lookup)(struct inode *dir, const char *name, size_t len, struct inode **out);
	int (*create)(struct inode *dir, const char *name, size_t len, const struct new_name *new,
		      struct inode **out);
	int (*unlink)(struct inode *dir, const char *name, size_t len, bool is_dir);
	int (*rename)(struct inode *from, const char *old, size_t old_len, struct inode *to,
		      const char *new, size_t new_len);
	int (*exchange)(struct inode *a, const char *name, size_t len, struct inode *b,
			const char *other, size_t other_len);
	int (*readdir)(struct inode *dir, off_t pos, dirent_fn emit, void *arg);

	int (*readlink)(struct inode *inode, char *buf, size_t size);
	int (*follow)(struct inode *link, struct inode **out);	/* instead of its text */
	int (*truncate)(struct inode *inode, off_t size);
	bool (*allows)(const struct inode *inode);	/* true: the caller may, despite the mode */

	/* The last name of an inode that is in no directory, or NULL. i->lock held. */
	const char *(*lost_name)(struct inode *inode);

	/* Give the range pages, or make it a hole. inode->lock held. */
	int (*allocate)(struct inode *inode, off_t pos, off_t n, bool keep_size);
	int (*punch)(struct inode *inode, off_t pos, off_t n);

	/* Finds the first data, or hole, at or after @from < size. -ENXIO: there is no data. */
	off_t (*seek)(struct inode *inode, off_t from, bool hole);

	/*
	 * Gets page @index of the file, referenced, for a mapping. With @make a hole gets a page of
	 * zeros; without it *out is NULL for a hole. -EFAULT beyond the end of the file.
	 */
	int (*get_page)(struct inode *inode, u64 index, bool make, struct page **out);
	void (*release)(struct inode *inode);	/* frees it: the last reference is gone */
};

/* The receiver of an O_ASYNC file's signals: Linux's struct f_owner_ex. */
struct file_owner {
	s32 kind;
	pid_t id;			/* 0: nobody */
};

enum { OWNER_THREAD, OWNER_PROCESS, OWNER_GROUP };

/*
 * Operations of an open file. Without one the call fails with the errno that Linux gives. @pos is
 * the offset of the transfer, which read and write advance.
 */
struct file_ops {
	const char *name;		/* in /proc, of a file that is in no directory */
	int (*open)(struct file *f);
	void (*close)(struct file *f);
	void (*flush)(struct file *f, const struct fdtable *t);	/* a descriptor in @t is closed */
	ssize_t (*read)(struct file *f, struct iobuf *b, off_t *pos);
	ssize_t (*write)(struct file *f, struct iobuf *b, off_t *pos);
	unsigned (*poll)(struct file *f, struct poll_table *pt);	/* POLL*; see poll_add() */
	int (*ioctl)(struct file *f, unsigned cmd, vaddr_t arg);
	/* Bytes of kernel memory that closing it frees. NULL: hardly any. May block. */
	u64 (*held)(struct file *f);
	struct file_owner (*owner)(void);	/* for O_ASYNC, where F_SETOWN named none */
	bool async;		/* has O_ASYNC: its source calls async_notify(f->private, ...) */
	bool seekable;
	bool unsent;		/* sendfile() and splice() refuse to read it */
	bool by_segment;	/* each segment of a vector is a write; no target of splice() */
	bool nowait;		/* obeys RWF_NOWAIT */
	bool placeless;		/* lseek() succeeds, but the offset stays 0 */
	bool endless;		/* its length shows only as it is read: no SEEK_END */
};

/* fcntl's seals. SEALS_MEMFD marks a file of memfd_create(), which alone may have some. */
#define F_SEAL_SEAL		1u
#define F_SEAL_SHRINK		2u
#define F_SEAL_GROW		4u
#define F_SEAL_WRITE		8u
#define F_SEAL_FUTURE_WRITE	16u
#define F_SEAL_EXEC		32u
#define SEALS_ALL		63u
#define SEALS_MEMFD		(1u << 31)

/* A time since 1970, or before it if the seconds are negative. */
struct inode_time {
	s64 sec;
	u32 nsec;
};

struct inode_time inode_now(void);

struct inode {
	u64 ino;			/* [const] */
	u64 dev, rdev;			/* [const] */
	u32 mode;			/* [lock] to write; see permission.c */
	u32 nlink;			/* [lock] */
	u32 uid, gid;			/* [lock] to write */
	_Atomic u64 size;		/* [lock] to write */
	u64 blocks;			/* [lock] 512-byte units */
	struct inode_time atime, mtime, ctime;	/* [lock] */
	struct inode_time btime;	/* [const] when it was made */
	_Atomic u64 written;		/* ns since 1970: see inode_written(); or 0 */
	_Atomic bool unread;		/* changed since atime was set */
	_Atomic u32 refs;
	struct mutex lock;
	const struct inode_ops *ops;
	const struct file_ops *fops;
	const struct backing_ops *backing;	/* for regions that map it: mm/vm.h */
	u32 seals;			/* [lock] F_SEAL_* and SEALS_MEMFD */
	bool linkable;			/* [lock] has no name yet, but may get one (O_TMPFILE) */
	u8 fixed;			/* [const] FIXED_* */
	_Atomic s32 writers;		/* files open for writing; below 0: programs, negated */
	void *private;			/* the file system's */
	_Atomic u32 nr_locks;		/* filelock.c */
	struct spinlock mappings_lock;	/* inside as->lock */
	struct list_node mappings;	/* [mappings_lock] regions that map it; mm/rmap.c */
	struct inode *parent;		/* [lock] directory it is or was in, referenced; or NULL */
};

/* The receiver and the contents of an O_ASYNC file's signals; async.c. */
struct async {
	struct list_node node;		/* [async_lock] */
	void (*tell)(const struct async *a, int code);	/* [async_lock] sends POLL_* to the owner */
	struct file_owner owner;	/* [async_lock] */
	u64 born;			/* [async_lock] start_ns of the owner's process */
	u32 uid, euid;			/* [async_lock] of the caller that named the owner */
	int fd;				/* [async_lock] the descriptor that turned O_ASYNC on */
	_Atomic s32 sig;		/* 0: SIGIO, without siginfo */
};

struct file {
	_Atomic u32 refs;
	u32 flags;			/* O_* */
	struct inode *inode;		/* [const] referenced */
	struct inode *dir;		/* [const] directory it was found in, referenced; or NULL */
	const struct file_ops *ops;	/* [const] */
	struct mutex lock;		/* offset */
	off_t offset;			/* [lock] */
	bool made;			/* [const] by memfd_create(): a writer may run it */
	u32 opener;			/* [const] the uid.fs that opened it */
	unsigned writes_begun;		/* [const] of a FIFO: see fifo_had_writers() */
	void *private;			/* the driver's */
	struct async async;
};

/* inode.fixed: changes that nobody may make, whatever the mode says. */
#define FIXED_MODE	1u	/* change its mode */
#define FIXED_OWNER	2u	/* change its owner */
#define FIXED_WRITE	4u	/* write to it, or change a directory: -EPERM */
#define FIXED_RIGHTS	8u	/* have more rights by being privileged */

static inline bool inode_is(const struct inode *i, u32 type)	/* S_IF* */
{
	return (i->mode & S_IFMT) == type;
}

static inline bool inode_is_ordinary(const struct inode *i)	/* a file of the root file system */
{
	return inode_is(i, S_IFREG) && i->dev == DEV_ROOT;
}

/* --- Permissions, permission.c: the current thread's --- */

#define MAY_EXEC	1u	/* of a directory: search */
#define MAY_WRITE	2u
#define MAY_READ	4u
#define MAY_ALL		7u

bool cred_in_group(const struct cred *c, u32 gid);	/* gid.fs or one of its groups */
int inode_permission_slow(const struct inode *i, unsigned mask);

/*
 * Checks whether the current thread may do all of @mask with @i: 0, -EACCES, or -EPERM for
 * FIXED_WRITE. Most checks end at once, since everybody may.
 */
static inline int inode_permission(const struct inode *i, unsigned mask)
{
	u32 everybody = i->mode & i->mode >> 3 & i->mode >> 6;

	return likely(!(mask & ~everybody)) ? 0 : inode_permission_slow(i, mask);
}

/* Whether the current thread owns @i or has the capability to act as the owner. */
bool inode_owned(const struct inode *i);

/* chmod() and chown(); ID_KEEP leaves an id as it is. -EPERM. */
int inode_set_mode(struct inode *i, u32 mode);
int inode_set_owner(struct inode *i, u32 uid, u32 gid);

/* Takes away the set-id bits of a file whose contents are changed by anybody but root. */
void inode_drop_set_id_slow(struct inode *i) HOLDS(i->lock);

static inline void inode_drop_set_id(struct inode *i) HOLDS(i->lock)
{
	if (unlikely(i->mode & (S_ISUID | S_ISGID)))
		inode_drop_set_id_slow(i);
}

/*
 * Notes that @i is written now, without its lock: by a fault on a shared mapping, which cannot take
 * it, or to a FIFO. inode_settle_times() makes that time the file's mtime and ctime.
 */
void inode_written(struct inode *i);
void inode_settle_times(struct inode *i) HOLDS(i->lock);

/* Sets ctime to now: the contents, the attributes or the names of the file have changed. */
void inode_changed(struct inode *i) HOLDS(i->lock);

/*
 * Sets atime to now after a read if the file has changed since atime was last set, as under Linux's
 * mount option relatime. Takes i->lock then.
 */
void inode_accessed_slow(struct inode *i);

static inline void file_accessed(const struct file *f)
{
	if (unlikely(atomic_load_explicit(&f->inode->unread, memory_order_relaxed)) &&
	    !(f->flags & O_NOATIME))
		inode_accessed_slow(f->inode);
}

struct inode *inode_get(struct inode *i);
void inode_put(struct inode *i);

static inline struct file *file_get(struct file *f)
{
	atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
	return f;
}

void file_put(struct file *f);		/* the last one closes the file. May block */

/*
 * A regular file may be open for writing or run as a program, but not both at once: -ETXTBSY.
 * file_deny_write() claims @f's inode for a program; program_get() and program_put() add and drop
 * such a claim with a reference to the file.
 */
int inode_get_write(struct inode *i);
void inode_put_write(struct inode *i);
int file_deny_write(struct file *f);
struct file *program_get(struct file *f);
void program_put(struct file *f);

/* Makes an open file of @i, with a reference of its own to it. */
int file_open_inode(struct inode *i, u32 flags, struct file **out);

/*
 * Opens @i, new and the caller's own, as a file without a name. The file has the only reference to
 * it from now on; after an error it is gone.
 */
int file_open_anon(struct inode *i, const struct inode_ops *inode_ops,
		   const struct file_ops *file_ops, u32 flags, struct file **out);

/* Whether it may be read. O_ACCMODE's fourth value, for ioctl() alone, allows no transfer. */
static inline bool file_reads(const struct file *f)
{
	return !(f->flags & O_WRONLY);
}

/* Whether open()'s @flags allow writes. */
static inline bool flags_write(u32 flags)
{
	u32 mode = flags & O_ACCMODE;

	return mode == O_WRONLY || mode == O_RDWR;
}

static inline bool file_writes(const struct file *f)
{
	return flags_write(f->flags);
}

/* Transfers at *pos, or with NULL at the file's own offset. */
ssize_t file_read(struct file *f, struct iobuf *b, off_t *pos);
ssize_t file_write(struct file *f, struct iobuf *b, off_t *pos);

/*
 * Looks up a path; a relative one starts at @at, or at the root if @at is NULL. All symbolic links
 * are followed, but with @nofollow not the last component.
 */
int path_lookup(struct inode *at, const char *path, bool nofollow, struct inode **out);

int path_open(struct inode *at, const char *path, u32 flags, u32 mode, struct file **out);

/* Restrictions of openat2(): a path must not do this. -EXDEV, or -ELOOP for links. */
#define RESOLVE_NO_XDEV		1u	/* lead to another file system */
#define RESOLVE_NO_MAGICLINKS	2u	/* contain a link with inode_ops.follow */
#define RESOLVE_NO_SYMLINKS	4u	/* contain any link */
#define RESOLVE_BENEATH		8u	/* leave @at */
#define RESOLVE_IN_ROOT		16u	/* the same, but it stays in @at as if that were the root */
int path_open_within(struct inode *at, const char *path, u32 flags, u32 mode, u32 resolve,
		     struct file **out);

/*
 * Writes the absolute path of a directory: 0, -ENAMETOOLONG, or -ENOENT if it has been removed.
 * Outside the caller's root the path begins with "(unreachable)".
 */
int path_of(struct inode *dir, char *buf, size_t size);

/*
 * Write the path of an open file, or of an inode, as it is now; of a removed one the last path,
 * with " (deleted)" behind it. They return the length, or an error.
 */
int file_path(const struct file *f, char *buf, size_t size);
int inode_path(struct inode *i, char *buf, size_t size);

/* Change the tree, with Linux's errors. The caller has applied its umask to the mode. */
int vfs_make(struct inode *at, const char *path, const struct new_name *new, struct inode **out);
int vfs_create(struct inode *at, const char *path, u32 mode, u64 rdev);	/* mkdir, mknod: S_IF* */
int vfs_symlink(struct inode *at, const char *path, const char *target);
int vfs_link(struct inode *at, const char *path, struct inode *inode);
int vfs_unlink(struct inode *at, const char *path, bool is_dir);	/* unlink, rmdir */
int vfs_truncate(struct inode *i, off_t size);

#define RENAME_NOREPLACE	1u
#define RENAME_EXCHANGE		2u
int vfs_rename(struct inode *from_at, const char *from, struct inode *to_at, const char *to,
	       unsigned flags);

extern struct inode *root_inode;

/* The place of a process in the tree of files; place.c. */
struct place {
	_Atomic u32 refs;		/* processes that share it, and their observers */
	struct spinlock lock;
	struct inode *cwd;		/* [lock] referenced */
	struct inode *root;		/* [lock] referenced; NULL unless chroot() has set one */
	u32 umask;			/* [lock] to write */
};

extern struct place kernel_place;	/* every kernel thread's */

struct place *place_copy(struct place *from);	/* NULL: no memory */
struct place *place_get(struct place *c);
void place_put(struct place *c);

/* The place of @p, referenced; NULL: it has none, or is dying. */
struct process;
struct place *process_get_place(struct process *p);

/*
 * @which points to c->cwd or c->root. place_dir() returns a reference to the directory;
 * place_change() takes over the reference to @dir and returns the one to the old directory.
 */
struct inode *place_dir(struct place *c, struct inode **which);
struct inode *place_change(struct place *c, struct inode **which, struct inode *dir);

/*
 * Sends signals to the owners of the O_ASYNC files of @source (async.c) after an operation that may
 * have made them readable (POLL_IN) or writable (POLL_OUT). Files whose access mode is @but are
 * left out. Any context that may take tree_lock.
 */
extern _Atomic u32 async_files;
void async_notify_slow(const void *source, int code, u32 but);

static inline void async_notify(const void *source, int code, u32 but)
{
	if (unlikely(atomic_load_explicit(&async_files, memory_order_relaxed)))
		async_notify_slow(source, code, but);
}

/* Sets or clears O_ASYNC, by descriptor @fd. Returns false if that changes nothing for @f. */
bool async_list(struct file *f, int fd, bool on);

extern struct spinlock async_lock;

/*
 * Sends @sig (SIGPIPE, SIGXFSZ) to the current thread, as if by itself. A hook, defined in
 * process/signal.c.
 */
void signal_raise(int sig);

int pipe_create(struct file **r, struct file **w, u32 flags);
extern const struct file_ops pipe_file_ops;	/* of pipes and FIFOs */
long pipe_set_size(struct file *f, u32 bytes);	/* returns the size it gets: 2^n pages */
long pipe_get_size(struct file *f);

int eventfd_create(u32 count, bool semaphore, u32 flags, struct file **out);

/* File systems */
struct inode *ramfs_create_root(void);
struct inode *ramfs_create_anon(u64 size);	/* a file without a name: shared memory; or NULL */

/* Lets a new file without a name look like @name, removed from @dir (NULL: from "/"). -ENOMEM. */
int ramfs_name_anon(struct inode *i, struct inode *dir, const char *name);
int initramfs_unpack(const void *cpio, size_t size);
void vfs_init(void);
void devfs_init(void);		/* makes /dev */
