/*
 * Shared by the families of system calls: the interfaces that every handler needs, and arguments
 * that several families take (paths, vectors, times, clocks).
 */
#pragma once

#include "abi/syscall.h"
#include "errno.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "process/cred.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "sched/timer.h"

/* --- References that end with their block ----------------------------------------------------  */

/*
 * struct file *f SCOPED(file) = fd_get(fd): the reference is put back, unless f is NULL, on every
 * way out of the block. Most calls need a file or a process, do one thing with it and return.
 */
#define SCOPED(what)	__attribute__((cleanup(what##_scope_end)))

#define SCOPE(what, type, put) \
	static inline void what##_scope_end(type **p) \
	{ \
		if (*p) \
			put(*p); \
	}

SCOPE(file, struct file, file_put)
SCOPE(inode, struct inode, inode_put)
SCOPE(process, struct process, process_put)
SCOPE(thread, struct thread, thread_put)
SCOPE(cred, struct cred, cred_put)
SCOPE(kmem, char, kfree)

/* --- Flags of clone() that make fork() and vfork(), clone.c ----------------------------------- */

#define CLONE_VM	0x00000100u
#define CLONE_VFORK	0x00004000u

/* --- Vectors, rw.c ---------------------------------------------------------------------------- */

#define RW_MAX		0x7ffff000UL	/* the most that one call moves, as on Linux */
#define IOV_MAX		1024
#define IOV_FEW		8		/* segments for which there is room on the stack */

/* A copied vector argument, cut off at RW_MAX bytes. */
struct user_vector {
	struct iovec few[IOV_FEW];
	struct iovec *segments;
	struct iobuf buf;		/* all of them */
};

/* Returns 0, and vector_end() must follow, or a negative errno. */
int vector_get(struct user_vector *v, vaddr_t from, size_t n);
void vector_end(struct user_vector *v);

/* memfd.c: fcntl(F_ADD_SEALS) and fcntl(F_GET_SEALS). */
int seals_add(struct file *f, u32 seals);
int seals_get(const struct file *f);

/*
 * thread.c: returns a reference to a user thread, the caller if @tid is 0; NULL if there is none.
 */
struct thread *find_user_thread(tid_t tid);

/* signal.c: copies a set of signals. -EINVAL if @size is not a set's. */
int signal_set_get(vaddr_t from, size_t size, u64 *set);

/* signal.c: blocks the signals of the set at @from during this call; 0 changes nothing. */
int signal_set_for_call(vaddr_t from, size_t size);

/* --- Paths, path.c ---------------------------------------------------------------------------- */

#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100u
#define AT_REMOVEDIR		0x200u
#define AT_EACCESS		0x200u	/* for faccessat2() only */
#define AT_SYMLINK_FOLLOW	0x400u
#define AT_EMPTY_PATH		0x1000u

/* A path argument: a copy of the name, and the directory from which a relative one starts. */
struct user_path {
	struct inode *at;	/* referenced */
	char *name;
};

/* @p is SCOPED(path). An empty name is -ENOENT, unless @flags has AT_EMPTY_PATH. */
int user_path_get(int dirfd, vaddr_t path, unsigned flags, struct user_path *p);

/* The two steps of user_path_get(): copy the name; find where it starts (an absolute one: root). */
int user_name_get(vaddr_t path, unsigned flags, struct user_path *p);
int user_path_start(int dirfd, struct user_path *p);

static inline void path_scope_end(struct user_path *p)
{
	inode_scope_end(&p->at);
	kfree(p->name);
}

/* Find the inode of an open file, or of a path; *out is a reference, or NULL after an error. */
int user_fd_inode(int fd, struct inode **out);
int user_file_inode(int fd, struct inode **out);	/* refuses a file opened with O_PATH */
int user_path_inode(int dirfd, vaddr_t path, unsigned flags, struct inode **out);

#define F_GETLK		5
#define F_SETLK		6
#define F_SETLKW	7
#define F_OFD_GETLK	36
#define F_OFD_SETLK	37
#define F_OFD_SETLKW	38

/* lock.c: fcntl()'s locks. */
long fcntl_lock(int fd, struct file *f, int cmd, vaddr_t arg);

/* owner.c: fcntl()'s commands about a file's signals, and ioctl(FIOASYNC). */
#define F_SETOWN	8
#define F_GETOWN	9
#define F_SETSIG	10
#define F_GETSIG	11
#define F_SETOWN_EX	15
#define F_GETOWN_EX	16
long fcntl_owner(struct file *f, int cmd, u64 arg);
long ioctl_async(int fd, struct file *f, bool on);

/* caps.c: prctl()'s options about capabilities. */
#define PR_GET_KEEPCAPS		7
#define PR_SET_KEEPCAPS		8
#define PR_CAPBSET_READ		23
#define PR_CAPBSET_DROP		24
#define PR_GET_SECUREBITS	27
#define PR_SET_SECUREBITS	28
#define PR_CAP_AMBIENT		47
long cred_prctl(int option, const u64 a[4]);

/* file.c: descriptors of the process must be below this. */
u64 fd_limit(void);

/* path.c: returns a reference to the current process's working directory. */
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

/* Linux's struct rusage; fields that are not measured stay zero. */
struct rusage {
	struct timeval utime, stime;
	s64 maxrss;			/* KiB */
	s64 unmeasured1[3];
	s64 minflt;
	s64 unmeasured2[7];
	s64 nvcsw, nivcsw;
};

/* Writes @u as a struct rusage. Returns 0 or -EFAULT. */
int usage_put(vaddr_t out, const struct usage *u);

bool timespec_is_valid(const struct timespec *ts);
bool timeval_is_valid(const struct timeval *tv);

/* Copies and checks a timespec: 0, -EFAULT or -EINVAL. */
int timespec_get(vaddr_t addr, struct timespec *ts);

/* Convert a valid time; one that does not fit becomes the farthest deadline there is. */
u64 timespec_ns(const struct timespec *ts);
u64 timeval_ns(const struct timeval *tv);
struct timespec timespec_of(u64 ns);
struct timeval timeval_of(u64 ns);

/*
 * Make a deadline of a user's timespec: a length of time from now or, if @absolute, the moment when
 * @clock shows it. Address 0 means no deadline.
 */
struct deadline deadline_of(const struct timespec *ts, int clock, bool absolute);
int deadline_get(vaddr_t addr, int clock, bool absolute, struct deadline *d);

/* poll.c: ends a call that writes the time left back to its timeout, a timespec or a timeval. */
long end_call_with_time_left(long result, vaddr_t timeout, struct deadline d, bool timeval);

/* --- Clocks, clock.c -------------------------------------------------------------------------- */

#define CLOCK_HAS_TIMERS	1u
#define CLOCK_HAS_SLEEP		2u
#define CLOCK_IS_COARSE		4u
#define CLOCK_IS_ENCODED	8u	/* its number holds the id of a process or thread */
#define CLOCK_IS_ABSENT		16u	/* Linux knows it, but this machine has no such device */

/* A clock as its number says: what it counts, for whom, and how it may be used. */
struct user_clock {
	enum timer_clock kind;
	u32 can;			/* CLOCK_* */
	struct process *process;	/* referenced: counts its CPU time */
	struct thread *thread;		/* referenced: counts the CPU time of this thread only */
};

/* @c is SCOPED(clock). Returns 0 or -EINVAL. */
int user_clock_get(int id, struct user_clock *c);

static inline void clock_scope_end(struct user_clock *c)
{
	process_scope_end(&c->process);
	thread_scope_end(&c->thread);
}
