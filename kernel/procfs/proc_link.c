/*
 * /proc/PID/cwd, exe and root: symbolic links that lead to the directory or file itself, and not to
 * the path in their text. proc.c makes their inodes and finds the process.
 *
 * They show where a process is and what it runs, so following or reading one takes the right to
 * inspect the process. A zombie no longer has any of them, and a kernel thread runs no file:
 * -ENOENT.
 */
#include "errno.h"
#include "proc.h"
#include "process/cred.h"
#include "process/process.h"

static struct file *exe_get(struct process *p)
{
	struct file *f;

	spin_lock(&p->lock);
	f = p->exe ? file_get(p->exe) : NULL;
	spin_unlock(&p->lock);
	return f;
}

static struct inode *dir_get(struct process *p, enum proc_link link)
{
	struct place *place = process_get_place(p);
	struct inode *dir;

	if (!place)
		return NULL;
	dir = place_dir(place, link == PROC_LINK_ROOT ? &place->root : &place->cwd);
	place_put(place);
	return dir;
}

int proc_link_follow(struct process *p, enum proc_link link, struct inode **out)
{
	struct file *f;

	if (link != PROC_LINK_EXE) {
		*out = dir_get(p, link);
	} else {
		f = exe_get(p);
		*out = f ? inode_get(f->inode) : NULL;
		if (f)
			file_put(f);
	}
	/* Asked with it in hand: exec gives rights before anything else. */
	if (cred_may_inspect(p))
		return *out ? 0 : -ENOENT;
	if (*out)
		inode_put(*out);
	return -EACCES;
}

int proc_link_read(struct process *p, enum proc_link link, char *buf, size_t size)
{
	struct inode *dir;
	struct file *f;
	int n = -ENOENT;

	if (link == PROC_LINK_EXE && (f = exe_get(p))) {
		n = file_path(f, buf, size);
		file_put(f);
	} else if (link != PROC_LINK_EXE && (dir = dir_get(p, link))) {
		n = inode_path(dir, buf, size);
		inode_put(dir);
	}
	return cred_may_inspect(p) ? n : -EACCES;
}
