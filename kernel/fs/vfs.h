/*
 * Files: inodes with operations, open file descriptions, descriptor tables, paths.
 *
 * inode	a file's identity and contents; reference counted; inode->lock, a mutex, guards
 *		contents and directory entries. Of two: parent before child, else by address.
 * file		one open(): offset, flags; reference counted, shared by dup and fork
 * fdtable	a process's descriptors
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
#define O_TMPFILE_ALONE	020000000u	/* Linux's O_TMPFILE also has O_DIRECTORY */

#define POLLIN		0x001u
#define POLLPRI		0x002u
#define POLLOUT		0x004u
#define POLLERR		0x008u
#define POLLHUP		0x010u
#define POLLNVAL	0x020u
#define POLLRDNORM	0x040u		/* as POLLIN */
#define POLLWRNORM	0x100u		/* as POLLOUT */
#define POLLWRBAND	0x200u		/* the same, in signals */

/* Device numbers of the file systems: inode.dev. To programs, 0 is no device. */
enum { DEV_ROOT = 1, DEV_PROC, DEV_SYSFS, DEV_SHARED, DEV_PIPES, DEV_ANON };

#define NAME_MAX	255
#define PATH_MAX	4096
#define SYMLINK_MAX	40	/* followed in one path before -ELOOP */
#define FD_MAX		4096

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

/* Flags of one transfer beside the file's own, of preadv2() and pwritev2(). */
#define RWF_HIPRI	0x01u
#define RWF_DSYNC	0x02u
#define RWF_SYNC	0x04u
#define RWF_NOWAIT	0x08u
#define RWF_APPEND	0x10u
#define RWF_NOAPPEND	0x20u

/*
 * The memory of one transfer, to read into or write from: a range, or the segments of a vector one
 * after the other. User addresses are checked on copying.
 */
struct iobuf {
	vaddr_t addr;			/* where the current segment goes on */
	size_t left;			/* bytes, in all segments */
	size_t later;			/* of these, in the segments after the current one */
	const struct iovec *next;	/* where those are, if there are any */
	bool kernel;			/* addr is a kernel address; see iobuf_kernel() */
	u32 flags;			/* RWF_* */
};

/* The kernel's own memory. With no bytes in a current segment the short way of user memory ends. */
static inline struct iobuf iobuf_kernel(const void *p, size_t n)
{
	return (struct iobuf){ .addr = (vaddr_t)p, .left = n, .later = n, .kernel = true };
}

/*
 * Copy to or from the memory, or fill it with zeros, and advance it. How many bytes were moved:
 * fewer than the @n asked for (<= left) only where user memory cannot be reached.
 */
size_t iobuf_copy_to(struct iobuf *b, const void *src, size_t n);
size_t iobuf_copy_from(struct iobuf *b, void *dst, size_t n);
size_t iobuf_clear(struct iobuf *b, size_t n);

/* The bytes of user memory that come next and lie in one segment and page. There are some left. */
size_t iobuf_part(struct iobuf *b);

/* Called by readdir for each entry; false: stop, the entry was not taken. */
typedef bool (*dirent_fn)(void *arg, const char *name, size_t len, u64 ino, u32 mode, off_t next);

/* The object that a new name is to stand for. */
struct new_name {
	u32 mode;			/* S_IF* and permissions of the inode to be made */
	u64 rdev;			/* of a device */
	const char *target;		/* of a symbolic link, not ended */
	size_t target_len;
	struct inode *existing;		/* not NULL: nothing is made, this one gets another name */
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
	int (*follow)(struct inode *link, struct inode **out);	/* instead of what it says */
	int (*truncate)(struct inode *inode, off_t size);
	bool (*allows)(const struct inode *inode);	/* the caller everything, after all */

	/* Of one that is in no directory, or is no more: its name; NULL: none. i->lock held. */
	const char *(*lost_name)(struct inode *inode);

	/* Gives the range pages; makes it a hole. inode->lock held. */
	int (*allocate)(struct inode *inode, off_t pos, off_t n, bool keep_size);
	int (*punch)(struct inode *inode, off_t pos, off_t n);

	/* The first data, or hole, at or after @from, which is below the size; -ENXIO: no data. */
	off_t (*seek)(struct inode *inode, off_t from, bool hole);

	/*
	 * The page that holds [index * PAGE_SIZE, ...), referenced, for mapping. With @make a hole
	 * gets a page of zeros; without it *out is NULL. -EFAULT beyond the end of the file.
	 */
	int (*get_page)(struct inode *inode, u64 index, bool make, struct page **out);
	void (*release)(struct inode *inode);	/* the last reference is gone; frees it */
};

/* The receiver of a file's signals: Linux's struct f_owner_ex. */
struct file_owner {
	s32 kind;
	pid_t id;			/* 0: nobody */
};

enum { OWNER_THREAD, OWNER_PROCESS, OWNER_GROUP };

/* A file's own; NULL entries get the errno Linux gives. @pos is the file's offset, advanced. */
struct file_ops {
	const char *name;		/* of one that no directory has, for /proc */
	int (*open)(struct file *f);
	void (*close)(struct file *f);
	void (*flush)(struct file *f, const struct fdtable *t);	/* it left a place in @t */
	ssize_t (*read)(struct file *f, struct iobuf *b, off_t *pos);
	ssize_t (*write)(struct file *f, struct iobuf *b, off_t *pos);
	unsigned (*poll)(struct file *f, struct poll_table *pt);	/* POLL*; see poll_add() */
	int (*ioctl)(struct file *f, unsigned cmd, vaddr_t arg);
	/* Bytes of kernel memory that go when it is closed. NULL: none to speak of. May block. */
	u64 (*held)(struct file *f);
	struct file_owner (*owner)(void);	/* once O_ASYNC is on, if F_SETOWN named none */
	bool async;		/* O_ASYNC can be turned on: async_notify(f->private, ...) */
	bool seekable;
	bool unsent;		/* sendfile() and splice() do not read it */
	bool by_segment;	/* each segment of a vector is a write; these two make none */
	bool nowait;		/* it heeds RWF_NOWAIT */
	bool placeless;		/* its offset stays 0, and lseek() says so */
	bool endless;		/* its length shows when it is read: nothing counts from its end */
};

/* fcntl's seals of a memfd_create() file; SEALS_MEMFD: it is one, so it may have some. */
#define F_SEAL_SEAL		1u
#define F_SEAL_SHRINK		2u
#define F_SEAL_GROW		4u
#define F_SEAL_WRITE		8u
#define F_SEAL_FUTURE_WRITE	16u
#define F_SEAL_EXEC		32u
#define SEALS_ALL		63u
#define SEALS_MEMFD		(1u << 31)

/* Since 1970, or, with negative seconds, before. */
struct inode_time {
	s64 sec;
	u32 nsec;
};

struct inode_time inode_now(void);	/* what it is now, for any of them */

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
	_Atomic u64 mapped_write;	/* ns since 1970: a shared mapping was written to; 0: not */
	_Atomic bool unread;		/* [lock] to write: changed since atime was set */
	_Atomic u32 refs;
	struct mutex lock;
	const struct inode_ops *ops;
	const struct file_ops *fops;
	const struct backing_ops *backing;	/* for the regions that it backs: mm/vm.h */
	u32 seals;			/* [lock] F_SEAL_*: what may no longer be done */
	bool linkable;			/* [lock] has no name yet, but may be given one */
	u8 fixed;			/* [const] FIXED_* */
	_Atomic s32 writers;		/* open for writing; below 0: programs that run, negated */
	void *private;			/* the file system's */
	_Atomic u32 nr_locks;		/* filelock.c */
	struct spinlock mappings_lock;	/* inside as->lock */
	struct list_node mappings;	/* [mappings_lock] regions it backs; mm/rmap.c */
	struct inode *parent;		/* [lock] where it is or was; referenced. Or NULL */
};

/* The receiver and the rest of what a file with O_ASYNC tells; async.c. */
struct async {
	struct list_node node;		/* [async_lock] */
	void (*tell)(const struct async *a, int code);	/* [async_lock] POLL_*: the owner, if any */
	struct file_owner owner;	/* [async_lock] */
	u64 born;			/* [async_lock] start_ns of the owner's process */
	u32 uid, euid;			/* [async_lock] of the caller who named the owner */
	int fd;				/* [async_lock] by which O_ASYNC was turned on */
	_Atomic s32 sig;		/* 0: SIGIO, which does not say what happened */
};

struct file {
	_Atomic u32 refs;
	u32 flags;			/* O_* */
	struct inode *inode;		/* [const] referenced */
	struct inode *dir;		/* [const] where it was found, referenced; or NULL */
	const struct file_ops *ops;	/* [const] */
	struct mutex lock;		/* offset */
	off_t offset;			/* [lock] */
	bool made;			/* [const] with its file, not opened: a writer may run it */
	void *private;			/* the driver's */
	struct async async;
};

/* Things that nobody may do to an inode, whatever its mode says. */
#define FIXED_MODE	1u	/* change its mode */
#define FIXED_OWNER	2u	/* change its owner */
#define FIXED_WRITE	4u	/* write to it, or change a directory: -EPERM */
#define FIXED_RIGHTS	8u	/* have more rights by being privileged */

static inline bool inode_is(const struct inode *i, u32 type)	/* S_IF* */
{
	return (i->mode & S_IFMT) == type;
}

/* --- Permissions, permission.c: the current thread's --- */

#define MAY_EXEC	1u	/* of a directory: search */
#define MAY_WRITE	2u
#define MAY_READ	4u
#define MAY_ALL		7u

bool cred_in_group(const struct cred *c, u32 gid);	/* gid.fs or one of its groups */
int inode_permission_slow(const struct inode *i, unsigned mask);

/* 0 or -EACCES: may it do all of @mask with @i? What everybody may is the usual answer. */
static inline int inode_permission(const struct inode *i, unsigned mask)
{
	u32 everybody = i->mode & i->mode >> 3 & i->mode >> 6;

	return likely(!(mask & ~everybody)) ? 0 : inode_permission_slow(i, mask);
}

/* It is the owner, or as good as one. */
bool inode_owned(const struct inode *i);

/* chmod, chown (ID_KEEP: stays). -EPERM. */
int inode_set_mode(struct inode *i, u32 mode);
int inode_set_owner(struct inode *i, u32 uid, u32 gid);

/* The contents change: the file loses its set-id bits unless root does it. i->lock held. */
void inode_drop_set_id_slow(struct inode *i);

static inline void inode_drop_set_id(struct inode *i)
{
	if (unlikely(i->mode & (S_ISUID | S_ISGID)))
		inode_drop_set_id_slow(i);
}

/*
 * When a shared page was written to for the first time is noted, since a fault cannot take i->lock;
 * here that becomes mtime and ctime. i->lock held.
 */
void inode_settle_times(struct inode *i);

/* The file itself, its attributes or its names have changed now. i->lock held. */
void inode_changed(struct inode *i);

/*
 * @f has been read: its atime becomes now if the file has changed since atime was last set, as
 * under Linux's mount option relatime. Takes i->lock if so.
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

void file_put(struct file *f);		/* the last reference closes. May block */

/*
 * A regular file is written to or runs as a program, not both at once: -ETXTBSY. Opening a file
 * for writing counts; a program's file is held by these.
 */
int inode_get_write(struct inode *i);
void inode_put_write(struct inode *i);
int file_deny_write(struct file *f);
struct file *program_get(struct file *f);	/* another reference of the kind */
void program_put(struct file *f);

/* A new description of @i, which keeps its own reference. */
int file_open_inode(struct inode *i, u32 flags, struct file **out);

/* Tells for what it was opened. O_ACCMODE's fourth value, for ioctl() alone, allows neither. */
static inline bool file_reads(const struct file *f)
{
	return !(f->flags & O_WRONLY);
}

/* Do open()'s @flags let writes through? */
static inline bool flags_write(u32 flags)
{
	u32 mode = flags & O_ACCMODE;

	return mode == O_WRONLY || mode == O_RDWR;
}

static inline bool file_writes(const struct file *f)
{
	return flags_write(f->flags);
}

ssize_t file_read(struct file *f, struct iobuf *b, off_t *pos);	/* NULL: the file's own */
ssize_t file_write(struct file *f, struct iobuf *b, off_t *pos);

/*
 * Paths: relative ones start at @at (NULL: the root). Symbolic links followed but, with nofollow,
 * the last.
 */
int path_lookup(struct inode *at, const char *path, bool nofollow, struct inode **out);

int path_open(struct inode *at, const char *path, u32 flags, u32 mode, struct file **out);

/* Things that a path must not do, of openat2(): -EXDEV, and links -ELOOP. */
#define RESOLVE_NO_XDEV		1u	/* lead to another file system */
#define RESOLVE_NO_MAGICLINKS	2u	/* meet a link that leads somewhere by itself */
#define RESOLVE_NO_SYMLINKS	4u	/* or any link */
#define RESOLVE_BENEATH		8u	/* leave @at */
#define RESOLVE_IN_ROOT		16u	/* the same, but that it stays there, as if chroot()ed */
int path_open_within(struct inode *at, const char *path, u32 flags, u32 mode, u32 resolve,
		     struct file **out);

/* The absolute path of a directory: 0, -ERANGE, or -ENOENT if it has been removed. */
int path_of(struct inode *dir, char *buf, size_t size);

/*
 * The path by which a file was opened, as it is now; and where an inode is. Of one that has been
 * removed it is the last one, and says so. The length, or an error.
 */
int file_path(const struct file *f, char *buf, size_t size);
int inode_path(struct inode *i, char *buf, size_t size);

/* Changes of the tree, with Linux's errors. The caller has applied its umask to the mode. */
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

/* Where a process is; place.c. */
struct place {
	_Atomic u32 refs;		/* processes that share it, and who looks from outside */
	struct spinlock lock;
	struct inode *cwd;		/* [lock] referenced */
	struct inode *root;		/* [lock] referenced; NULL: the real one; see chroot() */
	u32 umask;			/* [lock] to write */
};

extern struct place kernel_place;	/* every kernel thread's */

struct place *place_copy(struct place *from);	/* NULL: memory is short */
struct place *place_get(struct place *c);
void place_put(struct place *c);

/* The place of @p, referenced; NULL: it has none, or is dying. */
struct process;
struct place *process_get_place(struct process *p);

/* *which, cwd or root of @c: a reference; or @dir, whose reference is taken over, in its place. */
struct inode *place_dir(struct place *c, struct inode **which);
struct inode *place_change(struct place *c, struct inode **which, struct inode *dir);

/* Descriptors. The table's lock is its own; entries hold a reference. */
struct fdtable;
int fdtable_create(struct fdtable **out);
int fdtable_clone(struct fdtable *t, struct fdtable **out);	/* fork */
struct fdtable *fdtable_get(struct fdtable *t);
void fdtable_put(struct fdtable *t);	/* the last one closes all. May block */

/* The descriptors of @p, referenced; NULL: it has none, or is dying. */
struct fdtable *process_get_fds(struct process *p);

/* The current process, which has one thread, stops sharing its table. 0 or -ENOMEM. */
int fdtable_unshare(void);
void fdtable_close_exec(struct fdtable *t);

/* The first file at or above *@fd, referenced, and where it is; NULL: there is none. */
struct file *fdtable_next(struct fdtable *t, int *fd);

unsigned fdtable_size(struct fdtable *t);	/* no descriptor is as large */

/* Bytes of kernel memory its files hold: of a shared one a share. @t stays. May block. */
u64 fdtable_held(struct fdtable *t);

/* Where the calls of @t's processes are recorded (abi/strace.c), or NULL; from now on @f. */
struct file *fdtable_recorder(struct fdtable *t);
void fdtable_record(struct fdtable *t, struct file *f);

struct file *fd_get(int fd);			/* the current process's, referenced; NULL: bad */
struct file *fd_get_any(int fd);		/* the same, also one opened with O_PATH */

/*
 * The lowest free descriptor from @min on, kept free for a file that is still to be opened: then
 * fd_fill() it, with NULL if there is no file after all.
 */
int fd_reserve(int min, u64 limit);
void fd_fill(int fd, struct file *f, bool cloexec);

/* Both take over the reference, also when they fail. The lowest free one >= @min; dup2, dup3. */
int fd_install(struct file *f, int min, u64 limit, bool cloexec);
int fd_replace(int fd, struct file *f, u64 limit, bool cloexec);
int fd_close(int fd);
int fd_flags(int fd, int set);			/* FD_CLOEXEC: set -1 only asks */

/*
 * Poll: an op calls poll_add() for each queue whose wake-ups can change its answer, and then looks.
 * It must not block: the thread is in queues already, so a wake-up may come at any time and would
 * end the wrong wait. @pt may be NULL: just look.
 */
void poll_add(struct poll_table *pt, struct wait_queue *q);

#define POLL_QUEUES	2	/* that one file's answer may hang on */

struct poll_request {
	struct file *file;	/* NULL: skipped */
	unsigned events;	/* POLL* asked for */
	unsigned ready;		/* out */
	unsigned nr_links;	/* during the wait: where it stands in the file's queues */
	struct wait_link link[POLL_QUEUES];
};

/* Waits until one of @r is ready: how many are, 0 at the deadline, -EINTR. */
int poll_files(struct poll_request *r, unsigned n, struct deadline d);

/*
 * Signals to the owners of files, async.c. By an operation that may have made the files of @source
 * readable (POLL_IN) or writable (POLL_OUT), all of them but those whose access mode is @but. Any
 * context that may take the tree lock.
 */
extern _Atomic u32 async_files;
void async_notify_slow(const void *source, int code, u32 but);

static inline void async_notify(const void *source, int code, u32 but)
{
	if (unlikely(atomic_load_explicit(&async_files, memory_order_relaxed)))
		async_notify_slow(source, code, but);
}

/* Sets or clears O_ASYNC, by descriptor @fd; false: it is so already, or the file cannot do it. */
bool async_list(struct file *f, int fd, bool on);

extern struct spinlock async_lock;

/*
 * Sends @sig (SIGPIPE, SIGXFSZ) to the current thread, as if it did so itself. A hook:
 * process/signal.c.
 */
void signal_raise(int sig);

int pipe_create(struct file **r, struct file **w, u32 flags);
extern const struct file_ops pipe_file_ops;	/* with a name or without */
long pipe_set_size(struct file *f, u32 bytes);	/* the size it gets: a power of two, of pages */
long pipe_get_size(struct file *f);

/* --- Into and out of pipes within the kernel, splice.c --- */

struct pipe;
struct pipe *pipe_of(const struct file *f);	/* NULL: it is another kind */

/* Such a file can be the other side. */
bool splice_reads(const struct file *f);
bool splice_writes(const struct file *f);

/* The side that is no pipe: a file, at *pos, which advances; or memory. */
struct splice_side {
	struct file *file;
	off_t *pos;
	struct iobuf *memory;
};

/*
 * Move up to @n bytes, as many as there are and as there is room for: how many. They block only
 * before the first one: -EAGAIN, -EINTR. 0: the end of the file, or no more writers. splice_pipes()
 * with @keep copies. -EPIPE comes with its signal.
 */
ssize_t splice_to_pipe(struct splice_side *from, struct pipe *p, size_t n, bool nonblock);
ssize_t splice_from_pipe(struct pipe *p, struct splice_side *to, size_t n, bool nonblock);
ssize_t splice_pipes(struct pipe *from, struct pipe *to, size_t n, bool keep, bool nonblock);

/* A process as a file, and whose a file is; NULL: it is another kind. pidfd.c */
int pidfd_create(struct process *p, u32 flags, struct file **out);
struct process *pidfd_process(const struct file *f);

/* The process whose directory /proc/PID @f is; 0: it is another kind of file. proc.c */
pid_t proc_directory_of(const struct file *f);

/* Signals to be read; signalfd.c. -EINVAL: it is another kind of file. */
int signalfd_create(u64 set, u32 flags, struct file **out);
int signalfd_set(struct file *f, u64 set);

int eventfd_create(u32 count, bool semaphore, u32 flags, struct file **out);

/* File systems */
struct inode *ramfs_create_root(void);
struct inode *ramfs_create_anon(u64 size);	/* for shared anonymous memory; or NULL */

/* A new one becomes like a file @name that has been removed from @dir, or from "/". -ENOMEM. */
int ramfs_name_anon(struct inode *i, struct inode *dir, const char *name);
int initramfs_unpack(const void *cpio, size_t size);
void vfs_init(void);
void devfs_init(void);				/* /dev: null zero full random urandom, terminals */
void procfs_init(void);				/* /proc */
void sysfs_init(void);				/* /sys */
