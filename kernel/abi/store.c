/*
 * System calls about the storage behind files: size, space, holes, figures of file systems.
 *
 * Files live in memory, so written data is as safe as it can be, and advice about future reads
 * changes nothing: the calls for these only check their arguments.
 */
#include "sys.h"

/* --- Size and space --------------------------------------------------------------------------- */

long sys_ftruncate(int fd, off_t size)
{
	struct file *f SCOPED(file) = fd_get(fd);

	if (size < 0)
		return -EINVAL;
	if (!f)
		return -EBADF;
	if (!inode_is(f->inode, S_IFREG) || !file_writes(f))
		return -EINVAL;
	return vfs_truncate(f->inode, size);
}

#define FALLOC_KEEP_SIZE	1u
#define FALLOC_PUNCH_HOLE	2u

/* Checks everything that does not depend on the file system. */
static int may_allocate(const struct file *f, u32 mode, off_t offset, off_t length)
{
	off_t end;

	if (offset < 0 || length <= 0)
		return -EINVAL;
	if (mode != 0 && mode != FALLOC_KEEP_SIZE && mode != (FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (!file_writes(f))
		return -EBADF;
	if (inode_is(f->inode, S_IFIFO))
		return -ESPIPE;
	if (!inode_is(f->inode, S_IFREG))
		return -ENODEV;
	if (__builtin_add_overflow(offset, length, &end))
		return -EFBIG;
	return f->inode->ops->allocate ? 0 : -EOPNOTSUPP;
}

long sys_fallocate(int fd, u32 mode, off_t offset, off_t length)
{
	struct file *f SCOPED(file) = fd_get(fd);
	int err = f ? may_allocate(f, mode, offset, length) : -EBADF;
	struct inode *i;
	u32 seals = 0;

	if (err)
		return err;
	i = f->inode;
	mutex_lock(&i->lock);
	if (mode & FALLOC_PUNCH_HOLE)
		seals = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	else if ((u64)(offset + length) > i->size)
		seals = F_SEAL_GROW;
	if (i->seals & seals)
		err = -EPERM;
	else if (mode & FALLOC_PUNCH_HOLE)
		err = i->ops->punch(i, offset, length);
	else
		err = i->ops->allocate(i, offset, length, mode & FALLOC_KEEP_SIZE);
	if (!err)
		inode_drop_set_id(i);
	mutex_unlock(&i->lock);
	return err;
}

/* --- Advice and safety ------------------------------------------------------------------------ */

long sys_fsync(int fd)
{
	struct file *f SCOPED(file) = fd_get(fd);

	if (!f)
		return -EBADF;
	if (f->inode->dev == DEV_PROC || f->inode->dev == DEV_QUEUES)
		return -EINVAL;
	return inode_is(f->inode, S_IFREG) || inode_is(f->inode, S_IFDIR) ? 0 : -EINVAL;
}

long sys_sync(void)
{
	return 0;
}

long sys_syncfs(int fd)
{
	struct file *f SCOPED(file) = fd_get(fd);

	return f ? 0 : -EBADF;
}

#define SYNC_FILE_RANGE_ALL	7u

long sys_sync_file_range(int fd, off_t offset, off_t length, u32 flags)
{
	struct file *f SCOPED(file) = fd_get(fd);
	off_t end;

	if (!f)
		return -EBADF;
	if ((flags & ~SYNC_FILE_RANGE_ALL) || offset < 0 || length < 0 ||
	    __builtin_add_overflow(offset, length, &end))
		return -EINVAL;
	return inode_is(f->inode, S_IFREG) || inode_is(f->inode, S_IFDIR) ? 0 : -ESPIPE;
}

#define FADV_NOREUSE	5

long sys_fadvise64(int fd, off_t offset, off_t length, int advice)
{
	struct file *f SCOPED(file) = fd_get(fd);

	(void)offset;
	if (!f)
		return -EBADF;
	if (inode_is(f->inode, S_IFIFO))
		return -ESPIPE;
	return length < 0 || advice < 0 || advice > FADV_NOREUSE ? -EINVAL : 0;
}

/* Only checks its arguments: every file is in memory already. */
long sys_readahead(int fd, off_t offset, size_t size)
{
	struct file *f SCOPED(file) = fd_get(fd);

	(void)offset;
	if (!f || !file_reads(f))
		return -EBADF;
	return inode_is(f->inode, S_IFREG) && (s64)size >= 0 ? 0 : -EINVAL;
}

/* --- File systems ----------------------------------------------------------------------------- */

/* Linux's struct statfs on 64-bit machines. */
struct abi_statfs {
	s64 type, bsize;
	u64 blocks, bfree, bavail, files, ffree;
	s32 fsid[2];
	s64 namelen, frsize, flags, spare[4];
};

_Static_assert(sizeof(struct abi_statfs) == 120, "struct statfs");

/* Linux's magic numbers for such file systems, by device. */
static const u32 magics[] = {
	[DEV_ROOT] = 0x01021994, [DEV_PROC] = 0x9fa0, [DEV_SYSFS] = 0x62656572,
	[DEV_SHARED] = 0x01021994,
	[DEV_PIPES] = 0x50495045, [DEV_QUEUES] = 0x19800202, [DEV_ANON] = 0x09041934,
};

#define ST_VALID	0x0020
#define ST_RELATIME	0x1000

/* The root file system may use all memory; the others have no storage. */
static int put_statfs(vaddr_t out, const struct inode *i)
{
	struct abi_statfs st = {
		.type = magics[i->dev], .bsize = PAGE_SIZE, .frsize = PAGE_SIZE,
		.namelen = NAME_MAX, .fsid = { (s32)i->dev }, .flags = ST_VALID | ST_RELATIME,
	};

	if (i->dev == DEV_ROOT) {
		st.blocks = page_total();
		st.bfree = st.bavail = page_free_count();
		st.files = st.blocks;
		st.ffree = st.bfree;
	}
	return copy_to_user(out, &st, sizeof(st));
}

long sys_statfs(vaddr_t path, vaddr_t out)
{
	struct inode *inode SCOPED(inode);
	int err = user_path_inode(AT_FDCWD, path, 0, &inode);

	return err ? err : put_statfs(out, inode);
}

long sys_fstatfs(int fd, vaddr_t out)
{
	struct inode *inode SCOPED(inode);
	int err = user_fd_inode(fd, &inode);

	return err ? err : put_statfs(out, inode);
}
