/*
 * /proc: the kernel's own figures as files. Names and reading are here, contents elsewhere
 * (proc.h).
 *
 *	/proc/			system files, self, sys/ (proc_sys.c), one directory a process
 *	/proc/PID/		process files, task/; any of its threads' ids will do, but only the
 *				process's own is listed
 *	/proc/PID/task/TID/	the same files, of one thread
 *
 * Nothing is kept: a name is looked up by asking whether the process exists, and each lookup makes
 * an inode that goes with its last reference.
 *
 * The inode number identifies the file: its kind, the id of the process or thread, and its place in
 * the table of files + 1.
 */
#include "proc.h"

#include "base/printf.h"
#include "base/string.h"
#include "errno.h"
#include "fs/fs.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "process/process.h"
#include "procfs/procfs.h"
#include "sched/cpu.h"

#define PROC_ROOT	0xffu		/* its place: no file's */
#define POS_NUMBERS	0x100		/* directory positions from here on are ids */

/* The subject of a directory and of its files. Each kind has the ids of the one before. */
enum kind { OF_SYSTEM, OF_PROCESS, OF_TASKS, OF_THREAD };

static struct kmem_cache *inode_cache;
static struct inode *proc_root;
static struct inode *proc_sys;		/* the root of /proc/sys */
static const struct inode_ops proc_ops, link_ops;
static const struct file_ops system_file_ops, sent_file_ops, unsent_file_ops, comm_file_ops;
static const struct file_ops proc_dir_ops;

/* --- Inodes ----------------------------------------------------------------------------------- */

static u64 make_ino(enum kind kind, pid_t id, unsigned place)
{
	return (u64)kind << 40 | (u64)id << 8 | place;
}

static enum kind ino_kind(const struct inode *i)
{
	return i->ino >> 40;
}

/* The id of the process or of one of its threads; for OF_THREAD of the thread. */
static pid_t ino_id(const struct inode *i)
{
	return (u32)(i->ino >> 8);
}

static unsigned ino_place(const struct inode *i)
{
	return i->ino & 0xff;
}

/*
 * A process's files belong to its user, or to root if its user must not see them. The directories
 * that every user may read always belong to its user.
 */
void proc_set_owner(struct inode *i, pid_t id)
{
	struct process *p = process_find_by_task(id);
	struct cred *c = p ? process_cred(p) : NULL;

	if (c && (i->mode == (S_IFDIR | 0555) || (p->dumpable == 1 && p->as))) {
		i->uid = c->uid.effective;
		i->gid = c->gid.effective;
	}
	if (c)
		cred_put(c);
	if (p)
		process_put(p);
}

static int make_inode(u32 mode, const struct file_ops *fops, u64 ino, struct inode **out)
{
	struct inode *i = kmem_cache_alloc(inode_cache);

	if (!i)
		return -ENOMEM;
	inode_init(i, mode, &proc_ops, fops);
	i->dev = DEV_PROC;
	i->ino = ino;
	if (ino_kind(i) != OF_SYSTEM) {
		proc_set_owner(i, ino_id(i));
		i->fixed = FIXED_MODE;
	}
	*out = i;
	return 0;
}

static int make_dir(struct inode *parent, u64 ino, struct inode **out)
{
	int err = make_inode(S_IFDIR | 0555, &proc_dir_ops, ino, out);

	if (err)
		return err;
	(*out)->nlink = 2;
	if (ino_kind(*out) == OF_PROCESS || ino_kind(*out) == OF_THREAD)
		(*out)->fixed |= FIXED_OWNER | FIXED_WRITE;
	(*out)->parent = parent ? inode_get(parent) : NULL;
	return 0;
}

bool proc_number(const char *name, size_t len, int *out)
{
	int n = 0;

	if (len > 9 || (len > 1 && name[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		n = n * 10 + name[i] - '0';
	}
	*out = n;
	return true;
}

/* --- Ids: processes in the root, threads in a process's task/ -------------------------------- */

struct id_search {
	pid_t from, found;	/* the lowest id >= from; 0: none yet */
};

static void match_id(struct id_search *s, pid_t id)
{
	if (id >= s->from && (!s->found || id < s->found))
		s->found = id;
}

static void match_process(struct process *p, void *arg)
{
	match_id(arg, p->pid);
}

static void match_threads(struct process *p, struct id_search *s)
{
	match_id(s, p->pid);		/* the leader's id, even if that has exited */
	spin_lock(&p->lock);
	list_for_each(t, &p->threads, struct thread, process_node)
		match_id(s, t->tid);
	spin_unlock(&p->lock);
}

/* Returns the lowest id in @dir at or above @from; 0: none. */
static pid_t next_id(const struct inode *dir, pid_t from)
{
	struct id_search s = { .from = MAX(from, 1) };
	struct process *p;

	if (ino_kind(dir) == OF_SYSTEM) {
		process_for_each(match_process, &s);
	} else if ((p = process_find_by_task(ino_id(dir)))) {
		match_threads(p, &s);
		process_put(p);
	}
	return s.found;
}

static bool has_id(const struct inode *dir, pid_t id)
{
	struct process *p = process_find_by_task(id), *own;
	bool has = p;

	if (p && ino_kind(dir) == OF_TASKS) {
		own = process_find_by_task(ino_id(dir));
		has = own == p;
		if (own)
			process_put(own);
	}
	if (p)
		process_put(p);
	return has;
}

static bool has_ids(const struct inode *dir)
{
	return ino_kind(dir) == OF_SYSTEM || ino_kind(dir) == OF_TASKS;
}

/* --- Names ------------------------------------------------------------------------------------ */

static const struct proc_file *files_in(const struct inode *dir)
{
	static const struct proc_file none[] = { { .name = NULL } };

	if (ino_kind(dir) == OF_TASKS)
		return none;
	return ino_kind(dir) == OF_SYSTEM ? proc_system_files : proc_process_files;
}

static u32 file_mode(const struct proc_file *f)
{
	return f->mode ? f->mode & 0xffff : S_IFREG | 0444;
}

static enum proc_link file_link(const struct proc_file *f)
{
	return f->mode >> 16 & 0xff;
}

/* Threads have the same files as their process, except task/. */
static bool is_in(const struct proc_file *f, const struct inode *dir)
{
	return ino_kind(dir) != OF_THREAD || f->mode != PROC_DIR;
}

static u64 file_ino(const struct inode *dir, const struct proc_file *f, unsigned i)
{
	if (f->mode == PROC_FDS)
		return proc_fd_ino(ino_id(dir), ino_kind(dir) == OF_THREAD);
	if (f->mode != PROC_DIR)
		return make_ino(ino_kind(dir), ino_id(dir), i + 1);
	return ino_kind(dir) == OF_SYSTEM ? proc_sys->ino : make_ino(OF_TASKS, ino_id(dir), 0);
}

static const struct file_ops *file_ops_of(const struct inode *dir, const struct proc_file *f)
{
	if (f->mode == PROC_COMM)
		return &comm_file_ops;
	if (ino_kind(dir) == OF_SYSTEM)
		return &system_file_ops;
	return f->mode == PROC_SENT ? &sent_file_ops : &unsent_file_ops;
}

static int make_file(struct inode *dir, const struct proc_file *f, unsigned i, struct inode **out)
{
	u64 ino = file_ino(dir, f, i);
	int err;

	if (f->mode == PROC_FDS)
		return proc_fd_dir(dir, ino, out);
	if (f->mode != PROC_DIR) {
		err = make_inode(file_mode(f), file_ops_of(dir, f), ino, out);
		if (!err && file_link(f))
			(*out)->ops = &link_ops;
		return err;
	}
	if (ino_kind(dir) == OF_PROCESS)
		return make_dir(dir, ino, out);
	*out = inode_get(proc_sys);
	return 0;
}

static int proc_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	const struct proc_file *f = files_in(dir);
	pid_t id;

	if (has_ids(dir) && proc_number(name, len, &id) && id && has_id(dir, id))
		return make_dir(dir, make_ino(ino_kind(dir) + 1, id, 0), out);
	for (unsigned i = 0; f[i].name; i++)
		if (strncmp(f[i].name, name, len) == 0 && !f[i].name[len] && is_in(&f[i], dir))
			return make_file(dir, &f[i], i, out);
	return -ENOENT;
}

/* One search for each id: @emit may block, so the table is not locked meanwhile. */
static void list_ids(struct inode *dir, pid_t id, dirent_fn emit, void *arg)
{
	char name[12];

	while ((id = next_id(dir, id)) &&
	       emit(arg, name, snprintf(name, sizeof(name), "%d", id),
		    make_ino(ino_kind(dir) + 1, id, 0), S_IFDIR, POS_NUMBERS + id + 1))
		id++;
}

static int proc_readdir(struct inode *dir, off_t pos, dirent_fn emit, void *arg)
	HOLDS(dir->lock)
{
	const struct proc_file *f = files_in(dir);

	if (!emit_dots(dir, pos, emit, arg))
		return 0;
	for (unsigned i = 0; f[i].name; i++)
		if (i + 2 >= pos && is_in(&f[i], dir) &&
		    !emit(arg, f[i].name, strlen(f[i].name),
			  file_ino(dir, &f[i], i), file_mode(&f[i]), i + 3))
			return 0;
	if (has_ids(dir))
		list_ids(dir, pos - POS_NUMBERS, emit, arg);
	return 0;
}

static int proc_readlink(struct inode *i, char *buf, size_t size)
{
	static const char *const texts[] = { "%d", "%d/task/%d", "self/mounts" };
	char text[32];
	size_t n = snprintf(text, sizeof(text), texts[ino_place(i) - 1],
			    current_process()->pid, current_thread()->tid);

	n = MIN(n, size);
	memcpy(buf, text, n);
	return n;
}

/* Returns the process to which link @i belongs, referenced, and which of its links it is. */
static struct process *link_process(const struct inode *i, enum proc_link *link)
{
	*link = file_link(&files_in(i)[ino_place(i) - 1]);
	return process_find_by_task(ino_id(i));
}

static int link_readlink(struct inode *i, char *buf, size_t size)
{
	enum proc_link link;
	struct process *p = link_process(i, &link);
	int n = p ? proc_link_read(p, link, buf, size) : -ENOENT;

	if (p)
		process_put(p);
	return n;
}

static int link_follow(struct inode *i, struct inode **out)
{
	enum proc_link link;
	struct process *p = link_process(i, &link);
	int err = p ? proc_link_follow(p, link, out) : -ENOENT;

	if (p)
		process_put(p);
	return err;
}

static void proc_release(struct inode *i)
{
	kmem_cache_free(inode_cache, i);
}

/* --- Reading ---------------------------------------------------------------------------------- */

/*
 * Shows a file of a process; or of thread @id alone, in task/ or if it is not the first thread.
 * With @t NULL, only says whether it may be read.
 */
static int show_task(const struct proc_file *f, pid_t id, bool in_task, struct text *t)
{
	bool guarded = f->mode == PROC_GUARDED || f->mode == PROC_PRIVATE;
	struct process *p = process_find_by_task(id);
	struct thread *thread = p ? thread_find(id) : NULL;
	int err = 0;

	if (!p || (in_task && !thread))
		err = -ESRCH;
	else if (!t)
		;
	else if (f->show_process)
		f->show_process(t, p);
	else if (f->show_either && !in_task && id == p->pid)
		f->show_either(t, p, NULL);
	else if (f->show_either && thread)
		f->show_either(t, p, thread);
	else if (f->show_thread && thread)
		f->show_thread(t, thread);
	/* Of what it was when it was read: exec gives rights before anything else. */
	if (!err && guarded && !cred_may_inspect(p))
		err = -EACCES;
	if (thread)
		thread_put(thread);
	if (p)
		process_put(p);
	return err;
}

static int show(struct inode *i, struct text *t)
{
	const struct proc_file *f = &files_in(i)[ino_place(i) - 1];

	if (ino_kind(i) != OF_SYSTEM)
		return show_task(f, ino_id(i), ino_kind(i) == OF_THREAD, t);
	f->show(t);
	return 0;
}

static int proc_open(struct file *f)
{
	int err = ino_kind(f->inode) == OF_SYSTEM ? 0 : show(f->inode, NULL);

	f->private = err ? NULL : kzalloc(sizeof(struct text));
	return err || f->private ? err : -ENOMEM;
}

static ssize_t proc_read(struct file *f, struct iobuf *b, off_t *pos)
{
	return text_read(f, b, pos, show);
}

/* Root may open the system's files for writing, but no write succeeds, as on Linux. */
static ssize_t no_write(struct file *f, struct iobuf *b, off_t *pos)
{
	(void)f;
	(void)b;
	(void)pos;
	return -EIO;
}

#define PROC_FILE \
	.open = proc_open, .close = text_close, .read = proc_read, .seekable = true, .endless = true

static const struct file_ops system_file_ops = { PROC_FILE, .write = no_write };
static const struct file_ops sent_file_ops = { PROC_FILE };
static const struct file_ops unsent_file_ops = { PROC_FILE, .unsent = true };

/* --- comm: a thread's name, which the threads of its process may write ----------------------- */

/* Takes a write as the whole name, cut off after 15 bytes; pwrite() is refused. */
static ssize_t comm_write(struct file *f, struct iobuf *b, off_t *pos)
{
	char name[THREAD_NAME_MAX] = "";
	size_t all = b->left, n = MIN(all, sizeof(name) - 1);
	struct thread *t;
	bool ours;

	if (pos != &f->offset)
		return -ESPIPE;
	if (iobuf_copy_from(b, name, n) != n)
		return -EFAULT;
	t = thread_find(ino_id(f->inode));
	if (!t)
		return -ESRCH;
	ours = t->process == current_process();
	if (ours)
		thread_set_name(t, name);
	thread_put(t);
	b->left = 0;
	return ours ? (ssize_t)all : -EINVAL;
}

static const struct file_ops comm_file_ops = { PROC_FILE, .write = comm_write, .unsent = true };

static int proc_truncate(struct inode *i, off_t size)
{
	(void)i;
	(void)size;		/* the text is made anew as it is read */
	return 0;
}

static const struct inode_ops proc_ops = {
	.lookup = proc_lookup,
	.readdir = proc_readdir,
	.readlink = proc_readlink,
	.truncate = proc_truncate,
	.release = proc_release,
};

pid_t proc_directory_of(const struct file *f)
{
	return f->ops == &proc_dir_ops && ino_kind(f->inode) == OF_PROCESS ? ino_id(f->inode) : 0;
}

static const struct inode_ops link_ops = {
	.readlink = link_readlink,
	.follow = link_follow,
	.release = proc_release,
};

void procfs_init(void)
{
	int err;

	inode_cache = kmem_cache_create("proc_inode", sizeof(struct inode), 0);
	proc_sys = proc_sys_root();
	err = inode_cache && proc_sys
		      ? make_dir(NULL, make_ino(OF_SYSTEM, 0, PROC_ROOT), &proc_root)
		      : -ENOMEM;
	if (!err) {
		proc_sys->parent = inode_get(proc_root);
		err = ramfs_attach(root_inode, "proc", proc_root);
	}
	if (err)
		kprintf("procfs: cannot attach /proc: error %d\n", -err);
}
