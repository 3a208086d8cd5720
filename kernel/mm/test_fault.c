/*
 * Tests of faults of the kernel's own accesses, interrupted everywhere.
 */
#include "test_space.h"

#include "errno.h"
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
