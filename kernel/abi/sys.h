/*
 * Shared by the system-call families: the interfaces that every handler needs, user paths, user
 * times.
 */
#pragma once

#include "abi/syscall.h"
#include "errno.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "sched/timer.h"

/* --- References that end with their block ----------------------------------------------------  */

/*
 * struct file *f SCOPED(file) = fd_get(fd): put back, if it is not NULL, however the block is left.
 * Most calls need a file or a path, do one thing with it and return what came of that.
 */
#define SCOPED(what)	__attribute__((cleanup(what##_scope_end)))

static inline void file_scope_end(struct file **f)
{
	if (*f)
		file_put(*f);
}

static inline void inode_scope_end(struct inode **i)
{
	if (*i)
		inode_put(*i);
}

static inline void kmem_scope_end(char **p)
{
	kfree(*p);
}

/* --- Vectors, rw.c ---------------------------------------------------------------------------- */

#define RW_MAX		0x7ffff000UL	/* the most that one call moves, as on Linux */
#define IOV_FEW		8		/* segments for which there is room on the stack */

/* A vector argument, copied; the segments end at RW_MAX bytes. */
struct user_vector {
	struct iovec few[IOV_FEW];
	struct iovec *segments;
	struct iobuf buf;		/* all of them */
};

/* vector_end() it if this succeeds. */
int vector_get(struct user_vector *v, vaddr_t from, size_t n);
void vector_end(struct user_vector *v);

/* memfd.c: fcntl(F_ADD_SEALS) and (F_GET_SEALS). */
int seals_add(struct file *f, u32 seals);
int seals_get(const struct file *f);

/* thread.c: a reference; @tid 0: the caller's. NULL: there is no such user thread. */
struct thread *find_user_thread(tid_t tid);

/* --- Paths, path.c ---------------------------------------------------------------------------- */

#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100u
#define AT_REMOVEDIR		0x200u
#define AT_EACCESS		0x200u	/* of faccessat2() alone */
#define AT_SYMLINK_FOLLOW	0x400u
#define AT_EMPTY_PATH		0x1000u

/* A path argument: the name, copied, and the directory that a relative one starts from. */
struct user_path {
	struct inode *at;	/* referenced */
	char *name;
};

/* Declare it SCOPED(path). @flags: AT_EMPTY_PATH, or an empty name is -ENOENT. */
int user_path_get(int dirfd, vaddr_t path, unsigned flags, struct user_path *p);

/* Its two steps: the name alone; where it starts, which for an absolute one is not @dirfd. */
int user_name_get(vaddr_t path, unsigned flags, struct user_path *p);
int user_path_start(int dirfd, struct user_path *p);

static inline void path_scope_end(struct user_path *p)
{
	inode_scope_end(&p->at);
	kfree(p->name);
}

/* The inode of an open file, or that *at() arguments name; referenced, NULL after an error. */
int user_fd_inode(int fd, struct inode **out);
int user_file_inode(int fd, struct inode **out);	/* not of one opened with O_PATH */
int user_path_inode(int dirfd, vaddr_t path, unsigned flags, struct inode **out);

#define F_GETLK		5
#define F_SETLK		6
#define F_SETLKW	7
#define F_OFD_GETLK	36
#define F_OFD_SETLK	37
#define F_OFD_SETLKW	38

/* fcntl()'s locks, lock.c. */
long fcntl_lock(int fd, struct file *f, int cmd, vaddr_t arg);

/* owner.c: fcntl()'s commands about the signals of a file; ioctl(FIOASYNC). */
#define F_SETOWN	8
#define F_GETOWN	9
#define F_SETSIG	10
#define F_GETSIG	11
#define F_SETOWN_EX	15
#define F_GETOWN_EX	16
long fcntl_owner(struct file *f, int cmd, u64 arg);
long ioctl_async(int fd, struct file *f, vaddr_t arg);

/* caps.c: prctl()'s options about capabilities. */
#define PR_GET_KEEPCAPS		7
#define PR_SET_KEEPCAPS		8
#define PR_CAPBSET_READ		23
#define PR_CAPBSET_DROP		24
#define PR_GET_SECUREBITS	27
#define PR_SET_SECUREBITS	28
#define PR_CAP_AMBIENT		47
long cred_prctl(int option, const u64 a[4]);

/* One more than the largest descriptor that the process may have; file.c. */
u64 fd_limit(void);

/* The current process's working directory, referenced. */
struct inode *cwd_get(void);

/* --- Time, time.c ----------------------------------------------------------------------------- */

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1
#define CLOCK_TAI		11
#define TIMER_ABSTIME		1

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

/* As Linux's struct rusage: 0 or -EFAULT. */
int usage_put(vaddr_t out, const struct usage *u);

bool timespec_is_valid(const struct timespec *ts);

/* Copies and checks: -EFAULT, -EINVAL. */
int timespec_get(vaddr_t addr, struct timespec *ts);

/* Of a time that is not negative; what does not fit is the largest that a deadline can be away. */
u64 timespec_ns(const struct timespec *ts);
struct timespec timespec_of(u64 ns);
struct timeval timeval_of(u64 ns);

/*
 * The deadline that the user's timespec says: so long from now, or, if @absolute, when @clock shows
 * it. Address 0 is never.
 */
struct deadline deadline_of(const struct timespec *ts, int clock, bool absolute);
int deadline_get(vaddr_t addr, int clock, bool absolute, struct deadline *d);

/* The end of a call with a timeout that is written back, as struct timespec or timeval; poll.c. */
long end_call_with_time_left(long result, vaddr_t timeout, struct deadline d, bool timeval);

/* --- Clocks, clock.c -------------------------------------------------------------------------- */

#define CLOCK_HAS_TIMERS	1u
#define CLOCK_HAS_SLEEP		2u
#define CLOCK_IS_COARSE		4u
#define CLOCK_IS_ENCODED	8u	/* a process's or thread's by its id */
#define CLOCK_IS_ABSENT		16u	/* Linux knows it, but this machine has no such device */

/* A clock by its number: what it counts, for whom, and what can be done with it. */
struct user_clock {
	enum timer_clock kind;
	u32 can;			/* CLOCK_* */
	struct process *process;	/* referenced; whose CPU time */
	struct thread *thread;		/* referenced; of one thread only */
};

/* Declare it SCOPED(clock): it is empty after an error. -EINVAL. */
int user_clock_get(int id, struct user_clock *c);

static inline void clock_scope_end(struct user_clock *c)
{
	if (c->process)
		process_put(c->process);
	if (c->thread)
		thread_put(c->thread);
}
