/*
 * audit: checks at a quiet point that everything is in exactly one place and every count adds up.
 * Test kernels only.
 */
#include "base/counters.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "test/instrument.h"
#include "test/ktest.h"

static_assert(COUNTER_COUNT <= ARRAY_SIZE(((struct counter_snapshot *)0)->value),
	      "snapshot too small");

static void quiet_point(void)
{
	reaper_drain();
	mm_drain();
}

void audit(void)
{
	quiet_point();
	mm_check();
	sched_audit();
	process_audit();
}

void counters_snapshot(struct counter_snapshot *s)
{
	quiet_point();
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		s->value[i] = counter_read(i);
}

bool counters_equal(const struct counter_snapshot *before, const struct counter_snapshot *after,
		    const char *property)
{
	bool equal = true;

	for (unsigned i = 0; i < COUNTER_COUNT; i++) {
		if (before->value[i] == after->value[i])
			continue;
		equal = false;
		CHECK(false, property, "%s: %ld before, %ld after", counter_name(i),
		      before->value[i], after->value[i]);
	}
	return equal;
}
