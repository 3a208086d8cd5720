/*
 * Processes: an address space, descriptors, threads, a parent and children, limits, statistics.
 *
 *	ALIVE ----> DYING ----> ZOMBIE ----> gone
 *	      kill,       last        parent
 *	      exit        one out     waits
 *
 * Two counts keep a process, and they differ:
 *   get/put    keep the structure's memory. Always succeeds on a pointer that is valid.
 *   hold/unhold keep its teardown away (address space, descriptors). Each live thread is one hold.
 *              A hold on a dying process fails. The last one out tears down.
 *
 * PROCESS1  `life` leaves ALIVE exactly once; state and status are one word, so the first killer's
 *           status stands.
 * PROCESS2  No thread joins a process that is not ALIVE; none of a dying one runs user code again.
 * PROCESS3  Children move to init before their parent can be reaped; every process but init's
 *           parentless kernel process is on exactly one children list until it is gone.
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
	_Atomic u32 holds;		/* live threads and explicit holds; 0 exactly once */
	char name[THREAD_NAME_MAX];	/* [lock] */

	/* The tree, [tree lock] */
	struct process *parent;
	_Atomic pid_t ppid;		/* its id, for getppid(), which takes no lock */
	struct list_node children, sibling;
	struct list_node pid_node;	/* id table's chain */
	pid_t pgid, sid;
	bool execed;			/* its parent may not change its group any more */
	u8 exit_signal;			/* for its parent at its end; 0: none */
	u8 parent_death_signal;		/* for itself at its parent's end; 0: none */
	bool subreaper;			/* orphans among its descendants become its children */
	int stop_report;		/* STATUS_STOPPED, _CONTINUED: not yet waited for; or 0 */
	struct wait_queue child_wait;	/* woken when a child becomes a zombie */
	/* [child_wait.lock] to count; children that became zombies, stopped or went on */
	_Atomic u32 child_events;

	struct spinlock lock;
	/*
	 * The first thread, referenced: until the process has been waited for it answers by its id,
	 * also when it has exited. NULL before and after. [tree lock; const to its own threads]
	 */
	struct thread *leader;
	struct list_node threads;	/* [lock] live ones */
	unsigned nr_threads;		/* [lock] */
	struct thread *execing;		/* [lock] the thread all others must die for, or NULL */
	struct wait_queue thread_gone;	/* exec waits here for its siblings, poll() for its end */
	struct wait_queue signalled;	/* woken when a signal becomes pending; signalfd.c */

	struct addr_space *as;		/* [by threads of the process; exec swaps it when alone] */
	struct fdtable *fds;		/* [lock to write] referenced; exec may replace it */
	struct place *place;		/* [lock to write] referenced */
	struct file *exe;		/* [lock] */
	struct cred *cred;		/* [lock] its first thread's, also when that has ended */
	u32 personality;		/* what personality() was told; nothing depends on it */
	u8 dumpable;			/* what prctl() was told; there are no core files */
	struct rlimit limits[RLIMIT_COUNT];	/* [lock] */
	struct sigaction_slot sigactions[NSIG];	/* [lock; tree lock and lock to write] */
	struct list_node action_mates;	/* [tree lock] a ring of those that share them */
	_Atomic u64 sigpending;		/* [lock] to write */
	struct list_node siginfos;	/* [lock] what is known of those pending */
	bool stopped;			/* [lock] by a stop signal, until SIGCONT */
	u8 stop_signal;			/* [lock] that signal */
	int stop_news;			/* [lock] CLD_* that its parent is to be told, or 0 */
	unsigned stopping;		/* [lock] threads with stop_pending: STOP1 */
	/* [lock] on the waiting parent's stack; see abi/clone.c */
	struct completion *vfork_done;

	/* Timers, [timer_lock] */
	struct itimers *itimers;	/* NULL: setitimer() was never called */
	struct list_node posix_timers;
	int next_timer;			/* id to try next */
	struct list_node cpu_timers;	/* armed on its CPU time, by whomever */

	struct list_node reaper_node;	/* [reaper lock] teardown left to the reaper */

	/* Statistics */
	u64 start_ns;			/* [const] */
	_Atomic u64 dead_run_ns, dead_user_ns;	/* of threads that are gone */
	struct usage children_used;	/* [tree lock] of children waited for */
	u64 max_resident;		/* [lock] pages, of address spaces that are gone */
	_Atomic u64 minor_faults;
	u64 dead_switches, dead_preempted;	/* [lock] of threads that are gone */
	u64 cpu_warned;			/* no SIGXCPU before that many seconds; see limits.c */
};

extern struct process kernel_process;	/* pid 0: every kernel thread's */
extern struct process *init_process;	/* pid 1: adopts orphans; its end is the machine's */

static inline enum process_state process_state(const struct process *p)
{
	return LIFE_STATE(atomic_load_explicit(&p->life, memory_order_acquire));
}

/*
 * An ALIVE process without threads, child of @parent, referenced once; -EAGAIN at a limit, -ENOMEM.
 */
int process_create(struct process *parent, struct process **out);

/* Undoes process_create() of a process that never got a thread. */
void process_abandon(struct process *p);

/* A reaped or abandoned process is not found by its id any more. tree_lock held. */
void process_unlist(struct process *p);

/*
 * Makes @as the address space of the current process, which has no other thread, and loads it.
 * Returns the one before, for as_put(), or NULL. For exec.
 */
struct addr_space *process_set_as(struct addr_space *as);

static inline struct process *process_get(struct process *p)
{
	u32 before = atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);

	assert(before > 0);
	return p;
}

void process_put(struct process *p);
must_check bool process_hold(struct process *p);	/* false: it is dying */
void process_unhold(struct process *p);

/*
 * Ends @p with @status (Linux's encoding): 0, or -EALREADY if it is dying already, whose status
 * then stands. Returns without waiting for the threads to go. Any context that may take the process
 * lock. A thread may kill its own process: it then dies at its next safe point.
 */
int process_kill(struct process *p, int status);

/* Ends the caller's process and the caller. */
noreturn void process_exit(int status);

/*
 * Creates a thread in @p (its first or another one). *out is SUSPENDED and referenced by its table
 * entry. -EAGAIN at a limit, -ENOMEM, -ESRCH: @p takes no threads.
 */
int thread_create_in(struct process *p, const char *name, thread_fn entry, void *arg, int priority,
		     struct thread **out);

/* By id: resume, suspend, or kill (READY, SUSPENDED, DEAD); -EINVAL for any other state. */
int thread_set_state_by_id(tid_t tid, enum thread_state state);

/* @t is its process's only thread now: the leader, whose id it takes, as exec demands. */
void thread_take_id(struct thread *t);

/* A thread of a vfork() child no longer uses its parent's memory: the parent goes on. */
void vfork_release(struct process *p);

/* The leader, which may have exited long ago, is not found any more. tree_lock held. */
void process_forget_leader(struct process *p);

/* Asks one thread to die (exec's siblings, fatal signals aimed at one thread); see kill.c. */
void thread_kill(struct thread *t);

/* A thread's way out of its process, once per thread: the last one tears down. May block. */
void process_thread_leaves(struct thread *t);

/*
 * Kills every other thread of the current process and waits until they have gone. For exec.
 * 0/-EINTR
 */
int process_kill_siblings(void);

/* Makes @p a child of @parent but for the lists. tree_lock held. */
static inline void process_set_parent(struct process *p, struct process *parent)
{
	p->parent = parent;
	atomic_store_explicit(&p->ppid, parent->pid, memory_order_relaxed);
}

/* @p->stop_report is new: for its parent's process_wait(). tree_lock held. */
void process_report_stop(struct process *p);

#define WNOHANG		1
#define WUNTRACED	2		/* WSTOPPED */
#define WEXITED		4
#define WCONTINUED	8
#define WNOWAIT		0x01000000
#define WNOTHREAD	0x20000000u	/* children of the calling thread: those of all are */
#define WALL		0x40000000u	/* whatever signal they end with */
#define WCLONE		0x80000000u	/* those that end with another one than SIGCHLD */

struct wait_result {
	pid_t pid;
	u32 uid;
	int status;
	struct usage used;		/* with that of the children it waited for itself */
};

/*
 * Waits for a child to become a zombie (WEXITED) and, without WNOWAIT, reaps it; or to be stopped
 * (WUNTRACED) or continued. @which: pid > 0, -1 any, 0 my group, < -1 that group. 0 and res->pid 0
 * with WNOHANG and none ready; -ECHILD; -EINTR.
 */
int process_wait(pid_t which, unsigned options, struct wait_result *res);

/*
 * Bytes of memory that the kernel keeps for @p, which the caller holds, and that go with it: page
 * tables, regions, stacks of threads, what open files stand for. Computed when somebody asks, so
 * that nothing is to be paid for, or to be undone, where they come and go. May block.
 */
u64 process_kernel_bytes(struct process *p);

/* The address space of @p, referenced; NULL: it has none, or is going. Its descriptors, place. */
struct addr_space *process_get_as(struct process *p);
struct fdtable *process_get_fds(struct process *p);
struct place *process_get_place(struct process *p);

/* Some process is in that group, in session @sid (-1: any). tree_lock held. */
bool process_group_exists(pid_t pgid, pid_t sid);

/* Nobody in the group's session could continue it: no parent outside of it. tree_lock held. */
bool process_group_is_orphaned(pid_t pgid);

/* @p ends: hangs up the groups with stopped members that its end orphans. tree_lock held. */
void process_groups_orphan(struct process *p);

/* @p, which has no thread yet, becomes the caller's sibling. */
void process_make_sibling(struct process *p);

/*
 * Signals: default actions, ignoring, blocking (signal.c). sig 0 only asks whether it may be sent.
 */
int signal_send_process(struct process *p, int sig);
int signal_send_thread(struct thread *t, int sig, int code);	/* SI_*: how it was sent */
int signal_send_group(pid_t pgid, int sig);

/* As kill() does it: to those that the caller may signal. -1: all but init and the caller. */
int signal_kill_group(pid_t pgid, int sig);
int signal_may_send(struct process *p, int sig);	/* 0 or -EPERM */
void signal_send_process_locked(struct process *p, int sig);	/* tree_lock held */
void signal_send_group_locked(pid_t pgid, int sig);	/* tree_lock held */

/* For a child's end or stop, to its parent. tree_lock held. */
void signal_child(struct process *child, int code, int status);

/*
 * Acts on pending signals of the current thread and clears WORK_SIGNAL: @tf goes to a handler, or
 * starts an interrupted system call again. At the user edge, may block.
 */
struct trapframe;
void signal_deliver(struct trapframe *tf);

/* A thread of @p leaves that may have been told of a signal to the process: tells another one. */
void signal_pass_on(struct process *p);

/* exec: no handlers are left, nor a stack for them. */
void signal_forget_handlers(void);

void signal_drop_infos(struct list_node *infos, u64 set);
void signal_init(void);

/* The work before a return to user mode, interrupts off at entry and exit; see process/edge.c. */
struct trapframe;
void user_return_work(struct trapframe *tf);

/* The reaper: frees dead detached threads and tears down what ended without a thread of its own. */
void reaper_init(void);
void reaper_add_thread(struct thread *t);
void reaper_add_process(struct process *p);

/* A thread has begun to leave, and has left its stack: drainers wait for it in between. */
void reaper_note_leaving(void);
void reaper_note_left(void);

/* Waits until everything that was dying when it was called has been freed. For exact counts. */
void reaper_drain(void);

/*
 * Panics unless every process is on exactly one children list and its counts add up. Quiet points.
 */
void process_audit(void);

/* The session that owns the terminal, or 0; the terminal says so. */
extern _Atomic pid_t terminal_session;

/* No more user threads than this, of which THREADS_SPARED are kept for the terminal's shell. */
#define THREADS_SPARED	16
extern unsigned threads_max;	/* [const after boot] threads=, or by the machine's memory */

void process_init(void);
