/*
 * Permissions: what a thread may do with an inode. The rules are common to all file systems; the
 * ids are the current thread's file system ids, which follow the effective ones.
 *
 * An inode's mode and owner are read without its lock: a change at the same time might as well have
 * come just before or after the check.
 *
 * The checks come in Linux's order, since a caller that breaks several rules gets the error of the
 * first: the right to search each directory of the walk, then whether the name exists, then the
 * right to change the directory (-EACCES), then its sticky bit (-EPERM), then the kind of file.
 */
#include "errno.h"
#include "fs.h"
#include "process/cred.h"

bool cred_in_group(const struct cred *c, u32 gid)
{
	u32 low = 0, high = c->nr_groups;

	if (gid == c->gid.fs)
		return true;
	while (low < high) {
		u32 middle = (low + high) / 2;

		if (c->groups[middle] == gid)
			return true;
		if (c->groups[middle] < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

int inode_permission_slow(const struct inode *i, unsigned mask)
{
	const struct cred *c = current_cred();
	u32 mode = i->mode, allowed = mode;

	if ((mask & MAY_WRITE) && (i->fixed & FIXED_WRITE))
		return -EPERM;
	if (c->uid.fs == i->uid)
		allowed = mode >> 6;
	else if (cred_in_group(c, i->gid))
		allowed = mode >> 3;
	if (!(mask & ~allowed & MAY_ALL))
		return 0;
	if (i->fixed & FIXED_RIGHTS)
		return -EACCES;
	if (!(mask & MAY_WRITE) && capable(CAP_DAC_READ_SEARCH) &&
	    (inode_is(i, S_IFDIR) || !(mask & MAY_EXEC)))
		return 0;
	/* This capability allows all, except to execute a file that nobody may execute. */
	if (capable(CAP_DAC_OVERRIDE) &&
	    (inode_is(i, S_IFDIR) || !(mask & MAY_EXEC) || (mode & 0111)))
		return 0;
	return i->ops->allows && i->ops->allows(i) ? 0 : -EACCES;
}

bool inode_owned(const struct inode *i)
{
	return current_cred()->uid.fs == i->uid || capable(CAP_FOWNER);
}

void inode_init_owner(struct inode *i, const struct inode *dir)
{
	const struct cred *c = current_cred();
	bool exec_group = (i->mode & (S_ISGID | 0010)) == (S_ISGID | 0010);

	i->uid = c->uid.fs;
	i->gid = c->gid.fs;
	if (!dir || !(dir->mode & S_ISGID))
		return;
	i->gid = dir->gid;
	if (inode_is(i, S_IFDIR))
		i->mode |= S_ISGID;
	else if (exec_group && !cred_in_group(c, i->gid) && !capable(CAP_FSETID))
		i->mode &= ~S_ISGID;
}

int may_create(const struct inode *dir)
{
	return dir->nlink ? inode_permission(dir, MAY_WRITE | MAY_EXEC) : -ENOENT;
}

int may_delete(const struct inode *dir, const struct inode *victim, bool is_dir)
{
	int err = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	u32 me = current_cred()->uid.fs;

	if (err)
		return err;
	/* Only its owner and the directory's owner may remove a file from a sticky directory. */
	if ((dir->mode & S_ISVTX) && me != victim->uid && me != dir->uid && !capable(CAP_FOWNER))
		return -EPERM;
	if (is_dir != inode_is(victim, S_IFDIR))
		return is_dir ? -ENOTDIR : -EISDIR;
	return dir->nlink ? 0 : -ENOENT;
}

/* --- Attributes ------------------------------------------------------------------------------- */

/* Whether the caller may leave a set-group-id bit on a file of group @gid. */
static bool may_set_gid_bit(u32 gid)
{
	return cred_in_group(current_cred(), gid) || capable(CAP_FSETID);
}

int inode_set_mode(struct inode *i, u32 mode)
{
	int err = 0;

	if (i->dev == DEV_ANON)
		return -EOPNOTSUPP;
	if (i->fixed & FIXED_MODE)
		return -EPERM;
	mutex_lock(&i->lock);
	if (!inode_owned(i) || (i->seals & F_SEAL_EXEC && (i->mode ^ mode) & 0111)) {
		err = -EPERM;
	} else {
		if (!may_set_gid_bit(i->gid))
			mode &= ~S_ISGID;
		i->mode = (i->mode & S_IFMT) | (mode & 07777);
		inode_changed(i);
	}
	mutex_unlock(&i->lock);
	return err;
}

/* The bits that let others act as the owner or group: a change of the file takes them away. */
static u32 set_id_bits(const struct inode *i, bool lone_group_bit)
{
	u32 bits = i->mode & S_ISUID;

	if ((i->mode & S_ISGID) && ((i->mode & 0010) || lone_group_bit))
		bits |= S_ISGID;
	return bits;
}

/* Checks whether the caller may give @i to @uid and @gid, which drops mode bits @dropped. */
static int may_chown(const struct inode *i, u32 uid, u32 gid, u32 dropped) HOLDS(i->lock)
{
	const struct cred *c = current_cred();
	bool mine = c->uid.fs == i->uid;

	if (uid != ID_KEEP && !(mine && uid == i->uid) && !capable(CAP_CHOWN))
		return -EPERM;
	if (gid != ID_KEEP && !(mine && (gid == i->gid || cred_in_group(c, gid))) &&
	    !capable(CAP_CHOWN))
		return -EPERM;
	return dropped && !inode_owned(i) ? -EPERM : 0;
}

int inode_set_owner(struct inode *i, u32 uid, u32 gid)
{
	u32 dropped = 0;
	int err;

	if (i->dev == DEV_ANON)
		return -EOPNOTSUPP;
	if ((i->fixed & FIXED_OWNER) && (uid != ID_KEEP || gid != ID_KEEP))
		return -EPERM;
	mutex_lock(&i->lock);
	if (!inode_is(i, S_IFDIR))
		dropped = set_id_bits(i, !may_set_gid_bit(i->gid));
	err = may_chown(i, uid, gid, dropped);
	if (!err) {
		i->uid = uid == ID_KEEP ? i->uid : uid;
		i->gid = gid == ID_KEEP ? i->gid : gid;
		i->mode &= ~dropped;
		inode_changed(i);
	}
	mutex_unlock(&i->lock);
	return err;
}

void inode_drop_set_id_slow(struct inode *i)
{
	if (inode_is(i, S_IFREG) && !capable(CAP_FSETID))
		i->mode &= ~set_id_bits(i, !cred_in_group(current_cred(), i->gid));
}
