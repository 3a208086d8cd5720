/*
 * memfd_create: files without a name, and seals, by which one who shares such a file is told what
 * can no longer happen to it.
 *
 * A seal is only ever added, under inode->lock, which writing, changing the size and mapping such a
 * file hold too. F_SEAL_WRITE is refused while there are mappings that could write.
 */
#include "sys.h"

#include "base/string.h"

#define MFD_CLOEXEC		1u
#define MFD_ALLOW_SEALING	2u
#define MFD_NOEXEC_SEAL		8u
#define MFD_EXEC		16u
#define MFD_KNOWN		(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)

#define MEMFD_NAME_MAX		249	/* with "memfd:" before it, NAME_MAX */

#define PREFIX			"memfd:"
#define PREFIX_LEN		(sizeof(PREFIX) - 1)

/* The name is for people who look into /proc. */
static int get_name(vaddr_t from, char name[NAME_MAX + 2])
{
	ssize_t n;

	strlcpy(name, PREFIX, NAME_MAX);
	n = copy_string_from_user(name + PREFIX_LEN, from, MEMFD_NAME_MAX + 2);
	return n == -ENAMETOOLONG || n > MEMFD_NAME_MAX ? -EINVAL : n < 0 ? (int)n : 0;
}

long sys_memfd_create(vaddr_t from, u32 flags)
{
	char name[NAME_MAX + 2];
	struct inode *i SCOPED(inode) = NULL;
	struct file *f;
	int err;

	if (flags & ~MFD_KNOWN || (flags & MFD_EXEC && flags & MFD_NOEXEC_SEAL))
		return -EINVAL;
	err = get_name(from, name);
	if (err)
		return err;
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
	return fd_install(f, 0, current_process()->limits[RLIMIT_NOFILE].cur, flags & MFD_CLOEXEC);
}

/* Of an ordinary file there is one, against any other. SEALS_MEMFD: seals mean anything to it. */
static u32 seals_of(const struct inode *i)
{
	bool ordinary = inode_is(i, S_IFREG) && i->dev == DEV_ROOT;

	return ordinary ? SEALS_MEMFD | F_SEAL_SEAL : i->seals;
}

/* fcntl(F_ADD_SEALS) */
int seals_add(struct file *f, u32 seals)
{
	struct inode *i = f->inode;
	int err = 0;

	if (!file_writes(f))
		return -EPERM;
	if (seals & ~SEALS_ALL)
		return -EINVAL;
	mutex_lock(&i->lock);
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

/* fcntl(F_GET_SEALS) */
int seals_get(const struct file *f)
{
	u32 seals = seals_of(f->inode);

	return seals & SEALS_MEMFD ? (int)(seals & SEALS_ALL) : -EINVAL;
}
