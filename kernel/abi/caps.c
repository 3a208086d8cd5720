/*
 * Capabilities as system calls see them: capget, capset, and the prctl() options about what a
 * thread and its programs may ever get.
 *
 * Users count for more than capabilities here, as no file has any: they are root's, and what root
 * keeps of them on purpose.
 */
#include "mm/vm.h"
#include "process/cred.h"
#include "sys.h"

/* The two words of a set are the low and the high half of the second and third version. */
#define CAP_VERSION_1	0x19980330u	/* one word */
#define CAP_VERSION_2	0x20071026u
#define CAP_VERSION_3	0x20080522u

struct cap_header {
	u32 version;
	pid_t pid;
};

struct cap_words {
	u32 effective, permitted, inheritable;
};

/* How many words; an unknown version is told which one there is. */
static int check_version(vaddr_t header, struct cap_header *h)
{
	u32 ours = CAP_VERSION_3;

	if (copy_from_user(h, header, sizeof(*h)))
		return -EFAULT;
	if (h->version == CAP_VERSION_1)
		return 1;
	if (h->version == CAP_VERSION_2 || h->version == CAP_VERSION_3)
		return 2;
	return copy_to_user(header, &ours, sizeof(ours)) ? -EFAULT : -EINVAL;
}

long sys_capget(vaddr_t header, vaddr_t data)
{
	struct cap_words words[2];
	struct cap_header h;
	struct thread *t;
	struct cred *c;
	int n = check_version(header, &h);

	if (n < 0)
		return !data && n == -EINVAL ? 0 : n;	/* that is how one asks for the version */
	if (h.pid < 0)
		return -EINVAL;
	t = find_user_thread(h.pid);
	if (!t)
		return -ESRCH;
	c = thread_cred(t);
	thread_put(t);
	for (int i = 0; i < 2; i++)
		words[i] = (struct cap_words){ c->effective >> 32 * i, c->permitted >> 32 * i,
					       c->inheritable >> 32 * i };
	cred_put(c);
	return data ? copy_to_user(data, words, n * sizeof(*words)) : 0;
}

static u64 set_of(u32 low, u32 high)
{
	return (low | (u64)high << 32) & CAPS_ALL;
}

/* The sets of @new may shrink; only the inheritable one may grow, and not beyond what is owned. */
static int check_sets(const struct cred *old, const struct cred *new)
{
	if (!capable(CAP_SETPCAP) && (new->inheritable & ~(old->inheritable | old->permitted)))
		return -EPERM;
	if (new->inheritable & ~(old->inheritable | old->bounding))
		return -EPERM;
	if ((new->permitted & ~old->permitted) || (new->effective & ~new->permitted))
		return -EPERM;
	return 0;
}

long sys_capset(vaddr_t header, vaddr_t data)
{
	struct cap_words w[2] = { { 0 } };
	struct cap_header h;
	struct cred *new;
	int n = check_version(header, &h), err;

	if (n < 0)
		return n;
	if (h.pid && h.pid != current_thread()->tid)
		return -EPERM;
	if (copy_from_user(w, data, n * sizeof(*w)))
		return -EFAULT;
	new = cred_copy(current_cred()->nr_groups);
	if (!new)
		return -ENOMEM;
	new->effective = set_of(w[0].effective, w[1].effective);
	new->permitted = set_of(w[0].permitted, w[1].permitted);
	new->inheritable = set_of(w[0].inheritable, w[1].inheritable);
	new->ambient &= new->permitted & new->inheritable;
	err = check_sets(current_cred(), new);
	if (err)
		cred_put(new);
	else
		cred_commit(new);
	return err;
}

/* --- prctl ------------------------------------------------------------------------------------ */

#define PR_CAP_AMBIENT_IS_SET	1
#define PR_CAP_AMBIENT_RAISE	2
#define PR_CAP_AMBIENT_LOWER	3
#define PR_CAP_AMBIENT_CLEAR	4

/* A locked bit stays what it is, and nobody unlocks it. */
static long set_securebits(struct cred *new, u64 bits)
{
	u32 old = new->securebits, locked = (old & SECURE_LOCKS) >> 1;

	if ((locked & (old ^ bits)) || (old & SECURE_LOCKS & ~bits) ||
	    (bits & ~(u64)(SECURE_ALL | SECURE_LOCKS)) || !capable(CAP_SETPCAP))
		return -EPERM;
	new->securebits = bits;
	return 0;
}

static long set_keep_caps(struct cred *new, u64 on)
{
	if (on > 1)
		return -EINVAL;
	if (new->securebits & SECURE_KEEP_CAPS << 1)
		return -EPERM;
	new->securebits = (new->securebits & ~SECURE_KEEP_CAPS) | (on ? SECURE_KEEP_CAPS : 0);
	return 0;
}

static long drop_bounding(struct cred *new, u64 cap)
{
	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST)
		return -EINVAL;
	new->bounding &= ~BIT(cap);
	return 0;
}

static long change_ambient(struct cred *new, const u64 a[4])
{
	if (a[0] == PR_CAP_AMBIENT_CLEAR) {
		if (a[1] || a[2] || a[3])
			return -EINVAL;
		new->ambient = 0;
		return 0;
	}
	if (a[1] > CAP_LAST || a[2] || a[3])
		return -EINVAL;
	if (a[0] == PR_CAP_AMBIENT_IS_SET)
		return !!(new->ambient & BIT(a[1]));
	if (a[0] == PR_CAP_AMBIENT_LOWER) {
		new->ambient &= ~BIT(a[1]);
		return 0;
	}
	if (a[0] != PR_CAP_AMBIENT_RAISE)
		return -EINVAL;
	if (!(new->permitted & new->inheritable & BIT(a[1])) ||
	    (new->securebits & SECURE_NO_AMBIENT_RAISE))
		return -EPERM;
	new->ambient |= BIT(a[1]);
	return 0;
}

/* Applies an option that may change @new. */
static long change(int option, struct cred *new, const u64 a[4])
{
	switch (option) {
	case PR_SET_KEEPCAPS:
		return set_keep_caps(new, a[0]);
	case PR_SET_SECUREBITS:
		return set_securebits(new, a[0]);
	case PR_CAPBSET_DROP:
		return drop_bounding(new, a[0]);
	case PR_CAP_AMBIENT:
		return change_ambient(new, a);
	default:
		return -EINVAL;
	}
}

long cred_prctl(int option, const u64 a[4])
{
	const struct cred *c = current_cred();
	struct cred *new;
	long result;

	switch (option) {
	case PR_GET_KEEPCAPS:
		return !!(c->securebits & SECURE_KEEP_CAPS);
	case PR_GET_SECUREBITS:
		return c->securebits;
	case PR_CAPBSET_READ:
		return a[0] > CAP_LAST ? -EINVAL : !!(c->bounding & BIT(a[0]));
	}
	new = cred_copy(c->nr_groups);
	if (!new)
		return -ENOMEM;
	result = change(option, new, a);
	if (result < 0)
		cred_put(new);
	else
		cred_commit(new);
	return result;
}
