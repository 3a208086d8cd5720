/*
 * Interval timers: the three that setitimer() knows, one signal each.
 *
 * A process gets them with its first setitimer() and keeps them over exec; its children begin
 * without any. As on Linux, a periodic ITIMER_REAL is armed again only when its SIGALRM has been
 * taken, so it does not keep firing while that is blocked. The other two count CPU time and are
 * armed again at once.
 */
#include "errno.h"
#include "mm/mm.h"
#include "process/process.h"
#include "process/signal.h"
#include "process/timers.h"
#include "sched/cpu.h"
#include "sched/time.h"

#define ITIMER_REAL	0

struct itimer {
	struct timer timer;
	struct process *owner;		/* [const] */
	u64 interval;			/* [timer_lock] 0: fires once */
};

struct itimers {
	struct itimer of[ITIMERS];
};

static const struct {
	enum timer_clock clock;
	int sig;
} kinds[ITIMERS] = {
	{ TIMER_MONOTONIC, SIGALRM }, { TIMER_CPU_USER, SIGVTALRM }, { TIMER_CPU, SIGPROF },
};

static void itimer_fire(struct timer *t)
{
	struct itimer *it = container_of(t, struct itimer, timer);
	int which = it - it->owner->itimers->of;
	u64 missed;

	signal_send_kernel(it->owner, kinds[which].sig);
	if (which != ITIMER_REAL && it->interval)
		timer_start(t, timer_next(t->at, it->interval, timer_now(t), &missed));
}

static struct itimers *itimers_create(struct process *p)
{
	struct itimers *all = kzalloc(sizeof(*all));

	for (int i = 0; all && i < ITIMERS; i++) {
		all->of[i].timer = (struct timer){ .clock = kinds[i].clock, .process = p,
						   .fire = itimer_fire };
		all->of[i].owner = p;
		list_init(&all->of[i].timer.cpu_node);
	}
	return all;
}

/* A timer that is about to fire shows a microsecond: 0 would mean that it is off. */
static struct interval itimer_look(const struct itimer *it)
{
	struct interval i = { .interval = it->interval };
	u64 now = timer_now(&it->timer);

	if (it->timer.armed)
		i.value = it->timer.at > now ? it->timer.at - now : 0;
	if (it->timer.armed && i.value < NSEC_PER_USEC)
		i.value = NSEC_PER_USEC;
	return i;
}

int itimer_set(int which, const struct interval *new, struct interval *old)
{
	struct process *p = current_process();
	struct itimers *fresh = NULL;
	struct itimer *it;

	*old = (struct interval){ 0 };
	if (new && new->value && !p->itimers && !(fresh = itimers_create(p)))
		return -ENOMEM;
	spin_lock(&timer_lock);
	if (!p->itimers) {
		p->itimers = fresh;
		fresh = NULL;
	}
	if (p->itimers) {
		it = &p->itimers->of[which];
		*old = itimer_look(it);
		if (new) {
			timer_stop(&it->timer);
			it->interval = new->value ? new->interval : 0;
		}
		if (new && new->value)
			timer_start(&it->timer, timer_after(timer_now(&it->timer), new->value));
	}
	spin_unlock(&timer_lock);
	kfree(fresh);
	return 0;
}

void itimer_alarm_taken(struct process *p)
{
	struct itimer *it;
	u64 missed;

	assert_held(&timer_lock);
	if (!p->itimers)
		return;
	it = &p->itimers->of[ITIMER_REAL];
	if (it->interval && !it->timer.armed)
		timer_start(&it->timer, timer_next(it->timer.at, it->interval,
						   timer_now(&it->timer), &missed));
}

void itimers_end(struct process *p)
{
	struct itimers *all;

	spin_lock(&timer_lock);
	all = p->itimers;
	p->itimers = NULL;
	for (int i = 0; all && i < ITIMERS; i++)
		timer_stop(&all->of[i].timer);
	spin_unlock(&timer_lock);
	kfree(all);
}

void process_timers_end(struct process *p)
{
	process_timers_exec(p);
	if (p->itimers)
		itimers_end(p);
}
