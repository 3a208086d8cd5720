/*
 * The owners of files with O_ASYNC: see fs/async.c for what they are told, and when.
 */
#pragma once

#include "fs/vfs.h"

/* -ESRCH: there is no such owner. @force: also where there is one already. */
int async_set_owner(struct file *f, struct file_owner o, bool force);
struct file_owner async_owner(struct file *f);	/* id 0: none, or gone */

/* O_ASYNC, by descriptor @fd; of no effect on files that cannot do it. */
void async_turn(struct file *f, int fd, bool on);
