/*
 * signalfd(): a file from which a thread reads its pending signals. A reader takes the signals of
 * its own thread and process, also if another process made the file.
 *
 * Readers wait at process->signalled, where every signal that becomes pending wakes them.
 */
#include "fs/poll.h"
#include "process/signalfd.h"

#include "errno.h"
#include "fs/fs.h"
#include "mm/mm.h"
#include "process/signal.h"
#include "sched/cpu.h"

struct signalfd {
	struct inode inode;
	_Atomic u64 set;		/* the signals to read */
};

/* Linux's struct signalfd_siginfo. */
struct record {
	u32 signo;
	s32 error, code;
	u32 pid, uid;
	s32 fd;
	u32 tid, band, overrun, trapno;
	s32 status, value;
	u64 pointer, user_time, system_time, addr;
	u8 unused[48];
};

_Static_assert(sizeof(struct record) == 128, "struct signalfd_siginfo");

static struct signalfd *file_signalfd(const struct file *f)
{
	return container_of(f->inode, struct signalfd, inode);
}

/* Fills the fields for the kind of signal: of a fault, a file, a timer, a child, or a sender. */
static struct record record_of(const struct signal_info *info)
{
	struct record r = { .signo = info->signo, .error = info->error, .code = info->code };
	bool poll_code = info->code > 0 && info->code <= NSIGPOLL && info->signo != SIGCHLD;

	if (info->code > 0 && (SIGSET(info->signo) & SYNCHRONOUS)) {
		r.addr = info->addr;
		return r;
	}
	if (info->code == SI_SIGIO || poll_code) {
		r.fd = (s32)info->value;
		r.band = (u32)info->band;
		return r;
	}
	if (info->code == SI_TIMER) {
		r.tid = info->pid;
		r.overrun = info->uid;
	} else {
		r.pid = info->pid;
		r.uid = info->uid;
	}
	if (info->code > 0 && info->signo == SIGCHLD) {
		r.status = (s32)info->value;
	} else if (info->code < 0 && info->code != SI_TKILL) {
		r.value = (s32)info->value;
		r.pointer = info->value;
	}
	return r;
}

static u64 pending(void)
{
	struct thread *t = current_thread();

	return atomic_load(&t->sigpending) | atomic_load(&t->process->sigpending);
}

/* Takes one signal; waits for it if @wait. 0, -EAGAIN, -EINTR. */
static int take(struct signalfd *s, bool wait, struct signal_info *info)
{
	struct process *p = current_process();
	int err = wait ? 0 : -EAGAIN;

	while (!signal_take(atomic_load(&s->set), info)) {
		if (err)
			return err;
		spin_lock(&p->signalled.lock);
		while (!(pending() & atomic_load(&s->set)) && !err)
			err = wait_block_locked(&p->signalled, DEADLINE_NEVER, 0);
		spin_unlock(&p->signalled.lock);
	}
	return 0;
}

static ssize_t signalfd_read(struct file *f, struct iobuf *b, off_t *pos)
{
	bool wait = !(f->flags & O_NONBLOCK) && !(b->flags & RWF_NOWAIT);
	struct signal_info info;
	ssize_t done = 0;
	int err;

	(void)pos;
	if (b->left < sizeof(struct record))
		return -EINVAL;
	do {
		struct record r;

		err = take(file_signalfd(f), wait && !done, &info);
		if (err)
			break;
		r = record_of(&info);
		if (iobuf_copy_to(b, &r, sizeof(r)) != sizeof(r))
			err = -EFAULT;
		else
			done += sizeof(r);
	} while (!err && b->left >= sizeof(struct record));
	return done ? done : err;
}

static unsigned signalfd_poll(struct file *f, struct poll_table *pt)
{
	poll_add(pt, &current_process()->signalled);
	return pending() & atomic_load(&file_signalfd(f)->set) ? POLLIN : 0;
}

static void signalfd_release(struct inode *i)
{
	kfree(container_of(i, struct signalfd, inode));
}

static const struct inode_ops signalfd_inode_ops = { .release = signalfd_release };

static const struct file_ops signalfd_file_ops = {
	.name = "[signalfd]",
	.read = signalfd_read,
	.poll = signalfd_poll,
	.placeless = true,
};

int signalfd_set(struct file *f, u64 set)
{
	struct process *p = current_process();

	if (f->ops != &signalfd_file_ops)
		return -EINVAL;
	atomic_store(&file_signalfd(f)->set, set);
	wait_wake_all(&p->signalled, 0);	/* a signal of the new set may be pending */
	return 0;
}

int signalfd_create(u64 set, u32 flags, struct file **out)
{
	struct signalfd *s = kzalloc(sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->set = set;
	return file_open_anon(&s->inode, &signalfd_inode_ops, &signalfd_file_ops, flags, out);
}
