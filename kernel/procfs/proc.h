/*
 * /proc: shared by proc.c (names, reading) and the files' contents (proc_system.c, proc_process.c).
 */
#pragma once

#include "fs/text.h"

struct inode;
struct process;
struct thread;

/* The object to which a process's symbolic link leads; NONE: the file is no such link. */
enum proc_link { PROC_LINK_NONE, PROC_LINK_CWD, PROC_LINK_EXE, PROC_LINK_ROOT };

/*
 * A file of the system, or of a process and each of its threads. One function shows its text. A
 * thread's file that has only show_process shows its process; a process's file that has only
 * show_thread shows its first thread.
 */
struct proc_file {
	const char *name;
	u32 mode;		/* 0: a file to read */
	void (*show)(struct text *t);
	void (*show_process)(struct text *t, struct process *p);
	void (*show_thread)(struct text *t, struct thread *thread);
	void (*show_either)(struct text *t, struct process *p, struct thread *only); /* or NULL */
};

#define PROC_GUARDED	(S_IFREG | 0444)	/* only for those who may inspect the process */
#define PROC_COMM	(S_IFREG | 0644)	/* can be written, too */
#define PROC_SELF	(S_IFLNK | 0777)	/* the first rows of the system: proc_readlink() */
#define PROC_LINK(link)	((link) << 16 | S_IFLNK | 0777)	/* above the bits that stat() shows */
#define PROC_DIR	(S_IFDIR | 0555)
#define PROC_SENT	(1u << 31 | S_IFREG | 0444)	/* sendfile() can read it */

/* proc_sys.c: makes the root of /proc/sys; NULL: no memory. */
struct inode *proc_sys_root(void);

/* proc_maps.c */
void proc_show_maps(struct text *t, struct process *p);
void proc_show_smaps(struct text *t, struct process *p);

/* Gives @i, of the process or thread @id, the owner that Linux gives it. */
void proc_set_owner(struct inode *i, pid_t id);

/* Reads a decimal number without leading zeros; false: @name is none. */
bool proc_number(const char *name, size_t len, int *out);

/* proc_fd.c: /proc/PID/fd, or with @of_thread /proc/PID/task/TID/fd. */
int proc_fd_dir(struct inode *parent, u64 ino, struct inode **out);
u64 proc_fd_ino(pid_t id, bool of_thread);

#define PROC_FDS	(S_IFDIR | 0500)
#define PROC_PRIVATE	(S_IFREG | 0400)	/* guarded, and only its owner may open it */

/* proc_link.c: the inode to which a link leads; its text, and the text's length or an error. */
int proc_link_follow(struct process *p, enum proc_link link, struct inode **out);
int proc_link_read(struct process *p, enum proc_link link, char *buf, size_t size);

/* Both end with an entry that has no name. */
extern const struct proc_file proc_system_files[];
extern const struct proc_file proc_process_files[];
