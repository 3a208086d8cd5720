/*
 * /proc: what proc.c (names, reading) and the files' contents (proc_system.c, proc_process.c)
 * share.
 */
#pragma once

#include "fs/text.h"

struct inode;
struct process;
struct thread;

/* The object that a process's symbolic link leads to; none: it is like any other. */
enum proc_link { PROC_LINK_NONE, PROC_LINK_CWD, PROC_LINK_EXE, PROC_LINK_ROOT };

/*
 * A file of the system or of a process, and of each of its threads. Either way to show it may be
 * missing: a process without is shown as its first thread, a thread as its process.
 */
struct proc_file {
	const char *name;
	void (*show)(struct text *t, struct process *p);	/* p is referenced, or NULL */
	void (*show_thread)(struct text *t, struct thread *thread);
	u32 mode;		/* 0: a file to read */
};

#define PROC_GUARDED	(S_IFREG | 0444)	/* only for whoever may look into the process */
#define PROC_COMM	(S_IFREG | 0644)	/* can be written, too */
#define PROC_SELF	(S_IFLNK | 0777)	/* the system's first: proc_readlink() */
#define PROC_LINK(link)	((link) << 16 | S_IFLNK | 0777)	/* above what stat() tells */
#define PROC_DIR	(S_IFDIR | 0555)
#define PROC_SENT	(1u << 31 | S_IFREG | 0444)	/* sendfile() reads it, of a process too */

/* proc_sys.c: the root of /proc/sys; NULL: no memory. */
struct inode *proc_sys_root(void);

/* proc_maps.c */
void proc_show_maps(struct text *t, struct process *p);
void proc_show_smaps(struct text *t, struct process *p);

/* Gives @i, of the process that has @id or a thread with it, the owner that Linux does. */
void proc_set_owner(struct inode *i, pid_t id);

/* proc_fd.c: /proc/PID/fd, and @of_thread that in /proc/PID/task/TID. */
int proc_fd_dir(struct inode *parent, u64 ino, struct inode **out);
u64 proc_fd_ino(pid_t id, bool of_thread);

#define PROC_FDS	(S_IFDIR | 0500)
#define PROC_PRIVATE	(S_IFREG | 0400)	/* guarded, and only its owner may open it */

/* proc_link.c: the inode that it leads to; the text of it and its length. */
int proc_link_follow(struct process *p, enum proc_link link, struct inode **out);
int proc_link_read(struct process *p, enum proc_link link, char *buf, size_t size);

/* Both end with an entry that has no name. */
extern const struct proc_file proc_system_files[];
extern const struct proc_file proc_process_files[];
