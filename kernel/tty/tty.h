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
	struct wait_queue out;		/* writers, waiting for the console's queue */
	struct line line;		/* [in.lock] */
	struct winsize size;		/* [in.lock] */
	pid_t session, group;		/* [in.lock] its owner, which gets its signals; or 0 */
	bool stopped;			/* [in.lock] receiving is off: no room */
	_Atomic u32 refused;		/* [atomic] a file with O_ASYNC needs a signal on room */
	bool dump_key;			/* [in.lock] the last key was the dump prefix */
};

extern struct tty tty;

/* Turns receiving on again if it was off and there is room, after input was taken out. */
void tty_receive_again(void) HOLDS(tty.in.lock);

/* Stops the caller with @sig if it is in the background. 0 if it may go on, or an error. */
int tty_want(int sig);

/* Returns the foreground group if the terminal is @session's, or -1. */
pid_t tty_group_of(pid_t session);

int tty_ioctl(struct file *f, unsigned cmd, vaddr_t arg);
int tty_open(struct file *f);
struct file_owner tty_owner(void);	/* see file_ops */

void tty_init(void);	/* registers the devices and takes the console over */
