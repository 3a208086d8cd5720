/*
 * Lab 05, step 3: the order of waiters, and what owners inherit. No thread waits here: ranks.h.
 */
#include "ranks.h"

#include "sync/test_sync.h"

/* Each unlock takes the first one out, and compares the order of the rest. */
KTEST(pi_order, "pi.order", "05.3", "P5.5")
{
	static const int came[] = { MID, LOW2, HIGH, MID2, HIGH2 };

	ranks_set_up(&by_hand, ranks_scene);
	ranks_lock(LOW, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(came); i++)
		ranks_lock(came[i], 0);
	ranks_wind_up();
}

/* All orders in which five threads of three ranks can come. */
KTEST(pi_equals, "pi.equals", "05.3", "P5.5")
{
	static const int priorities[ACTORS] = { 4, 4, 20, 20, 20, 24 };

	for (unsigned first = 1; first < ACTORS; first++) {
		for (unsigned by = 1; by < ACTORS - 1; by++) {
			ranks_set_up(&by_hand, priorities);
			ranks_lock(0, 0);
			for (unsigned i = 0; i < ACTORS - 1; i++)
				ranks_lock((int)((first + i * by) % (ACTORS - 1)) + 1, 0);
			ranks_wind_up();
		}
	}
}

/* A waiter whose rank rises goes behind its new equals, and again when it falls back. */
KTEST(pi_moves, "pi.moves", "05.3", "P5.5")
{
	ranks_set_up(&by_hand, ranks_scene);
	ranks_lock(LOW, 0);
	ranks_lock(LOW2, 1);
	ranks_lock(HIGH2, 2);
	ranks_lock(LOW2, 0);
	ranks_lock(MID, 0);
	ranks_lock(HIGH, 0);
	ranks_lock(MID2, 1);		/* LOW2 is as urgent as MID now */
	ranks_change(MID2, 24);		/* and now as HIGH */
	ranks_expire(MID2);		/* and now again the last */
	ranks_change(MID, 24);		/* behind HIGH */
	ranks_change(HIGH, 20);
	ranks_change(HIGH, 24);		/* behind MID */
	ranks_wind_up();
}

/* The first of two waits has ended; its thread has not left. The other one lends its rank. */
static void check_behind_ended(void)
{
	struct sched_rank lent;

	ranks_set_up(&by_hand, ranks_scene);
	ranks_holder[0] = LOW;
	by_hand.wait(HIGH, 0);
	atomic_store(&by_hand_waiters[HIGH].waiter.why, WAIT_TIMEOUT);
	by_hand.wait(MID, 0);
	lent = thread_rank(ranks_actors[LOW].thread);
	CHECK(!rank_above(thread_rank(ranks_actors[MID].thread), lent), "P5.6",
	      "one waits behind another whose wait has ended, and lends nothing");
	atomic_store(&by_hand_waiters[HIGH].waiter.why, WAIT_ARMED);
	by_hand.expire(MID, 0);
	by_hand.expire(HIGH, 0);
	ranks_holder[0] = NOBODY;
	ranks_wind_up();
}

/* In both orders of the waits, and in both orders of the unlocks. */
KTEST(pi_two_locks, "pi.two_locks", "05.3", "P5.6")
{
	for (unsigned n = 0; n < 4; n++) {
		unsigned first = n % 2;

		ranks_set_up(&by_hand, ranks_scene);
		ranks_lock(LOW, 0);
		ranks_lock(LOW, 1);
		ranks_lock(n < 2 ? MID : HIGH, 0);
		ranks_lock(n < 2 ? HIGH : MID, 1);
		ranks_unlock(LOW, first);
		ranks_unlock(LOW, !first);
		ranks_wind_up();
	}
	check_behind_ended();
}

static void lend(int actor, struct sched_rank rank)
{
	spin_lock(&pi_lock);
	sched_inherit(ranks_actors[actor].thread, rank);
	spin_unlock(&pi_lock);
}

#define NO_KEY	(1UL << 63)		/* 0 is a key like any other */

static u64 key_of(int actor)
{
	struct sched_rank r = thread_rank(ranks_actors[actor].thread);

	return r.level == LEVEL_KEYED ? r.key : NO_KEY;
}

static void end_keys(void)
{
	for (int actor = 0; actor < ACTORS; actor++)
		lend(actor, (struct sched_rank){ .level = 0 });
	ranks_holder[0] = ranks_holder[1] = NOBODY;
	ranks_wind_up();
}

/* Ranks above all levels, which have keys: the smaller key is the more urgent. Of two locks. */
static void check_keys(s64 base, s64 unit)
{
	static const int came[] = { MID, MID2, HIGH, LOW2 };
	static const s64 keys[ACTORS] = { [MID] = 3, [MID2] = 1, [HIGH] = 2, [LOW2] = 4 };
	s64 last = base;

	ranks_set_up(&by_hand, ranks_scene);
	ranks_holder[0] = ranks_holder[1] = LOW;
	for (unsigned i = 0; i < ARRAY_SIZE(came); i++) {
		u64 key = base + keys[came[i]] * unit;

		lend(came[i], (struct sched_rank){ LEVEL_KEYED, key });
		by_hand.wait(came[i], came[i] == LOW2);
	}
	CHECK(key_of(LOW) == (u64)(base + unit), "P5.6",
	      "keys %ld to %ld wait, and %ld is inherited", base + unit, base + 4 * unit,
	      (s64)key_of(LOW));
	spin_lock(&pi_lock);
	list_for_each(w, &by_hand.queue(0)->waiters, struct pi_waiter, node) {
		CHECK((s64)w->rank.key > last, "P5.5", "key %ld waits before key %ld", last,
		      (s64)w->rank.key);
		last = (s64)w->rank.key;
	}
	spin_unlock(&pi_lock);
	by_hand.expire(MID2, 0);
	CHECK(key_of(LOW) == (u64)(base + 2 * unit), "P5.6",
	      "keys %ld to %ld wait, and %ld is inherited", base + 2 * unit, base + 4 * unit,
	      (s64)key_of(LOW));
	by_hand.expire(LOW2, 1);
	by_hand.expire(MID, 0);
	by_hand.expire(HIGH, 0);
	end_keys();
}

static void check_equal_keys(void)
{
	static const int came[] = { MID, MID2, HIGH };
	unsigned i = 0;

	ranks_set_up(&by_hand, ranks_scene);
	ranks_holder[0] = LOW;
	for (; i < ARRAY_SIZE(came); i++) {
		lend(came[i], (struct sched_rank){ LEVEL_KEYED, 7 });
		by_hand.wait(came[i], 0);
	}
	spin_lock(&pi_lock);
	i = 0;
	list_for_each(w, &by_hand.queue(0)->waiters, struct pi_waiter, node) {
		CHECK(w->waiter.thread == ranks_actors[came[i]].thread, "P5.5",
		      "of 3 with equal keys number %u is not the one that came so", i);
		i++;
	}
	spin_unlock(&pi_lock);
	for (i = 0; i < ARRAY_SIZE(came); i++)
		by_hand.expire(came[i], 0);
	end_keys();
}

static void check_inherited_key(u64 key)
{
	CHECK(key_of(LOW) == key, "P5.6", "at the end of a chain, key %ld is inherited, not %ld",
	      (s64)key_of(LOW), (s64)key);
}

/* A key goes up a chain as well, from one thread that has a key already to another. */
static void check_key_of_chain(void)
{
	static const u64 keys[ACTORS] = { [MID] = 5, [MID2] = 4, [HIGH] = 3 };

	ranks_set_up(&by_hand, ranks_scene);
	ranks_holder[0] = LOW;
	ranks_holder[1] = MID;
	for (int actor = 0; actor < ACTORS; actor++)
		if (keys[actor])
			lend(actor, (struct sched_rank){ LEVEL_KEYED, keys[actor] });
	by_hand.wait(MID, 0);
	check_inherited_key(5);
	by_hand.wait(MID2, 1);
	check_inherited_key(4);
	by_hand.wait(HIGH, 1);
	check_inherited_key(3);
	by_hand.expire(HIGH, 1);
	check_inherited_key(4);
	by_hand.expire(MID2, 1);
	by_hand.expire(MID, 0);
	end_keys();
}

/* A key is above every level, whatever it is compared with: of one lock, then of two in turn. */
static void check_key_above_levels(u64 key)
{
	static const int came[] = { HIGH, MID, HIGH2, MID2 };
	static const unsigned of[] = { 0, 0, 1, 0 };

	ranks_set_up(&by_hand, ranks_scene);
	ranks_holder[0] = ranks_holder[1] = LOW;
	lend(MID, (struct sched_rank){ LEVEL_KEYED, key });
	for (unsigned i = 0; i < ARRAY_SIZE(came); i++) {
		by_hand.wait(came[i], of[i]);
		CHECK(i == 0 || key_of(LOW) == key, "P5.6",
		      "key %ld waits, and %u without a key: %ld is inherited", (s64)key, i,
		      (s64)key_of(LOW));
	}
	CHECK(list_first(&by_hand.queue(0)->waiters, struct pi_waiter, node) ==
		      &by_hand_waiters[MID],
	      "P5.5", "one without a key waits before key %ld", (s64)key);
	for (unsigned i = 0; i < ARRAY_SIZE(came); i++)
		by_hand.expire(came[i], of[i]);
	end_keys();
}

/* Levels below real time are ranks as well: policies may tell threads apart by them. */
static void check_low_levels(void)
{
	static const int priorities[ACTORS] = { 4, 4, 4, 4, 4, 4 };
	static const int came[] = { MID, MID2, HIGH, LOW2 };
	static const u32 levels[ACTORS] = { [MID] = 3, [MID2] = LEVEL_NORMAL_TOP, [HIGH] = 9,
					    [LOW2] = 1 };
	const struct thread *owner;
	u32 last = LEVEL_NORMAL_TOP;

	ranks_set_up(&by_hand, priorities);
	owner = ranks_actors[LOW].thread;
	ranks_holder[0] = ranks_holder[1] = LOW;
	for (unsigned i = 0; i < ARRAY_SIZE(came); i++) {
		lend(came[i], (struct sched_rank){ .level = levels[came[i]] });
		by_hand.wait(came[i], came[i] == LOW2);
	}
	CHECK(thread_rank(owner).level == last, "P5.6",
	      "levels 1 to %u wait, and %u is inherited", last, thread_rank(owner).level);
	spin_lock(&pi_lock);
	list_for_each(w, &by_hand.queue(0)->waiters, struct pi_waiter, node) {
		CHECK(w->rank.level <= last, "P5.5", "level %u waits before level %u", last,
		      w->rank.level);
		last = w->rank.level;
	}
	spin_unlock(&pi_lock);
	by_hand.expire(MID2, 0);
	CHECK(thread_rank(owner).level == 9, "P5.6", "levels 1 to 9 wait, and %u is inherited",
	      thread_rank(owner).level);
	by_hand.expire(LOW2, 1);
	by_hand.expire(MID, 0);
	by_hand.expire(HIGH, 0);
	end_keys();
}

/* Keys wrap, as times do: some are before 0, some behind it. They may be days apart. */
KTEST(pi_keys, "pi.keys", "05.3", "P5.5")
{
	static const s64 units[] = { 10, 1000000000, 1500000000, 1L << 32, 1L << 44 };

	for (unsigned i = 0; i < ARRAY_SIZE(units); i++) {
		check_keys(0, units[i]);
		check_keys(-units[i], units[i]);	/* the most urgent one's is 0 */
		check_keys(-units[i] * 2, units[i]);
		check_keys(-units[i] * 3 / 2, units[i]);
		check_keys(-units[i] * 7 / 2, units[i]);
	}
	check_equal_keys();
	check_key_of_chain();
	check_key_above_levels(7);
	check_key_above_levels((u64)-7);
	check_low_levels();
}

/* An inherited rank is not taken for the thread's own. */
KTEST(pi_own_rank, "pi.own_rank", "05.3", "P5.6")
{
	ranks_set_up(&by_hand, ranks_scene);
	ranks_lock(LOW, 0);
	ranks_lock(HIGH, 0);
	ranks_lock(LOW, 1);
	ranks_unlock(LOW, 0);
	ranks_unlock(LOW, 1);
	ranks_wind_up();
}

/*
 * The wait in the middle of a chain has been ended; its thread has not left, and MID waits behind
 * it. HIGH lends to both ends of that wait, and gives up: nothing of its rank is left.
 */
static void check_through_ended(enum wait_why why)
{
	int lent;

	ranks_set_up(&by_hand, ranks_scene);
	ranks_holder[0] = LOW;
	ranks_holder[1] = LOW2;
	by_hand.wait(LOW2, 0);
	by_hand.wait(MID, 0);
	by_hand.wait(HIGH, 1);
	atomic_store(&by_hand_waiters[LOW2].waiter.why, why);
	by_hand.expire(HIGH, 1);
	lent = ranks_of(LOW);
	CHECK(lent == ranks_actors[MID].base, "P5.6",
	      "a chain leads through a wait that has been ended, and the urgent one has given up: "
	      "actor 0 has rank %d, due is %d",
	      lent, ranks_actors[MID].base);
	atomic_store(&by_hand_waiters[LOW2].waiter.why, WAIT_ARMED);
	by_hand.expire(LOW2, 0);
	by_hand.expire(MID, 0);
	ranks_holder[0] = ranks_holder[1] = NOBODY;
	ranks_wind_up();
}

/* Up when the wait begins, down when it ends; the one in the middle changes its place. */
KTEST(pi_chain, "pi.chain", "05.3", "P5.6")
{
	ranks_set_up(&by_hand, ranks_scene);
	ranks_lock(LOW, 0);
	ranks_lock(LOW2, 1);
	ranks_lock(MID, 2);
	ranks_lock(MID2, 1);
	ranks_lock(LOW2, 0);
	ranks_lock(MID, 1);
	ranks_lock(HIGH, 2);		/* now MID is before MID2 */
	CHECK(ranks_of(LOW) == ranks_actors[HIGH].base, "P5.6", "the end of the chain is not told");
	ranks_expire(HIGH);
	CHECK(ranks_of(LOW) == ranks_actors[MID].base, "P5.6", "it stays boosted");
	ranks_wind_up();
	check_through_ended(WAIT_TIMEOUT);
	check_through_ended(WAIT_KILLED);
	check_through_ended(WAIT_SIGNAL);
}

/* Own ranks change: of waiters, up and down, and of an owner, which keeps what it inherits. */
KTEST(pi_change, "pi.change", "05.3", "P5.6")
{
	ranks_set_up(&by_hand, ranks_scene);
	ranks_lock(LOW, 0);
	ranks_lock(LOW2, 1);
	ranks_lock(LOW2, 0);
	ranks_lock(MID, 0);
	ranks_lock(MID2, 1);
	ranks_change(MID2, 28);
	CHECK(ranks_of(LOW) == ranks_actors[MID2].base, "P5.6", "the chain is not told");
	ranks_change(MID2, 16);
	ranks_change(LOW, 18);
	ranks_change(LOW2, 26);
	ranks_change(LOW, 30);
	ranks_change(LOW, PRIORITY_LOW);
	ranks_wind_up();
}

/* The circle of pi.circle opens and closes again: what was lent in between does not stay in it. */
static void reopen_circle(void)
{
	by_hand.expire(LOW, 1);
	by_hand.wait(HIGH, 2);
	by_hand.wait(LOW, 1);
	by_hand.expire(HIGH, 2);
	for (int i = LOW; i <= MID; i++)
		CHECK(ranks_of(i) == ranks_actors[MID].base, "P5.6",
		      "a circle was open while another waited: actor %d has rank %d, due is %d", i,
		      ranks_of(i), ranks_actors[MID].base);
}

#define ABOVE_MID 22	/* and below HIGH */

/* All in the circle of MID have its rank. */
static void check_round(const char *when)
{
	int due = (int)ranks_actors[MID].thread->se.base.level;

	for (int i = LOW; i <= MID; i++)
		CHECK(ranks_of(i) == due, "P5.6", "%s: actor %d of a circle has rank %d, due is %d",
		      when, i, ranks_of(i), due);
}

static void set_own(int actor, int priority)
{
	struct sched_params p = params_of_level(priority);

	REQUIRE(sched_set_params(ranks_actors[actor].thread, &p) == 0, "P5.6",
		"priority %d is refused", priority);
}

/* MID lends its own rank round the circle, and nothing of what it inherits before or afterwards. */
static void close_boosted(struct pi_waiter *closing)
{
	by_hand.wait(HIGH, 2);
	by_hand_close(closing, MID, 0);
	set_own(MID, ranks_scene[MID] - 1);
	set_own(MID, ranks_scene[MID]);
	by_hand.wait(MID2, 0);		/* what LOW is due is found anew */
	by_hand.expire(MID2, 0);
	by_hand.expire(HIGH, 2);
	check_round("a boosted thread has closed it");
	set_own(MID, ranks_scene[HIGH] + 1);
	check_round("it has become more urgent");
	set_own(MID, ranks_scene[MID]);
	check_round("it has become less urgent");
	by_hand_open(closing);
}

/* MID counts with its own rank, so what it inherits does not send it behind an equal. */
static void close_before_equal(struct pi_waiter *closing)
{
	struct list_node *waiters = &by_hand.queue(0)->waiters;

	set_own(MID2, ranks_scene[MID]);
	by_hand_close(closing, MID, 0);
	by_hand.wait(MID2, 0);
	by_hand.wait(HIGH, 2);
	CHECK(waiters->next == &closing->node, "P5.5",
	      "a thread that has closed a circle has inherited: it is behind its equal");
	by_hand.expire(HIGH, 2);
	CHECK(waiters->next == &closing->node, "P5.5",
	      "a thread that has closed a circle inherits no longer: it is behind its equal");
	by_hand.expire(MID2, 0);
	set_own(MID2, ABOVE_MID);
	by_hand_open(closing);
}

/* Nobody can leave a circle that could not be refused; but a rank from outside goes as it came. */
KTEST(pi_circle, "pi.circle", "05.3", "P5.6")
{
	struct pi_waiter closing;

	ranks_set_up(&by_hand, ranks_scene);
	ranks_change(MID2, ABOVE_MID);
	ranks_lock(LOW, 0);
	ranks_lock(LOW2, 1);
	ranks_lock(MID, 2);
	ranks_lock(LOW, 1);
	ranks_lock(LOW2, 2);
	by_hand_close(&closing, MID, 0);
	by_hand.wait(HIGH, 0);
	for (int i = LOW; i <= MID; i++)
		CHECK(ranks_of(i) == ranks_actors[HIGH].base, "P5.6",
		      "an urgent thread waits for a circle: actor %d has rank %d, due is %d", i,
		      ranks_of(i), ranks_actors[HIGH].base);
	by_hand.expire(HIGH, 0);
	for (int i = LOW; i <= MID; i++)
		CHECK(ranks_of(i) == ranks_actors[MID].base, "P5.6",
		      "an urgent thread has given up: actor %d has rank %d, due is %d", i,
		      ranks_of(i), ranks_actors[MID].base);
	/* MID, which has closed it, is as urgent as HIGH now, but keeps its place. */
	by_hand.wait(HIGH, 2);
	by_hand.wait(MID2, 0);
	for (int i = LOW; i <= LOW2; i++)
		CHECK(ranks_of(i) >= ranks_actors[MID2].base, "P5.6",
		      "a newcomer waits for a circle: actor %d has rank %d, due is %d", i,
		      ranks_of(i), ranks_actors[MID2].base);
	by_hand.expire(MID2, 0);
	by_hand.expire(HIGH, 2);
	reopen_circle();
	by_hand_open(&closing);
	close_boosted(&closing);
	close_before_equal(&closing);
	ranks_wind_up();
}

KTEST(pi_model, "pi.model", "05.3", "P5.6")
{
	int priorities[ACTORS];

	for (unsigned i = 0; i < ACTORS; i++)
		priorities[i] = ranks_random_priority();
	ranks_set_up(&by_hand, priorities);
	for (unsigned n = 0; n < 500; n++)
		ranks_random_step();
	ranks_wind_up();
}
