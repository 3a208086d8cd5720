/*
 * Tests of faults of the kernel's own accesses: interrupted everywhere, and at the end of a stack.
 */
#include "test_space.h"

#include "errno.h"
#include "process/process.h"
#include "test/instrument.h"

#define STEPS	20000

static void fault_too(void *unused)
{
	u32 word;

	(void)unused;
	CHECK(copy_from_user(&word, 16, sizeof(word)) == -EFAULT, "mm.fault.swept", "no fault");
}

/* From the trap to its last instruction, each step meets an interrupt whose handler faults too. */
KTEST(fault_swept, "fault.swept", "", "mm.fault.swept")
{
	struct addr_space *as = new_space();
	unsigned step = 0;
	bool hit = true;

	map_at(as, BASE, 1, RW, 0);
	use_space(as);
	sweep_action = fault_too;
	while ((hit || step < 50) && ++step < STEPS) {
		u64 value = 1;
		int err;

		forget(as, BASE, 1);
		sweep_begin(step);
		err = copy_from_user(&value, BASE, sizeof(value));
		sweep_end();
		hit = sweep_hit();
		CHECK(err == 0 && value == 0, "mm.fault.swept", "step %u: reads %lx, error %d",
		      step, value, err);
		CHECK(arch_irqs_enabled(), "mm.fault.swept", "step %u: interrupts stay off", step);
	}
	sweep_action = NULL;
	use_space(NULL);
	as_put(as);
}

/* FAULT2 */
KTEST(space_stack, "space.stack", "", "mm.stack")
{
	struct rlimit *limit = &current_process()->limits[RLIMIT_STACK];
	struct rlimit saved = *limit;
	struct addr_space *as = new_space();
	vaddr_t top = BASE + 1024 * PAGE_SIZE;

	map_at(as, top - PAGE_SIZE, 1, RW, REGION_STACK);
	use_space(as);
	CHECK(poke(as, top - 100 * PAGE_SIZE, 1) == -EFAULT, "mm.stack.pin", "grows for a pin");
	CHECK(clear_user(top - 100 * PAGE_SIZE, 8) == 0, "mm.stack", "does not grow");
	CHECK(as->total_pages == 100 && as->resident == 1, "mm.stack", "%lu pages, %lu resident",
	      as->total_pages, as->resident);
	*limit = (struct rlimit){ 200 * PAGE_SIZE, 200 * PAGE_SIZE };
	CHECK(clear_user(top - 200 * PAGE_SIZE, 8) == 0, "mm.stack", "does not grow to its limit");
	CHECK(clear_user(top - 201 * PAGE_SIZE, 8) == -EFAULT, "mm.stack.limit",
	      "grows past its limit");
	*limit = saved;
	map_at(as, top - 500 * PAGE_SIZE, 1, RW, 0);
	CHECK(clear_user(top - 243 * PAGE_SIZE, 8) == 0, "mm.stack", "does not grow to the gap");
	CHECK(clear_user(top - 244 * PAGE_SIZE, 8) == -EFAULT, "mm.stack.gap",
	      "grows into the gap");
	use_space(NULL);
	as_check(as);
	as_put(as);
}
