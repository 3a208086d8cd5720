/*
 * Threads as system calls see them: ids, what happens at their exit, futexes.
 */
#include "thread/thread.h"

#include "abi.h"
#include "process/futex.h"
#include "sys.h"

long sys_gettid(void)
{
	return current_thread()->tid;
}

long sys_set_tid_address(vaddr_t addr)
{
	struct thread *t = current_thread();

	t->clear_tid = addr;
	return t->tid;
}

#define ROBUST_HEAD_SIZE	24

long sys_set_robust_list(vaddr_t head, size_t size)
{
	if (size != ROBUST_HEAD_SIZE)
		return -EINVAL;
	current_thread()->robust_list = head;
	return 0;
}

struct thread *find_user_thread(tid_t tid)
{
	struct thread *t = tid ? thread_find(tid) : thread_get(current_thread());

	if (t && t->process == &kernel_process) {
		thread_put(t);
		return NULL;
	}
	return t;
}

long sys_get_robust_list(tid_t tid, vaddr_t head_out, vaddr_t size_out)
{
	struct thread *t SCOPED(thread) = find_user_thread(tid);
	u64 size = ROBUST_HEAD_SIZE, head;

	if (!t)
		return -ESRCH;
	if (!cred_may_inspect(t->process))
		return -EPERM;
	head = t->robust_list;
	if (copy_to_user(size_out, &size, sizeof(size)))
		return -EFAULT;
	return copy_to_user(head_out, &head, sizeof(head));
}

/* --- Futexes ---------------------------------------------------------------------------------- */

#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define FUTEX_REQUEUE		3
#define FUTEX_CMP_REQUEUE	4
#define FUTEX_WAKE_OP		5
#define FUTEX_LOCK_PI		6
#define FUTEX_UNLOCK_PI		7
#define FUTEX_TRYLOCK_PI	8
#define FUTEX_WAIT_BITSET	9
#define FUTEX_WAKE_BITSET	10
#define FUTEX_WAIT_REQUEUE_PI	11
#define FUTEX_CMP_REQUEUE_PI	12
#define FUTEX_LOCK_PI2		13
#define FUTEX_PRIVATE		128
#define FUTEX_REALTIME		256

/* The commands that may name a clock, and all commands with a timeout. */
#define CLOCKED	(BIT(FUTEX_WAIT_BITSET) | BIT(FUTEX_WAIT_REQUEUE_PI) | BIT(FUTEX_LOCK_PI2))
#define TIMED	(CLOCKED | BIT(FUTEX_WAIT) | BIT(FUTEX_LOCK_PI))

struct futex_call {
	vaddr_t uaddr, uaddr2;
	bool shared;
	u32 val, val3;
	u32 count;		/* the fourth argument of requeues */
	struct deadline d;	/* of waits */
};

static long futex_command(int command, const struct futex_call *c)
{
	switch (command) {
	case FUTEX_WAIT:
		return futex_wait(c->uaddr, c->shared, c->val, FUTEX_BITSET_ALL, c->d);
	case FUTEX_WAIT_BITSET:
		return futex_wait(c->uaddr, c->shared, c->val, c->val3, c->d);
	case FUTEX_WAKE:
		return futex_wake(c->uaddr, c->shared, c->val, FUTEX_BITSET_ALL);
	case FUTEX_WAKE_BITSET:
		return futex_wake(c->uaddr, c->shared, c->val, c->val3);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		if ((s32)c->val < 0 || (s32)c->count < 0)
			return -EINVAL;
		return futex_requeue(c->uaddr, c->uaddr2, c->shared, c->val, c->count,
				     command == FUTEX_CMP_REQUEUE ? &c->val3 : NULL);
	case FUTEX_WAKE_OP:
		return futex_wake_op(c->uaddr, c->uaddr2, c->shared, c->val, c->count, c->val3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return futex_lock_pi(c->uaddr, c->shared, c->d, false);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(c->uaddr, c->shared, DEADLINE_NEVER, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(c->uaddr, c->shared);
	case FUTEX_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(c->uaddr, c->shared, c->val, c->d, c->uaddr2);
	case FUTEX_CMP_REQUEUE_PI:
		if (c->val != 1 || (s32)c->count < 0)
			return -EINVAL;
		return futex_requeue_pi(c->uaddr, c->uaddr2, c->shared, c->count, c->val3);
	default:
		return -ENOSYS;
	}
}

/*
 * The fourth argument is a timeout for waits and a count for requeues. The timeout of FUTEX_WAIT
 * counts from now; the others' are absolute, and FUTEX_LOCK_PI's is a time of the wall clock.
 */
long sys_futex(vaddr_t uaddr, int op, u32 val, u64 timeout_or_count, vaddr_t uaddr2, u32 val3)
{
	int command = op & ~(FUTEX_PRIVATE | FUTEX_REALTIME);
	bool realtime = op & FUTEX_REALTIME;
	u64 bit = (unsigned)command < 64 ? BIT(command) : 0;
	struct futex_call c = {
		.uaddr = uaddr,
		.uaddr2 = uaddr2,
		.shared = !(op & FUTEX_PRIVATE),
		.val = val,
		.val3 = val3,
		.count = timeout_or_count,
	};
	int err = 0;

	if (realtime && !(bit & CLOCKED))
		return -ENOSYS;
	realtime |= command == FUTEX_LOCK_PI;
	if (bit & TIMED)
		err = deadline_get(timeout_or_count, realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC,
				   command != FUTEX_WAIT, &c.d);
	if (!err)
		err = futex_command(command, &c);
	return (bit & TIMED) && timeout_or_count ? signal_end_timed_call(err, c.d) : err;
}
