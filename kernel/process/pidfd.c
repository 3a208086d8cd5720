/*
 * A process as a file: pidfd_open(), CLONE_PIDFD. The file refers to the process itself, so its
 * user never reaches another process that has got the same id since.
 *
 * poll() reports POLLIN once the process has ended, and POLLHUP once it has been waited for. The
 * file keeps only the structure: process_get().
 */
#include "fs/poll.h"
#include "process/pidfd.h"

#include "errno.h"
#include "fs/fs.h"
#include "mm/mm.h"
#include "process/process.h"

struct pidfd {
	struct inode inode;
	struct process *process;	/* [const] referenced */
};

static unsigned pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct process *p = container_of(f->inode, struct pidfd, inode)->process;

	poll_add(pt, &p->thread_gone);
	if (process_state(p) != PROCESS_ZOMBIE)
		return 0;
	return process_is_listed(p) ? POLLIN : POLLIN | POLLHUP;
}

static void pidfd_release(struct inode *i)
{
	struct pidfd *pf = container_of(i, struct pidfd, inode);

	process_put(pf->process);
	kfree(pf);
}

static const struct inode_ops pidfd_inode_ops = { .release = pidfd_release };

static const struct file_ops pidfd_file_ops = {
	.name = "[pidfd]",
	.poll = pidfd_poll,
};

int pidfd_create(struct process *p, u32 flags, struct file **out)
{
	struct pidfd *pf = kzalloc(sizeof(*pf));

	if (!pf)
		return -ENOMEM;
	pf->process = process_get(p);
	return file_open_anon(&pf->inode, &pidfd_inode_ops, &pidfd_file_ops, flags, out);
}

struct process *pidfd_process(const struct file *f)
{
	return f->ops == &pidfd_file_ops ? container_of(f->inode, struct pidfd, inode)->process
					 : NULL;
}
