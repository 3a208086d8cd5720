/*
 * Lab 05, steps 3 to 5: more of the graph of waits, entered by hand.
 */
#include "graph.h"

static const u8 levels[THREADS] = { 8, 17, 17, 8, 24, 12 };

/* The last lock is not the one with the most urgent waiter. */
SCENARIO(two_locks, "graph.two_locks", "05.3", "P5.6", .cpus = 1, .keeps = true)
{
	make_threads(levels);
	wait_for(4, 0, 0);
	wait_for(1, 1, 0);
	expect_rank(0, 4, "an urgent thread waits for the first of two locks");
	give_up(4);
	wait_for(4, 2, 0);
	expect_rank(0, 4, "an urgent thread waits for the last of two locks");
	end_here();
}

/*
 * 1 keeps its place before 2: one more waits for a lock of 1, which is more urgent itself; and what
 * comes then is more urgent, but 1 has closed a circle, and counts with its own rank.
 */
SCENARIO(unchanged, "graph.unchanged", "05.3", "P5.5", .cpus = 1, .keeps = true)
{
	make_threads(levels);
	wait_for(1, 0, 0);
	wait_for(2, 0, 0);
	wait_for(5, 1, 1);
	expect_rank(1, 1, "a less urgent thread waits");
	expect_order(0, "12", "a rank has stayed the same");
	give_up(1);
	give_up(2);
	waiters[1].cyclic = true;
	wait_for(1, 0, 0);
	wait_for(2, 0, 0);
	wait_for(4, 1, 1);
	expect_rank(1, 4, "an urgent thread waits");
	expect_order(0, "12", "what a wait lends that has closed a circle stays the same");
	end_here();
}

/* 0 and 3 wait for each other, as neither may give up; PI3 leaves the edge from 3 out. */
SCENARIO(closed, "graph.closed_circle", "05.4", "P5.7", .cpus = 1, .keeps = true)
{
	make_threads(levels);
	wait_for(0, 0, 3);
	waiters[3].cyclic = true;
	wait_for(3, 1, 0);
	expect_circle(5, 0, false, "a circle of others");
	wait_for(4, 2, 0);
	expect_rank(3, 4, "an urgent thread waits for one of the circle");
	give_up(4);
	expect_rank(0, 0, "the urgent thread gave up");
	expect_rank(3, 3, "the urgent thread gave up");
	end_here();
}

static void expect_next(unsigned t)
{
	struct thread *next;

	spin_lock(&pi_lock);
	next = pi_hand_over(&queues[0]);
	spin_unlock(&pi_lock);
	expect(next == threads[t], "the lock was not handed to thread %u, the most urgent", t);
}

/* 4 had closed a circle, which is open by now: it has its turn before the less urgent one. */
SCENARIO(turn_after_circle, "graph.turn_after_circle", "05.5", "P5.9",
	 .cpus = 1, .keeps = true, .no_costume = true)
{
	make_threads(levels);
	wait_for(1, 0, 0);
	waiters[4].cyclic = true;
	wait_for(4, 0, 0);
	wait_for(5, 0, 0);
	expect_next(4);
	expect_next(1);
	expect_next(5);
	waiters[5].cyclic = true;
	wait_for(5, 0, 0);
	wait_for(1, 0, 0);
	wait_for(4, 1, 5);
	expect_rank(5, 4, "it closed a circle, and an urgent thread waits for it");
	expect_next(1);
	expect_next(5);
	end_here();
}
