/*
 * Lab 05, steps 3 to 5: chains and crowds that are longer than a bound would be, and owners and
 * waiters of every sort. As in by_hand.c the test enters the waits in the graph, and no thread
 * waits.
 */
#include "sched/timer.h"
#include "sync/mutex.h"
#include "sync/pi.h"
#include "sync/test_sync.h"

#define CROWD	70
#define CHAIN	1100	/* one could take a thousand for a bound that none reaches */

static struct thread *crowd[CHAIN], *urgent;
static struct pi_waiter waiters[CHAIN], urgent_waiter;
static struct pi_queue queues[CHAIN];
static unsigned members;		/* of the crowd, in this test */

static void begin(unsigned n)
{
	members = n;
	for (unsigned i = 0; i < n; i++) {
		pi_queue_init(&queues[i]);
		crowd[i] = test_figure(PRIORITY_LOW);
	}
	urgent = test_figure(PRIORITY_HIGHEST);
}

static void end(void)
{
	for (unsigned i = 0; i < members; i++)
		test_figure_end(crowd[i]);
	test_figure_end(urgent);
}

static void enter_queue(struct pi_waiter *w, struct thread *t, struct pi_queue *q,
			struct thread *owner)
{
	*w = (struct pi_waiter){ .cyclic = false };
	waiter_init(&w->waiter, WAIT_UNKILLABLE);
	w->waiter.thread = t;
	spin_lock(&pi_lock);
	pi_wait(q, owner, w);
	spin_unlock(&pi_lock);
}

/* @t waits for lock @lock of @owner. */
static void enter(struct pi_waiter *w, struct thread *t, unsigned lock, struct thread *owner)
{
	enter_queue(w, t, &queues[lock], owner);
}

static void leave(struct pi_waiter *w)
{
	spin_lock(&pi_lock);
	waiter_swap(&w->waiter, WAIT_TIMEOUT, 0);
	CHECK(pi_leave(w), ktest_property(), "a waiter is in no list");
	spin_unlock(&pi_lock);
}

static bool is_urgent(const struct thread *t)
{
	return thread_rank(t).level == urgent->se.base.level;
}

static unsigned count_urgent(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < members; i++)
		n += is_urgent(crowd[i]);
	return n;
}

/* The first waits for a lock of the second, and so on. */
static void make_chain(void)
{
	begin(CHAIN);
	for (unsigned i = 0; i + 1 < CHAIN; i++)
		enter(&waiters[i], crowd[i], i, crowd[i + 1]);
}

static void end_chain(void)
{
	for (unsigned i = 0; i + 1 < CHAIN; i++)
		leave(&waiters[i]);
	end();
}

static unsigned urgent_then;
static _Atomic bool looked;

/* In an interrupt handler, which a thread that holds pi_lock keeps waiting. */
static void look(struct timer *unused)
{
	(void)unused;
	spin_lock(&pi_lock);
	urgent_then = count_urgent();
	spin_unlock(&pi_lock);
	atomic_store(&looked, true);
}

/* As enter(), with look() due while the graph is changed: it runs as soon as pi_lock is free. */
static void enter_and_look(void)
{
	static struct timer t = { .clock = TIMER_MONOTONIC, .fire = look };
	u64 at;

	urgent_waiter = (struct pi_waiter){ .cyclic = false };
	waiter_init(&urgent_waiter.waiter, WAIT_UNKILLABLE);
	urgent_waiter.waiter.thread = urgent;
	irq_off();
	at = time_now() + 10000;
	spin_lock(&timer_lock);
	timer_start(&t, at);
	spin_unlock(&timer_lock);
	spin_lock(&pi_lock);
	irq_on();
	while (time_before(time_now(), at))
		arch_spin_hint();
	pi_wait(&queues[CHAIN - 1], crowd[0], &urgent_waiter);
	spin_unlock(&pi_lock);
	REQUIRE(AWAIT(atomic_load(&looked)), "P5.6", "a timer does not fire");
}

/* How many of the crowd stand behind the first waiter, in the order in which they came. */
static unsigned count_in_order(unsigned lock)
{
	unsigned n = 0;

	spin_lock(&pi_lock);
	list_for_each(w, &queues[lock].waiters, struct pi_waiter, node)
		n += n ? w == &waiters[n] : w == &urgent_waiter;
	spin_unlock(&pi_lock);
	return n - 1;
}

/* All wait for one lock, the urgent one last. */
static void wait_behind_many(void)
{
	begin(CHAIN);
	for (unsigned i = 1; i < CHAIN; i++)
		enter(&waiters[i], crowd[i], 0, crowd[0]);
	enter(&urgent_waiter, urgent, 0, crowd[0]);
	CHECK(is_urgent(crowd[0]), "P5.6",
	      "an urgent thread comes behind %u others, and the owner is not urgent", CHAIN - 1);
	CHECK(count_in_order(0) == CHAIN - 1, "P5.5",
	      "an urgent thread comes behind %u others: %u of them wait behind it as they came",
	      CHAIN - 1, count_in_order(0));
	leave(&urgent_waiter);
	for (unsigned i = 1; i < CHAIN; i++)
		leave(&waiters[i]);
	end();
}

KTEST(pi_long, "pi.long", "05.3", "P5.6")
{
	atomic_store(&looked, false);
	make_chain();
	enter_and_look();
	CHECK(urgent_then == CHAIN, "P5.6",
	      "pi_lock is free, and %u of a chain of %u have the rank of the one that waits for it",
	      urgent_then, CHAIN);
	CHECK(count_urgent() == CHAIN, "P5.6",
	      "an urgent thread waits for a chain of %u, and %u of them are urgent", CHAIN,
	      count_urgent());
	leave(&urgent_waiter);
	CHECK(count_urgent() == 0, "P5.6", "it gave up, and %u of a chain of %u stay urgent",
	      count_urgent(), CHAIN);
	end_chain();
	wait_behind_many();
}

/* The urgent one waits for each of an owner's many locks in turn, and others for all of them. */
KTEST(pi_many_locks, "pi.many_locks", "05.3", "P5.6")
{
	begin(CHAIN);
	for (unsigned i = 1; i < CHAIN; i++)
		enter(&waiters[i], crowd[i], i, crowd[0]);
	for (unsigned i = 1; i < CHAIN; i += i < CROWD ? 1 : CROWD) {
		enter(&urgent_waiter, urgent, i, crowd[0]);
		CHECK(is_urgent(crowd[0]), "P5.6",
		      "an urgent thread waits for lock %u of %u, and its owner is not urgent", i,
		      CHAIN - 1);
		leave(&urgent_waiter);
		CHECK(!is_urgent(crowd[0]), "P5.6",
		      "it gave up lock %u, and its owner stays urgent", i);
	}
	for (unsigned i = 1; i < CHAIN; i++)
		leave(&waiters[i]);
	end();
}

/* --- Owners and waiters of every sort --------------------------------------------------------- */

static struct process process;
static struct sleepq sleepq;

static void expect_lent(struct thread *owner, const char *sort)
{
	struct sched_rank own = thread_rank(owner);

	enter(&urgent_waiter, urgent, 0, owner);
	CHECK(is_urgent(owner), "P5.6", "an urgent thread waits for an owner that %s: rank %u",
	      sort, thread_rank(owner).level);
	leave(&urgent_waiter);
	CHECK(thread_rank(owner).level == own.level, "P5.6",
	      "it gave up, and the owner that %s has rank %u", sort, thread_rank(owner).level);
}

static int sleep_for_long(void *unused)
{
	(void)unused;
	return thread_sleep(LONG);
}

static int wait_for_go(void *go)
{
	return semaphore_wait(go, DEADLINE_NEVER);
}

/* An owner inherits whatever it does: it may be about to need the CPU. */
KTEST(pi_owners, "pi.owners", "05.3", "P5.6")
{
	struct semaphore go;
	struct thread *t;

	begin(CROWD);
	semaphore_init(&go, 0);
	expect_lent(crowd[0], "has not begun");
	expect_lent(current_thread(), "runs");
	atomic_fetch_or(&crowd[0]->work, WORK_KILL);
	expect_lent(crowd[0], "was killed");
	atomic_fetch_and(&crowd[0]->work, ~WORK_KILL);
	crowd[0]->process = &process;
	expect_lent(crowd[0], "is a process's");
	crowd[0]->process = &kernel_process;
	t = test_thread(ALL_CPUS, wait_for_go, &go, PRIORITY_LOW);
	test_blocked(t, "semaphore");
	expect_lent(t, "is blocked");
	semaphore_post(&go);
	test_join(t, "semaphore");
	t = test_thread(ALL_CPUS, sleep_for_long, NULL, PRIORITY_LOW);
	CHECK(AWAIT(thread_state(t) == THREAD_SLEEPING), "P5.6", "a sleeper is %s",
	      thread_state_name(thread_state(t)));
	expect_lent(t, "sleeps");
	thread_kill(t);
	test_join(t, "sleeper");
	semaphore_destroy(&go);
	end();
}

static void expect_lends(const char *sort)
{
	enter(&waiters[1], crowd[1], 1, crowd[0]);	/* so that all is computed anew */
	CHECK(is_urgent(crowd[0]), "P5.6", "an urgent thread that %s waits, and lends nothing",
	      sort);
	leave(&waiters[1]);
	CHECK(is_urgent(crowd[0]), "P5.6", "an urgent thread that %s goes on waiting", sort);
}

KTEST(pi_waiters, "pi.waiters", "05.3", "P5.6")
{
	begin(CROWD);
	enter(&urgent_waiter, urgent, 0, crowd[0]);
	urgent_waiter.waiter.sq = &sleepq;
	expect_lends("has a deadline");
	urgent_waiter.waiter.sq = NULL;
	atomic_fetch_or(&urgent->work, WORK_KILL);	/* an unkillable wait goes on */
	expect_lends("was killed");
	atomic_fetch_and(&urgent->work, ~WORK_KILL);
	urgent->process = &process;
	expect_lends("is a process's");
	urgent->process = &kernel_process;
	leave(&urgent_waiter);
	end();
}

/* --- Circles ---------------------------------------------------------------------------------- */

static void expect_circle(struct thread *t, bool wanted, const char *when)
{
	bool found;

	spin_lock(&pi_lock);
	found = pi_would_deadlock(t, crowd[0]);
	spin_unlock(&pi_lock);
	CHECK(found == wanted, "P5.7", "%s: a circle is %s", when, found ? "found" : "not found");
}

KTEST(circle_long, "circle.long", "05.4", "P5.7")
{
	make_chain();
	/* The last one alone waits for nobody, and can ask. */
	expect_circle(crowd[CHAIN - 1], true, "a chain that leads to the thread");
	expect_circle(urgent, false, "a chain of others");
	for (unsigned i = 0; i + 1 < CHAIN; i++)
		waiters[i].waiter.sq = &sleepq;
	expect_circle(crowd[CHAIN - 1], true, "all of the chain have a deadline");
	for (unsigned i = 0; i + 1 < CHAIN; i++)
		waiters[i].waiter.sq = NULL;
	atomic_fetch_or(&crowd[1]->work, WORK_KILL);	/* its unkillable wait goes on */
	expect_circle(crowd[CHAIN - 1], true, "one of the chain was killed, and waits on");
	atomic_fetch_and(&crowd[1]->work, ~WORK_KILL);
	end_chain();
}

/* --- Waits that have been ended --------------------------------------------------------------- */

/* The most urgent one has been killed, but its wait is unkillable. */
static void hand_over_to_killed(void)
{
	struct thread *next;

	begin(2);
	enter(&waiters[1], crowd[1], 0, crowd[0]);
	enter(&urgent_waiter, urgent, 0, crowd[0]);
	atomic_fetch_or(&urgent->work, WORK_KILL);
	spin_lock(&pi_lock);
	next = pi_hand_over(&queues[0]);
	spin_unlock(&pi_lock);
	atomic_fetch_and(&urgent->work, ~WORK_KILL);
	CHECK(next == urgent, "P5.9",
	      "the most urgent one was killed, and waits on: an unlock passes it over");
	leave(next == urgent ? &waiters[1] : &urgent_waiter);
	end();
}

/* @n others wait when a mutex is handed over: none of them may be forgotten. */
static void hand_over_before(unsigned n)
{
	static struct mutex mutex = MUTEX_INIT(mutex);
	u64 wanted;

	begin(n + 1);
	wanted = (u64)crowd[0] | MUTEX_CONTENDED;
	mutex_init(&mutex);
	mutex_lock(&mutex);
	for (unsigned i = 0; i < n + 1; i++)
		enter_queue(&waiters[i], crowd[i], &mutex.pi, current_thread());
	atomic_fetch_or(&mutex.word, MUTEX_CONTENDED);
	mutex_unlock(&mutex);
	CHECK(mutex.word == wanted, "P5.8", "handed over, and %u wait: the word is %lx, not %lx", n,
	      mutex.word, wanted);
	for (unsigned i = 0; i < n + 1; i++)
		if (pi_is_waiting(&waiters[i]))
			leave(&waiters[i]);
	end();
}

/* All but the last of those who wait are about to leave when the lock is handed over. */
KTEST(mutex_behind_many, "mutex.behind_many", "05.5", "P5.9")
{
	struct thread *next;

	begin(CHAIN);
	for (unsigned i = 1; i < CHAIN; i++)
		enter(&waiters[i], crowd[i], 0, crowd[0]);
	for (unsigned i = 1; i + 1 < CHAIN; i++)
		waiter_swap(&waiters[i].waiter, WAIT_TIMEOUT, 0);
	spin_lock(&pi_lock);
	next = pi_hand_over(&queues[0]);
	spin_unlock(&pi_lock);
	CHECK(next == crowd[CHAIN - 1], "P5.9",
	      "%u waits have been ended, and one has not: an unlock hands the lock to %s",
	      CHAIN - 2, next ? "a thread that leaves" : "nobody");
	for (unsigned i = 1; i < CHAIN; i++)
		if (pi_is_waiting(&waiters[i]))
			leave(&waiters[i]);
	end();
	hand_over_to_killed();
	hand_over_before(256);
	hand_over_before(1024);
}
