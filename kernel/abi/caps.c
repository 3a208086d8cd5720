/*
 * Capabilities as system calls see them: capget, capset, and the prctl() options that limit what a
 * thread and its programs may ever get.
 *
 * Files have no capabilities here, so a thread has them only by being root, or by having been root
 * and keeping some on purpose.
 */
#include "sys.h"

/* From version 2 on, a set has two words: the low half comes first. */
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

/* Returns the number of words; writes our version over an unknown one. */
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
	struct thread *t SCOPED(thread) = NULL;
	struct cred *c SCOPED(cred) = NULL;
	int n = check_version(header, &h);

	if (n < 0 || !data)
		return !data && n != -EFAULT ? 0 : n;	/* programs ask for the version this way */
	if (h.pid < 0)
		return -EINVAL;
	t = find_user_thread(h.pid);
	if (!t)
		return -ESRCH;
	c = thread_cred(t);
	for (int i = 0; i < 2; i++)
		words[i] = (struct cap_words){ c->effective >> 32 * i, c->permitted >> 32 * i,
					       c->inheritable >> 32 * i };
	return copy_to_user(data, words, n * sizeof(*words));
}

static u64 set_of(u32 low, u32 high)
{
	return (low | (u64)high << 32) & CAPS_ALL;
}

/*
 * Sets may only shrink. Only the inheritable one may grow, within the bounding set, and without
 * CAP_SETPCAP only by permitted capabilities.
 */
static bool may_have(const struct cred *old, const struct cred *new)
{
	if (!capable(CAP_SETPCAP) && (new->inheritable & ~(old->inheritable | old->permitted)))
		return false;
	return !(new->inheritable & ~(old->inheritable | old->bounding)) &&
	       !(new->permitted & ~old->permitted) && !(new->effective & ~new->permitted);
}

long sys_capset(vaddr_t header, vaddr_t data)
{
	struct cap_words w[2] = { { 0 } };
	struct cap_header h;
	struct cred *new;
	int n = check_version(header, &h);

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
	if (!may_have(current_cred(), new)) {
		cred_put(new);
		return -EPERM;
	}
	cred_commit(new);
	return 0;
}

/* --- prctl ------------------------------------------------------------------------------------ */

#define PR_CAP_AMBIENT_IS_SET	1
#define PR_CAP_AMBIENT_RAISE	2
#define PR_CAP_AMBIENT_LOWER	3
#define PR_CAP_AMBIENT_CLEAR	4

/* A locked bit cannot change, and a lock cannot be removed. */
static long set_securebits(struct cred *new, u64 bits)
{
	u32 old = new->securebits, locked = (old & SECURE_LOCKS) >> 1;

	if ((locked & (old ^ bits)) || (old & SECURE_LOCKS & ~bits) ||
	    (bits & ~(u64)(SECURE_ALL | SECURE_LOCKS)) || !capable(CAP_SETPCAP))
		return -EPERM;
	new->securebits = bits;
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

/* Applies an option that changes @new. */
static long change(int option, struct cred *new, const u64 a[4])
{
	switch (option) {
	case PR_SET_KEEPCAPS:
		if (a[0] > 1)
			return -EINVAL;
		if (new->securebits & SECURE_KEEP_CAPS << 1)
			return -EPERM;
		new->securebits &= ~SECURE_KEEP_CAPS;
		new->securebits |= a[0] ? SECURE_KEEP_CAPS : 0;
		return 0;
	case PR_SET_SECUREBITS:
		return set_securebits(new, a[0]);
	case PR_CAPBSET_DROP:
		if (!capable(CAP_SETPCAP))
			return -EPERM;
		if (a[0] > CAP_LAST)
			return -EINVAL;
		new->bounding &= ~BIT(a[0]);
		return 0;
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
