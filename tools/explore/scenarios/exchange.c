/*
 * Small programs that exchange a word which may have changed: tests of the explorer, as litmus.c.
 */
#include "explore/scenario.h"

static _Atomic u32 x;

/* A weak compare-and-exchange may fail although nobody disturbs it: it needs a loop. */
BARE_SCENARIO(weak_exchange, "litmus.weak_exchange", .cpus = 1, .weak = true)
{
	u32 zero = 0;

	(void)cpu;
	expect(atomic_compare_exchange_weak(&x, &zero, 1), "it failed for no reason");
}

BARE_SCENARIO(weak_exchange_loop, "litmus.weak_exchange_loop", .cpus = 2)
{
	u32 old = atomic_load(&x);

	(void)cpu;
	while (!atomic_compare_exchange_weak(&x, &old, old + 1))
		;
	expect(atomic_load(&x) > old, "it has not added 1");
}

/* A word that others change before each of four exchanges. */
BARE_SCENARIO(contended, "litmus.contended", .cpus = 1)
{
	u32 old = atomic_load(&x), failed = 0;

	(void)cpu;
	host_contend(&x, 2);
	while (!atomic_compare_exchange_strong(&x, &old, old + 10))
		failed++;
	expect(failed == 4 && atomic_load(&x) == 10, "%u exchanges failed, and x is %u", failed,
	       atomic_load(&x));
}

static _Atomic u64 wide = 1UL << 40;

/* The same with a word of 64 bits, which others set to 7 and back. It stays as they leave it. */
BARE_SCENARIO(contended_wide, "litmus.contended_wide", .cpus = 1)
{
	u64 old = atomic_load(&wide), first = old;

	(void)cpu;
	host_contend_with(&wide, 7, 2);
	for (unsigned i = 0; i < 3; i++) {
		expect(!atomic_compare_exchange_strong(&wide, &old, 9), "exchange %u worked", i);
		expect(old == (i % 2 ? first : 7), "change %u made it %lx", i, old);
	}
	host_contend_with(NULL, 0, 0);
	expect(atomic_load(&wide) == 7, "in the end it is %lx", atomic_load(&wide));
}
