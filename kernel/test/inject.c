/*
 * Failing allocations on purpose. Test kernels only.
 *
 * The k-th allocation from oom_arm() on fails, by one thread, by any, or by those that a filter
 * picks. With every k in turn, each allocation site is shown to give an error and nothing else.
 * How user programs are made to fail is in inject_user.c.
 */
#include "base/counters.h"
#include "config.h"
#include "mm/mm.h"
#include "sched/cpu.h"
#include "test/instrument.h"

static struct {
	_Atomic u64 fail_at;		/* 0: off */
	_Atomic u64 seen;
	_Atomic bool fired;
	bool (*filter)(void);		/* NULL: see thread */
	struct thread *thread;		/* NULL: any */
} oom;

static void arm(u64 k, bool (*filter)(void), struct thread *t)
{
	oom.fail_at = 0;
	oom.filter = filter;
	oom.thread = t;
	oom.seen = 0;
	oom.fired = false;
	oom.fail_at = k;
}

void oom_arm(u64 k, struct thread *t)
{
	arm(k, NULL, t);
}

void oom_arm_filtered(u64 k, bool (*filter)(void))
{
	arm(k, filter, NULL);
}

u64 oom_seen(void)
{
	return oom.seen;
}

bool oom_fired(void)
{
	return oom.fired;
}

static bool is_meant(void)
{
	return oom.filter ? oom.filter() : !oom.thread || oom.thread == current_thread();
}

bool inject_alloc_fails(void)
{
	u64 fail_at = atomic_load_explicit(&oom.fail_at, memory_order_relaxed);

	if (likely(!fail_at) || !is_meant())
		return false;
	if (atomic_fetch_add(&oom.seen, 1) + 1 != fail_at)
		return false;
	oom.fired = true;
	event_count(EVENT_OOM);
	return true;
}
