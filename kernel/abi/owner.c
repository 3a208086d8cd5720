/*
 * The commands of fcntl() and ioctl() about a file's signals: its owner, its signal, O_ASYNC.
 */
#include "process/async.h"
#include "sys.h"

/* F_SETOWN names a process by its id, a group by its negated id. */
static long set_owner(struct file *f, s32 who)
{
	struct file_owner o = { .kind = OWNER_PROCESS, .id = who };

	if (who == S32_MIN)
		return -EINVAL;
	if (who < 0)
		o = (struct file_owner){ .kind = OWNER_GROUP, .id = -who };
	return async_set_owner(f, o, true);
}

/* A negated group id may look like an error that restarts the call: it must not. */
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

/* Unlike F_SETFL, reports a file that cannot send signals. */
long ioctl_async(int fd, struct file *f, bool on)
{
	if (!f->ops->async && !on != !(f->flags & O_ASYNC))
		return -ENOTTY;
	async_turn(f, fd, on);
	return 0;
}
