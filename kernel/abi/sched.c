/*
 * Scheduling as system calls see it: classes and their parameters, niceness, affinity.
 *
 * The calls are Linux's under any policy; a class that the policy does not know is an EINVAL,
 * as one that Linux does not know is there. For what CAP_SYS_NICE is needed, and what RLIMIT_NICE
 * and RLIMIT_RTPRIO allow without: may_set(), can_nice().
 */
#include "sched/sched.h"

#include "abi.h"
#include "process/cred.h"
#include "sys.h"

#define SCHED_RESET_ON_FORK	0x40000000

/* --- Classes and parameters ------------------------------------------------------------------- */

#define ATTR_RESET_ON_FORK	0x01u
#define ATTR_RECLAIM		0x02u	/* these two say nothing of other classes than DEADLINE */
#define ATTR_DL_OVERRUN		0x04u
#define ATTR_KEEP_POLICY	0x08u
#define ATTR_KEEP_PARAMS	0x10u
#define ATTR_UTIL_CLAMP		0x60u	/* only with an option of Linux's */
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

static inline void thread_scope_end(struct thread **t)
{
	if (*t)
		thread_put(*t);
}

/* The limit counts from 1 for nice 19 to 40 for nice -20. */
static bool can_nice(const struct thread *t, int nice)
{
	return (u64)(20 - nice) <= t->process->limits[RLIMIT_NICE].cur || capable(CAP_SYS_NICE);
}

static bool may_schedule(struct thread *t)
{
	struct cred *c = thread_cred(t);
	bool may = cred_may_schedule(c);

	cred_put(c);
	return may;
}

/* May the caller, who is not privileged, change @t's parameters from @old to @new? */
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

/* @class -1: the one it has. */
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

/* A structure longer than ours must have zeroes beyond ours. */
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
	if (!(a.flags & ATTR_KEEP_POLICY))
		p.class = a.policy;
	p.reset_on_fork = a.flags & ATTR_RESET_ON_FORK;
	if (!(a.flags & ATTR_KEEP_PARAMS)) {
		p.nice = MAX(NICE_HIGHEST, MIN(a.nice, NICE_LOWEST));
		p.rt_priority = a.priority;
		p.runtime = a.runtime;
		p.deadline = a.deadline;
		p.period = a.period ? a.period : a.deadline;
	}
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

/* These two are about Linux's classes, whether or not the policy knows them. */
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
	struct timespec ts = { 0 };
	u64 ns;

	if (!t)
		return tid < 0 ? -EINVAL : -ESRCH;
	ns = policy_interval(&t->se);
	ts.sec = ns / NSEC_PER_SEC;
	ts.nsec = ns % NSEC_PER_SEC;
	return copy_to_user(out, &ts, sizeof(ts));
}

/* --- Niceness --------------------------------------------------------------------------------- */

#define PRIO_PROCESS	0
#define PRIO_PGRP	1
#define PRIO_USER	2

/* Of setpriority(); ioprio_set() counts from 1. */
struct meant {
	int which;
	u32 who;
};

struct nice_walk {
	struct meant meant;
	const int *nice;	/* NULL: only look */
	int found;		/* the most favoured; NICE_LOWEST + 1: nobody */
	int err;		/* of the last that was refused; -ESRCH: nobody was found */
};

static bool is_meant(const struct meant *m, struct thread *t)
{
	if (t->process == &kernel_process)
		return false;
	if (m->which == PRIO_PROCESS)
		return (u32)t->tid == m->who;
	if (m->which == PRIO_PGRP)
		return (u32)t->process->pgid == m->who;
	return process_uid(t->process) == m->who;
}

static void walk_nice(struct thread *t, void *arg)
{
	struct nice_walk *w = arg;

	if (!is_meant(&w->meant, t))
		return;
	w->found = MIN(w->found, t->se.params.nice);
	if (!w->nice)
		return;
	if (!may_schedule(t)) {
		w->err = -EPERM;
	} else if (*w->nice < t->se.params.nice && !can_nice(t, *w->nice)) {
		w->err = -EACCES;
	} else {
		w->err = w->err == -ESRCH ? 0 : w->err;
		sched_set_nice(t, *w->nice);
	}
}

/* Checks whom a call means, where 0 is the caller or its group. To ioprio_set() user 0 is root. */
static int find_meant(struct meant *m)
{
	if (m->which < PRIO_PROCESS || m->which > PRIO_USER)
		return -EINVAL;
	if (!m->who && m->which == PRIO_PROCESS)
		m->who = current_thread()->tid;
	if (!m->who && m->which == PRIO_PGRP)
		m->who = current_process()->pgid;
	return 0;
}

static int change_nice(struct nice_walk *w)
{
	int err = find_meant(&w->meant);

	if (err)
		return err;
	if (!w->meant.who && w->meant.which == PRIO_USER)
		w->meant.who = current_cred()->uid.real;
	thread_for_each_id(walk_nice, w);
	return w->err;
}

long sys_setpriority(int which, int who, int nice)
{
	struct nice_walk w = { { which, who }, &nice, NICE_LOWEST + 1, -ESRCH };

	nice = MAX(NICE_HIGHEST, MIN(nice, NICE_LOWEST));
	return change_nice(&w);
}

/* 20 minus the nice value of the most favoured one. */
long sys_getpriority(int which, int who)
{
	struct nice_walk w = { { which, who }, NULL, NICE_LOWEST + 1, -ESRCH };
	int err = change_nice(&w);

	return w.found > NICE_LOWEST ? err : 20 - w.found;
}

/* --- Priority of input and output ------------------------------------------------------------- */

/* Kept and told, as Linux does for a disk that heeds none. A class, and a level within it. */
#define IOPRIO(class, level)	((class) << 13 | (level))
#define IOPRIO_CLASS(priority)	((priority) >> 13 & 7)
#define IOPRIO_LEVEL(priority)	((priority) & 7)

enum { IOPRIO_NONE, IOPRIO_RT, IOPRIO_BE, IOPRIO_IDLE };

#define NO_IOPRIO		0x10000		/* above all that there are */

struct ioprio_walk {
	struct meant meant;
	int set;		/* -1: only look */
	int found;		/* the best; NO_IOPRIO: nobody */
	int err;		/* as in struct nice_walk */
};

/* That of a thread without one follows from its scheduling, unless it is asked about alone. */
static int ioprio_of(struct thread *t, bool alone)
{
	struct sched_params p = sched_get_params(t);
	int class = is_real_time(&p) ? IOPRIO_RT
				     : p.class == SCHED_IDLE ? IOPRIO_IDLE : IOPRIO_BE;

	if (alone || IOPRIO_CLASS(t->ioprio) != IOPRIO_NONE)
		return t->ioprio;
	return IOPRIO(class, (p.nice - NICE_HIGHEST) / 5);
}

static void walk_ioprio(struct thread *t, void *arg)
{
	struct ioprio_walk *w = arg;

	if (!is_meant(&w->meant, t))
		return;
	if (w->set >= 0 && !may_schedule(t)) {
		w->err = -EPERM;
		return;
	}
	if (w->set >= 0)
		t->ioprio = w->set;
	w->found = MIN(w->found, ioprio_of(t, w->meant.which == PRIO_PROCESS));
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
	struct ioprio_walk w = { { (int)(which - 1u), who }, (u16)priority, NO_IOPRIO, -ESRCH };
	int err = check_ioprio(priority);

	if (!err)
		err = find_meant(&w.meant);
	if (err)
		return err;
	thread_for_each_id(walk_ioprio, &w);
	return w.err;
}

long sys_ioprio_get(int which, int who)
{
	struct ioprio_walk w = { { (int)(which - 1u), who }, -1, NO_IOPRIO, -ESRCH };
	int err = find_meant(&w.meant);

	if (err)
		return err;
	thread_for_each_id(walk_ioprio, &w);
	return w.err ? w.err : w.found;
}

/* --- Affinity --------------------------------------------------------------------------------- */

long sys_sched_yield(void)
{
	sched_yield();		/* thread_yield() would look for what the edge looks for */
	return 0;
}

/* The mask is a whole number of words; the result says how many bytes of it were written. */
long sys_sched_getaffinity(tid_t tid, size_t size, vaddr_t out)
{
	struct thread *t;
	u64 mask;

	if (size < sizeof(mask) || size % sizeof(mask))
		return -EINVAL;
	t = find_user_thread(tid);
	if (!t)
		return -ESRCH;
	mask = t->affinity & (BIT(nr_cpus) - 1);
	thread_put(t);
	return copy_to_user(out, &mask, sizeof(mask)) ? -EFAULT : (long)sizeof(mask);
}

long sys_sched_setaffinity(tid_t tid, size_t size, vaddr_t in)
{
	struct thread *t;
	u64 mask = 0;
	int err;

	if (copy_from_user(&mask, in, MIN(size, sizeof(mask))))
		return -EFAULT;
	t = find_user_thread(tid);
	if (!t)
		return -ESRCH;
	if (!may_schedule(t))
		err = -EPERM;
	else if (affinity_off)
		err = -ENOSYS;
	else
		err = sched_set_affinity(t, mask);
	thread_put(t);
	return err;
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
	if (node_out && copy_to_user(node_out, &node, sizeof(node)))
		return -EFAULT;
	return 0;
}
