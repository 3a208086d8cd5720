/*
 * The costume (arch/host/costume.c) is worn: each of these sees a part of it, as no scenario
 * should. The explorer's own tests expect a counterexample in the costume, and none without it.
 */
#include "explore/scenario.h"

#include "explore/tree.h"
#include "thread/ids.h"

SCENARIO(costume_rank, "costume.rank", "", "", .cpus = 1, .keeps = true, .wrong = true)
{
	expect(!(current_thread()->se.rt & RT_RANK), "a real-time thread");
}

SCENARIO(costume_clock, "costume.clock", "", "", .cpus = 1, .keeps = true, .wrong = true)
{
	expect(time_now() + NSEC_PER_SEC > time_now(), "the clock wraps within a second");
}

SCENARIO(costume_mask, "costume.mask", "", "", .cpus = 2, .keeps = true, .wrong = true)
{
	expect(current_thread()->affinity == ~0u, "some CPUs are forbidden");
}

SCENARIO(costume_ids, "costume.ids", "", "", .cpus = 1, .keeps = true, .wrong = true)
{
	expect(process_last_id() < 256, "ids need more than 8 bits");
}

SCENARIO(not_worn, "costume.not_worn", "", "", .cpus = 1, .keeps = true, .no_costume = true)
{
	expect(!(current_thread()->se.rt & RT_RANK), "a real-time thread");
}
