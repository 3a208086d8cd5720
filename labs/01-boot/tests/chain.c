/*
 * Lab 01, step 2: call chains, from the words of the stack.
 */
#include "base/panic.h"
#include "base/string.h"
#include "base/symbols.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define DEPTH		40u
#define ENTRIES		1200u
#define WALK_STEPS	4000u	/* instructions: a walk of so many frames is over */

static u64 returns[DEPTH];	/* of callee(n), as the compiler knows them */
static u64 pcs[ENTRIES];
static unsigned found;

/* Notes where it returns to, and at the innermost level walks the whole chain. */
static noinline unsigned callee(unsigned n, unsigned max)
{
	returns[n] = (u64)__builtin_return_address(0);
	if (n == 0)
		found = backtrace_walk(current_thread(), arch_frame_pointer(), pcs, max);
	else
		callee(n - 1, max);
	return returns[n] != 0;		/* not a tail call */
}

KTEST_EARLY(chain_calls, "chain.calls", "01.2", "P1.3")
{
	unsigned same = 0;
	u64 offset;

	callee(DEPTH - 1, ENTRIES);
	while (same < DEPTH && same < found && pcs[same] == returns[same])
		same++;
	CHECK(same == DEPTH, "P1.3", "entry %u of the chain is %lx, not %lx", same, pcs[same],
	      returns[MIN(same, DEPTH - 1)]);
	CHECK(found > DEPTH && found < ENTRIES, "P1.3", "the chain has %u entries", found);
	for (unsigned i = DEPTH; i < found; i++)
		CHECK(*symbol_name(pcs[i] - 1, &offset) != '?', "P1.3",
		      "entry %u of the chain is %lx, which is in no function", i, pcs[i]);

	memset(pcs, 0, sizeof(pcs));
	callee(DEPTH - 1, 3);
	CHECK(found == 3 && !pcs[3], "P1.3", "of a chain of 3 entries %u were stored", found);
	for (unsigned i = 0; i < 3; i++)
		CHECK(pcs[i] == returns[i], "P1.3", "of 3 entries the one with number %u is %lx, "
						    "not %lx",
		      i, pcs[i], returns[i]);
	callee(DEPTH - 1, 0);
	CHECK(found == 0, "P1.3", "of a chain of 0 entries %u were stored", found);
}

/* --- A walk in a walk ------------------------------------------------------------------------- */

static u64 others[ENTRIES];
static unsigned walks;

/* In the timer's interrupt. */
static void walk_there(void *unused)
{
	(void)unused;
	walks += backtrace_walk(current_thread(), arch_frame_pointer(), others, ENTRIES) > 2;
}

KTEST(chain_interrupted, "chain.interrupted", "01.5", "P1.3")
{
	unsigned wrong = 0;

	NEEDS_ONE_CPU;
	walks = 0;
	sweep_action = walk_there;
	for (unsigned step = 1; step < WALK_STEPS; step += 29) {
		memset(pcs, 0, sizeof(pcs));
		sweep_begin(step);
		callee(DEPTH - 1, ENTRIES);
		sweep_end();
		for (unsigned i = 0; i < DEPTH; i++)
			wrong += pcs[i] != returns[i];
	}
	sweep_action = NULL;
	CHECK(walks > 10, "P1.3", "%u chains were walked in interrupts", walks);
	CHECK(wrong == 0, "P1.3", "walks that were interrupted by others gave %u wrong entries",
	      wrong);
}

/* --- Damaged stacks --------------------------------------------------------------------------- */

#define WORDS	96u
#define LOW	32u		/* words [LOW, HIGH) are the stack */
#define HIGH	64u
#define MANY	1000u		/* frames: about as many as a kernel stack has room for */

static u64 area[WORDS];
static struct thread owner;

static bool on_stack(u64 word)
{
	return word >= LOW && word < HIGH;
}

static unsigned walk(u64 fp)
{
	memset(pcs, 0, sizeof(pcs));
	return backtrace_walk(&owner, fp, pcs, ENTRIES);
}

/* Fills the area: each word holds its number, and a frame that is read tells where it was. */
static void fill(void)
{
	for (unsigned i = 0; i < WORDS; i++)
		area[i] = i;
	owner.stack = &area[LOW];
	owner.stack_size = (HIGH - LOW) * sizeof(u64);
}

/* Returns the number of the word by which the frame at word @i leads on. */
static u64 next_word(unsigned i)
{
	fill();
	return arch_frame_next((u64)&area[i]);
}

/* Makes the frame at @at lead to @next. */
static void lead(u64 *at, u64 next)
{
	u64 word;

	fill();
	word = arch_frame_next((u64)at);
	area[word] = next;
}

/* Walks from @at to @top, a frame that leads nowhere. */
static unsigned walk_to(u64 *at, u64 *top)
{
	lead(at, (u64)top);
	area[arch_frame_next((u64)top)] = 1;
	return walk((u64)at);
}

/*
 * The first and the last frame around which two words on either side of the frame pointer are on
 * the stack. A walk may look at a frame before it counts the one below, so what the last one gives
 * is compared with what a frame in the @middle gives.
 */
static void check_ends(u64 *middle)
{
	CHECK(walk_to(&area[LOW + 2], middle) > 0, "P1.4",
	      "the frame two words above the stack's lowest address was not read");
	CHECK(walk_to(&area[LOW + 8], &area[HIGH - 2]) == walk_to(&area[LOW + 8], middle), "P1.4",
	      "the frame two words below the stack's end was not read");
}

/* A frame is read whatever its return address is, and however far away the next one is. */
static void check_contents(void)
{
	static const u64 addresses[] = { 0, 1, PAGE_SIZE, ~0UL };
	static u64 large[4 * MANY + 32];
	u64 *low = &area[LOW + 8], *high = &area[HIGH - 8], next = next_word(LOW + 8) - (LOW + 8);
	unsigned n = walk_to(low, high);

	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
		u64 word;

		fill();
		word = arch_frame_return((u64)low);
		low[next] = (u64)high;
		high[next] = 1;
		area[word] = addresses[i];
		CHECK(walk((u64)low) == n && pcs[0] == addresses[i], "P1.4",
		      "a frame was not read, or its return address is not the 0x%lx that is there",
		      addresses[i]);
	}
	owner.stack = large;
	owner.stack_size = sizeof(large);
	low = &large[8];
	high = &large[ARRAY_SIZE(large) - 8];
	low[next] = (u64)high;
	high[next] = 1;
	CHECK(walk((u64)low) == n, "P1.4", "a frame of some pages was not read");
	for (u64 *fp = low; fp < low + 4 * MANY; fp += 4)
		fp[next] = (u64)(fp + 4);
	low[4 * MANY + next] = 1;
	n = walk((u64)low);
	CHECK(n >= MANY, "P1.4", "of %u frames %u were read", MANY, n);
}

/*
 * Of three frames the second is @gap words above the first, and may share a word with it; the last
 * is higher up, so that the second leads on and has to be read.
 */
static void check_close(u64 *first, unsigned gap)
{
	u64 next = next_word(LOW) - LOW, *second = first + gap, *last = &area[HIGH - 8], second_pc;

	fill();
	second_pc = arch_frame_return((u64)second);
	first[next] = (u64)second;
	second[next] = (u64)last;
	last[next] = 1;
	CHECK(walk((u64)first) >= 2 && pcs[1] == second_pc, "P1.4",
	      "a frame that is %u words above the one that leads to it was not read", gap);
}

/* A frame leads to a lower one: to one below the first of the chain, or to one above that. */
static void check_down(u64 *middle)
{
	unsigned n;

	lead(middle, (u64)(middle - 4));
	area[arch_frame_next((u64)(middle - 4))] = (u64)middle;
	n = walk((u64)middle);
	CHECK(n <= 1, "P1.4", "a frame that leads down gave %u entries", n);
	lead(middle - 8, (u64)middle);
	area[arch_frame_next((u64)middle)] = (u64)(middle - 4);
	area[arch_frame_next((u64)(middle - 4))] = (u64)middle;
	n = walk((u64)(middle - 8));
	CHECK(n <= 2, "P1.4", "two frames, of which the second leads down, gave %u entries", n);
}

/* A frame on the stack of the thread that walks, which is not the owner of the chain. */
static void check_elsewhere(void)
{
	u64 own[16];
	unsigned n;

	fill();
	for (unsigned i = 0; i < ARRAY_SIZE(own); i++)
		own[i] = 1;
	n = walk((u64)&own[8]);
	CHECK(n == 0, "P1.4", "a frame on another thread's stack gave %u entries", n);
}

KTEST_EARLY(chain_damaged, "chain.damaged", "01.2", "P1.4")
{
	u64 *middle = &area[(LOW + HIGH) / 2];
	unsigned n;

	for (unsigned i = 2; i < WORDS - 6; i++) {
		lead(&area[i], (u64)&area[i + 4]);
		n = walk((u64)&area[i]);
		CHECK(n <= 2, "P1.4", "two frames gave %u entries", n);
		CHECK(!n || (on_stack(pcs[0]) && on_stack(next_word(i))), "P1.4",
		      "a frame at word %d of a stack of %u words was read", (int)(i - LOW),
		      HIGH - LOW);
		CHECK(n || i < LOW + 3 || i > HIGH - 7, "P1.4",
		      "the frame at word %u of the stack was not read", i - LOW);
	}
	check_ends(middle);
	check_contents();
	for (unsigned gap = 1; gap <= 4; gap++)
		check_close(middle, gap);
	fill();
	for (unsigned i = 1; i < 8; i++)
		CHECK(walk((u64)middle + i) == 0, "P1.4", "a frame at an odd address was read");
	lead(middle, (u64)middle);
	n = walk((u64)middle);
	CHECK(n <= 1, "P1.4", "a frame that leads to itself gave %u entries",
	      n);
	check_down(middle);
	lead(middle, (u64)middle + 9);
	n = walk((u64)middle);
	CHECK(n <= 1, "P1.4", "a frame at an odd address was read");
	lead(middle, (u64)&area[HIGH + 8]);
	n = walk((u64)middle);
	CHECK(n <= 1, "P1.4", "a frame beyond the stack was read");
	lead(middle, (u64)(middle + 4));
	n = walk((u64)middle);
	CHECK(n == 1 || n == 2, "P1.4", "two frames gave %u entries", n);
	for (unsigned bit = 12; bit < 64; bit++)
		CHECK(walk((u64)middle ^ BIT(bit)) == 0, "P1.4",
		      "a frame was read that is on the stack but for bit %u of its address",
		      bit);
	for (u64 fp = 0; fp < 64; fp += 8)
		CHECK(walk(fp) == 0 && walk(-fp) == 0, "P1.4", "a frame at address %lx was read",
		      fp);
	check_elsewhere();
}
