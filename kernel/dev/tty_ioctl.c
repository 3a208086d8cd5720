/*
 * The terminal's settings (termios, window size) and its owner: the session whose controlling
 * terminal it is, and the foreground process group, which gets the signals of its keys.
 *
 * Locks: the process tree's, then in.lock, never both. A decision made from the tree may be old
 * when it is written to the terminal; the session is looked at again then.
 *
 * Not here: stopping jobs that read in the background, hanging up when the session's leader ends (a
 * new session takes the terminal of a dead one).
 */
#include "tty.h"

#include "cpu.h"
#include "dev.h"
#include "errno.h"
#include "process.h"
#include "signal.h"
#include "vm.h"

enum {					/* Linux's numbers */
	TCGETS = 0x5401, TCSETS, TCSETSW, TCSETSF, TCFLSH = 0x540b, TIOCSCTTY = 0x540e, TIOCGPGRP,
	TIOCSPGRP, TIOCGWINSZ = 0x5413, TIOCSWINSZ, FIONREAD = 0x541b, TIOCGSID = 0x5429,
};

static int set_termios(unsigned cmd, vaddr_t arg)
{
	struct termios tio;

	if (copy_from_user(&tio, arg, sizeof(tio)))
		return -EFAULT;
	spin_lock(&tty.in.lock);
	line_set(&tty.line, &tio);	/* output was processed when it was queued: no draining */
	if (cmd == TCSETSF) {
		line_flush(&tty.line);
		tty_receive_again();
	}
	if (line_readable(&tty.line))
		wait_wake_all(&tty.in, 0);
	spin_unlock(&tty.in.lock);
	return 0;
}

static void own_ids(pid_t *pid, pid_t *session, pid_t *group)
{
	struct process *p = current_process();

	spin_lock(&tree_lock);
	*pid = p->pid;
	*session = p->sid;
	*group = p->pgid;
	spin_unlock(&tree_lock);
}

/* Makes this the controlling terminal of the caller's session, taking it from a dead one. */
static int take_terminal(bool steal)
{
	pid_t pid, session, group, old;
	struct process *holder;
	bool taken;

	own_ids(&pid, &session, &group);
	spin_lock(&tty.in.lock);
	old = tty.session;
	spin_unlock(&tty.in.lock);
	if (old == session)
		return 0;
	holder = old ? process_find(old) : NULL;
	taken = holder && process_state(holder) == PROCESS_ALIVE;
	if (holder)
		process_put(holder);
	if (pid != session || (taken && !steal))
		return -EPERM;

	spin_lock(&tty.in.lock);
	tty.session = session;
	tty.group = group;
	spin_unlock(&tty.in.lock);
	return 0;
}

struct group_search {
	pid_t group, session;
	bool found;
};

static void match_group(struct process *p, void *arg)
{
	struct group_search *s = arg;

	if (p->pgid == s->group && p->sid == s->session)
		s->found = true;
}

static int set_group(pid_t group)
{
	struct group_search s = { .group = group };
	pid_t pid, mine;

	own_ids(&pid, &s.session, &mine);
	if (group <= 0)
		return -EINVAL;
	process_for_each(match_group, &s);
	if (!s.found)
		return -EPERM;
	spin_lock(&tty.in.lock);
	if (tty.session == s.session)
		tty.group = group;
	else
		s.found = false;
	spin_unlock(&tty.in.lock);
	return s.found ? 0 : -ENOTTY;
}

static int get_owner(unsigned cmd, vaddr_t arg)
{
	pid_t pid, session, group, owner;
	s32 v;

	own_ids(&pid, &session, &group);
	spin_lock(&tty.in.lock);
	owner = tty.session;
	v = cmd == TIOCGPGRP ? tty.group : tty.session;
	spin_unlock(&tty.in.lock);
	if (owner != session)
		return -ENOTTY;
	return copy_to_user(arg, &v, sizeof(v));
}

static int set_size(vaddr_t arg)
{
	struct winsize size;
	pid_t group;

	if (copy_from_user(&size, arg, sizeof(size)))
		return -EFAULT;
	spin_lock(&tty.in.lock);
	tty.size = size;
	group = tty.group;
	spin_unlock(&tty.in.lock);
	if (group > 0)
		signal_send_group(group, SIGWINCH);
	return 0;
}

static int get_state(unsigned cmd, vaddr_t arg)
{
	struct termios tio;
	struct winsize size;
	s32 bytes;

	spin_lock(&tty.in.lock);
	tio = tty.line.tio;
	size = tty.size;
	bytes = tty.line.ready - tty.line.head;
	spin_unlock(&tty.in.lock);

	if (cmd == TCGETS)
		return copy_to_user(arg, &tio, sizeof(tio));
	if (cmd == TIOCGWINSZ)
		return copy_to_user(arg, &size, sizeof(size));
	return copy_to_user(arg, &bytes, sizeof(bytes));
}

int tty_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	s32 group;

	(void)f;
	switch (cmd) {
	case TCGETS:
	case TIOCGWINSZ:
	case FIONREAD:
		return get_state(cmd, arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(cmd, arg);
	case TCFLSH:
		spin_lock(&tty.in.lock);
		line_flush(&tty.line);
		tty_receive_again();
		spin_unlock(&tty.in.lock);
		return 0;
	case TIOCSCTTY:
		return take_terminal(arg == 1);
	case TIOCGPGRP:
	case TIOCGSID:
		return get_owner(cmd, arg);
	case TIOCSPGRP:
		return copy_from_user(&group, arg, sizeof(group)) ? -EFAULT : set_group(group);
	case TIOCSWINSZ:
		return set_size(arg);
	}
	return -ENOTTY;
}

/* /dev/tty is the caller's terminal if it has one; a session leader without one gets ttyS0. */
int tty_open(struct file *f)
{
	pid_t pid, session, group;
	bool mine;

	own_ids(&pid, &session, &group);
	spin_lock(&tty.in.lock);
	mine = tty.session == session;
	spin_unlock(&tty.in.lock);
	if (f->inode->rdev == DEV_TTY && !mine)
		return -ENXIO;
	if (f->inode->rdev == DEV_TTYS0 && !(f->flags & O_NOCTTY) && pid == session)
		take_terminal(false);	/* not getting it is no failure to open */
	return 0;
}
