/*
 * Credentials: on whose behalf a thread acts. Users, groups, capabilities.
 *
 * A struct cred never changes once a thread has it: a change alters a copy and puts that in the
 * place of the old one. So a thread reads its own without a lock, and threads and processes share
 * one by counting references.
 *
 * Each thread has its own credentials, as on Linux: setuid() changes only the calling thread, and
 * the C library makes all threads of a process call it. Others (kill, /proc) see a process with the
 * credentials of its first thread, which it keeps when that thread has ended.
 */
#pragma once

#include "arch.h"
#include "thread/thread.h"
#include "types.h"

struct inode;
struct process;

#define ID_KEEP		(~0u)	/* as an argument: leave the id as it is. Never a valid id */
#define NGROUPS_MAX	65536u

/* Linux's capabilities, as far as the kernel asks for them. */
enum capability {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL,
	CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_LINUX_IMMUTABLE, CAP_IPC_LOCK = 14,
	CAP_SYS_CHROOT = 18, CAP_SYS_PTRACE, CAP_SYS_ADMIN = 21, CAP_SYS_BOOT, CAP_SYS_NICE,
	CAP_SYS_RESOURCE, CAP_SYS_TIME, CAP_SYS_TTY_CONFIG, CAP_MKNOD, CAP_MAC_OVERRIDE = 32,
	CAP_SYSLOG = 34, CAP_WAKE_ALARM,
	CAP_LAST = 40
};

#define CAPS_ALL	(BIT(CAP_LAST + 1) - 1)
#define CAPS_FILES	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | \
		    BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | \
		    BIT(CAP_MKNOD) | BIT(CAP_MAC_OVERRIDE))

/* cred.securebits: each has a lock, the bit above it. */
#define SECURE_NOROOT		0x01u	/* user 0 gets no capabilities from its id */
#define SECURE_NO_FIXUP		0x04u	/* capabilities stay when user ids change */
#define SECURE_KEEP_CAPS	0x10u	/* permitted ones stay when the last id 0 goes */
#define SECURE_NO_AMBIENT_RAISE	0x40u
#define SECURE_ALL		0x55u
#define SECURE_LOCKS		(SECURE_ALL << 1)

/* User or group ids: the owner's, the one that gives rights, one to return to, and for files. */
struct ids {
	u32 real, effective, saved, fs;
};

/* Counts for one real user id; exists as long as credentials have that id. */
struct user;

struct cred {
	_Atomic u32 refs;
	struct ids uid, gid;
	u64 permitted, effective, inheritable, bounding, ambient;	/* sets of capabilities */
	u32 securebits;
	bool no_new_privs;	/* exec never adds rights; cannot be cleared */
	struct user *user;	/* referenced: uid.real's */
	u32 nr_groups;
	u32 groups[];		/* supplementary groups, in rising order */
};

extern struct cred kernel_cred;	/* user 0, all capabilities: kernel threads, init at first */

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

/* Return the credentials that others see @p or @t with, referenced. Take the process's lock. */
struct cred *process_cred(struct process *p);
struct cred *thread_cred(struct thread *t);
u32 process_uid(struct process *p);	/* the real user id */

/*
 * Returns a copy of the caller's credentials, with room for @nr_groups groups; NULL if memory is
 * short. The caller alters it, then makes it its own with cred_commit() or drops it with
 * cred_put().
 */
struct cred *cred_copy(u32 nr_groups);
void cred_commit(struct cred *new);

/* Finds the struct user of a changed new->uid.real, before cred_commit(): 0 or -EAGAIN. */
int cred_find_user(struct cred *new);

/* Changes the capabilities of @new as Linux does after its user ids have changed. */
void cred_fix_capabilities(struct cred *new, const struct cred *old);

/*
 * Returns the credentials that @program gives the caller, for cred_commit(); NULL if memory is
 * short. *secure says whether they differ from the caller's own: AT_SECURE.
 */
struct cred *cred_for_exec(const struct inode *program, bool *secure);

static inline bool capable(enum capability cap)
{
	return current_cred()->effective & BIT(cap);
}

/*
 * For access(): makes the caller act with its real ids until cred_restore(). *saved is NULL if it
 * already does. 0 or -ENOMEM.
 */
int cred_use_real(struct cred **saved);
void cred_restore(struct cred *saved);

/*
 * Tasks: user threads, and processes until they are waited for. A new task is counted for its user
 * and for the system. Each count is raised in one atomic step that fails at @max or @max_in_all, so
 * neither limit is exceeded however many CPUs create tasks at once.
 */
bool user_add_task(struct user *u, u64 max, u64 max_in_all);
void user_end_task(struct user *u);
u32 user_tasks(const struct user *u);
u32 tasks_in_all(void);

/* The number of queued signals, which RLIMIT_SIGPENDING limits. */
_Atomic u64 *user_signals(struct user *u);

/* The bytes that the user's message queues can hold, which RLIMIT_MSGQUEUE limits. */
_Atomic u64 *user_mqueues(struct user *u);

/* Check whether the caller may act on a process as its owner may; see each function's body. */
bool cred_may_signal(const struct cred *target);
bool cred_may_schedule(const struct cred *target);
bool cred_may_limit(const struct cred *target);
bool cred_may_inspect(struct process *p);
