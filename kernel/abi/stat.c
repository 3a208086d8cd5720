/*
 * A file's attributes: stat in its forms, access, mode and times, umask.
 */
#include "sys.h"

#include "abi.h"

static struct abi_stat stat_of(struct inode *i)
{
	struct abi_stat st;

	mutex_lock(&i->lock);
	inode_settle_times(i);
	st = (struct abi_stat){
		.dev = i->dev, .ino = i->ino, .mode = i->mode, .nlink = i->nlink,
		.uid = i->uid, .gid = i->gid, .rdev = i->rdev,
		.size = (s64)atomic_load(&i->size), .blksize = PAGE_SIZE, .blocks = i->blocks,
		.atime = i->atime.sec, .atime_nsec = i->atime.nsec,
		.mtime = i->mtime.sec, .mtime_nsec = i->mtime.nsec,
		.ctime = i->ctime.sec, .ctime_nsec = i->ctime.nsec,
	};
	mutex_unlock(&i->lock);
	return st;
}

static int put_stat(vaddr_t out, struct inode *i)
{
	struct abi_stat st = stat_of(i);

	return copy_to_user(out, &st, sizeof(st));
}

long sys_fstat(int fd, vaddr_t out)
{
	struct inode *inode SCOPED(inode);
	int err = user_fd_inode(fd, &inode);

	return err ? err : put_stat(out, inode);
}

#define AT_STATX_SYNC	0x6000u		/* how fresh; our answers always are */
#define AT_NO_AUTOMOUNT	0x800u
#define AT_STAT_FLAGS	(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC)

long sys_newfstatat(int dirfd, vaddr_t path, vaddr_t out, u32 flags)
{
	struct inode *inode SCOPED(inode);
	int err = user_path_inode(dirfd, path, flags, &inode);

	if (flags & ~AT_STAT_FLAGS)
		return -EINVAL;
	return err ? err : put_stat(out, inode);
}

struct statx_timestamp {
	s64 sec;
	u32 nsec;
	s32 reserved;
};

struct statx {
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, spare0;
	u64 ino, size, blocks, attributes_mask;
	struct statx_timestamp atime, btime, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 mnt_id, spare[13];
};

_Static_assert(sizeof(struct statx) == 256, "struct statx");

#define STATX_BASIC_STATS	0x7ffu
#define STATX_BTIME		0x800u
#define STATX_MNT_ID		0x1000u
#define STATX_RESERVED		0x80000000u
#define ATTRIBUTES_OF_TMPFS	0x70u		/* immutable, append only, not dumped: never set */
#define ATTRIBUTES		0x203000u	/* automounted; the root of a mount; DAX */
#define ATTRIBUTE_MOUNT_ROOT	0x2000u

/* In a device number, the 12 bits of the major number lie between those of the minor number. */
static u32 dev_major(u64 dev)
{
	return dev >> 8 & 0xfff;
}

static u32 dev_minor(u64 dev)
{
	return (dev & 0xff) | (dev >> 12 & ~0xffUL);
}

/* Each file system is mounted once, so its number is its mount's, as in /proc/PID/mountinfo. */
static struct statx statx_of(struct inode *i, u32 asked)
{
	struct abi_stat st = stat_of(i);
	bool is_root = i == root_inode || (i->parent && i->parent->dev != i->dev);
	bool tmpfs = i->dev == DEV_ROOT || i->dev == DEV_SHARED;
	u32 birth = tmpfs ? asked & STATX_BTIME : 0;

	return (struct statx){
		.mask = STATX_BASIC_STATS | STATX_MNT_ID | birth, .mnt_id = i->dev,
		.attributes = is_root && inode_is(i, S_IFDIR) ? ATTRIBUTE_MOUNT_ROOT : 0,
		.attributes_mask = ATTRIBUTES | (tmpfs ? ATTRIBUTES_OF_TMPFS : 0),
		.btime = { .sec = birth ? i->btime.sec : 0, .nsec = birth ? i->btime.nsec : 0 },
		.blksize = st.blksize, .nlink = st.nlink,
		.uid = st.uid, .gid = st.gid, .mode = st.mode,
		.ino = st.ino, .size = st.size, .blocks = st.blocks,
		.atime = { .sec = st.atime, .nsec = st.atime_nsec },
		.mtime = { .sec = st.mtime, .nsec = st.mtime_nsec },
		.ctime = { .sec = st.ctime, .nsec = st.ctime_nsec },
		.rdev_major = dev_major(st.rdev), .rdev_minor = dev_minor(st.rdev),
		.dev_major = dev_major(st.dev), .dev_minor = dev_minor(st.dev),
	};
}

long sys_statx(int dirfd, vaddr_t path, u32 flags, u32 mask, vaddr_t out)
{
	struct inode *inode SCOPED(inode);
	struct statx stx;
	int err = user_path_inode(dirfd, path, flags, &inode);

	if ((flags & ~AT_STAT_FLAGS) || (mask & STATX_RESERVED) ||
	    (flags & AT_STATX_SYNC) == AT_STATX_SYNC)
		return -EINVAL;
	if (err)
		return err;
	stx = statx_of(inode, mask);
	return copy_to_user(out, &stx, sizeof(stx));
}

static long check_access(int dirfd, vaddr_t path, u32 mode, u32 flags)
{
	struct inode *inode SCOPED(inode);
	int err = user_path_inode(dirfd, path, flags, &inode);

	return err ? err : inode_permission(inode, mode);
}

/* Checks for the real ids: a set-user-id program asks what its caller may do. */
long sys_faccessat2(int dirfd, vaddr_t path, u32 mode, u32 flags)
{
	struct cred *saved;
	long err;

	if ((mode & ~MAY_ALL) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	if (flags & AT_EACCESS)
		return check_access(dirfd, path, mode, flags & ~AT_EACCESS);
	err = cred_use_real(&saved);
	if (err)
		return err;
	err = check_access(dirfd, path, mode, flags);
	cred_restore(saved);
	return err;
}

long sys_fchmod(int fd, u32 mode)
{
	struct inode *inode SCOPED(inode);
	int err = user_file_inode(fd, &inode);

	return err ? err : inode_set_mode(inode, mode);
}

/* Refuses a symbolic link, whose mode cannot be changed. */
long sys_fchmodat2(int dirfd, vaddr_t path, u32 mode, u32 flags)
{
	struct inode *inode SCOPED(inode);
	int err = user_path_inode(dirfd, path, flags, &inode);

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!err && inode_is(inode, S_IFLNK))
		err = -EOPNOTSUPP;
	return err ? err : inode_set_mode(inode, mode);
}

long sys_fchown(int fd, u32 uid, u32 gid)
{
	struct inode *inode SCOPED(inode);
	int err = user_file_inode(fd, &inode);

	return err ? err : inode_set_owner(inode, uid, gid);
}

long sys_fchownat(int dirfd, vaddr_t path, u32 uid, u32 gid, u32 flags)
{
	struct inode *inode SCOPED(inode);
	int err = user_path_inode(dirfd, path, flags, &inode);

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return err ? err : inode_set_owner(inode, uid, gid);
}

#define UTIME_NOW	0x3fffffff
#define UTIME_OMIT	0x3ffffffe

static bool time_ok(const struct timespec *ts)
{
	return (u64)ts->nsec < NSEC_PER_SEC || ts->nsec == UTIME_NOW || ts->nsec == UTIME_OMIT;
}

static struct inode_time chosen_time(const struct timespec *ts, struct inode_time keep)
{
	if (ts->nsec == UTIME_OMIT)
		return keep;
	if (ts->nsec == UTIME_NOW)
		return inode_now();
	return (struct inode_time){ ts->sec, (u32)ts->nsec };
}

/* The owner may set any times; a user who may write the file may set both to the current time. */
static int set_times(struct inode *i, const struct timespec ts[2])
{
	bool now = ts[0].nsec == UTIME_NOW && ts[1].nsec == UTIME_NOW;
	int err = 0;

	if (i->dev == DEV_ANON)
		return -EOPNOTSUPP;
	mutex_lock(&i->lock);
	if (!inode_owned(i))
		err = now ? inode_permission(i, MAY_WRITE) : -EPERM;
	if (!err) {
		inode_settle_times(i);
		i->atime = chosen_time(&ts[0], i->atime);
		i->mtime = chosen_time(&ts[1], i->mtime);
		inode_changed(i);
	}
	mutex_unlock(&i->lock);
	return err;
}

static const struct timespec both_now[2] = { { .nsec = UTIME_NOW }, { .nsec = UTIME_NOW } };

/* Without a path, changes the times of @dirfd itself: futimens(). */
static long change_times(int dirfd, vaddr_t path, const struct timespec ts[2], u32 flags)
{
	struct inode *inode SCOPED(inode) = NULL;
	bool by_fd = !path && dirfd != AT_FDCWD;
	int err;

	if (flags & ~(by_fd ? 0 : AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = by_fd ? user_file_inode(dirfd, &inode) : user_path_inode(dirfd, path, flags, &inode);
	if (err)
		return err;
	return time_ok(&ts[0]) && time_ok(&ts[1]) ? set_times(inode, ts) : -EINVAL;
}

long sys_utimensat(int dirfd, vaddr_t path, vaddr_t times, u32 flags)
{
	struct timespec ts[2];

	if (!times)
		return change_times(dirfd, path, both_now, flags);
	if (copy_from_user(ts, times, sizeof(ts)))
		return -EFAULT;
	if (ts[0].nsec == UTIME_OMIT && ts[1].nsec == UTIME_OMIT)
		return 0;		/* nothing to do: the other arguments are not checked */
	return change_times(dirfd, path, ts, flags);
}

/* x86_64's older forms: with struct timeval, and with whole seconds. */
long sys_futimesat(int dirfd, vaddr_t path, vaddr_t times)
{
	struct timespec ts[2];
	struct timeval tv[2];

	if (!times)
		return change_times(dirfd, path, both_now, 0);
	if (copy_from_user(tv, times, sizeof(tv)))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if ((u64)tv[i].usec >= 1000000)
			return -EINVAL;
		ts[i] = (struct timespec){ tv[i].sec, tv[i].usec * 1000 };
	}
	return change_times(dirfd, path, ts, 0);
}

long sys_utime(vaddr_t path, vaddr_t times)
{
	s64 sec[2];

	if (!times)
		return change_times(AT_FDCWD, path, both_now, 0);
	if (copy_from_user(sec, times, sizeof(sec)))
		return -EFAULT;
	return change_times(AT_FDCWD, path, (struct timespec[]){ { sec[0], 0 }, { sec[1], 0 } }, 0);
}

long sys_umask(u32 mask)
{
	struct place *place = current_process()->place;
	u32 old;

	spin_lock(&place->lock);
	old = place->umask;
	place->umask = mask & 0777;
	spin_unlock(&place->lock);
	return old;
}
