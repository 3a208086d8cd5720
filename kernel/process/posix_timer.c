/*
 * POSIX timers: timer_create() and kin.
 *
 * Each timer owns one entry for the queue of signals, so its signal is never lost and never pending
 * twice. After firing, a periodic timer waits until its signal has been taken. Then the overrun is
 * computed, the number of times it would have fired meanwhile, and it is armed for the next time
 * in the future. While the signal is ignored it waits until that ends.
 *
 *  POSIXTIMER1  A timer that was set is armed, or it is periodic and its signal is pending, being
 *               taken or ignored. A SIGEV_NONE timer is never armed: only its time is read.
 *
 * timer_lock guards everything here, p->lock an entry that is in a queue.
 */
#include "errno.h"
#include "mm/mm.h"
#include "process/process.h"
#include "process/timers.h"
#include "sched/cpu.h"
#include "signal_impl.h"
#include "thread/thread.h"

struct posix_timer {
	struct list_node node;		/* in owner->posix_timers */
	struct timer timer;
	int id;				/* [const] */
	enum timer_clock clock;		/* [const] the one it was created on */
	bool silent;			/* [const] SIGEV_NONE */
	bool set;			/* POSIXTIMER1 */
	int overrun;			/* of the last signal that was taken */
	u64 interval;			/* 0: fires once */
	struct process *owner;		/* [const] */
	struct thread *target;		/* [const] referenced; NULL: any of the owner's */
	struct queued *signal;		/* [const] */
};

static struct posix_timer *find_timer(struct process *p, int id) HOLDS(timer_lock)
{
	list_for_each(pt, &p->posix_timers, struct posix_timer, node)
		if (pt->id == id)
			return pt;
	return NULL;
}

static void posix_timer_fire(struct timer *t)
{
	struct posix_timer *pt = container_of(t, struct posix_timer, timer);

	pt->set = pt->interval;
	signal_send_kept(pt->owner, pt->target, pt->signal);
}

/* --- Its signal ------------------------------------------------------------------------------- */

/* Arms a periodic timer for its next time in the future. */
static void go_on(struct posix_timer *pt)
{
	u64 missed;
	u64 at = timer_next(pt->timer.at, pt->interval, timer_now(&pt->timer), &missed);

	pt->overrun = MIN(missed, (u64)S32_MAX);
	timer_start(&pt->timer, at);
}

void timers_signal_taken(struct signal_info *info)
{
	struct process *p = current_process();
	struct posix_timer *pt;

	spin_lock(&timer_lock);
	if (info->signo == SIGALRM)
		itimer_alarm_taken(p);
	pt = info->code == SI_TIMER ? find_timer(p, info->pid) : NULL;
	if (pt && signal_kept_was_taken(p, pt->signal)) {
		pt->overrun = 0;
		if (pt->set)
			go_on(pt);
		info->uid = pt->overrun;
	}
	spin_unlock(&timer_lock);
}

void timers_signal_wanted(int sig)
{
	struct process *p = current_process();

	if (list_empty(&p->posix_timers))
		return;
	spin_lock(&timer_lock);
	list_for_each(pt, &p->posix_timers, struct posix_timer, node)
		if (pt->signal->info.signo == sig && pt->set && !pt->silent && !pt->timer.armed &&
		    signal_kept_is_idle(p, pt->signal))
			go_on(pt);
	spin_unlock(&timer_lock);
}

/* --- Setting and looking ---------------------------------------------------------------------- */

/* Not 0 before the timer has fired: that would mean that it is off. */
static u64 remaining(const struct posix_timer *pt)
{
	u64 now = timer_now(&pt->timer), at = pt->timer.at;

	if (!pt->set)
		return 0;
	if (at > now)
		return at - now;
	if (pt->interval)
		return pt->interval - (now - at) % pt->interval;
	return pt->silent ? 0 : 1;
}

static void set(struct posix_timer *pt, bool absolute, const struct interval *new)
{
	struct timer *t = &pt->timer;

	timer_stop(t);
	signal_kept_unqueue(pt->owner, pt->target, pt->signal);
	pt->overrun = 0;
	pt->set = new->value;
	pt->interval = new->value ? new->interval : 0;
	if (!new->value)
		return;
	/* setting the wall clock must not change a relative time */
	t->clock = pt->clock == TIMER_REALTIME && !absolute ? TIMER_MONOTONIC : pt->clock;
	t->at = absolute ? new->value : timer_after(timer_now(t), new->value);
	if (!pt->silent)
		timer_start(t, t->at);
}

int posix_timer_set(int id, bool absolute, const struct interval *new, struct interval *old)
{
	struct posix_timer *pt;

	spin_lock(&timer_lock);
	pt = find_timer(current_process(), id);
	if (pt) {
		*old = (struct interval){ .value = remaining(pt), .interval = pt->interval };
		if (new)
			set(pt, absolute, new);
	}
	spin_unlock(&timer_lock);
	return pt ? 0 : -EINVAL;
}

long posix_timer_overrun(int id)
{
	struct posix_timer *pt;
	long overrun = -EINVAL;

	spin_lock(&timer_lock);
	pt = find_timer(current_process(), id);
	if (pt)
		overrun = pt->overrun;
	spin_unlock(&timer_lock);
	return overrun;
}

/* --- Creating and deleting -------------------------------------------------------------------- */

/* Stops the timer and takes it off the list, and its signal out of the queue. */
static void retire(struct posix_timer *pt)
{
	timer_stop(&pt->timer);
	signal_kept_unqueue(pt->owner, pt->target, pt->signal);
	list_remove(&pt->node);
}

static void free_timer(struct posix_timer *pt)
{
	if (pt->signal)
		signal_kept_free(pt->signal);
	if (pt->timer.process)
		process_put(pt->timer.process);
	if (pt->timer.thread)
		thread_put(pt->timer.thread);
	if (pt->target)
		thread_put(pt->target);
	kfree(pt);
}

long posix_timer_create(enum timer_clock clock, struct process *process, struct thread *thread,
			const struct timer_notify *notify)
{
	struct process *p = current_process();
	struct posix_timer *pt = kzalloc(sizeof(*pt));
	struct signal_info info = { .signo = notify->sig, .code = SI_TIMER,
				    .value = notify->value };

	if (!pt)
		return -EAGAIN;
	pt->signal = signal_kept_alloc(p, &info);
	if (!pt->signal) {
		kfree(pt);
		return -EAGAIN;
	}
	pt->timer = (struct timer){ .clock = clock, .fire = posix_timer_fire };
	list_init(&pt->timer.cpu_node);
	pt->timer.process = process ? process_get(process) : NULL;
	pt->timer.thread = thread ? thread_get(thread) : NULL;
	pt->target = notify->thread ? thread_get(notify->thread) : NULL;
	pt->clock = clock;
	pt->silent = notify->silent;
	pt->owner = p;
	spin_lock(&timer_lock);
	do {
		info.pid = p->next_timer++ & S32_MAX;
	} while (find_timer(p, info.pid));
	pt->id = pt->signal->info.pid = info.pid;
	if (!notify->has_value)
		pt->signal->info.value = pt->id;
	list_push_back(&p->posix_timers, &pt->node);
	spin_unlock(&timer_lock);
	return info.pid;	/* who guesses the id may have deleted @pt by now */
}

int posix_timer_delete(int id)
{
	struct posix_timer *pt;

	spin_lock(&timer_lock);
	pt = find_timer(current_process(), id);
	if (pt)
		retire(pt);
	spin_unlock(&timer_lock);
	if (!pt)
		return -EINVAL;
	free_timer(pt);
	return 0;
}

void process_timers_exec(struct process *p)
{
	while (!list_empty(&p->posix_timers)) {
		struct posix_timer *pt = list_entry(p->posix_timers.next, struct posix_timer, node);

		spin_lock(&timer_lock);
		retire(pt);
		spin_unlock(&timer_lock);
		free_timer(pt);
	}
}
