/*
 * /proc: the kernel's own figures as files. Names and reading are here, contents elsewhere
 * (proc.h).
 *
 *	/proc/			system files, self, one directory a process
 *	/proc/PID/		process files
 *
 * Nothing is kept: a name is looked up by asking whether the process exists, and each lookup makes
 * an inode that goes with its last reference. A file's text is made when it is opened, so what one
 * open file reads is one moment's picture.
 *
 * The inode number says what an inode is: process id and, from the table of files, its place + 1.
 */
#include "proc.h"

#include <stdarg.h>

#include "cpu.h"
#include "errno.h"
#include "fs.h"
#include "mm.h"
#include "printf.h"
#include "process.h"
#include "string.h"

#define PROC_DEV	1u
#define PROC_ROOT	0xffu		/* its place: no file's */
#define POS_PROCESSES	0x100		/* the root's positions from here on are process ids */

static struct kmem_cache *inode_cache;
static struct inode *proc_root;
static const struct inode_ops proc_ops;
static const struct file_ops proc_file_ops;
static const struct file_ops proc_dir_ops;

/* --- Text ------------------------------------------------------------------------------------- */

/* Room for @more bytes and a terminator. */
static bool text_reserve(struct text *t, size_t more)
{
	size_t size = t->size ? t->size : 256;
	char *buf;

	if (t->failed || t->len + more < t->size)
		return !t->failed;
	while (size <= t->len + more)
		size *= 2;
	buf = kmalloc(size);
	t->failed = !buf;
	if (!buf)
		return false;
	if (t->buf)
		memcpy(buf, t->buf, t->len);
	kfree(t->buf);
	t->buf = buf;
	t->size = size;
	return true;
}

void text_append(struct text *t, const char *s, size_t len)
{
	if (!text_reserve(t, len))
		return;
	memcpy(t->buf + t->len, s, len);
	t->len += len;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (!text_reserve(t, n))
		return;
	va_start(ap, fmt);
	t->len += vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
}

/* --- Inodes ----------------------------------------------------------------------------------- */

static u64 make_ino(pid_t pid, unsigned place)
{
	return (u64)pid << 8 | place;
}

static pid_t ino_pid(const struct inode *i)
{
	return i->ino >> 8;
}

static unsigned ino_place(const struct inode *i)
{
	return i->ino & 0xff;
}

static int make_inode(u32 mode, const struct file_ops *fops, u64 ino, struct inode **out)
{
	struct inode *i = kmem_cache_alloc(inode_cache);

	if (!i)
		return -ENOMEM;
	inode_init(i, mode, &proc_ops, fops);
	i->dev = PROC_DEV;
	i->ino = ino;
	*out = i;
	return 0;
}

static int make_dir(struct inode *parent, u64 ino, struct inode **out)
{
	int err = make_inode(S_IFDIR | 0555, &proc_dir_ops, ino, out);

	if (err)
		return err;
	(*out)->nlink = 2;
	(*out)->parent = parent ? inode_get(parent) : NULL;
	return 0;
}

static bool name_is(const char *is, const char *name, size_t len)
{
	return strncmp(is, name, len) == 0 && is[len] == '\0';
}

/* A decimal process id without leading zeros, or 0. */
static pid_t parse_pid(const char *name, size_t len)
{
	pid_t pid = 0;

	if (len > 9 || name[0] == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		pid = pid * 10 + name[i] - '0';
	}
	return pid;
}

static bool process_exists(pid_t pid)
{
	struct process *p = process_find(pid);

	if (p)
		process_put(p);
	return p;
}

static const struct proc_file *files_in(const struct inode *dir)
{
	return dir == proc_root ? proc_system_files : proc_process_files;
}

static u32 file_mode(const struct proc_file *f)
{
	return f->show ? S_IFREG | 0444 : S_IFLNK | 0777;
}

static int proc_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	pid_t pid = dir == proc_root ? parse_pid(name, len) : 0;
	const struct proc_file *f = files_in(dir);

	if (pid && process_exists(pid))
		return make_dir(dir, make_ino(pid, 0), out);
	for (unsigned i = 0; f[i].name; i++)
		if (name_is(f[i].name, name, len))
			return make_inode(file_mode(&f[i]), &proc_file_ops,
					  make_ino(ino_pid(dir), i + 1), out);
	return -ENOENT;
}

/* --- Listing ---------------------------------------------------------------------------------- */

struct pid_search {
	pid_t from, found;	/* the lowest id >= from; 0: none yet */
};

static void match_pid(struct process *p, void *arg)
{
	struct pid_search *s = arg;

	if (p->pid >= s->from && (!s->found || p->pid < s->found))
		s->found = p->pid;
}

/* One search a process: the table is locked for each, not while its user takes them. */
static void list_processes(pid_t from, dirent_fn emit, void *arg)
{
	struct pid_search s = { .from = MAX(from, 1) };
	char name[12];

	for (;; s.from = s.found + 1) {
		s.found = 0;
		process_for_each(match_pid, &s);
		if (!s.found || !emit(arg, name, snprintf(name, sizeof(name), "%d", s.found),
				      make_ino(s.found, 0), S_IFDIR, POS_PROCESSES + s.found + 1))
			return;
	}
}

static int proc_readdir(struct inode *dir, off_t pos, dirent_fn emit, void *arg)
{
	const struct proc_file *f = files_in(dir);

	if (!emit_dots(dir, pos, emit, arg))
		return 0;
	for (unsigned i = 0; f[i].name; i++)
		if (i + 2 >= pos && !emit(arg, f[i].name, strlen(f[i].name),
					  make_ino(ino_pid(dir), i + 1), file_mode(&f[i]), i + 3))
			return 0;
	if (dir == proc_root)
		list_processes(pos - POS_PROCESSES, emit, arg);
	return 0;
}

static int proc_readlink(struct inode *i, char *buf, size_t size)
{
	char text[12];
	size_t n = snprintf(text, sizeof(text), "%d", current_process()->pid);

	(void)i;
	n = MIN(n, size);
	memcpy(buf, text, n);
	return n;
}

static void proc_release(struct inode *i)
{
	kmem_cache_free(inode_cache, i);
}

/* --- Reading ---------------------------------------------------------------------------------- */

static int show(struct inode *i, struct text *t)
{
	struct process *p;

	if (ino_pid(i) == 0) {
		proc_system_files[ino_place(i) - 1].show(t, NULL);
		return 0;
	}
	p = process_find(ino_pid(i));
	if (!p)
		return -ESRCH;
	proc_process_files[ino_place(i) - 1].show(t, p);
	process_put(p);
	return 0;
}

static void text_free(struct text *t)
{
	kfree(t->buf);
	kfree(t);
}

static int proc_open(struct file *f)
{
	struct text *t;
	int err;

	if ((f->flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	err = show(f->inode, t);
	if (!err && t->failed)
		err = -ENOMEM;
	if (err)
		text_free(t);
	else
		f->private = t;
	return err;
}

static void proc_close(struct file *f)
{
	text_free(f->private);
}

static ssize_t proc_read(struct file *f, struct iobuf *b, off_t *pos)
{
	struct text *t = f->private;
	size_t n;

	if (*pos >= (off_t)t->len)
		return 0;
	n = MIN(b->left, t->len - *pos);
	if (iobuf_copy_to(b, t->buf + *pos, n))
		return -EFAULT;
	*pos += n;
	return n;
}

static const struct file_ops proc_file_ops = {
	.open = proc_open,
	.close = proc_close,
	.read = proc_read,
	.seekable = true,
};

static const struct inode_ops proc_ops = {
	.lookup = proc_lookup,
	.readdir = proc_readdir,
	.readlink = proc_readlink,
	.release = proc_release,
};

void procfs_init(void)
{
	int err;

	inode_cache = kmem_cache_create("proc_inode", sizeof(struct inode), 0);
	err = inode_cache ? make_dir(NULL, make_ino(0, PROC_ROOT), &proc_root) : -ENOMEM;
	if (!err)
		err = ramfs_attach(root_inode, "proc", proc_root);
	if (err)
		kprintf("procfs: cannot attach /proc: error %d\n", -err);
}
