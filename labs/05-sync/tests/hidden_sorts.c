/*
 * Lab 05, hidden: threads of every sort in every place of the graph of waits.
 */
#include "sync/pi.h"

#include "sync/test_sync.h"

enum { OWNER, SUBJECT, MIDDLE, URGENT, MEMBERS };

static struct thread *members[MEMBERS];
static struct pi_waiter waiters[MEMBERS];
static struct pi_queue mine, its;		/* of OWNER, and of SUBJECT */

static struct sleepq sleepq;
static u64 subjects_deadline;			/* 0: its wait has none */

/* The wait goes on whatever comes, as that of mutex_lock(); no timer ends it. */
static void enter(unsigned member, struct pi_queue *q, unsigned owner)
{
	struct pi_waiter *w = &waiters[member];

	*w = (struct pi_waiter){ .cyclic = false };
	waiter_init(&w->waiter, WAIT_UNKILLABLE);
	w->waiter.thread = members[member];
	if (member == SUBJECT && subjects_deadline) {
		w->waiter.sq = &sleepq;
		w->waiter.deadline = subjects_deadline;
	}
	spin_lock(&pi_lock);
	pi_wait(q, members[owner], w);
	spin_unlock(&pi_lock);
}

static void leave(unsigned member)
{
	spin_lock(&pi_lock);
	waiter_swap(&waiters[member].waiter, WAIT_TIMEOUT, 0);
	pi_leave(&waiters[member]);
	spin_unlock(&pi_lock);
}

static void expect_rank(unsigned member, unsigned of, const char *sort, const char *when)
{
	unsigned rank = thread_rank(members[member]).level, due = members[of]->se.base.level;

	CHECK(rank == due, "P5.6", "a thread that %s, %s: member %u has rank %u, due is %u", sort,
	      when, member, rank, due);
}

/* SUBJECT, of some sort, waits for OWNER's lock, before MIDDLE. URGENT comes for its own one. */
static void check_sort(const char *sort)
{
	struct thread *next;
	bool circle;

	enter(MIDDLE, &mine, OWNER);
	enter(SUBJECT, &mine, OWNER);
	expect_rank(OWNER, MIDDLE, sort, "behind a more urgent one");
	enter(URGENT, &its, SUBJECT);
	expect_rank(SUBJECT, URGENT, sort, "waited for");
	expect_rank(OWNER, URGENT, sort, "waited for");
	CHECK(list_first(&mine.waiters, struct pi_waiter, node) == &waiters[SUBJECT], "P5.5",
	      "a thread that %s has inherited, and does not wait before others", sort);
	spin_lock(&pi_lock);
	circle = pi_would_deadlock(members[OWNER], members[SUBJECT]);
	next = pi_hand_over(&mine);
	spin_unlock(&pi_lock);
	CHECK(circle, "P5.7", "a circle of two is not found: one of them %s", sort);
	CHECK(next == members[SUBJECT], "P5.9",
	      "a thread that %s waits first: an unlock passes it over", sort);
	expect_rank(OWNER, OWNER, sort, "handed the lock");
	if (pi_is_waiting(&waiters[SUBJECT]))
		leave(SUBJECT);
	leave(URGENT);
	if (pi_is_waiting(&waiters[MIDDLE])) {
		expect_rank(SUBJECT, MIDDLE, sort, "with the lock that one still waits for");
		leave(MIDDLE);
	}
	expect_rank(SUBJECT, SUBJECT, sort, "which nobody waits for any more");
}

static void check_work(u32 work, const char *sort)
{
	atomic_fetch_or(&members[SUBJECT]->work, work);
	check_sort(sort);
	atomic_fetch_and(&members[SUBJECT]->work, ~work);
}

static void check_deadline(u64 deadline, const char *sort)
{
	subjects_deadline = deadline;
	check_sort(sort);
	subjects_deadline = 0;
}

/* It has begun to wait, and has not blocked yet. */
static void check_running(void)
{
	struct thread *usual = members[SUBJECT];

	members[SUBJECT] = current_thread();
	check_sort("runs");
	members[SUBJECT] = usual;
}

static int wait_for_go(void *go)
{
	return semaphore_wait(go, DEADLINE_NEVER);
}

static void check_blocked(void)
{
	struct thread *usual = members[SUBJECT];
	struct semaphore go;

	semaphore_init(&go, 0);
	members[SUBJECT] = test_thread(ALL_CPUS, wait_for_go, &go, PRIORITY_DEFAULT);
	test_blocked(members[SUBJECT], "semaphore");
	check_sort("is blocked");
	semaphore_post(&go);
	test_join(members[SUBJECT], "semaphore");
	semaphore_destroy(&go);
	members[SUBJECT] = usual;
}

KTEST(sync_sorts, "sync.sorts", "05.h", "P5.6")
{
	static const int priorities[MEMBERS] = { PRIORITY_LOW, PRIORITY_DEFAULT, PRIORITY_HIGH,
						 PRIORITY_HIGHEST };
	static struct process process;
	struct thread *t;

	pi_queue_init(&mine);
	pi_queue_init(&its);
	for (unsigned i = 0; i < MEMBERS; i++)
		members[i] = test_figure(priorities[i]);
	t = members[SUBJECT];
	check_sort("has not begun");
	check_work(WORK_RESCHED, "is to give up the CPU");
	check_work(WORK_KILL, "was killed");
	check_work(WORK_SUSPEND, "is to be suspended");
	check_work(WORK_SIGNAL, "has got a signal");
	t->process = &process;
	check_sort("is a process's");
	t->process = &kernel_process;
	check_running();
	check_blocked();
	check_deadline(time_now() + LONG, "has a deadline");
	check_deadline(time_now() - 1, "has a deadline that is past");
	for (unsigned i = 0; i < MEMBERS; i++)
		test_figure_end(members[i]);
}
