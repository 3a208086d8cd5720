/*
 * Users and groups as system calls see them: the ids and the supplementary groups of the caller.
 *
 * The calls for user ids and for group ids follow the same rules and share their code: @group says
 * which ids are meant. All end in change_ids(). Only user ids count tasks (RLIMIT_NPROC) and change
 * the caller's capabilities.
 */
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

static long put_ids(const struct ids *ids, vaddr_t real, vaddr_t effective, vaddr_t saved)
{
	if (copy_to_user(real, &ids->real, sizeof(u32)) ||
	    copy_to_user(effective, &ids->effective, sizeof(u32)))
		return -EFAULT;
	return copy_to_user(saved, &ids->saved, sizeof(u32));
}

long sys_getresuid(vaddr_t real, vaddr_t effective, vaddr_t saved)
{
	return put_ids(&current_cred()->uid, real, effective, saved);
}

long sys_getresgid(vaddr_t real, vaddr_t effective, vaddr_t saved)
{
	return put_ids(&current_cred()->gid, real, effective, saved);
}

/* --- Changing --------------------------------------------------------------------------------- */

static const struct ids *own_ids(bool group)
{
	return group ? &current_cred()->gid : &current_cred()->uid;
}

/* Checks whether the caller may take ids that it does not have yet. */
static bool may_take_any(bool group)
{
	return capable(group ? CAP_SETGID : CAP_SETUID);
}

static long change_ids(bool group, const struct ids *ids)
{
	const struct cred *old = current_cred();
	struct cred *new = cred_copy(old->nr_groups);
	long err = 0;

	if (!new)
		return -ENOMEM;
	*(group ? &new->gid : &new->uid) = *ids;
	if (new->uid.real != old->uid.real)
		err = cred_find_user(new);
	if (err) {
		cred_put(new);
		return err;
	}
	cred_fix_capabilities(new, old);
	if (new->user != old->user)
		current_thread()->over_limit =
			new->uid.real &&
			user_tasks(new->user) > current_process()->limits[RLIMIT_NPROC].cur;
	cred_commit(new);
	return 0;
}

/* A privileged caller changes all its ids, any other one only the effective id. */
static long set_id(bool group, u32 id)
{
	struct ids new = *own_ids(group);

	if (id == ID_KEEP)
		return -EINVAL;
	if (may_take_any(group))
		new.real = new.saved = id;
	else if (id != new.real && id != new.saved)
		return -EPERM;
	new.effective = new.fs = id;
	return change_ids(group, &new);
}

long sys_setuid(u32 id)
{
	return set_id(false, id);
}

long sys_setgid(u32 id)
{
	return set_id(true, id);
}

/*
 * The saved id follows the effective one if the real id is given, or if the effective id becomes
 * one that the real id was not.
 */
static long set_re(bool group, u32 real, u32 effective)
{
	const struct ids old = *own_ids(group);
	struct ids new = old;

	if (real != ID_KEEP) {
		if (real != old.real && real != old.effective && !may_take_any(group))
			return -EPERM;
		new.real = real;
	}
	if (effective != ID_KEEP) {
		if (effective != old.real && effective != old.effective &&
		    effective != old.saved && !may_take_any(group))
			return -EPERM;
		new.effective = effective;
	}
	if (real != ID_KEEP || (effective != ID_KEEP && effective != old.real))
		new.saved = new.effective;
	new.fs = new.effective;
	return change_ids(group, &new);
}

long sys_setreuid(u32 real, u32 effective)
{
	return set_re(false, real, effective);
}

long sys_setregid(u32 real, u32 effective)
{
	return set_re(true, real, effective);
}

static bool has_id(const struct ids *ids, u32 id)
{
	return id == ID_KEEP || id == ids->real || id == ids->effective || id == ids->saved;
}

/* Each id may become any of the three. */
static long set_res(bool group, u32 real, u32 effective, u32 saved)
{
	struct ids new = *own_ids(group);

	if (!may_take_any(group) &&
	    !(has_id(&new, real) && has_id(&new, effective) && has_id(&new, saved)))
		return -EPERM;
	new.real = real == ID_KEEP ? new.real : real;
	new.effective = effective == ID_KEEP ? new.effective : effective;
	new.saved = saved == ID_KEEP ? new.saved : saved;
	new.fs = new.effective;
	return change_ids(group, &new);
}

long sys_setresuid(u32 real, u32 effective, u32 saved)
{
	return set_res(false, real, effective, saved);
}

long sys_setresgid(u32 real, u32 effective, u32 saved)
{
	return set_res(true, real, effective, saved);
}

/* setfsuid() and setfsgid() report no error: they return the id that was there before. */
long sys_setfsuid(u32 id)
{
	const struct cred *c = current_cred();
	u32 old = c->uid.fs;
	struct cred *new;

	if (id == ID_KEEP || id == old || (!has_id(&c->uid, id) && !may_take_any(false)))
		return old;
	new = cred_copy(c->nr_groups);
	if (!new)
		return old;
	new->uid.fs = id;
	/* The capabilities that are about files come and go with id 0. */
	if (!(new->securebits & SECURE_NO_FIXUP)) {
		if (!old)
			new->effective &= ~CAPS_FILES;
		else if (!id)
			new->effective |= new->permitted & CAPS_FILES;
	}
	cred_commit(new);
	return old;
}

long sys_setfsgid(u32 id)
{
	struct ids new = current_cred()->gid;
	u32 old = new.fs;

	if (id != ID_KEEP && (has_id(&new, id) || may_take_any(true))) {
		new.fs = id;
		change_ids(true, &new);
	}
	return old;
}

/* --- Supplementary groups --------------------------------------------------------------------- */

/* Returns how many groups there are, and copies them unless @n is 0. */
long sys_getgroups(int n, vaddr_t out)
{
	const struct cred *c = current_cred();

	if (n < 0 || (n && (u32)n < c->nr_groups))
		return -EINVAL;
	if (n && copy_to_user(out, c->groups, c->nr_groups * sizeof(u32)))
		return -EFAULT;
	return c->nr_groups;
}

/* Shell sort: there may be 65,536 groups, but nearly always there are a handful. */
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
