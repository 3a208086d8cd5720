/*
 * System calls that lock files: flock(), and fcntl()'s locks on ranges.
 */
#include "sys.h"

#include "fs/filelock.h"

#define LOCK_SH		1u
#define LOCK_EX		2u
#define LOCK_NB		4u
#define LOCK_UN		8u
#define LOCK_MAND	32u	/* a kind of lock that Linux has given up: nothing happens */

long sys_flock(int fd, u32 op)
{
	static const u8 types[] = { [LOCK_SH] = LOCK_READ, [LOCK_EX] = LOCK_WRITE,
				    [LOCK_UN] = LOCK_NONE };
	struct lock_request want = { .kind = LOCK_KIND_FLOCK, .end = S64_MAX };
	u32 what = op & ~LOCK_NB;
	struct file *f SCOPED(file) = NULL;

	if (op & LOCK_MAND)
		return 0;
	if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN)
		return -EINVAL;
	f = fd_get(fd);
	if (!f || (what != LOCK_UN && !file_reads(f) && !file_writes(f)))
		return -EBADF;
	want.type = types[what];
	want.owner = f;
	want.pid = current_process()->pid;
	return filelock_set(f->inode, &want, !(op & LOCK_NB));
}

/* Linux's struct flock on 64-bit machines. */
struct abi_flock {
	short type, whence;
	s64 start, len;
	pid_t pid;
};

_Static_assert(sizeof(struct abi_flock) == 32, "struct flock");

/* Translates the user's range of bytes. */
static int range_get(const struct file *f, const struct abi_flock *l, struct lock_request *r)
{
	off_t from[] = { 0, f->offset, (off_t)f->inode->size };

	if (l->whence < 0 || l->whence >= (short)ARRAY_SIZE(from))
		return -EINVAL;
	if (__builtin_add_overflow(from[l->whence], l->start, &r->start))
		return -EOVERFLOW;
	if (r->start < 0 || (l->len < 0 && r->start + l->len < 0))
		return -EINVAL;
	r->end = S64_MAX;
	if (l->len > 0 && __builtin_add_overflow(r->start, l->len - 1, &r->end))
		return -EOVERFLOW;
	if (l->len < 0) {
		r->end = r->start - 1;
		r->start += l->len;
	}
	return 0;
}

static int request_get(const struct file *f, const struct abi_flock *l, bool ofd,
		       struct lock_request *r)
{
	int err = range_get(f, l, r);

	if (err)
		return err;
	if (l->type < LOCK_READ || l->type > LOCK_NONE || (ofd && l->pid))
		return -EINVAL;
	r->type = l->type;
	r->kind = ofd ? LOCK_KIND_OFD : LOCK_KIND_POSIX;
	r->owner = ofd ? (const void *)f : current_process()->fds;
	r->pid = ofd ? -1 : current_process()->pid;
	return 0;
}

static long get_lock(struct file *f, struct abi_flock *l, bool ofd, vaddr_t out)
{
	struct lock_request r;
	int err;

	if (l->type != LOCK_READ && l->type != LOCK_WRITE && !ofd)
		return -EINVAL;
	err = request_get(f, l, ofd, &r);
	if (err)
		return err;
	if (filelock_test(f->inode, &r)) {
		l->type = r.type;
		l->whence = 0;
		l->start = r.start;
		l->len = r.end == S64_MAX ? 0 : r.end - r.start + 1;
		l->pid = r.pid;
	} else {
		l->type = LOCK_NONE;
	}
	return copy_to_user(out, l, sizeof(*l));
}

/*
 * Another thread may have closed the descriptor while we waited. Its close() did not find the lock
 * to drop it, so it is dropped here.
 */
static long still_open(int fd, struct file *f, struct lock_request *r)
{
	struct file *now SCOPED(file) = fd_get(fd);

	if (now == f || r->kind != LOCK_KIND_POSIX)
		return 0;
	r->type = LOCK_NONE;
	(void)filelock_set(f->inode, r, false);
	return -EBADF;
}

static long set_lock(int fd, struct file *f, const struct abi_flock *l, bool ofd, bool wait)
{
	struct lock_request r;
	int err = request_get(f, l, ofd, &r);

	if (err)
		return err;
	if ((r.type == LOCK_READ && !file_reads(f)) ||
	    (r.type == LOCK_WRITE && !file_writes(f)))
		return -EBADF;
	err = filelock_set(f->inode, &r, wait);
	return err || r.type == LOCK_NONE ? err : still_open(fd, f, &r);
}

long fcntl_lock(int fd, struct file *f, int cmd, vaddr_t arg)
{
	bool ofd = cmd >= F_OFD_GETLK;
	struct abi_flock l;

	if (copy_from_user(&l, arg, sizeof(l)))
		return -EFAULT;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK)
		return get_lock(f, &l, ofd, arg);
	return set_lock(fd, f, &l, ofd, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}
