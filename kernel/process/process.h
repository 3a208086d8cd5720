/*
 * Processes: an address space, descriptors, threads, a parent and children, limits, statistics.
 *
 *	ALIVE ----> DYING ----> ZOMBIE ----> gone
 *	      kill,       last        parent
 *	      exit        one out     waits
 *
 * A process has two counts, for different things:
 *   get/put      keep the structure's memory. A get succeeds on every valid pointer.
 *   hold/unhold  put off teardown (address space, descriptors). Each live thread is one hold. A
 *                hold on a dying process fails. When the last hold goes, teardown runs.
 *
 * PROCESS1  `life` leaves ALIVE exactly once; state and status are one word, so the first killer's
 *           status stands.
 * PROCESS2  No thread joins a process that is not ALIVE, and no thread of a dying process runs user
 *           code again.
 * PROCESS3  Children move to init before their parent can be reaped. Every process but the kernel's
 *           own is on exactly one children list until it is reaped.
 * PROCESS4  A zombie changes only by being reaped.
 */
#pragma once

#include "base/list.h"
#include "lock/spinlock.h"
#include "sched/usage.h"
#include "sched/wait.h"
#include "thread/thread.h"
#include "types.h"

#define PROCESS_STATES(X) \
	X(PROCESS_ALIVE,	"alive") \
	X(PROCESS_DYING,	"dying") \
	X(PROCESS_ZOMBIE,	"zombie")

#define X(id, name) id,
enum process_state { PROCESS_STATES(X) };
#undef X

/* `life`: the state in the high half, the wait status (Linux's encoding) in the low one. */
#define LIFE(state, status)	((u64)(state) << 32 | (u32)(status))
#define LIFE_STATE(life)	((enum process_state)((life) >> 32))
#define LIFE_STATUS(life)	((int)(u32)(life))

/* Linux's wait status: how a process ended. */
#define STATUS_EXIT(code)	(((code) & 0xff) << 8)
#define STATUS_SIGNAL(sig)	((sig) & 0x7f)
#define STATUS_STOPPED(sig)	(0x7f | (sig) << 8)
#define STATUS_CONTINUED	0xffff

struct addr_space;
struct completion;
struct cred;
struct fdtable;
struct itimers;
struct file;
struct place;

#define NSIG		64
#define SIGSET(sig)	(1ULL << ((sig) - 1))

enum rlimit_id {			/* Linux's numbers */
	RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC,
	RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS, RLIMIT_SIGPENDING,
	RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_COUNT
};

#define RLIM_INFINITY	(~0UL)

struct rlimit {
	u64 cur, max;
};

struct sigaction_slot {
	u64 handler;			/* 0: default, 1: ignore */
	u64 flags, restorer, mask;
};

struct process {
	pid_t pid;			/* [const] */
	_Atomic u64 life;		/* [atomic] PROCESS1 */
	_Atomic u32 refs;		/* get/put */
	_Atomic u32 holds;		/* live threads and explicit holds; reaches 0 once */
	char name[THREAD_NAME_MAX];	/* [lock] */

	/* The tree, [tree lock] */
	struct process *parent;
	_Atomic pid_t ppid;		/* parent's id, for getppid(), which takes no lock */
	struct list_node children, sibling;
	struct list_node pid_node;	/* id table's chain */
	pid_t pgid, sid;
	bool execed;			/* its parent may no longer change its group */
	u8 exit_signal;			/* sent to its parent when it ends; 0: none */
	u8 parent_death_signal;		/* sent to it when its parent ends; 0: none */
	bool subreaper;			/* orphans among its descendants become its children */
	int stop_report;		/* STATUS_STOPPED or _CONTINUED, not yet waited for; or 0 */
	struct wait_queue child_wait;	/* woken when a child becomes a zombie */
	/* [child_wait.lock to write] times that a child became a zombie, stopped or went on */
	_Atomic u32 child_events;

	struct spinlock lock;
	/*
	 * The first thread, referenced. It is found by its id until the process has been waited
	 * for, even after it has exited. NULL before and after. [tree lock; const to its threads]
	 */
	struct thread *leader;
	struct list_node threads;	/* [lock] live ones */
	_Atomic unsigned nr_threads;	/* [lock]; others read it to know that they are alone */
	struct thread *execing;		/* [lock] in exec, waits for all others to die; or NULL */
	struct wait_queue thread_gone;	/* exec waits here for its siblings, poll() for its end */
	struct wait_queue signalled;	/* woken when a signal becomes pending; signalfd.c */

	struct addr_space *as;		/* [by threads of the process; exec swaps it when alone] */
	struct fdtable *fds;		/* [lock to write] referenced; exec may replace it */
	struct place *place;		/* [lock to write] referenced */
	struct file *exe;		/* [lock] */
	struct cred *cred;		/* [lock] its first thread's, also when that has ended */
	u32 personality;		/* set by personality(); nothing depends on it */
	u8 dumpable;			/* set by prctl(); there are no core files */
	struct rlimit limits[RLIMIT_COUNT];	/* [lock] */
	struct sigaction_slot sigactions[NSIG];	/* [lock; tree lock and lock to write] */
	struct list_node action_mates;	/* [tree lock] ring of the processes that share them */
	_Atomic u64 sigpending;		/* [lock] to write */
	struct list_node siginfos;	/* [lock] queued entries of pending signals */
	bool stopped;			/* [lock] by a stop signal, until SIGCONT */
	u8 stop_signal;			/* [lock] that signal */
	_Atomic int stop_news;		/* [lock] CLD_* to report to its parent; else a hint */
	unsigned stopping;		/* [lock] threads with stop_pending: STOP1 */
	/* [lock] on the stack of the parent, which is in vfork_wait() */
	struct completion *vfork_done;

	/* Timers, [timer_lock] */
	struct itimers *itimers;	/* NULL: setitimer() was never called */
	struct list_node posix_timers;
	int next_timer;			/* id to try next */
	struct list_node cpu_timers;	/* armed on its CPU time, of any process */

	struct list_node reaper_node;	/* [reaper lock] teardown left to the reaper */

	/* Statistics */
	u64 start_ns;			/* [const] */
	_Atomic u64 dead_run_ns, dead_user_ns;	/* of threads that are gone */
	struct usage children_used;	/* [tree lock] by children waited for */
	u64 max_resident;		/* [lock] most pages of an address space that is gone */
	_Atomic u64 minor_faults;
	u64 dead_switches, dead_preempted;	/* [lock] of threads that are gone */
	u64 cpu_warned;			/* CPU seconds at which the next SIGXCPU is due */
};

extern struct process kernel_process;	/* pid 0: every kernel thread's */
extern struct process *init_process;	/* pid 1: adopts orphans; its end is the machine's */

static inline enum process_state process_state(const struct process *p)
{
	return LIFE_STATE(atomic_load_explicit(&p->life, memory_order_acquire));
}

/*
 * Creates an ALIVE process without threads, a child of @parent, referenced once. -EAGAIN at a
 * limit, -ENOMEM; -EINTR: @parent is dying.
 */
int process_create(struct process *parent, struct process **out);

/* Undoes process_create() of a process that never got a thread. */
void process_abandon(struct process *p);

/* Takes a reaped or abandoned process out of the id table. */
void process_unlist(struct process *p) HOLDS(tree_lock);

/*
 * Makes @as the address space of the current process, which has no other thread, and loads it, for
 * exec. Returns the old one, which the caller puts, or NULL.
 */
struct addr_space *process_set_as(struct addr_space *as);

static inline struct process *process_get(struct process *p)
{
	u32 before = atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);

	assert(before > 0);
	return p;
}

/* Takes no lock but those of users and of the slab, so a holder of the tree lock may call it. */
void process_put(struct process *p);
must_check bool process_hold(struct process *p);	/* false: it is dying */
void process_unhold(struct process *p);		/* never blocks; takes a wait queue's lock */

/*
 * Ends @p with @status (Linux's encoding). Returns 0, or -EALREADY if @p is dying already; its
 * first status then stands. Does not wait for the threads to go. The caller keeps @p from being
 * freed: by a reference, the tree lock, or as one of its threads. For any context that may take the
 * process lock. A thread that kills its own process dies at its next safe point.
 */
int process_kill(struct process *p, int status);

/* Ends the current process and thread. */
noreturn void process_exit(int status);

/*
 * Creates a thread in @p. *out is SUSPENDED and referenced by its table entry. -EAGAIN at a limit,
 * -ENOMEM, -ESRCH: @p takes no threads.
 */
int thread_create_in(struct process *p, const char *name, thread_fn entry, void *arg, int priority,
		     struct thread **out);

/* Resumes, suspends or kills a thread: @state READY, SUSPENDED or DEAD. -ESRCH, -EINVAL. */
int thread_set_state_by_id(tid_t tid, enum thread_state state);

/* Makes @t, its process's only thread, the leader and gives it the leader's id, for exec. */
void thread_take_id(struct thread *t);

/*
 * Waits until @child, referenced, no longer uses the memory of its parent, the current process; or
 * until the thread is killed. @child->vfork_done is @done, on the caller's stack.
 */
void vfork_wait(struct process *child, struct completion *done);

/* Lets the parent of a vfork() child go on: @p no longer uses the parent's memory. */
void vfork_release(struct process *p);

/* Drops the leader, which may have exited long ago: its id finds nothing any more. */
void process_forget_leader(struct process *p) HOLDS(tree_lock);

/*
 * Asks one thread to die (exec's siblings, fatal signals aimed at one thread); see kill.c. The
 * caller has a reference to @t, or the lock of its process.
 */
void thread_kill(struct thread *t);

/*
 * Kills every other thread of the current process and waits until they have gone, for exec. Returns
 * 0 or -EINTR.
 */
int process_kill_siblings(void);

/* Makes @parent the parent of @p. The caller moves @p between the children lists. */
void process_set_parent(struct process *p, struct process *parent) HOLDS(tree_lock);

/* Wakes the parent's process_wait(): p->stop_report has changed, or it will lose the child. */
void process_tell_parent(struct process *p) HOLDS(tree_lock);

#define WNOHANG		1
#define WUNTRACED	2		/* WSTOPPED */
#define WEXITED		4
#define WCONTINUED	8
#define WNOWAIT		0x01000000
#define WGROUP		0x10000000u	/* the kernel's own: -1 means group 1 */
#define WNOTHREAD	0x20000000u	/* no effect: children belong to the whole process */
#define WALL		0x40000000u	/* children with any exit signal */
#define WCLONE		0x80000000u	/* only children whose exit signal is not SIGCHLD */

struct wait_result {
	pid_t pid;
	u32 uid;
	int status;
	struct usage used;		/* including the children that it waited for */
};

/*
 * Waits for a child to become a zombie (WEXITED) and, without WNOWAIT, reaps it; or to be stopped
 * (WUNTRACED) or continued (WCONTINUED). @which is a pid > 0; -1: any child; 0: one of the caller's
 * group; < -1: one of group -@which. Returns 0 with res->pid 0 if WNOHANG finds none ready;
 * -ECHILD, -EINTR.
 */
int process_wait(pid_t which, unsigned options, struct wait_result *res);

/*
 * Returns the bytes of kernel memory that are freed when @p ends: page tables, regions, stacks of
 * threads, what open files stand for. The caller has a hold on @p. The sum is computed on request,
 * so that allocating and freeing need not count. May block.
 */
u64 process_kernel_bytes(struct process *p);

/* Returns the address space of @p, referenced; NULL: it has none, or is dying. */
struct addr_space *process_get_as(struct process *p);

/* Checks whether session @sid (-1: any) has a process in group @pgid. */
bool process_group_exists(pid_t pgid, pid_t sid) HOLDS(tree_lock);

/* Checks whether no member of the group has a parent that could continue it: see group.c. */
bool process_group_is_orphaned(pid_t pgid) HOLDS(tree_lock);

/* Hangs up the groups with stopped members that the end of @p orphans. */
void process_groups_orphan(struct process *p) HOLDS(tree_lock);

/* Makes @p, which has no thread yet, a sibling of the current process. */
void process_make_sibling(struct process *p);

/* The work before a return to user mode, interrupts off at entry and exit; see process/edge.c. */
struct trapframe;
void user_return_work(struct trapframe *tf);

/*
 * Panics unless every process is on exactly one children list and its counts add up. For quiet
 * points.
 */
void process_audit(void);

/* The session that owns the terminal, or 0; set by kernel/tty. */
extern _Atomic pid_t terminal_session;

/* The most user threads, of which THREADS_SPARED are kept for the terminal's shell. */
#define THREADS_SPARED	16
extern unsigned threads_max;	/* [const after boot] threads=, or by the machine's memory */

/* Counts a task for the caller's user, within all limits: 0 or -EAGAIN. May block. */
int task_begin(void);

void process_init(void);
