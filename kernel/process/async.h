/*
 * The owners of files with O_ASYNC. fs/async.c tells when they are signalled.
 */
#pragma once

#include "fs/vfs.h"

/* Makes @o the owner; without @force only if @f has none. -ESRCH: no such owner. */
int async_set_owner(struct file *f, struct file_owner o, bool force);
struct file_owner async_owner(struct file *f);	/* id 0: there is none, or it is gone */

/* Turns O_ASYNC on or off, by descriptor @fd; no effect on files that cannot do it. */
void async_turn(struct file *f, int fd, bool on);
