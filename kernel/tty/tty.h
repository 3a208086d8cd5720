/*
 * The terminal's state, shared by tty.c (bytes) and tty_ioctl.c (settings and ownership).
 */
#pragma once

#include "fs/vfs.h"
#include "line.h"
#include "sched/wait.h"
#include "sync/mutex.h"

struct winsize {
	u16 rows, columns, xpixel, ypixel;
};

struct tty {
	struct mutex write_lock;	/* one write() is not mixed into another */
	struct wait_queue in;		/* readers */
	struct wait_queue out;		/* writers; no state of its own: the console's queue */
	struct line line;		/* [in.lock] */
	struct winsize size;		/* [in.lock] */
	pid_t session, group;		/* [in.lock] its owner, who gets its signals; or 0 */
	bool stopped;			/* [in.lock] receiving is off: no room */
	_Atomic u32 refused;		/* [atomic] a file with O_ASYNC waits to hear of room */
	bool dump_key;			/* [in.lock] the last key was the dump prefix */
};

extern struct tty tty;

/* Input has been taken out or dropped: receive again if that was off. in.lock held. */
void tty_receive_again(void) HOLDS(tty.in.lock);

/* The caller wants what belongs to the foreground: @sig stops it if it is in the background. */
int tty_want(int sig);

/* The foreground group if the terminal is @session's, or -1. */
pid_t tty_group_of(pid_t session);

int tty_ioctl(struct file *f, unsigned cmd, vaddr_t arg);
int tty_open(struct file *f);
struct file_owner tty_owner(void);	/* see file_ops */

void tty_init(void);	/* opens /dev/console and its like, and takes the console over */
