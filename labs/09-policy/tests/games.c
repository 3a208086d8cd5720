/*
 * Lab 09, step 4: threads that give the CPU away just in time, and threads that really wait.
 */
#include "mlfq.h"

#include "base/bootargs.h"

enum game { YIELDS, BLOCKS, IS_PREEMPTED, IS_MOVED };

static const char *const names[] = {
	[YIELDS] = "yields", [BLOCKS] = "blocks for a moment", [IS_PREEMPTED] = "is preempted",
	[IS_MOVED] = "is moved",
};

/* It runs for nine tenths of an allotment, and then avoids the end of its slice. */
static void play(enum game game)
{
	use_up(allotment_at(TOP) * 9 / 10);
	if (game == BLOCKS) {
		block();
		now += MS / 10;
		wake(0);
		return;
	}
	if (game == IS_MOVED) {
		set_aside(0);
		enqueue(0, ENQUEUE_MIGRATED);
		pick();
		return;
	}
	give_way(game == YIELDS ? ENQUEUE_YIELD : ENQUEUE_PREEMPTED);
}

/* Four rounds of 90 % are more than the allotments of the two highest levels. */
KTEST_EARLY(games_just_in_time, "games.just_in_time", "09.4", "P9.7")
{
	for (enum game game = YIELDS; game <= IS_MOVED; game++) {
		begin(0);
		wake(0);
		for (unsigned round = 0; round < 4; round++)
			play(game);
		set_aside(0);
		sink(1, TOP - 1);
		CHECK(!enqueue(0, ENQUEUE_MIGRATED), "P9.7",
		      "one that %s after 90 %% of its slice is still at the top after 4 slices",
		      names[game]);
		block();
		REQUIRE(running() == 0, "P9.5", "only one waits, and %d runs", running());
		CHECK(slice() <= allotment_at(TOP - 2), "P9.7",
		      "a thread that %s after 90 %% of its slice has a slice of %lu us",
		      names[game], slice() / 1000);
	}
}

/* The rest of a slice that a yield leaves is all that it has until it sinks. */
KTEST_EARLY(games_rest, "games.rest", "09.4", "P9.7")
{
	begin(0);
	wake(0);
	use_up(2 * MS);
	give_way(ENQUEUE_YIELD);
	expect_slice(allotment_at(TOP) - 2 * MS, "P9.7", "it ran 2 ms and yielded");
	use_up(allotment_at(TOP) - 2 * MS);
	give_way(ENQUEUE_YIELD);
	expect_slice(allotment_at(TOP - 1), "P9.7", "it has used up its allotment, and yields");
}

/* Time spent blocked pays back as much time, and never more than was used at this level. */
KTEST_EARLY(games_paid_back, "games.paid_back", "09.4", "P9.7")
{
	static const struct {
		u64 runs, blocked, left;	/* us */
	} cases[] = {
		{ 3000, 0, 2000 }, { 3000, 1000, 3000 }, { 3000, 2999, 4999 },
		{ 3000, 3000, 5000 }, { 3000, 900000, 5000 }, { 4999, 1, 2 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		for (u32 level = TOP; level > 0; level--) {
			begin(0);
			sink(0, level);
			use_up(cases[i].runs * 1000);
			block();
			now += cases[i].blocked * 1000;
			wake(0);
			expect_slice(allotment_at(level) - allotment_at(TOP) +
					     cases[i].left * 1000,
				     "P9.7", "it used time and was blocked");
		}
	}
}

/* More ns than 31 or 32 bits have, blocked or in one piece: only if boosts are rare. */
KTEST_EARLY(games_long, "games.long", "09.8", "P9.7")
{
	static const u64 times[] = { BIT(31) - 1, BIT(31) + 1, BIT(32), BIT(32) + MS, BIT(33) };

	if (bootarg_number("boost", NSEC_PER_SEC, 0, ~0UL) <= BIT(33) + NSEC_PER_SEC) {
		ktest_skip("it needs BOOTARGS=boost=10s");
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
		begin(0);
		sink(0, TOP - 1);
		use_up(3 * MS);
		block();
		now += times[i];
		wake(0);
		CHECK(slice() == allotment_at(TOP - 1), "P9.7",
		      "it ran 3 ms and was blocked for %lu ms: its slice is %lu us, not %lu us",
		      times[i] / MS, slice() / 1000, allotment_at(TOP - 1) / 1000);
		begin(0);
		sink(0, TOP - 1);
		use_up(times[i]);
		give_way(ENQUEUE_EXPIRED);
		CHECK(slice() == allotment_at(TOP - 2), "P9.6",
		      "it ran %lu ms at once: its slice is %lu us, not %lu us",
		      times[i] / MS, slice() / 1000, allotment_at(TOP - 2) / 1000);
	}
}

/*
 * It waited in the queue, which is not being blocked: nothing is paid back, neither after it was
 * preempted nor between its wake-up and its turn.
 */
KTEST_EARLY(games_queued, "games.queued", "09.4", "P9.7")
{
	begin(0);
	wake(0);
	use_up(MS);
	block();
	now += MS / 2;
	wake(0);
	use_up(MS);
	give_way(ENQUEUE_PREEMPTED);
	now += 10 * MS;
	give_way(ENQUEUE_PREEMPTED);
	CHECK(running() == 0, "P9.5", "it is alone, and %d runs", running());
	expect_slice(allotment_at(TOP) - 3 * MS / 2, "P9.7", "it waited in the queue for 10 ms");
	begin(0);
	wake(0);
	use_up(4 * MS);
	enqueue(1, ENQUEUE_WAKE);
	block();
	use_up(MS / 10);
	wake(0);
	use_up(4 * MS);
	block();
	REQUIRE(running() == 0, "P9.5", "only one waits, and %d runs", running());
	expect_slice(allotment_at(TOP) - 39 * MS / 10, "P9.7",
		     "it ran 4 ms, was blocked for 0.1 ms and waited for its turn for 4 ms");
}

/* One that wants half of the CPU stays at the top, one that wants more does not. */
KTEST_EARLY(games_favour, "games.favour", "09.4", "P9.7")
{
	for (u64 wants = 1; wants <= 9; wants++) {
		bool stays = wants <= 5;

		begin(0);
		sink(1, 0);
		set_aside(1);
		enqueue(0, ENQUEUE_WAKE);
		enqueue(1, ENQUEUE_MIGRATED);
		pick();
		for (unsigned i = 0; i < 400 && (stays || running() == 0); i++) {
			REQUIRE(running() == 0, "P9.7",
				"a thread that wants %lu %% of the CPU waits for one that has sunk",
				10 * wants);
			use_up(wants * MS / 10);
			block();
			REQUIRE(running() == 1, "P9.5", "only one waits, and %d runs", running());
			use_up((10 - wants) * MS / 10);
			wake(0);
		}
		CHECK((slice() > allotment_at(TOP)) == !stays, "P9.7",
		      "a thread that wants %lu %% of the CPU has a slice of %lu us after a while",
		      10 * wants, slice() / 1000);
	}
}
