/*
 * The terminal's settings (termios, window size) and its owner: the session whose controlling
 * terminal it is, and the foreground process group, which gets the signals of its keys.
 *
 * Locks: first tree_lock, then in.lock, but never both. A decision made from the tree may be old
 * when it is written to the terminal; the session is checked again then. The caller's own session
 * and group are read without a lock: a change at the same time might as well have come just before
 * or after.
 *
 * Not here: hanging up when the session's leader ends (a new session takes the terminal of a dead
 * one).
 */
#include "tty.h"

#include "errno.h"
#include "fs/dev.h"
#include "mm/vm.h"
#include "process/cred.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"

enum {					/* Linux's numbers */
	TCGETS = 0x5401, TCSETS, TCSETSW, TCSETSF, TCSBRK = 0x5409, TCFLSH = 0x540b,
	TIOCSCTTY = 0x540e, TIOCGPGRP, TIOCSPGRP, TIOCGWINSZ = 0x5413, TIOCSWINSZ,
	FIONREAD = 0x541b, TIOCGSID = 0x5429, TCIFLUSH = 0, TCOFLUSH, TCIOFLUSH,
};

/* The argument or the answer of a command. */
union tty_value {
	struct termios tio;
	struct winsize size;
	s32 number;
};

pid_t tty_group_of(pid_t session)
{
	pid_t group;

	spin_lock(&tty.in.lock);
	group = session && tty.session == session ? tty.group : -1;
	spin_unlock(&tty.in.lock);
	return group;
}

int tty_want(int sig)
{
	const struct process *p = current_process();
	pid_t group = tty_group_of(p->sid);

	return group < 0 || group == p->pgid ? 0 : signal_stop_background(sig);
}

static void flush_input(void) HOLDS(tty.in.lock)
{
	line_flush(&tty.line);
	tty_receive_again();
}

static bool is_owner(const struct process *p) HOLDS(tty.in.lock)
{
	return tty.session == p->sid;
}

/* Gets or changes a setting, or answers a question. */
static int settings(unsigned cmd, union tty_value *v) HOLDS(tty.in.lock)
{
	switch (cmd) {
	case TCGETS:
		v->tio = tty.line.tio;
		return 0;
	case TCSETSF:
		flush_input();
		/* fall through */
	case TCSETS:
	case TCSETSW:		/* output was processed when it was queued: no draining */
		line_set(&tty.line, &v->tio);
		if (line_readable(&tty.line))
			wait_wake_all_locked(&tty.in, 0);
		return 0;
	case TCFLSH:		/* output that was queued counts as sent */
		if (v->number < TCIFLUSH || v->number > TCIOFLUSH)
			return -EINVAL;
		if (v->number != TCOFLUSH)
			flush_input();
		/* fall through */
	case TCSBRK:		/* tcdrain(): as with TCSETSW */
		return 0;
	case TIOCGWINSZ:
		v->size = tty.size;
		return 0;
	case TIOCSWINSZ:
		tty.size = v->size;
		return 0;
	case FIONREAD:
		v->number = tty.line.ready - tty.line.head;
		return 0;
	default:		/* TIOCGPGRP, TIOCGSID */
		v->number = cmd == TIOCGSID ? tty.session : tty.group;
		return is_owner(current_process()) ? 0 : -ENOTTY;
	}
}

static bool is_same_size(const struct winsize *a, const struct winsize *b)
{
	return a->rows == b->rows && a->columns == b->columns && a->xpixel == b->xpixel &&
	       a->ypixel == b->ypixel;
}

static int change(unsigned cmd, union tty_value *v)
{
	bool resized;
	pid_t group;
	int err;

	spin_lock(&tty.in.lock);
	resized = cmd == TIOCSWINSZ && !is_same_size(&tty.size, &v->size);
	err = settings(cmd, v);
	group = tty.group;
	spin_unlock(&tty.in.lock);
	if (resized && group > 0)
		signal_send_group(group, SIGWINCH);
	return err;
}

/* Makes this the controlling terminal of the caller's session, taking it from a dead one. */
static int take_terminal(bool steal)
{
	struct process *p = current_process(), *holder;
	pid_t old;
	bool taken;

	spin_lock(&tty.in.lock);
	old = tty.session;
	spin_unlock(&tty.in.lock);
	if (old == p->sid)
		return 0;
	holder = old ? process_find(old) : NULL;
	taken = holder && process_state(holder) == PROCESS_ALIVE;
	if (holder)
		process_put(holder);
	if (p->pid != p->sid || (taken && !steal))
		return -EPERM;

	spin_lock(&tty.in.lock);
	tty.session = p->sid;
	atomic_store(&terminal_session, p->sid);
	tty.group = p->pgid;
	spin_unlock(&tty.in.lock);
	return 0;
}

/* Whether a group of session @sid has this number, or a process of it, which may yet lead one. */
static int find_group(pid_t group, pid_t sid)
{
	struct process *p = process_find(group);
	int err = p ? 0 : -ESRCH;

	spin_lock(&tree_lock);
	if (process_group_exists(group, -1))
		err = process_group_exists(group, sid) ? 0 : -EPERM;
	else if (p && p->sid != sid)
		err = -EPERM;
	spin_unlock(&tree_lock);
	if (p)
		process_put(p);
	return err;
}

static int set_group(pid_t group)
{
	struct process *p = current_process();
	int err;

	if (group < 0)
		return -EINVAL;
	err = find_group(group, p->sid);
	spin_lock(&tty.in.lock);
	err = is_owner(p) ? err : -ENOTTY;
	if (!err)
		tty.group = group;
	spin_unlock(&tty.in.lock);
	return err;
}

static const struct {
	unsigned cmd;
	u8 in, out;		/* bytes of the value, from and to the user */
	bool sets;		/* something that a job in the background may not set */
} commands[] = {
	{ TCGETS,	.out = sizeof(struct termios) },
	{ TCSETS,	.in = sizeof(struct termios), .sets = true },
	{ TCSETSW,	.in = sizeof(struct termios), .sets = true },
	{ TCSETSF,	.in = sizeof(struct termios), .sets = true },
	{ TCSBRK,	.sets = true },
	{ TCFLSH,	.sets = true },
	{ TIOCSCTTY,	.in = 0 },
	{ TIOCGPGRP,	.out = sizeof(s32) },
	{ TIOCSPGRP,	.in = sizeof(s32), .sets = true },
	{ TIOCGWINSZ,	.out = sizeof(struct winsize) },
	{ TIOCSWINSZ,	.in = sizeof(struct winsize) },
	{ FIONREAD,	.out = sizeof(s32) },
	{ TIOCGSID,	.out = sizeof(s32) },
};

int tty_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	union tty_value v;
	unsigned i = 0;
	int err;

	(void)f;
	while (i < ARRAY_SIZE(commands) && commands[i].cmd != cmd)
		i++;
	if (i == ARRAY_SIZE(commands))
		return -ENOTTY;
	err = commands[i].sets ? tty_want(SIGTTOU) : 0;
	v.number = MIN(arg, S32_MAX);
	if (!err && commands[i].in)
		err = copy_from_user(&v, arg, commands[i].in);
	if (err)	/* -EIO: an orphaned group, which nothing can bring to the foreground */
		return err == -EIO && cmd == TIOCSPGRP ? -ENOTTY : err;
	if (cmd == TIOCSCTTY)
		err = take_terminal(arg == 1 && capable(CAP_SYS_ADMIN));
	else
		err = cmd == TIOCSPGRP ? set_group(v.number) : change(cmd, &v);
	return err ? err : copy_to_user(arg, &v, commands[i].out);
}

/* /dev/tty is the caller's terminal, if it has one. ttyS0 becomes that of a session leader. */
int tty_open(struct file *f)
{
	struct process *p = current_process();
	bool mine;

	spin_lock(&tty.in.lock);
	mine = is_owner(p);
	spin_unlock(&tty.in.lock);
	if (f->inode->rdev == DEV_TTY && !mine)
		return -ENXIO;
	if (f->inode->rdev == DEV_TTYS0 && !(f->flags & O_NOCTTY) && p->pid == p->sid)
		take_terminal(false);	/* if that fails the open still succeeds */
	f->private = &tty;
	return 0;
}

struct file_owner tty_owner(void)
{
	struct file_owner o = { .kind = OWNER_PROCESS, .id = current_process()->pid };

	spin_lock(&tty.in.lock);
	if (tty.group > 0)
		o = (struct file_owner){ .kind = OWNER_GROUP, .id = tty.group };
	spin_unlock(&tty.in.lock);
	return o;
}
