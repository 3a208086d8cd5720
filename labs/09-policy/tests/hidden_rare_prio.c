/*
 * Lab 09, hidden: very many rounds, wake-ups between them, moves, ranks that are inherited, and new
 * priorities.
 */
#include "aging.h"

static void rounds(unsigned n)
{
	while (n--)
		a_round();
}

/* More rounds than 16 bits count. */
static void wait_for_very_long(void)
{
	begin();
	put_at(2, 15);
	expect_next(2, "P9.3", "one of level 15 waits alone");
	put_at(0, 0);
	rounds(65537);
	put_at(1, 5);
	expect_next(0, "P9.3", "65,537 rounds, and then one of level 5 came");
	expect_next(1, "P9.1", "the other one has been picked");
	expect_next(-1, "P9.1", "both have been picked");
}

/* One that runs and may not stay on its CPU leaves the queue there, and comes to another. */
static void move_while_it_runs(void)
{
	begin();
	put_at(0, 4);
	rounds(4);
	expect_next(0, "P9.3", "it waits alone");
	if (p->leave)
		p->leave(&q, &e[0], now);
	q.current = NULL;
	enqueue(0, ENQUEUE_MIGRATED);
	put_at(1, 6);
	expect_next(0, "P9.4", "level 4 rose to 7, ran and was moved, and one of level 6 came");
}

/* One that often wakes does not put the rounds off. */
static void wake_between_rounds(void)
{
	begin();
	set(0, params_of_level(12));
	set(1, params_of_level(4));
	set(2, params_of_level(13));
	wake(0);
	wake(1);
	for (unsigned i = 0; i < 100; i++) {
		wake(2);
		run(MS);
		if (running() == 2)
			block();
		run(9 * MS);
	}
	CHECK(got[1], "P9.4", "others of higher levels wake and compute: level 4 waits for 1 s");
}

/* Levels that it gains are added to those that count, not to its own ones alone. */
static void inherit_while_it_waits(void)
{
	begin();
	e[0].inherited = (struct sched_rank){ .level = 4 };
	put_at(0, 2);
	rounds(4);
	expect_next(0, "P9.3", "it waits alone");
	set(2, params_of_level(8));
	CHECK(enqueue(2, ENQUEUE_WAKE), "P9.2",
	      "level 2, which inherited 4, gained 3 levels: one of level 8 must take the CPU");
}

enum state { RUNS_ALONE, RUNS, WAITS, BLOCKED, STATES };

static const char *const state_names[STATES] = {
	[RUNS_ALONE] = "ran alone", [RUNS] = "ran while another waited", [WAITS] = "waited",
	[BLOCKED] = "was blocked",
};

/* Gives entity 0, which waits alone, the level @to in @state, in the end it runs. */
static void give_level(enum state state, u32 to)
{
	if (state == WAITS) {
		p->dequeue(&q, &e[0]);
		set(0, params_of_level(to));
		enqueue(0, ENQUEUE_CHANGED);
		expect_next(0, "P9.1", "it waits alone");
		return;
	}
	expect_next(0, "P9.1", "it waits alone");
	if (state == RUNS)
		put_at(1, 0);
	if (state == BLOCKED)
		block();
	set(0, params_of_level(to));
	if (state == BLOCKED)
		wake(0);
	else
		give_way(ENQUEUE_EXPIRED);	/* as the mechanism has it: its slice ends */
	REQUIRE(running() == 0, "P9.1", "no other is of level %u, and %d runs", to, running());
}

/* With a new level it has that one and no more, whatever it did and whatever it had gained. */
static void change_level(enum state state, u32 own, u32 gained, u32 to)
{
	begin();
	put_at(0, own);
	rounds(gained + 1);
	give_level(state, to);
	set(2, params_of_level(to));
	CHECK(!enqueue(2, ENQUEUE_WAKE), "P9.4",
	      "level %u, with %u gained, %s and is of level %u now: an equal takes the CPU", own,
	      gained, state_names[state], to);
	p->dequeue(&q, &e[2]);
	set(2, params_of_level(to + 1));
	CHECK(enqueue(2, ENQUEUE_WAKE), "P9.4",
	      "level %u, with %u gained, %s and is of level %u now: one of %u does not run", own,
	      gained, state_names[state], to, to + 1);
}

static void change_levels(void)
{
	for (enum state state = 0; state < STATES; state++)
		for (u32 own = 0; own < TOP; own += 4)
			for (u32 to = 1; to < TOP; to++)
				if (to != own)
					change_level(state, own, 1 + to % 4, to);
}

KTEST_EARLY(prio_rare, "prio.rare", "09.h", "P9.4")
{
	wait_for_very_long();
	move_while_it_runs();
	wake_between_rounds();
	inherit_while_it_waits();
	change_levels();
}
