/*
 * The questions of fcntl() and ioctl() about a file's signals: its owner, its signal, O_ASYNC.
 */
#include "process/async.h"
#include "sys.h"

/* F_SETOWN's way to say it: a process, or a group negated. */
static long set_owner(struct file *f, s32 who)
{
	struct file_owner o = { .kind = OWNER_PROCESS, .id = who };

	if (who == S32_MIN)
		return -EINVAL;
	if (who < 0)
		o = (struct file_owner){ .kind = OWNER_GROUP, .id = -who };
	return async_set_owner(f, o, true);
}

/* A small group's number looks like an error, but is none that starts the call again. */
static long get_owner(struct file *f)
{
	struct file_owner o = async_owner(f);

	if (o.kind != OWNER_GROUP || !o.id)
		return o.id;
	if (o.id == EINTR || o.id >= ERESTARTNOHAND)
		current_thread()->restart = RESTART_OFF;
	return -o.id;
}

long fcntl_owner(struct file *f, int cmd, u64 arg)
{
	struct file_owner o;

	switch (cmd) {
	case F_SETOWN:
		return set_owner(f, (s32)arg);
	case F_GETOWN:
		return get_owner(f);
	case F_SETOWN_EX:
		if (copy_from_user(&o, arg, sizeof(o)))
			return -EFAULT;
		return o.kind < OWNER_THREAD || o.kind > OWNER_GROUP ? -EINVAL
								     : async_set_owner(f, o, true);
	case F_GETOWN_EX:
		o = async_owner(f);
		return copy_to_user(arg, &o, sizeof(o));
	case F_SETSIG:
		if (arg > NSIG)
			return -EINVAL;
		atomic_store(&f->async.sig, arg);
		return 0;
	}
	return atomic_load(&f->async.sig);	/* F_GETSIG */
}

/* Unlike F_SETFL it says that a file cannot do it. */
long ioctl_async(int fd, struct file *f, vaddr_t arg)
{
	int on;

	if (copy_from_user(&on, arg, sizeof(on)))
		return -EFAULT;
	if (!f->ops->async && !on != !(f->flags & O_ASYNC))
		return -ENOTTY;
	async_turn(f, fd, on);
	return 0;
}
