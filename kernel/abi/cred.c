/*
 * Users and groups as system calls see them: the ids and the supplementary groups of the caller.
 *
 * The calls for user and for group ids have the same rules and share them: a table of ids, and the
 * capability that makes all rules moot. All end in change_ids(). Only user ids are counted for
 * (RLIMIT_NPROC) and take capabilities with them.
 */
#include "process/cred.h"

#include "sys.h"

/* --- Asking ----------------------------------------------------------------------------------- */

long sys_getuid(void)
{
	return current_cred()->uid.real;
}

long sys_geteuid(void)
{
	return current_cred()->uid.effective;
}

long sys_getgid(void)
{
	return current_cred()->gid.real;
}

long sys_getegid(void)
{
	return current_cred()->gid.effective;
}

static long get_res(const struct ids *ids, vaddr_t real, vaddr_t effective, vaddr_t saved)
{
	if (copy_to_user(real, &ids->real, sizeof(u32)) ||
	    copy_to_user(effective, &ids->effective, sizeof(u32)))
		return -EFAULT;
	return copy_to_user(saved, &ids->saved, sizeof(u32));
}

long sys_getresuid(vaddr_t real, vaddr_t effective, vaddr_t saved)
{
	return get_res(&current_cred()->uid, real, effective, saved);
}

long sys_getresgid(vaddr_t real, vaddr_t effective, vaddr_t saved)
{
	return get_res(&current_cred()->gid, real, effective, saved);
}

/* --- Changing --------------------------------------------------------------------------------- */

static u64 task_limit(void)
{
	return current_process()->limits[RLIMIT_NPROC].cur;
}

/* The caller gets @uid and @gid, either of which may be what it has. */
static long change_ids(const struct ids *uid, const struct ids *gid)
{
	const struct cred *old = current_cred();
	struct cred *new = cred_copy(old->nr_groups);
	long err = 0;

	if (!new)
		return -ENOMEM;
	new->uid = *uid;
	new->gid = *gid;
	if (uid->real != old->uid.real)
		err = cred_find_user(new);
	if (err) {
		cred_put(new);
		return err;
	}
	cred_fix_capabilities(new, old);
	if (new->user != old->user)
		current_thread()->over_limit = uid->real && user_tasks(new->user) > task_limit();
	cred_commit(new);
	return 0;
}

static long change_uid(const struct ids *uid)
{
	return change_ids(uid, &current_cred()->gid);
}

static long change_gid(const struct ids *gid)
{
	return change_ids(&current_cred()->uid, gid);
}

/* setuid, setgid: of root all of them, of others the effective one. */
static long set_id(struct ids *new, u32 id, bool privileged)
{
	if (id == ID_KEEP)
		return -EINVAL;
	if (privileged)
		new->real = new->saved = id;
	else if (id != new->real && id != new->saved)
		return -EPERM;
	new->effective = new->fs = id;
	return 0;
}

long sys_setuid(u32 id)
{
	struct ids new = current_cred()->uid;
	long err = set_id(&new, id, capable(CAP_SETUID));

	return err ? err : change_uid(&new);
}

long sys_setgid(u32 id)
{
	struct ids new = current_cred()->gid;
	long err = set_id(&new, id, capable(CAP_SETGID));

	return err ? err : change_gid(&new);
}

/*
 * setreuid, setregid: whoever sets the real id, or an effective one that the real one was not, also
 * sets the saved one.
 */
static long set_re(struct ids *new, u32 real, u32 effective, bool privileged)
{
	const struct ids old = *new;

	if (real != ID_KEEP) {
		if (real != old.real && real != old.effective && !privileged)
			return -EPERM;
		new->real = real;
	}
	if (effective != ID_KEEP) {
		if (effective != old.real && effective != old.effective &&
		    effective != old.saved && !privileged)
			return -EPERM;
		new->effective = effective;
	}
	if (real != ID_KEEP || (effective != ID_KEEP && effective != old.real))
		new->saved = new->effective;
	new->fs = new->effective;
	return 0;
}

long sys_setreuid(u32 real, u32 effective)
{
	struct ids new = current_cred()->uid;
	long err = set_re(&new, real, effective, capable(CAP_SETUID));

	return err ? err : change_uid(&new);
}

long sys_setregid(u32 real, u32 effective)
{
	struct ids new = current_cred()->gid;
	long err = set_re(&new, real, effective, capable(CAP_SETGID));

	return err ? err : change_gid(&new);
}

static bool has_id(const struct ids *ids, u32 id)
{
	return id == ID_KEEP || id == ids->real || id == ids->effective || id == ids->saved;
}

/* setresuid, setresgid: each may become any of the three. */
static long set_res(struct ids *new, u32 real, u32 effective, u32 saved, bool privileged)
{
	if (!privileged && !(has_id(new, real) && has_id(new, effective) && has_id(new, saved)))
		return -EPERM;
	new->real = real == ID_KEEP ? new->real : real;
	new->effective = effective == ID_KEEP ? new->effective : effective;
	new->saved = saved == ID_KEEP ? new->saved : saved;
	new->fs = new->effective;
	return 0;
}

long sys_setresuid(u32 real, u32 effective, u32 saved)
{
	struct ids new = current_cred()->uid;
	long err = set_res(&new, real, effective, saved, capable(CAP_SETUID));

	return err ? err : change_uid(&new);
}

long sys_setresgid(u32 real, u32 effective, u32 saved)
{
	struct ids new = current_cred()->gid;
	long err = set_res(&new, real, effective, saved, capable(CAP_SETGID));

	return err ? err : change_gid(&new);
}

/* The capabilities that are about files come and go with fs ids of 0 and others. */
static void fix_file_capabilities(struct cred *new, u32 old_fs)
{
	if (new->securebits & SECURE_NO_FIXUP)
		return;
	if (!old_fs && new->uid.fs)
		new->effective &= ~CAPS_FILES;
	if (old_fs && !new->uid.fs)
		new->effective |= new->permitted & CAPS_FILES;
}

/* These two cannot fail, or rather cannot say so: the result is what the id was before. */
long sys_setfsuid(u32 id)
{
	const struct cred *c = current_cred();
	u32 old = c->uid.fs;
	struct cred *new;

	if (id == ID_KEEP || id == old || (!has_id(&c->uid, id) && !capable(CAP_SETUID)))
		return old;
	new = cred_copy(c->nr_groups);
	if (new) {
		new->uid.fs = id;
		fix_file_capabilities(new, old);
		cred_commit(new);
	}
	return old;
}

long sys_setfsgid(u32 id)
{
	struct ids new = current_cred()->gid;
	u32 old = new.fs;

	if (id != ID_KEEP && (has_id(&new, id) || capable(CAP_SETGID))) {
		new.fs = id;
		change_gid(&new);
	}
	return old;
}

/* --- Supplementary groups --------------------------------------------------------------------- */

/* How many there are; with @n 0 no more than that. */
long sys_getgroups(int n, vaddr_t out)
{
	const struct cred *c = current_cred();

	if (n < 0)
		return -EINVAL;
	if (n && (u32)n < c->nr_groups)
		return -EINVAL;
	if (n && copy_to_user(out, c->groups, c->nr_groups * sizeof(u32)))
		return -EFAULT;
	return c->nr_groups;
}

/* Shell sort: at most 65,536, nearly always a handful. */
static void sort_groups(u32 *g, u32 n)
{
	for (u32 gap = n / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (u32 i = gap; i < n; i++) {
			u32 id = g[i], k = i;

			for (; k >= gap && g[k - gap] > id; k -= gap)
				g[k] = g[k - gap];
			g[k] = id;
		}
}

long sys_setgroups(int n, vaddr_t in)
{
	struct cred *new;
	long err = 0;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if ((u32)n > NGROUPS_MAX)
		return -EINVAL;
	new = cred_copy(n);
	if (!new)
		return -ENOMEM;
	if (copy_from_user(new->groups, in, n * sizeof(u32)))
		err = -EFAULT;
	for (int i = 0; i < n && !err; i++)
		if (new->groups[i] == ID_KEEP)
			err = -EINVAL;
	if (err) {
		cred_put(new);
		return err;
	}
	sort_groups(new->groups, n);
	cred_commit(new);
	return 0;
}
