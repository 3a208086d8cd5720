/*
 * Tables of descriptors: a process's small numbers for open files. Each entry holds a reference to
 * its file.
 */
#pragma once

#include "types.h"

#define FD_MAX		4096

struct fdtable;
struct file;
struct process;

int fdtable_create(struct fdtable **out);
int fdtable_clone(struct fdtable *t, struct fdtable **out);	/* fork */
struct fdtable *fdtable_get(struct fdtable *t);
void fdtable_put(struct fdtable *t);	/* the last one closes all files. May block */

/* The descriptors of @p, referenced; NULL: it has none, or is dying. */
struct fdtable *process_get_fds(struct process *p);

/* Gives the current process, which has one thread, a table of its own. 0 or -ENOMEM. */
int fdtable_unshare(void);
void fdtable_close_exec(struct fdtable *t);

/* Returns the first file at or above *@fd, referenced, and sets *@fd to its number; or NULL. */
struct file *fdtable_next(struct fdtable *t, int *fd);

unsigned fdtable_size(struct fdtable *t);	/* all descriptors in use are below it */

/* Counts the kernel memory that @t's files hold, in bytes; a shared one in part. May block. */
u64 fdtable_held(struct fdtable *t);

/* Get and set the file that records the calls of @t's processes (abi/strace.c), or NULL. */
struct file *fdtable_recorder(struct fdtable *t);
void fdtable_record(struct fdtable *t, struct file *f);

/* Get a file of the current process, referenced, or NULL. fd_get() refuses one with O_PATH. */
struct file *fd_get(int fd);
struct file *fd_get_any(int fd);

/*
 * Reserves the lowest free descriptor at or above @min for a file that is still to be opened. The
 * caller then puts the file there with fd_fill(), or NULL if opening it failed. -EMFILE, -ENOMEM.
 */
int fd_reserve(int min, u64 limit);
void fd_fill(int fd, struct file *f, bool cloexec);

/*
 * Put @f at the lowest free descriptor >= @min, or at @fd (dup2(), dup3()). Both take over the
 * reference, also when they fail.
 */
int fd_install(struct file *f, int min, u64 limit, bool cloexec);
int fd_replace(int fd, struct file *f, u64 limit, bool cloexec);
int fd_close(int fd);
int fd_flags(int fd, int set);			/* sets or clears FD_CLOEXEC; -1: returns it */
