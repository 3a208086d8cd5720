/*
 * What the system-call families share: user paths, user times.
 */
#pragma once

#include "time.h"
#include "types.h"

struct file;
struct inode;

/* --- Paths, path.c ---------------------------------------------------------------------------- */

#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100u
#define AT_REMOVEDIR		0x200u
#define AT_SYMLINK_FOLLOW	0x400u
#define AT_EMPTY_PATH		0x1000u

/* A path argument: the name, copied, and the directory that a relative one starts from. */
struct user_path {
	struct inode *at;	/* referenced */
	char *name;
};

int user_path_get(int dirfd, vaddr_t path, struct user_path *p);
void user_path_put(struct user_path *p);

/* The inode that *at() arguments name, referenced. AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
int user_path_inode(int dirfd, vaddr_t path, unsigned flags, struct inode **out);

/* The current process's working directory, referenced. */
struct inode *cwd_get(void);

/* --- Time, time.c ----------------------------------------------------------------------------- */

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1

struct timespec {
	s64 sec, nsec;
};

struct timeval {
	s64 sec, usec;
};

/* Linux's struct rusage; what is not measured stays zero. */
struct rusage {
	struct timeval utime, stime;
	s64 maxrss;			/* KiB */
	s64 unmeasured1[3];
	s64 minflt;
	s64 unmeasured2[7];
	s64 nvcsw, nivcsw;
};

struct timespec timespec_of(u64 ns);
struct timeval timeval_of(u64 ns);

/* Copies and checks a timespec: -EFAULT, -EINVAL. */
int timespec_get(vaddr_t addr, struct timespec *ts);

/* The deadline that *@ts says: so long from now, or, if @absolute, when @clock shows it. */
struct deadline deadline_of(const struct timespec *ts, int clock, bool absolute);

/* The same of an optional user timespec; address 0 is never. */
int deadline_get(vaddr_t addr, int clock, bool absolute, struct deadline *d);
