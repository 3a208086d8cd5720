/*
 * Threads: creation, states, exit, join, detach, suspend, references.
 *
 * State diagram; thread_set_state() (thread_state.h) makes every transition and checks it:
 *
 *	             resume                  pick
 *	SUSPENDED ------------> READY <------------> RUNNING ------> DEAD ---> freed
 *	    ^  |  <------------   ^     preempt,       |  ^   exit     ^
 *	    |  |      suspend     |     yield          |  |            |
 *	    |  |                  | wake               |  |            |
 *	    |  |                  +-- BLOCKED  <-------+  |            |
 *	    |  |                  +-- SLEEPING <-------+  |            |
 *	    |  +--------- killed before it ran again -----+------------+
 *	    +-------------------- suspends itself --------+
 *
 * Only a running thread itself changes its state; others request it, by t->work and an IPI.
 *
 * A thread's structure lives until its last reference is put; its stack until it is reaped.
 */
#pragma once

#include "arch.h"
#include "base/list.h"
#include "base/panic.h"
#include "lock/spinlock.h"
#include "sched/policy/policy.h"
#include "sched/wait.h"
#include "thread/ids.h"
#include "types.h"

#define THREAD_STATES(X) \
	X(THREAD_SUSPENDED,	"suspended") \
	X(THREAD_READY,		"ready") \
	X(THREAD_RUNNING,	"running") \
	X(THREAD_BLOCKED,	"blocked") \
	X(THREAD_SLEEPING,	"sleeping") \
	X(THREAD_DEAD,		"dead")

#define X(id, name) id,
enum thread_state { THREAD_STATES(X) };
#undef X

/* Work for a thread before it returns to user mode, in t->work. */
#define WORK_RESCHED	1u	/* its slice is over or a more urgent thread waits */
#define WORK_KILL	2u	/* it must die */
#define WORK_SUSPEND	4u	/* it must suspend itself */
#define WORK_SIGNAL	8u	/* a signal may be deliverable */

/* "Th"; zeros, so that RISC-V loads it in one instruction */
#define THREAD_MAGIC	0x54680000u
#define STACK_CANARY	0x5472656c6c697321UL	/* at a stack's end, and all over a new one */
#define THREAD_NAME_MAX	16
#define TIMER_SLACK	50000		/* ns; as on Linux */
#define TLS_SLOTS	4
#define KSTACK_SIZE	(4 * PAGE_SIZE)

struct addr_space;
struct cpu;
struct cred;
struct mutex;
struct pi_waiter;
struct process;

typedef int (*thread_fn)(void *arg);

/* The fate of a system call that a signal has interrupted. */
enum restart {
	RESTART_NONE,		/* no call was interrupted */
	RESTART_OFF,		/* rt_sigreturn(): its result is a restored register */
	RESTART_MAY,		/* it starts again, unless a handler without SA_RESTART runs */
	RESTART_NO_HANDLER,	/* it starts again only if no handler runs */
	RESTART_AT		/* the same, and it keeps its deadline */
};

struct sigstack {		/* Linux's stack_t */
	vaddr_t sp;
	s32 flags, pad;
	u64 size;		/* 0: none */
};

/* Priorities as LK has them: params_of_level(). 16 and more are real time. */
#define PRIORITY_LOWEST		0
#define PRIORITY_IDLE		0
#define PRIORITY_LOW		4
#define PRIORITY_DEFAULT	8
#define PRIORITY_HIGH		15
#define PRIORITY_HIGHEST	31

struct thread_stats {			/* [rq->lock] */
	u64 run_ns;			/* time on a CPU */
	u64 user_ns;			/* of that, in user mode */
	u64 switches_in;		/* times it was dispatched */
	u64 preempted;			/* times it lost the CPU against its will */
	u64 picked_again;		/* of those, times it got the CPU back at once */
	u64 migrations;
	u64 last_ran;			/* when it was last charged for time on a CPU */
	u64 ready_since;		/* when it began to wait for a CPU */
};

struct thread {
	/* [self] first: the switch and trap entry know its offsets */
	struct arch_thread arch;

	u32 magic;			/* [const] THREAD_MAGIC until freed */
	tid_t tid;			/* [const] but for thread_take_id() */
	char name[THREAD_NAME_MAX];	/* [self] */
	struct process *process;	/* [const] referenced */
	struct addr_space *as;		/* [self] loaded while it runs; NULL: the kernel's own */
	_Atomic u32 refs;		/* get/put */

	/* Scheduling */
	_Atomic(enum thread_state) state;	/* [rq->lock]; others may read a hint */
	_Atomic u32 work;		/* [atomic] WORK_*, set by anyone */
	struct cpu *_Atomic cpu;	/* [rq->lock] whose run queue it is or was last on */
	struct sched_entity se;		/* [rq->lock] what policies see and keep */
	u32 affinity;			/* [rq->lock] as requested; se.affinity is in force */
	struct waiter *waiter;		/* [rq->lock] not NULL exactly while BLOCKED or SLEEPING */
	/*
	 * Off the CPU and without work in the kernel (it never ran, or was preempted on the way to
	 * user mode), so it may be reaped without running again. [rq->lock] READY or SUSPENDED;
	 * else the thread's own, which writes it as it runs: others look at the state first.
	 */
	bool unwound;
	bool embryo;			/* [rq->lock] its creator alone may start or reap it yet */
	struct thread_stats stats;

	/* Mutexes and PI futexes, [pi_lock]: see pi.h */
	struct pi_waiter *blocked_on;	/* the lock it waits for, or NULL */
	struct list_node contended;	/* the locks it owns and others wait for */
	bool pi_closed;			/* it exits, and gets no more PI futexes */

	/* The current thread's nesting, [self] */
	unsigned irq_depth;		/* irq_off() calls */
	u32 irqs_were_on;		/* before the outermost */
	unsigned preempt_depth;

	/* Life */
	struct wait_queue joiners;	/* at most one waits, for `left` or `detached` */
	struct thread *joiner;		/* [joiners.lock] */
	bool detached;			/* [joiners.lock] */
	bool left;			/* [joiners.lock] off its stack for good */
	int exit_code;			/* [self] until its hold is given up, or `left` is set */
	thread_fn entry;		/* [const] */
	void *arg;			/* [const] */
	void *stack;			/* [const] lowest address */
	size_t stack_size;		/* [const] */
	bool own_stack;			/* [const] ours to free */
	bool own_struct;		/* [const] ours to free */
	struct list_node process_node;	/* [process->lock] */
	struct list_node reaper_node;	/* [reaper lock] */
	struct list_node all_node;	/* [tree lock] every thread with a stack, for ps, audits */
	struct list_node id_node;	/* [tree lock] hash chain by tid */

	void *tls[TLS_SLOTS];		/* [self] see tls_get() */

	struct cred *cred;		/* [self; process->lock to write] see cred.h */

	/* User side, [self] */
	vaddr_t clear_tid;		/* set_tid_address(): zeroed and woken at exit */
	vaddr_t robust_list;
	u64 sigmask;			/* [process->lock] to write; blocked signals */
	_Atomic u64 sigpending;		/* [process->lock] to write */
	struct list_node siginfos;	/* [process->lock] siginfo of pending signals */
	u64 sigmask_after;		/* [self] the mask to return to, if restore_sigmask */
	u64 sigwait;			/* [process->lock] blocked signals that it waits for */
	_Atomic bool stop_pending;	/* [process->lock] its process waits for it to stop */
	u32 wait_kinds;			/* [self] WALL, WCLONE of the process_wait() it is in */
	bool over_limit;		/* [self] its user had too many tasks at setuid() */
	u16 ioprio;			/* [atomic] value of ioprio_set(); 0: not set */
	u64 timer_slack, timer_slack_default;	/* [self] ns, for prctl(); our timers are exact */
	bool restore_sigmask;		/* [self] sigmask holds for one system call only */
	enum restart restart;		/* [self] a signal interrupted the system call */
	u64 restart_arg;		/* [self] its first argument */
	struct deadline restart_at;	/* [self] its deadline, for RESTART_AT */
	bool restarted;			/* [self] the next system call uses restart_at */
	struct sigstack sigstack;	/* [self] the alternate stack of handlers */
	struct held_locks spins;	/* [self] spin locks; debug builds */
	struct held_locks locks;	/* [self] locks that may block; debug builds */
};

/* The CPU and state of @t: exact while its run queue's lock is held, hints otherwise. */
static inline struct cpu *thread_cpu(const struct thread *t)
{
	return atomic_load_explicit(&t->cpu, memory_order_relaxed);
}

static inline enum thread_state thread_state(const struct thread *t)
{
	return atomic_load_explicit(&t->state, memory_order_relaxed);
}

/* The higher of its own rank and the one it inherits. Exact with its run queue's lock held. */
static inline struct sched_rank thread_rank(const struct thread *t)
{
	return entity_rank(&t->se);
}

static inline bool thread_is_dying(struct thread *t)
{
	return atomic_load_explicit(&t->work, memory_order_acquire) & WORK_KILL;
}

/*
 * Creates a SUSPENDED thread of the kernel's own process; returns NULL if memory is short.
 * thread_create_etc() uses the caller's structure and stack unless those are NULL. A stack has at
 * least PAGE_SIZE bytes and begins at a multiple of 8.
 */
struct thread *thread_create(const char *name, thread_fn entry, void *arg, int priority);
struct thread *thread_create_etc(struct thread *t, const char *name, thread_fn entry, void *arg,
				 int priority, void *stack, size_t stack_size);

/* Lets a SUSPENDED thread run. -EALREADY: it is not suspended. -ESRCH: it is dying or dead. */
int thread_resume(struct thread *t);

/*
 * Stops @t until thread_resume(). A READY thread without work in the kernel stops at once, others
 * at their next safe point: the way back to user mode, or thread_yield(). -ESRCH if it is dying.
 */
int thread_suspend(struct thread *t);

/* Ends the current thread. The first join gets its code. */
noreturn void thread_exit(int code);

/*
 * Waits until @t has left its stack, takes its code and frees it: after success @t is gone. May
 * block. Fails with -ETIMEDOUT or -EINTR; -EDEADLK for the current thread; -ECHILD if @t is
 * detached, even during the wait; -EBUSY if another thread joins it.
 */
int thread_join(struct thread *t, int *code, struct deadline d);

/*
 * Lets the reaper free @t: no thread will join it. -ECHILD if it is detached, or has been joined.
 * Never blocks.
 */
int thread_detach(struct thread *t);

void thread_yield(void);
void thread_set_name(struct thread *t, const char *name);

/* References, names and the check of a thread: sched/state.c, as the switch needs them. */
struct thread *thread_get(struct thread *t);
void thread_put(struct thread *t);
const char *thread_state_name(enum thread_state s);
noreturn void thread_corrupt(const struct thread *t);

/* Panics and names the thread if its structure or its stack's end was overwritten. */
static inline void thread_check(const struct thread *t)
{
	if (unlikely(t->magic != THREAD_MAGIC || *(u64 *)t->stack != STACK_CANARY))
		thread_corrupt(t);
}

/*
 * Thread-local slots: pointers of the current kernel thread, NULL at first. Nothing is freed when
 * the thread ends.
 */
static inline void *tls_get(unsigned slot)
{
	assert(slot < TLS_SLOTS);
	return current_thread()->tls[slot];
}

/* Returns the old value. */
static inline void *tls_set(unsigned slot, void *value)
{
	void *was = tls_get(slot);

	current_thread()->tls[slot] = value;
	return was;
}

/* Returns the most bytes of its kernel stack that @t ever used; 0 in release builds. */
size_t thread_stack_used(const struct thread *t);

/* The first function of a new thread, on its own stack: see exit.c. */
noreturn void thread_start(void);

/*
 * Frees the stack and table entry of a thread that has left; the structure goes with its last
 * reference, and its process's perhaps with that. Only its joiner and the reaper do. May block.
 */
void thread_free(struct thread *t);

/*
 * The two parts of thread_create_in(): allocate @t; then give it a stack and a place among all
 * threads and in @p. If thread_setup() fails, @t is gone.
 */
struct thread *thread_alloc(const char *name, thread_fn entry, void *arg, int priority);
int thread_setup(struct thread *t, struct process *p, void *stack, size_t stack_size);
void thread_free_struct(struct thread *t);

/*
 * Hooks, defined in kernel/process.
 * process_adopt(): adds @t to t->process, with a hold; -ESRCH if that takes no threads (PROCESS2).
 * process_forget_thread(): takes @t out: its address space, its figures, its place in the list.
 * process_teardown(): ends @p, whose last hold is gone. May block.
 */
int process_adopt(struct thread *t);
void process_forget_thread(struct thread *t);
void process_teardown(struct process *p);

/* A thread's way out of its process, once per thread: the last one tears down. May block. */
void process_thread_leaves(struct thread *t);

/* The reaper frees dead detached threads and tears down what ended without a thread of its own. */
void reaper_init(void);
void reaper_add_thread(struct thread *t);
void reaper_add_process(struct process *p);

/* A thread has begun to leave, and has left its stack: drainers wait for it in between. */
void reaper_note_leaving(void);
void reaper_note_left(void);

/* Waits until everything that was dying when it was called has been freed, for exact counts. */
void reaper_drain(void);

void thread_init(void);
