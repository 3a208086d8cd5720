/*
 * Descriptor tables: small numbers for open files. Each process has a table; clone(CLONE_FILES)
 * makes processes that share one.
 *
 * A table is a dense array of files and a bit map of the descriptors in use, so the lowest free one
 * is a few words away. The array grows by doubling up to FD_MAX; the bit maps always have FD_MAX
 * bits.
 *
 * Lock: table->lock, for a few instructions; files are closed and memory is allocated outside it.
 * If a process has a table to itself and one thread, only that thread changes it; so fd_get(),
 * which every read and write pays for, then takes no lock (FDTABLE1).
 *
 *  FDTABLE1  Only threads of the processes that use a table change it, and only they make another
 *            thread or process that uses it. Any other thread only looks, with the lock.
 *  FDTABLE2  A used bit is set where files[fd] is not NULL, and where open() has reserved the
 *            number for a file that it is about to make; no bit is set at or above `size`.
 */
#include "base/string.h"
#include "base/trace.h"
#include "errno.h"
#include "fs.h"
#include "fs/fdtable.h"
#include "fs/filelock.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/cpu.h"

#define FD_FIRST	16		/* entries of a new table */
#define WORD_BITS	64
#define WORDS		(FD_MAX / WORD_BITS)

struct fdtable {
	_Atomic u32 refs;		/* processes that use it, and their observers */
	struct spinlock lock;
	unsigned size;			/* [lock] entries of files[] */
	struct file **files;		/* [lock] each a reference */
	u64 used[WORDS];		/* [lock] FDTABLE2 */
	u64 cloexec[WORDS];		/* [lock] descriptors that exec() closes */
	struct file *recorder;		/* [self] records the calls; see abi/strace.c */
};

static bool bit_test(const u64 *map, unsigned i)
{
	return map[i / WORD_BITS] >> (i % WORD_BITS) & 1;
}

static void bit_put(u64 *map, unsigned i, bool on)
{
	u64 bit = 1ull << i % WORD_BITS;

	map[i / WORD_BITS] = on ? map[i / WORD_BITS] | bit : map[i / WORD_BITS] & ~bit;
}

static void set_entry(struct fdtable *t, unsigned fd, struct file *f, bool cloexec) HOLDS(t->lock)
{
	if (DEBUG_BUILD)	/* FDTABLE1; without references it is being freed */
		assert(t == current_process()->fds || !atomic_load(&t->refs));
	t->files[fd] = f;
	bit_put(t->used, fd, f);
	bit_put(t->cloexec, fd, cloexec);
}

static struct spinlock recorded_lock = SPINLOCK_INIT(LOCK_OBJECT);
static unsigned recorded;	/* [recorded_lock] tables with a recorder: TRACE_RECORDED */

static void count_recorded(int by)
{
	spin_lock(&recorded_lock);
	recorded += by;
	trace_mask = recorded ? trace_mask | TRACE_RECORDED : trace_mask & ~TRACE_RECORDED;
	spin_unlock(&recorded_lock);
}

struct file *fdtable_recorder(struct fdtable *t)
{
	return t->recorder;
}

void fdtable_record(struct fdtable *t, struct file *f)
{
	t->recorder = f;
	count_recorded(1);
}

static struct fdtable *table_alloc(unsigned size)
{
	struct fdtable *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	t->refs = 1;
	spin_init(&t->lock, LOCK_OBJECT);
	t->size = size;
	t->files = kzalloc(size * sizeof(*t->files));
	if (!t->files) {
		kfree(t);
		return NULL;
	}
	return t;
}

int fdtable_create(struct fdtable **out)
{
	*out = table_alloc(FD_FIRST);
	return *out ? 0 : -ENOMEM;
}

unsigned fdtable_size(struct fdtable *t)
{
	return __atomic_load_n(&t->size, __ATOMIC_RELAXED);
}

/* Starts again if the size has changed meanwhile, since another thread opened files. */
int fdtable_clone(struct fdtable *t, struct fdtable **out)
{
	struct fdtable *c;
	unsigned size;

	for (;;) {
		size = fdtable_size(t);
		c = table_alloc(size);
		if (!c)
			return -ENOMEM;
		spin_lock(&t->lock);
		if (t->size == size)
			break;
		spin_unlock(&t->lock);
		kfree(c->files);
		kfree(c);
	}
	memcpy(c->used, t->used, sizeof(c->used));
	memcpy(c->cloexec, t->cloexec, sizeof(c->cloexec));
	for (unsigned i = 0; i < size; i++)
		if (t->files[i])
			c->files[i] = file_get(t->files[i]);
		else
			bit_put(c->used, i, false);	/* reserved by another thread */
	spin_unlock(&t->lock);
	if (unlikely(t->recorder))
		fdtable_record(c, file_get(t->recorder));
	*out = c;
	return 0;
}

/* Takes out the first file at or above *@fd whose bit is set in @map, or returns NULL. */
static struct file *take_next(struct fdtable *t, const u64 *map, unsigned *fd)
{
	struct file *f = NULL;

	spin_lock(&t->lock);
	for (; *fd < t->size && !f; ++*fd)
		if (bit_test(map, *fd)) {
			f = t->files[*fd];
			set_entry(t, *fd, NULL, false);
		}
	spin_unlock(&t->lock);
	return f;
}

/* Ends a file's time in the table; the process's locks on its inode go too, as POSIX has it. */
static void put_closed(struct fdtable *t, struct file *f)
{
	filelock_drop(f->inode, t);
	if (unlikely(f->ops->flush))
		f->ops->flush(f, t);
	file_put(f);
}

static void close_all(struct fdtable *t, const u64 *map)
{
	struct file *f;

	for (unsigned fd = 0; (f = take_next(t, map, &fd));)
		put_closed(t, f);
}

void fdtable_close_exec(struct fdtable *t)
{
	close_all(t, t->cloexec);
}

struct fdtable *fdtable_get(struct fdtable *t)
{
	atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

struct fdtable *process_get_fds(struct process *p)
{
	struct fdtable *t;

	spin_lock(&p->lock);
	t = p->fds ? fdtable_get(p->fds) : NULL;
	spin_unlock(&p->lock);
	return t;
}

void fdtable_put(struct fdtable *t)
{
	if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) > 1)
		return;
	close_all(t, t->used);
	if (unlikely(t->recorder)) {
		count_recorded(-1);
		file_put(t->recorder);
	}
	kfree(t->files);
	kfree(t);
}

int fdtable_unshare(void)
{
	struct process *p = current_process();
	struct fdtable *old = p->fds, *own;
	int err;

	if (atomic_load(&old->refs) == 1)
		return 0;
	err = fdtable_clone(old, &own);
	if (err)
		return err;
	spin_lock(&p->lock);
	p->fds = own;
	spin_unlock(&p->lock);
	fdtable_put(old);
	return 0;
}

struct file *fdtable_next(struct fdtable *t, int *fd)
{
	struct file *f = NULL;

	spin_lock(&t->lock);
	for (; (unsigned)*fd < t->size && !f; ++*fd)
		if (t->files[*fd])
			f = file_get(t->files[*fd]);
	spin_unlock(&t->lock);
	if (f)
		--*fd;
	return f;
}

static noinline struct file *get_locked(struct fdtable *t, unsigned fd)
{
	struct file *f = NULL;

	spin_lock(&t->lock);
	if (fd < t->size && t->files[fd])
		f = file_get(t->files[fd]);
	spin_unlock(&t->lock);
	return f;
}

struct file *fd_get_any(int fd)
{
	struct process *p = current_process();
	struct fdtable *t = p->fds;

	if (unlikely(!t))
		return NULL;
	/*
	 * FDTABLE1. Pairs with process_forget_thread() and with fdtable_put(): what those who have
	 * left did to the table is visible here.
	 */
	if (atomic_load_explicit(&p->nr_threads, memory_order_acquire) > 1 ||
	    atomic_load_explicit(&t->refs, memory_order_acquire) > 1)
		return get_locked(t, fd);
	if ((unsigned)fd >= t->size || !t->files[fd])
		return NULL;
	return file_get(t->files[fd]);
}

u64 fdtable_held(struct fdtable *t)
{
	u64 all, bytes = 0;

	for (unsigned fd = 0; fd < fdtable_size(t); fd++) {
		struct file *f = get_locked(t, fd);

		if (!f)
			continue;
		all = sizeof(*f) + (f->ops && f->ops->held ? f->ops->held(f) : 0);
		bytes += all / MAX(atomic_load(&f->refs) - 1, 1u);	/* one of these is ours */
		file_put(f);
	}
	return bytes;
}

struct file *fd_get(int fd)
{
	struct file *f = fd_get_any(fd);

	if (unlikely(f && (f->flags & O_PATH))) {
		file_put(f);
		return NULL;
	}
	return f;
}

/* Takes the lock and makes room for descriptor @fd. The lock is held also after -ENOMEM. */
static int lock_with_room(struct fdtable *t, unsigned fd) ACQUIRES(t->lock)
{
	unsigned size;
	struct file **files, **old;

	spin_lock(&t->lock);
	while (fd >= t->size) {
		for (size = t->size; size <= fd; size *= 2)
			;
		spin_unlock(&t->lock);
		files = kzalloc(size * sizeof(*files));
		spin_lock(&t->lock);
		if (!files)
			return -ENOMEM;
		old = files;
		if (size > t->size) {
			memcpy(files, t->files, t->size * sizeof(*files));
			old = t->files;
			t->files = files;
			t->size = size;
		}
		kfree(old);
	}
	return 0;
}

/* Returns the lowest free descriptor at or above @min, FD_MAX if there is none. */
static unsigned lowest_free(const struct fdtable *t, unsigned min) HOLDS(t->lock)
{
	u64 below = (1ull << min % WORD_BITS) - 1;	/* of the first word: less than @min */

	for (unsigned w = min / WORD_BITS; w < WORDS; w++) {
		u64 unavailable = t->used[w] | below;

		if (~unavailable)
			return w * WORD_BITS + __builtin_ctzll(~unavailable);
		below = 0;
	}
	return FD_MAX;
}

int fd_reserve(int min, u64 limit)
{
	struct fdtable *t = current_process()->fds;
	unsigned fd = 0, end = MIN(limit, (u64)FD_MAX);
	int err;

	for (;;) {
		err = lock_with_room(t, fd);
		fd = lowest_free(t, min);
		if (err || fd >= end || fd < t->size)
			break;
		spin_unlock(&t->lock);
	}
	if (fd >= end)
		err = -EMFILE;
	if (!err)
		bit_put(t->used, fd, true);
	spin_unlock(&t->lock);
	return err ? err : (int)fd;
}

void fd_fill(int fd, struct file *f, bool cloexec)
{
	struct fdtable *t = current_process()->fds;

	spin_lock(&t->lock);
	/* FDTABLE2: fd_reserve() has reserved it */
	assert((unsigned)fd < t->size && bit_test(t->used, fd) && !t->files[fd]);
	set_entry(t, fd, f, cloexec);
	spin_unlock(&t->lock);
}

int fd_install(struct file *f, int min, u64 limit, bool cloexec)
{
	int fd = fd_reserve(min, limit);

	if (fd < 0)
		file_put(f);
	else
		fd_fill(fd, f, cloexec);
	return fd;
}

int fd_replace(int fd, struct file *f, u64 limit, bool cloexec)
{
	struct fdtable *t = current_process()->fds;
	struct file *drop = f;		/* the old file, or ours if it fails */
	int err = -EBADF;

	if ((u64)fd < MIN(limit, (u64)FD_MAX)) {	/* below 0 is above them all */
		err = lock_with_room(t, fd);
		if (!err && !t->files[fd] && bit_test(t->used, fd)) {
			err = -EBUSY;		/* reserved */
		} else if (!err) {
			drop = t->files[fd];
			set_entry(t, fd, f, cloexec);
		}
		spin_unlock(&t->lock);
	}
	if (drop && drop != f)
		put_closed(t, drop);
	else if (drop)
		file_put(drop);
	return err ? err : fd;
}

int fd_close(int fd)
{
	struct fdtable *t = current_process()->fds;
	struct file *f = NULL;

	spin_lock(&t->lock);
	if ((unsigned)fd < t->size && t->files[fd]) {
		f = t->files[fd];
		set_entry(t, fd, NULL, false);
	}
	spin_unlock(&t->lock);
	if (!f)
		return -EBADF;
	put_closed(t, f);
	return 0;
}

int fd_flags(int fd, int set)
{
	struct fdtable *t = current_process()->fds;
	int flags = -EBADF;

	spin_lock(&t->lock);
	if ((unsigned)fd < t->size && t->files[fd]) {
		if (set >= 0)
			bit_put(t->cloexec, fd, set);
		flags = set >= 0 ? 0 : bit_test(t->cloexec, fd);
	}
	spin_unlock(&t->lock);
	return flags;
}
