/*
 * Allocations that fail on purpose. Test kernels only.
 *
 * The k-th allocation after oom_arm() fails: of one thread, of any, or of those that a filter
 * accepts. A loop over every k shows that each failing allocation leads to an error and leaves
 * nothing behind. Failures of user programs are in inject_user.c.
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
