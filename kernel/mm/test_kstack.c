/*
 * Tests of kernel stacks.
 */
#include "mm/mm.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"

#define STACKS	64u		/* more than what fits between those that are in use */
#define AREA	(512ul << 20)

/*
 * Each allocation for each of some stacks fails once: nothing is lost, and what comes is whole. The
 * last ones are where no stack has been before, so the first of these needs a page table.
 */
KTEST(kstack_oom, "kstack.oom", "", "mm.oom")
{
	static u64 *stacks[STACKS];
	struct counter_snapshot before, after;
	vaddr_t below;

	kstack_trim(0);
	below = kvm_reserve(AREA);
	REQUIRE(below, "mm.oom", "no room for stacks");
	mm_drain();
	counters_snapshot(&before);
	for (unsigned n = 0; n < STACKS; n++) {
		for (u64 k = 1; !stacks[n]; k++) {
			oom_arm(k, current_thread());
			stacks[n] = kstack_alloc();
			CHECK(!stacks[n] == oom_fired(), "mm.oom",
			      "stack %u, failure of allocation %lu: %p", n, k, (void *)stacks[n]);
			oom_arm(0, NULL);
		}
		for (unsigned i = 0; i < KSTACK_SIZE / sizeof(u64); i += PAGE_SIZE / sizeof(u64))
			stacks[n][i] = i;
	}
	CHECK((vaddr_t)stacks[STACKS - 1] > below, "mm.oom", "all stacks lie where others were");
	for (unsigned n = 0; n < STACKS; n++) {
		kstack_free(stacks[n]);
		stacks[n] = NULL;
	}
	kstack_trim(0);
	mm_drain();
	counters_snapshot(&after);
	counters_equal(&before, &after, "mm.oom.counts");
	kvm_release(below, AREA);
}
