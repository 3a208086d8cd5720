/*
 * Scheduling as system calls see it: classes and their parameters, niceness, affinity.
 *
 * The calls are Linux's under any policy; a class that the policy does not know is -EINVAL, like
 * one that Linux does not know. may_set() and can_nice() say what needs CAP_SYS_NICE, and what
 * RLIMIT_NICE and RLIMIT_RTPRIO allow without it.
 */
#include "sched/sched.h"

#include "abi.h"
#include "sys.h"

#define SCHED_RESET_ON_FORK	0x40000000

/* --- Classes and parameters ------------------------------------------------------------------- */

#define ATTR_RESET_ON_FORK	0x01u
#define ATTR_RECLAIM		0x02u	/* this and the next one matter for class DEADLINE only */
#define ATTR_DL_OVERRUN		0x04u
#define ATTR_KEEP_POLICY	0x08u
#define ATTR_KEEP_PARAMS	0x10u
#define ATTR_UTIL_CLAMP		0x60u	/* Linux has it as a configuration option; we do not */
#define ATTR_SIZE_MIN		48u
#define ATTR_SIZE_CLAMP		56u	/* with util_min and util_max */

struct sched_attr {
	u32 size;
	u32 policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime, deadline, period;
	u32 util_min, util_max;
};

/* The limit counts from 1 for nice 19 to 40 for nice -20. */
static bool can_nice(const struct thread *t, int nice)
{
	return (u64)(20 - nice) <= t->process->limits[RLIMIT_NICE].cur || capable(CAP_SYS_NICE);
}

static bool may_schedule(struct thread *t)
{
	struct cred *c SCOPED(cred) = thread_cred(t);

	return cred_may_schedule(c);
}

/* Checks whether an unprivileged caller may change @t's parameters from @old to @new. */
static bool may_set(struct thread *t, const struct sched_params *old,
		    const struct sched_params *new)
{
	u64 priority = t->process->limits[RLIMIT_RTPRIO].cur;

	if (!may_schedule(t) || new->class == SCHED_DEADLINE ||
	    (old->reset_on_fork && !new->reset_on_fork))
		return false;
	if (old->class == SCHED_IDLE && new->class != SCHED_IDLE && !can_nice(t, old->nice))
		return false;
	if (is_real_time(new))
		return (new->class == old->class || priority) &&
		       new->rt_priority <= MAX(priority, old->rt_priority);
	return new->class == SCHED_IDLE || new->nice >= old->nice || can_nice(t, new->nice);
}

static long set_params(tid_t tid, struct sched_params p)
{
	struct thread *t SCOPED(thread) = find_user_thread(tid);
	struct sched_params old;
	int err;

	if (!t)
		return -ESRCH;
	err = policy_check(&p);
	if (err)
		return err;
	old = sched_get_params(t);
	return capable(CAP_SYS_NICE) || may_set(t, &old, &p) ? sched_set_params(t, &p) : -EPERM;
}

static long get_params(tid_t tid, struct sched_params *p)
{
	struct thread *t SCOPED(thread) = tid < 0 ? NULL : find_user_thread(tid);

	if (!t)
		return tid < 0 ? -EINVAL : -ESRCH;
	*p = sched_get_params(t);
	return 0;
}

/* @class -1: keeps the class. */
static long set_class(tid_t tid, int class, vaddr_t param)
{
	struct sched_params p;
	u32 priority;
	long err;

	if (!param || tid < 0)
		return -EINVAL;
	if (copy_from_user(&priority, param, sizeof(priority)))
		return -EFAULT;
	err = get_params(tid, &p);
	if (err)
		return err;
	p.rt_priority = priority;
	if (class >= 0) {
		p.class = class & ~SCHED_RESET_ON_FORK;
		p.reset_on_fork = class & SCHED_RESET_ON_FORK;
	}
	if (p.class == SCHED_DEADLINE)		/* that takes sched_setattr() */
		return -EINVAL;
	return set_params(tid, p);
}

long sys_sched_setscheduler(tid_t tid, int class, vaddr_t param)
{
	return class < 0 ? -EINVAL : set_class(tid, class, param);
}

long sys_sched_setparam(tid_t tid, vaddr_t param)
{
	return set_class(tid, -1, param);
}

long sys_sched_getscheduler(tid_t tid)
{
	struct sched_params p;
	long err = get_params(tid, &p);

	return err ? err : (long)p.class | (p.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

long sys_sched_getparam(tid_t tid, vaddr_t out)
{
	struct sched_params p;
	long err = out ? get_params(tid, &p) : -EINVAL;

	return err ? err : copy_to_user(out, &p.rt_priority, sizeof(p.rt_priority));
}

/* Copies a struct sched_attr of any version; on -E2BIG tells the caller the size of ours. */
static long copy_attr(struct sched_attr *a, vaddr_t in)
{
	u32 size, ours = sizeof(*a);
	int err;

	if (copy_from_user(&size, in, sizeof(size)))
		return -EFAULT;
	size = size ? size : ATTR_SIZE_MIN;
	err = size < ATTR_SIZE_MIN ? -E2BIG : copy_struct_from_user(a, ours, in, size);
	if (err == -E2BIG)
		copy_to_user(in, &ours, sizeof(ours));
	if (err)
		return err;
	return a->flags & ATTR_UTIL_CLAMP && size < ATTR_SIZE_CLAMP ? -EINVAL : 0;
}

/* Gives @p the parameters of @a: all, or with @keep those that its class does not use. */
static void take_params(struct sched_params *p, const struct sched_attr *a, bool keep)
{
	bool real_time = is_real_time(p), deadline = p->class == SCHED_DEADLINE;

	if (!keep || real_time || deadline)
		p->nice = MAX(NICE_HIGHEST, MIN(a->nice, NICE_LOWEST));
	if (!keep || !real_time)
		p->rt_priority = a->priority;
	if (!keep || !deadline) {
		p->runtime = a->runtime;
		p->deadline = a->deadline;
		p->period = a->period ? a->period : a->deadline;
	}
}

long sys_sched_setattr(tid_t tid, vaddr_t in, u32 flags)
{
	struct sched_attr a;
	struct sched_params p;
	long err = in && !flags && tid >= 0 ? copy_attr(&a, in) : -EINVAL;

	if (!err)
		err = get_params(tid, &p);
	if (err)
		return err;
	if ((s32)a.policy >= 0 && a.flags & ATTR_UTIL_CLAMP)
		return -EOPNOTSUPP;
	if (a.policy != SCHED_DEADLINE)
		a.flags &= ~(u64)(ATTR_RECLAIM | ATTR_DL_OVERRUN);
	if ((s32)a.policy < 0 ||
	    a.flags & ~(u64)(ATTR_RESET_ON_FORK | ATTR_KEEP_POLICY | ATTR_KEEP_PARAMS))
		return -EINVAL;
	take_params(&p, &a, a.flags & ATTR_KEEP_PARAMS);
	if (!(a.flags & ATTR_KEEP_POLICY))
		p.class = a.policy;
	p.reset_on_fork = a.flags & ATTR_RESET_ON_FORK;
	return set_params(tid, p);
}

long sys_sched_getattr(tid_t tid, vaddr_t out, u32 size, u32 flags)
{
	struct sched_attr a = { .size = MIN(size, sizeof(a)) };
	struct sched_params p;
	long err;

	if (!out || size < ATTR_SIZE_MIN || size > PAGE_SIZE || flags)
		return -EINVAL;
	err = get_params(tid, &p);
	if (err)
		return err;
	a.policy = p.class;
	a.flags = p.reset_on_fork ? ATTR_RESET_ON_FORK : 0;
	a.priority = p.rt_priority;
	if (BIT(p.class) & CLASSES_NORMAL)
		a.nice = p.nice;
	if (p.class == SCHED_DEADLINE) {
		a.runtime = p.runtime;
		a.deadline = p.deadline;
		a.period = p.period;
	}
	return copy_to_user(out, &a, a.size);
}

/* Knows all of Linux's classes, whether or not the policy does. */
static long priority_bound(u32 class, long real_time)
{
	if (class == SCHED_FIFO || class == SCHED_RR)
		return real_time;
	return class < 32 && BIT(class) & (CLASSES_NORMAL | BIT(SCHED_DEADLINE)) ? 0 : -EINVAL;
}

long sys_sched_get_priority_max(int class)
{
	return priority_bound(class, RT_PRIORITY_HIGHEST);
}

long sys_sched_get_priority_min(int class)
{
	return priority_bound(class, RT_PRIORITY_LOWEST);
}

long sys_sched_rr_get_interval(tid_t tid, vaddr_t out)
{
	struct thread *t SCOPED(thread) = tid < 0 ? NULL : find_user_thread(tid);
	struct timespec ts;

	if (!t)
		return tid < 0 ? -EINVAL : -ESRCH;
	ts = timespec_of(policy_interval(&t->se));
	return copy_to_user(out, &ts, sizeof(ts));
}

/* --- Niceness --------------------------------------------------------------------------------- */

#define PRIO_PROCESS	0
#define PRIO_PGRP	1
#define PRIO_USER	2

/* One call's walk over the threads it means. */
struct walk {
	int which;	/* as setpriority() counts; ioprio_set() counts from 1 */
	u32 who;
	bool sets;	/* false: only looks */
	int value;	/* to be set */
	int best;	/* the lowest found: the most favoured thread's */
	int err;	/* of the last thread that was refused; -ESRCH if no thread was meant */
};

static bool is_meant(const struct walk *w, struct thread *t)
{
	if (t->process == &kernel_process)
		return false;
	if (w->which == PRIO_PROCESS)
		return (u32)t->tid == w->who;
	if (w->which == PRIO_PGRP)
		return (u32)t->process->pgid == w->who;
	return process_uid(t->process) == w->who;
}

/* Calls @visit for the threads that are meant, and others. Id 0 is the caller or its group. */
static int walk_threads(struct walk *w, void (*visit)(struct thread *t, void *w))
{
	if (w->which < PRIO_PROCESS || w->which > PRIO_USER)
		return -EINVAL;
	if (!w->who && w->which == PRIO_PROCESS)
		w->who = current_thread()->tid;
	if (!w->who && w->which == PRIO_PGRP)
		w->who = current_process()->pgid;
	w->err = -ESRCH;
	thread_for_each_id(visit, w);
	return w->err;
}

static void visit_nice(struct thread *t, void *arg)
{
	struct walk *w = arg;

	if (!is_meant(w, t))
		return;
	w->best = MIN(w->best, t->se.params.nice);
	if (!w->sets)
		return;
	if (!may_schedule(t)) {
		w->err = -EPERM;
	} else if (w->value < t->se.params.nice && !can_nice(t, w->value)) {
		w->err = -EACCES;
	} else {
		w->err = w->err == -ESRCH ? 0 : w->err;
		sched_set_nice(t, w->value);
	}
}

/* For setpriority() and getpriority(), user 0 means the caller's user. */
static u32 meant_user(int which, u32 who)
{
	return which == PRIO_USER && !who ? current_cred()->uid.real : who;
}

long sys_setpriority(int which, int who, int nice)
{
	struct walk w = { which, meant_user(which, who), .sets = true,
			  .value = MAX(NICE_HIGHEST, MIN(nice, NICE_LOWEST)) };

	return walk_threads(&w, visit_nice);
}

/* Returns 20 minus the nice value of the most favoured thread. */
long sys_getpriority(int which, int who)
{
	struct walk w = { which, meant_user(which, who), .best = NICE_LOWEST + 1 };
	int err = walk_threads(&w, visit_nice);

	return w.best > NICE_LOWEST ? err : 20 - w.best;
}

/* --- Priority of input and output ------------------------------------------------------------- */

/*
 * A class, and a level within it. Kept and reported, without any effect, as on Linux for a disk
 * whose scheduler ignores it.
 */
#define IOPRIO(class, level)	((class) << 13 | (level))
#define IOPRIO_CLASS(priority)	((priority) >> 13 & 7)
#define IOPRIO_LEVEL(priority)	((priority) & 7)

enum { IOPRIO_NONE, IOPRIO_RT, IOPRIO_BE, IOPRIO_IDLE };

#define NO_IOPRIO		0x10000		/* above all that there are */

/* Unless asked about @t alone, derives a priority that was never set from its scheduling class. */
static int ioprio_of(struct thread *t, bool alone)
{
	struct sched_params p = sched_get_params(t);
	int class = is_real_time(&p) ? IOPRIO_RT
				     : p.class == SCHED_IDLE ? IOPRIO_IDLE : IOPRIO_BE;

	if (alone || IOPRIO_CLASS(t->ioprio) != IOPRIO_NONE)
		return t->ioprio;
	return IOPRIO(class, (p.nice - NICE_HIGHEST) / 5);
}

static void visit_ioprio(struct thread *t, void *arg)
{
	struct walk *w = arg;

	if (!is_meant(w, t))
		return;
	if (w->sets && !may_schedule(t)) {
		w->err = -EPERM;
		return;
	}
	if (w->sets)
		t->ioprio = w->value;
	w->best = MIN(w->best, ioprio_of(t, w->which == PRIO_PROCESS));
	w->err = w->err == -ESRCH ? 0 : w->err;
}

static int check_ioprio(int priority)
{
	switch (IOPRIO_CLASS(priority)) {
	case IOPRIO_RT:
		return capable(CAP_SYS_ADMIN) || capable(CAP_SYS_NICE) ? 0 : -EPERM;
	case IOPRIO_NONE:
		return IOPRIO_LEVEL(priority) ? -EINVAL : 0;
	case IOPRIO_BE:
	case IOPRIO_IDLE:
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_ioprio_set(int which, int who, int priority)
{
	struct walk w = { (int)(which - 1u), who, .sets = true, .value = (u16)priority };
	int err = check_ioprio(priority);

	return err ? err : walk_threads(&w, visit_ioprio);
}

long sys_ioprio_get(int which, int who)
{
	struct walk w = { (int)(which - 1u), who, .best = NO_IOPRIO };
	int err = walk_threads(&w, visit_ioprio);

	return err ? err : w.best;
}

/* --- Affinity --------------------------------------------------------------------------------- */

long sys_sched_yield(void)
{
	sched_yield();		/* not thread_yield(): the return to user mode looks for a kill */
	return 0;
}

/* @size must be whole words. Returns how many bytes of the mask were written. */
long sys_sched_getaffinity(tid_t tid, size_t size, vaddr_t out)
{
	struct thread *t SCOPED(thread) = NULL;
	u64 mask;

	if (size < sizeof(mask) || size % sizeof(mask))
		return -EINVAL;
	t = find_user_thread(tid);
	if (!t)
		return -ESRCH;
	mask = t->affinity & (BIT(nr_cpus) - 1);
	return copy_to_user(out, &mask, sizeof(mask)) ? -EFAULT : (long)sizeof(mask);
}

long sys_sched_setaffinity(tid_t tid, size_t size, vaddr_t in)
{
	struct thread *t SCOPED(thread) = NULL;
	u64 mask = 0;

	if (copy_from_user(&mask, in, MIN(size, sizeof(mask))))
		return -EFAULT;
	t = find_user_thread(tid);
	if (!t)
		return -ESRCH;
	if (!may_schedule(t))
		return -EPERM;
	return affinity_off ? -ENOSYS : sched_set_affinity(t, mask);
}

long sys_getcpu(vaddr_t cpu_out, vaddr_t node_out)
{
	u32 cpu, node;

	preempt_off();
	cpu = this_cpu()->id;
	node = this_cpu()->node;
	preempt_on();
	if (cpu_out && copy_to_user(cpu_out, &cpu, sizeof(cpu)))
		return -EFAULT;
	return node_out && copy_to_user(node_out, &node, sizeof(node)) ? -EFAULT : 0;
}
