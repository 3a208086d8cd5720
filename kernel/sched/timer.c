/*
 * Timers that count real time are in one tree; those that count CPU time are in a list of each
 * process.
 *
 *  TIMER1  While the tree is not empty, one CPU, the watcher, has its hardware timer armed for the
 *          tree's first timer or earlier. The watcher is the CPU that last put a timer at the
 *          front. Only its timer interrupts look into the tree, and arm for the next timer.
 *  TIMER2  CPU time passes only while a thread runs, and then there are timer interrupts, at the
 *          latest when its slice ends. Each looks at the list of the process that it interrupted,
 *          and arms the timer for the earliest moment at which one of the list could be due.
 *
 * Lock order: timer_lock is the outermost; firing sends signals, which takes the tree lock.
 */
#include "sched/timer.h"

#include "process/process.h"
#include "sched/cpu.h"
#include "sched/time.h"

struct spinlock timer_lock = SPINLOCK_INIT(LOCK_TIMER);

static struct rb_tree timers;			/* [timer_lock] by due */
static struct cpu *_Atomic watcher;		/* [timer_lock] to write */

static struct timer *timer_of(const struct rb_node *n)
{
	return container_of(n, struct timer, node);
}

static bool due_before(const struct rb_node *a, const struct rb_node *b)
{
	return time_before(timer_of(a)->due, timer_of(b)->due);
}

static bool counts_cpu(const struct timer *t)
{
	return t->clock >= TIMER_CPU;
}

u64 timer_now(const struct timer *t)
{
	struct usage u = { .run_ns = 0 };

	if (!counts_cpu(t))
		return time_now() + (t->clock == TIMER_REALTIME ? time_realtime_offset() : 0);
	if (t->thread)
		thread_add_usage(t->thread, &u);
	else
		u = process_usage(t->process);
	return t->clock == TIMER_CPU ? u.run_ns : u.user_ns;
}

/* A wall clock's time that was before the boot is due now: the tree compares by differences. */
static u64 due_at(const struct timer *t, u64 now)
{
	u64 due = t->at - (t->clock == TIMER_REALTIME ? time_realtime_offset() : 0);

	return time_before(due, now) ? now : due;
}

static void insert(struct timer *t, u64 due)
{
	t->due = due;
	rb_insert(&timers, &t->node, due_before);
	if (rb_first(&timers) == &t->node) {
		atomic_store(&watcher, this_cpu());
		timer_arm(t->due);
	}
}

void timer_start(struct timer *t, u64 at)
{
	u64 now;

	assert_held(&timer_lock);
	timer_stop(t);
	t->at = at;
	t->armed = true;
	if (!counts_cpu(t)) {
		insert(t, due_at(t, time_now()));
		return;
	}
	list_push_back(&t->process->cpu_timers, &t->cpu_node);
	now = timer_now(t);
	timer_arm(timer_after(time_now(), at > now ? at - now : 0));
}

void timer_stop(struct timer *t)
{
	assert_held(&timer_lock);
	if (!t->armed)
		return;
	t->armed = false;
	if (counts_cpu(t))
		list_remove(&t->cpu_node);
	else
		rb_remove(&timers, &t->node);
}

static void expire_real(u64 now)
{
	struct rb_node *n;

	spin_lock(&timer_lock);
	while ((n = rb_first(&timers)) && !time_before(now, timer_of(n)->due)) {
		timer_stop(timer_of(n));
		timer_of(n)->fire(timer_of(n));
	}
	if (n)
		timer_arm(timer_of(n)->due);
	else
		atomic_store(&watcher, NULL);
	spin_unlock(&timer_lock);
}

/* Stops each timer that is due before it fires: `fire` may start it again. */
static void expire_cpu(struct process *p)
{
	u64 soonest = S64_MAX;

	spin_lock(&timer_lock);
	list_for_each_safe(t, &p->cpu_timers, struct timer, cpu_node) {
		u64 now = timer_now(t);

		if (now < t->at) {
			soonest = MIN(soonest, t->at - now);
		} else {
			timer_stop(t);
			t->fire(t);
		}
	}
	spin_unlock(&timer_lock);
	if (soonest < S64_MAX)
		timer_arm(timer_after(time_now(), soonest));
}

void timers_interrupt(u64 now)
{
	struct process *p = current_process();

	if (atomic_load_explicit(&watcher, memory_order_relaxed) == this_cpu())
		expire_real(now);
	if (unlikely(!list_empty(&p->cpu_timers)))
		expire_cpu(p);
}

/* By one `now`: what is due already is not moved behind the next one again and again. */
void timers_clock_set(void)
{
	struct rb_node *n, *next;
	u64 now;

	spin_lock(&timer_lock);
	now = time_now();
	for (n = rb_first(&timers); n; n = next) {
		struct timer *t = timer_of(n);
		u64 due = due_at(t, now);

		next = rb_next(n);
		if (t->clock == TIMER_REALTIME && t->due != due) {
			rb_remove(&timers, n);
			insert(t, due);
		}
	}
	spin_unlock(&timer_lock);
}
