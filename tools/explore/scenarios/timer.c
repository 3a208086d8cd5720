/*
 * Timers and sleep queues: what expires while another CPU takes it out, or puts something earlier
 * in; when exactly.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "mm/mm.h"
#include "process/timers.h"
#include "sched/cpu.h"
#include "sched/timer.h"
#include "sync/sync.h"

static struct actor first, second;
static struct timer *timer;
static unsigned fired;			/* [timer_lock] */

static void fire(struct timer *t)
{
	expect(!t->armed, "an armed timer fires");
	fired++;
}

static struct timer *make_timer(u64 after, void (*function)(struct timer *t))
{
	struct timer *t = kmalloc(sizeof(*t));

	*t = (struct timer){ .clock = TIMER_MONOTONIC, .fire = function };
	spin_lock(&timer_lock);
	timer_start(t, time_now() + after);
	spin_unlock(&timer_lock);
	return t;
}

/* After timer_stop() it does not fire, so it may be freed. Both are due at once. */
static int stop_and_free(void)
{
	unsigned before;

	expect(!thread_sleep(10), "a sleep failed");
	spin_lock(&timer_lock);
	timer_stop(timer);
	before = fired;
	spin_unlock(&timer_lock);
	kfree(timer);
	return before;
}

static const char *not_after_stop(void)
{
	return fired == (unsigned)first.result ? NULL : "the timer fired after it was stopped";
}

SCENARIO(stop, "timer.stop_or_fire", "", "", .cpus = 2, .after = not_after_stop, .keeps = true)
{
	stay_on(0);
	timer = make_timer(10, fire);
	act_on(1, &first, stop_and_free);
	end_here();
}

/* It may come late, so the scenario goes on until its own timer has fired, too. */
static int arm_earlier(void)
{
	make_timer(5, fire);
	return thread_sleep(20);
}

static const char *both_fired(void)
{
	return fired == 2 ? NULL : wrong("%u timers fired", fired);
}

/* TIMER1: the CPU that watches changes while the first timer may be due. */
SCENARIO(watcher, "timer.another_watcher", "", "", .cpus = 2, .after = both_fired, .keeps = true)
{
	make_timer(10, fire);
	act_on(1, &first, arm_earlier);
	expect(!thread_sleep(20), "a sleep failed");
	end_here();
}

/* --- POSIX timers ----------------------------------------------------------------------------- */

static struct process *p;
static struct completion made;
static long id;

static int set_and_delete(void)
{
	const struct timer_notify notify = { .sig = SIGUSR1 };
	const struct interval soon = { .value = 10 };
	struct interval old;
	int err;

	id = posix_timer_create(TIMER_MONOTONIC, NULL, NULL, &notify);
	expect(id >= 0, "creating a timer returned %ld", id);
	complete(&made);
	err = posix_timer_set(id, false, &soon, &old);
	expect(!err || err == -EINVAL, "setting it returned %d", err);
	return posix_timer_delete(id);
}

static int delete_it(void)
{
	expect(!completion_wait(&made, DEADLINE_NEVER, WAIT_UNKILLABLE), "a wait failed");
	expect(posix_timer_overrun(id) <= 0, "it has fired more than once");
	return posix_timer_delete(id);
}

static const char *deleted_once(void)
{
	if (first.result + second.result != -EINVAL)
		return wrong("deleting it returned %d and %d", first.result, second.result);
	if (atomic_load(&p->sigpending) || !list_empty(&p->siginfos))
		return "its signal is still pending";
	return NULL;
}

static void act_blocking(unsigned cpu, struct actor *a, int (*run)(void))
{
	struct thread *t = create_actor_in(p, cpu, a, run);

	t->sigmask = SIGSET(SIGUSR1) | SIGSET(SIGUSR2);
	start_actor(a, t);
}

/* One thread sets a timer, which may fire, and another one deletes it; only one of them can. */
SCENARIO(deleted, "timer.set_and_deleted", "", "", .cpus = 2, .after = deleted_once, .keeps = true)
{
	completion_init(&made);
	p = make_child();
	act_blocking(0, &first, set_and_delete);
	act_blocking(1, &second, delete_it);
	end_here();
}

static int create_and_delete(void)
{
	const struct timer_notify notify = { .sig = SIGUSR1 };

	id = posix_timer_create(TIMER_MONOTONIC, NULL, NULL, &notify);
	explore_from_here();
	complete(&made);
	return posix_timer_delete(id);
}

/* Two threads delete it at the same time. */
SCENARIO(two_delete, "timer.two_delete", "", "", .cpus = 2, .after = deleted_once, .keeps = true,
	 .sets_up = true)
{
	completion_init(&made);
	p = make_child();
	act_in(p, 0, &first, create_and_delete);
	act_in(p, 1, &second, delete_it);
	end_here();
}

/* Takes the signal of a periodic timer, which goes on then. */
static int take_its_signal(void)
{
	const struct timer_notify notify = { .sig = SIGUSR1 };
	const struct interval twice = { .value = 10, .interval = 1000 };
	struct signal_info info;
	struct interval old;
	int sig;

	id = posix_timer_create(TIMER_MONOTONIC, NULL, NULL, &notify);
	expect(!posix_timer_set(id, false, &twice, &old), "it cannot be set");
	expect(!thread_sleep(20), "a sleep failed");
	explore_from_here();
	complete(&made);
	sig = signal_take(SIGSET(SIGUSR1), &info);
	expect(!posix_timer_set(id, false, NULL, &old) && old.value, "it does not go on");
	return posix_timer_delete(id) ? 0 : sig;
}

static int send_another(void)
{
	expect(!completion_wait(&made, DEADLINE_NEVER, WAIT_UNKILLABLE), "a wait failed");
	return signal_send_process(p, SIGUSR2);
}

static const char *taken_and_sent(void)
{
	if (first.result != SIGUSR1 || second.result)
		return wrong("signal %d was taken, sending returned %d", first.result,
			     second.result);
	return atomic_load(&p->sigpending) == SIGSET(SIGUSR2) ? NULL : "another signal is pending";
}

/* A signal of a timer is taken while another CPU sends one, which changes the same queue. */
SCENARIO(taken, "timer.taken", "", "", .cpus = 2, .after = taken_and_sent, .keeps = true,
	 .sets_up = true)
{
	completion_init(&made);
	p = make_child();
	act_blocking(0, &first, take_its_signal);
	act_blocking(1, &second, send_another);
	end_here();
}

/* --- Sleep queues ----------------------------------------------------------------------------- */

static struct wait_queue q = WAIT_QUEUE_INIT(q);

static int wait_timed(void)
{
	return wait_block(&q, deadline_in(1000));
}

/* Takes the waiter along to this CPU, so that it goes on while its own CPU is in the interrupt. */
static int wake_it_here(void)
{
	expect(!thread_sleep(1000), "a sleep failed");
	expect(!sched_set_affinity(first.thread, BIT(1)), "CPU 1 is not there");
	return wait_wake_one(&q, 0);
}

static const char *woken_or_timeout(void)
{
	if (first.result != (second.result ? 0 : -ETIMEDOUT))
		return wrong("%d were woken, the wait returned %d", second.result, first.result);
	return NULL;
}

/* SLEEP1: two are due at once; one of them is woken on another CPU while they expire. */
SCENARIO(due, "sleepq.two_due", "", "", .cpus = 2, .after = woken_or_timeout, .keeps = true)
{
	act_on(0, &first, wait_timed);
	act_on(1, &second, wake_it_here);
	stay_on(0);
	expect(!thread_sleep(1000), "a sleep failed");
	end_here();
}

/* --- To the nanosecond ------------------------------------------------------------------------ */

static void fire_in_time(struct timer *t)
{
	expect(time_now() == t->due, "a timer fires %ld ns late", time_now() - t->due);
	fired++;
}

static const char *fired_once(void)
{
	return fired == 1 ? NULL : wrong("%u timers fired", fired);
}

SCENARIO(exact, "timer.exact", "", "", .cpus = 1, .after = fired_once, .keeps = true)
{
	make_timer(1000, fire_in_time);
	expect(!thread_sleep(2000), "a sleep failed");
	end_here();
}

/* The timer is armed for the limit itself. */
SCENARIO(limit, "timer.limit", "", "", .cpus = 1)
{
	u64 at = time_now() + 1000, armed;

	irq_off();
	time_set_limit(1000);
	armed = cpus[0].timer_at;
	time_set_limit(0);
	irq_on();
	expect(armed == at, "it is armed for %ld ns after the limit", armed - at);
}
