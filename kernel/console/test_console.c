/*
 * Tests of the console: interrupt handlers print while a thread prints.
 */
#include "base/printf.h"
#include "test/instrument.h"
#include "test/ktest.h"

#define STEPS	6000

static void say(void *unused)
{
	(void)unused;
	kprintf("i");
}

/* A handler that prints interrupts kprintf() at every instruction: neither waits for the other. */
KTEST(console_swept, "console.swept", "", "console.interrupts")
{
	unsigned step = 0;
	bool hit = true;

	sweep_action = say;
	while ((hit || step < 50) && ++step < STEPS) {
		sweep_begin(step);
		kprintf("t");
		sweep_end();
		hit = sweep_hit();
	}
	sweep_action = NULL;
	kprintf("\n");
	CHECK(step < STEPS, "console.interrupts", "a line takes more than %u steps", step);
}
