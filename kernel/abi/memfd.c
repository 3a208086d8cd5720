/*
 * memfd_create: files without a name, and seals. A seal promises to everyone who shares such a file
 * that some change can no longer happen to it.
 *
 * Seals are only ever added. They change under inode->lock, which is also held to write to such a
 * file, to change its size and to map it. F_SEAL_WRITE is refused while a mapping could write.
 */
#include "sys.h"

#define MFD_CLOEXEC		1u
#define MFD_ALLOW_SEALING	2u
#define MFD_NOEXEC_SEAL		8u
#define MFD_EXEC		16u
#define MFD_KNOWN		(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)

#define PREFIX			"memfd:"
#define PREFIX_LEN		(sizeof(PREFIX) - 1)
#define MEMFD_NAME_MAX		249	/* NAME_MAX without the prefix */

long sys_memfd_create(vaddr_t from, u32 flags)
{
	char name[NAME_MAX + 2] = PREFIX;	/* shown in /proc */
	struct inode *i SCOPED(inode) = NULL;
	struct file *f;
	ssize_t n;
	int err;

	if (flags & ~MFD_KNOWN || (flags & MFD_EXEC && flags & MFD_NOEXEC_SEAL))
		return -EINVAL;
	n = copy_string_from_user(name + PREFIX_LEN, from, MEMFD_NAME_MAX + 2);
	if (n < 0 || n > MEMFD_NAME_MAX)
		return n == -EFAULT ? n : -EINVAL;
	i = ramfs_create_anon(0);
	if (!i)
		return -ENOMEM;
	i->mode = S_IFREG | (flags & MFD_NOEXEC_SEAL ? 0666 : 0777);
	i->seals = SEALS_MEMFD | (flags & MFD_NOEXEC_SEAL ? F_SEAL_EXEC : 0) |
		   (flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) ? 0 : F_SEAL_SEAL);
	err = ramfs_name_anon(i, NULL, name);
	if (!err)
		err = file_open_inode(i, O_RDWR | O_LARGEFILE, &f);
	if (err)
		return err;
	inode_put_write(i);
	f->made = true;
	return fd_install(f, 0, fd_limit(), flags & MFD_CLOEXEC);
}

/* An ordinary file is sealed against seals. SEALS_MEMFD marks files that support seals at all. */
static u32 seals_of(const struct inode *i)
{
	bool ordinary = inode_is_ordinary(i);

	return ordinary ? SEALS_MEMFD | F_SEAL_SEAL : i->seals;
}

int seals_add(struct file *f, u32 seals)
{
	struct inode *i = f->inode;
	int err = 0;

	if (!file_writes(f))
		return -EPERM;
	if (seals & ~SEALS_ALL)
		return -EINVAL;
	mutex_lock(&i->lock);
	if (seals & F_SEAL_EXEC && i->mode & 0111)	/* a program stays the program it is */
		seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	if (!(seals_of(i) & SEALS_MEMFD))
		err = -EINVAL;
	else if (seals_of(i) & F_SEAL_SEAL)
		err = -EPERM;
	else if (seals & F_SEAL_WRITE && !(i->seals & F_SEAL_WRITE) && inode_may_be_written(i))
		err = -EBUSY;
	else
		i->seals |= seals;
	mutex_unlock(&i->lock);
	return err;
}

int seals_get(const struct file *f)
{
	u32 seals = seals_of(f->inode);

	return seals & SEALS_MEMFD ? (int)(seals & SEALS_ALL) : -EINVAL;
}
