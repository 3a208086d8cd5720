/*
 * Credentials: on whose behalf a thread acts. Users, groups, capabilities.
 *
 * A struct cred never changes once a thread has it: a change makes a copy, alters that and puts it
 * in the old one's place. So a thread reads its own without a lock, however often its siblings or
 * a tracer of figures look, and threads and processes share one by counting references.
 *
 * Each thread has credentials of its own, as on Linux: setuid() is a matter of the calling thread,
 * and it is the C library that makes all threads of a process call it. A process is seen from
 * outside (kill, /proc) with those of its first thread; it keeps them when that thread has ended.
 */
#pragma once

#include "arch.h"
#include "thread/thread.h"
#include "types.h"

struct inode;
struct process;

#define ID_KEEP		(~0u)	/* as an argument: leave it as it is. Never anybody's id */
#define NGROUPS_MAX	65536u

/* Linux's capabilities, as far as the kernel asks for them. */
enum capability {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL,
	CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_LINUX_IMMUTABLE, CAP_IPC_LOCK = 14,
	CAP_SYS_CHROOT = 18, CAP_SYS_PTRACE, CAP_SYS_ADMIN = 21, CAP_SYS_BOOT, CAP_SYS_NICE,
	CAP_SYS_RESOURCE, CAP_SYS_TIME, CAP_SYS_TTY_CONFIG, CAP_MKNOD, CAP_MAC_OVERRIDE = 32,
	CAP_SYSLOG = 34,
	CAP_LAST = 40
};

#define CAPS_ALL	(BIT(CAP_LAST + 1) - 1)
#define CAPS_FILES	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | \
		    BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | \
		    BIT(CAP_MKNOD) | BIT(CAP_MAC_OVERRIDE))

/* cred.securebits: each has a lock, the bit above it. */
#define SECURE_NOROOT		0x01u	/* user 0 is nobody special */
#define SECURE_NO_FIXUP		0x04u	/* capabilities stay when user ids change */
#define SECURE_KEEP_CAPS	0x10u	/* the permitted ones stay when the last id 0 goes */
#define SECURE_NO_AMBIENT_RAISE	0x40u
#define SECURE_ALL		0x55u
#define SECURE_LOCKS		(SECURE_ALL << 1)

/* Ids of one kind: whose it is, whose rights it has, which it may return to, and for files. */
struct ids {
	u32 real, effective, saved, fs;
};

/* Counts for one real user id; kept by the credentials that have it. */
struct user;

struct cred {
	_Atomic u32 refs;
	struct ids uid, gid;
	u64 permitted, effective, inheritable, bounding, ambient;	/* sets of capabilities */
	u32 securebits;
	bool no_new_privs;	/* exec gives nothing that it had not before, for ever */
	struct user *user;	/* referenced: uid.real's */
	u32 nr_groups;
	u32 groups[];		/* supplementary ones, in rising order */
};

extern struct cred kernel_cred;	/* user 0 with everything: kernel threads, init at first */

static inline const struct cred *current_cred(void)
{
	return current_thread()->cred;
}

static inline struct cred *cred_get(struct cred *c)
{
	u32 refs = atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);

	assert(refs > 0);
	return c;
}

void cred_put(struct cred *c);		/* any context */

/* Those that others see @p or @t with; referenced. Take the process's lock. */
struct cred *process_cred(struct process *p);
struct cred *thread_cred(struct thread *t);
u32 process_uid(struct process *p);	/* the real one */

/*
 * To change one's own: a copy with room for @nr_groups groups, to be altered, then either put in
 * place or put away with cred_put(). NULL if memory is short.
 */
struct cred *cred_copy(u32 nr_groups);
void cred_commit(struct cred *new);

/* After a change of new->uid.real, before cred_commit(): 0 or -EAGAIN. */
int cred_find_user(struct cred *new);

/* Changes the capabilities of @new as Linux does after its user ids have changed. */
void cred_fix_capabilities(struct cred *new, const struct cred *old);

/* Those that @program would give the caller, for cred_commit(). @secure: it was not its own. */
struct cred *cred_for_exec(const struct inode *program, bool *secure);

static inline bool capable(enum capability cap)
{
	return current_cred()->effective & BIT(cap);
}

/*
 * For access(): until cred_restore() the caller is who it really is. *saved is NULL if it was so
 * anyway. 0 or -ENOMEM.
 */
int cred_use_real(struct cred **saved);
void cred_restore(struct cred *saved);

/* The options of prctl() that are about capabilities; abi/caps.c. */
#define PR_GET_KEEPCAPS		7
#define PR_SET_KEEPCAPS		8
#define PR_CAPBSET_READ		23
#define PR_CAPBSET_DROP		24
#define PR_GET_SECUREBITS	27
#define PR_SET_SECUREBITS	28
#define PR_CAP_AMBIENT		47
long cred_prctl(int option, const u64 a[4]);

/*
 * Tasks: user threads, and processes until they are waited for. A new one is counted for its user
 * and for the system, by one step each that fails where there are @max already, or @max_in_all:
 * so neither is ever passed, however many CPUs make some at once.
 */
bool user_add_task(struct user *u, u64 max, u64 max_in_all);
void user_end_task(struct user *u);
u32 user_tasks(const struct user *u);
u32 tasks_in_all(void);

/* Counts one for the caller's user, within all limits that hold it: 0 or -EAGAIN. May block. */
int task_begin(void);

/* How many signals are queued, against RLIMIT_SIGPENDING. */
_Atomic u64 *user_signals(struct user *u);

/* Bytes that message queues can hold, against RLIMIT_MSGQUEUE. */
_Atomic u64 *user_mqueues(struct user *u);

/* May the caller act on @p like its owner: kill() it and so on? See the functions' bodies. */
bool cred_may_signal(const struct cred *target);
bool cred_may_schedule(const struct cred *target);
bool cred_may_limit(const struct cred *target);
bool cred_may_inspect(struct process *p);
