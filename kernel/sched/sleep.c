/*
 * Sleep queues: the armed deadlines of each CPU, in order.
 *
 * A waiter with a deadline is armed on the CPU it blocks on, whose timer interrupt expires it. The
 * tree is ordered by deadline, then by arrival. Deadlines are compared by signed difference, so the
 * clock may wrap. Arming, cancelling and expiring cost O(log n), finding the next deadline O(1).
 *
 *  SLEEP1  A waiter in the tree has not expired. An expiry holds sq->lock from taking a waiter out
 *          of the tree until it has claimed it. So sleepq_cancel(), which takes that lock, waits
 *          for an expiry in flight, and afterwards no CPU has a pointer to the waiter (WAIT3).
 *  SLEEP2  The CPU's timer is armed for the first deadline or earlier.
 *
 * Lock order: queue lock -> sq->lock -> run queue.
 */
#include "base/trace.h"
#include "errno.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "thread/thread.h"

void sleepq_init(struct sleepq *sq)
{
	*sq = (struct sleepq){ .lock = SPINLOCK_INIT(LOCK_SLEEPQ) };
}

static struct waiter *timer_waiter(const struct rb_node *n)
{
	return container_of(n, struct waiter, timer);
}

static bool deadline_less(const struct rb_node *a, const struct rb_node *b)
{
	/* LAB 04-sleep: order two deadlines, also across the wrap of the clock */
	return time_before(timer_waiter(a)->deadline, timer_waiter(b)->deadline);
	/* END LAB */
}

void sleepq_arm(struct waiter *w, u64 deadline)
{
	/* LAB 04-sleep: put the waiter in this CPU's sleep queue and see to the timer */
	struct sleepq *sq;

	irq_off();
	sq = &this_cpu()->sleepq;
	spin_lock(&sq->lock);
	w->deadline = deadline;
	w->sq = sq;
	rb_insert(&sq->deadlines, &w->timer, deadline_less);
	sq->nr++;
	if (rb_first(&sq->deadlines) == &w->timer)
		timer_arm(deadline);
	spin_unlock(&sq->lock);
	irq_on();
	/* END LAB */
}

void sleepq_cancel(struct waiter *w)
{
	/* LAB 04-sleep: take the waiter out, or wait until the expiry that has it is done */
	struct sleepq *sq = w->sq;

	spin_lock(&sq->lock);
	if (w->timer.linked) {
		rb_remove(&sq->deadlines, &w->timer);
		sq->nr--;
	}
	spin_unlock(&sq->lock);
	w->sq = NULL;
	/* END LAB */
}

void sleepq_expire(struct sleepq *sq, u64 now)
{
	/* LAB 04-sleep: time out every waiter that is due, none that is not */
	struct rb_node *n;

	spin_lock(&sq->lock);
	while ((n = rb_first(&sq->deadlines)) && !time_before(now, timer_waiter(n)->deadline)) {
		rb_remove(&sq->deadlines, n);
		sq->nr--;
		waiter_claim(timer_waiter(n), WAIT_TIMEOUT, 0);
	}
	spin_unlock(&sq->lock);
	/* END LAB */
}

bool sleepq_next(struct sleepq *sq, u64 *deadline)
{
	struct rb_node *n;

	spin_lock(&sq->lock);
	n = rb_first(&sq->deadlines);
	if (n)
		*deadline = timer_waiter(n)->deadline;
	spin_unlock(&sq->lock);
	return n;
}

int thread_sleep_until(struct deadline d)
{
	struct waiter w;

	assert_may_block();
	if (d.kind == DEADLINE_KIND_POLL)
		return 0;
	waiter_init(&w, 0);
	w.site = __builtin_return_address(0);
	/* LAB 04-sleep: sleep until the deadline; a kill ends it early */
	if (d.kind == DEADLINE_KIND_AT)
		sleepq_arm(&w, d.at);
	sched_block(&w, true);
	if (w.sq)
		sleepq_cancel(&w);
	/* END LAB */
	return atomic_load(&w.why) == WAIT_TIMEOUT ? 0 : -EINTR;
}

int thread_sleep(u64 ns)
{
	return thread_sleep_until(deadline_in(ns));
}
