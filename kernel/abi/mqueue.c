/*
 * POSIX message queues as system calls see them; the queues are in kernel/process/mqueue.c.
 *
 * The C library takes the slash off the name. A message is copied in before the queue is locked,
 * and copied out after it is unlocked: if that fails, a received message is lost, as on Linux.
 */
#include "process/mqueue.h"

#include "sys.h"

/* Returns a reference to a queue's file that is open for @access, or NULL. */
static struct file *mqueue_get(int fd, u32 access)
{
	struct file *f = fd_get(fd);
	u32 mode;

	if (!f)
		return NULL;
	mode = f->flags & O_ACCMODE;
	if (file_is_mqueue(f) && (access == O_ACCMODE || mode == O_RDWR || mode == access))
		return f;
	file_put(f);
	return NULL;
}

static ssize_t name_get(vaddr_t from, char name[NAME_MAX + 2])
{
	ssize_t n = copy_string_from_user(name, from, NAME_MAX + 2);

	return n ? n : -ENOENT;
}

long sys_mq_open(vaddr_t from, u32 flags, u32 mode, vaddr_t attr_from)
{
	char name[NAME_MAX + 2];
	struct mqueue_attr attr;
	struct file *f;
	ssize_t n;
	int err;

	if (attr_from && copy_from_user(&attr, attr_from, sizeof(attr)))
		return -EFAULT;
	n = name_get(from, name);
	if (n < 0)
		return n;
	err = mqueue_open(name, flags, mode & ~current_process()->place->umask,
			  attr_from ? &attr : NULL, &f);
	return err ? err : fd_install(f, 0, fd_limit(), true);
}

long sys_mq_unlink(vaddr_t from)
{
	char name[NAME_MAX + 2];
	ssize_t n = name_get(from, name);

	return n < 0 ? n : mqueue_unlink(name);
}

long sys_mq_timedsend(int fd, vaddr_t from, size_t len, u32 priority, vaddr_t timeout)
{
	struct file *f SCOPED(file) = NULL;
	struct mqueue_message *m;
	struct mqueue_attr attr;
	struct deadline d;
	int err = deadline_get(timeout, CLOCK_REALTIME, true, &d);

	if (!err && priority >= MQ_PRIO_MAX)
		err = -EINVAL;
	if (err)
		return err;
	f = mqueue_get(fd, O_WRONLY);
	if (!f)
		return -EBADF;
	mqueue_get_attr(f, &attr);
	if (len > (u64)attr.msgsize)
		return -EMSGSIZE;
	m = kmalloc(sizeof(*m) + len);
	if (!m)
		return -ENOMEM;
	*m = (struct mqueue_message){ .priority = priority, .len = len };
	err = copy_from_user(m->data, from, len);
	if (!err)
		err = mqueue_send(f, m, d);
	if (err)
		kfree(m);
	return err;
}

long sys_mq_timedreceive(int fd, vaddr_t to, size_t size, vaddr_t priority, vaddr_t timeout)
{
	struct file *f SCOPED(file) = NULL;
	struct mqueue_message *m = NULL;
	struct mqueue_attr attr;
	struct deadline d;
	long result = deadline_get(timeout, CLOCK_REALTIME, true, &d);

	if (result)
		return result;
	f = mqueue_get(fd, O_RDONLY);
	if (!f)
		return -EBADF;
	mqueue_get_attr(f, &attr);
	if (size < (u64)attr.msgsize)
		return -EMSGSIZE;
	result = mqueue_receive(f, &m, d);
	if (result)
		return result;
	result = m->len;
	if ((priority && copy_to_user(priority, &m->priority, sizeof(m->priority))) ||
	    copy_to_user(to, m->data, m->len))
		result = -EFAULT;
	kfree(m);
	return result;
}

#define COOKIE_SIZE	32	/* what a socket would get from SIGEV_THREAD */

/* SIGEV_THREAD is -EBADF: it names a socket, and there are none. */
static int notify_get(vaddr_t from, struct mqueue_notify *n)
{
	char cookie[COOKIE_SIZE];
	struct sigevent e;

	if (copy_from_user(&e, from, sizeof(e)))
		return -EFAULT;
	*n = (struct mqueue_notify){ .how = e.notify, .sig = e.sig, .value = e.value };
	switch (e.notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_SIGNAL:
		return (u32)e.sig <= NSIG ? 0 : -EINVAL;
	case SIGEV_THREAD:
		return copy_from_user(cookie, e.value, sizeof(cookie)) ? -EFAULT : -EBADF;
	default:
		return -EINVAL;
	}
}

long sys_mq_notify(int fd, vaddr_t event)
{
	struct file *f SCOPED(file) = NULL;
	struct mqueue_notify n;
	int err = event ? notify_get(event, &n) : 0;

	if (err)
		return err;
	f = mqueue_get(fd, O_ACCMODE);
	return f ? mqueue_notify(f, event ? &n : NULL) : -EBADF;
}

long sys_mq_getsetattr(int fd, vaddr_t from, vaddr_t to)
{
	struct file *f SCOPED(file) = NULL;
	struct mqueue_attr new, old;

	if (from && copy_from_user(&new, from, sizeof(new)))
		return -EFAULT;
	if (from && (new.flags & ~(s64)O_NONBLOCK))
		return -EINVAL;
	f = mqueue_get(fd, O_ACCMODE);
	if (!f)
		return -EBADF;
	mqueue_get_attr(f, &old);
	if (from) {
		mutex_lock(&f->lock);
		f->flags = (f->flags & ~O_NONBLOCK) | (u32) new.flags;
		mutex_unlock(&f->lock);
	}
	return to ? copy_to_user(to, &old, sizeof(old)) : 0;
}
