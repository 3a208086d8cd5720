/*
 * The simulator's mechanism. It does as kernel/sched/ does: the current task is charged, then
 * handed back, then the policy picks; a task wakes on its last CPU, and if it does not preempt
 * there, the first idle CPU that may run it is told; a CPU that would idle steals, looking from CPU
 * 0 up. There is no balancing among busy CPUs (balance=off), no pushing of real-time threads, and
 * nothing costs any time.
 *
 * At any one moment events come in this order: running tasks end their steps; sleepers wake, in
 * order of time, then of number; policies' timers; ends of slices. Then the CPUs that have to look
 * choose. So work that ends together with its slice has ended.
 */
#include "sim.h"

#include "base/panic.h"

static struct sim_task *task_of(struct sched_entity *e)
{
	return container_of(e, struct sim_task, e);
}

static void set_state(struct sim *s, struct sim_task *t, enum sim_state to)
{
	enum sim_state from = t->state;

	if (from == SIM_READY)
		t->worst_wait = MAX(t->worst_wait, s->now - t->ready_since);
	if (to == SIM_READY)
		t->ready_since = s->now;
	t->state = to;
	if (s->changed)
		s->changed(s, t, from);
}

static void charge(struct sim *s, struct sim_cpu *c)
{
	struct sim_task *t = c->current;
	u64 ran = s->now - c->charged_at;

	c->charged_at = s->now;
	if (!t)
		return;
	t->ran += ran;
	t->left -= MIN(ran, t->left);
	t->e.slice_left -= MIN(ran, t->e.slice_left);
	if (queue_charge(&c->q, &t->e, ran, s->now)) {
		c->look = true;
		c->spent = true;
	}
}

/* Kicks an idle CPU that may run a task that waits for @c. */
static void kick_idle_for(struct sim *s, struct sim_cpu *c)
{
	for (unsigned i = 0; i < s->nr_cpus; i++) {
		if (i != c->q.cpu && !s->cpus[i].current && !s->cpus[i].look &&
		    queue_find(&c->q, i)) {
			s->cpus[i].look = true;
			return;
		}
	}
}

static void enqueue(struct sim *s, struct sim_cpu *c, struct sim_task *t, enum enqueue_why why)
{
	bool told = c->look, idle = !c->current;

	t->cpu = c->q.cpu;
	/* A CPU that is to look will pick one new task; offer the next one to another CPU. */
	if ((!queue_enqueue(&c->q, &t->e, why, s->now) && !idle) || told)
		kick_idle_for(s, c);
	else
		c->look = true;
}

/* Takes the CPU from current, which has been charged and is not ready any more. */
static void give_up(struct sim *s, struct sim_cpu *c, enum sim_state to)
{
	struct sim_task *t = c->current;

	c->current = NULL;
	c->q.current = NULL;
	c->look = true;
	queue_leave(&c->q, &t->e, s->now);
	set_state(s, t, to);
}

static void requeue(struct sim *s, struct sim_cpu *c, enum enqueue_why why)
{
	struct sim_task *t = c->current;

	c->current = NULL;
	c->q.current = NULL;
	t->preempted += why == ENQUEUE_PREEMPTED;
	set_state(s, t, SIM_READY);
	queue_enqueue(&c->q, &t->e, why, s->now);
}

static struct sched_entity *steal(struct sim *s, struct sim_cpu *c)
{
	for (unsigned i = 0; i < s->nr_cpus; i++) {
		struct sim_cpu *victim = &s->cpus[i];
		struct sched_entity *e;

		if (victim == c || !(e = queue_find(&victim->q, c->q.cpu)))
			continue;
		queue_dequeue(&victim->q, e);
		task_of(e)->cpu = c->q.cpu;
		queue_enqueue(&c->q, e, ENQUEUE_MIGRATED, s->now);
		return queue_pick(&c->q, s->now);
	}
	return NULL;
}

static void choose(struct sim *s, struct sim_cpu *c)
{
	struct sched_entity *e;
	bool idle = !c->current, expired;

	charge(s, c);
	expired = c->expired || c->spent;
	c->look = false;
	if (c->current && !c->q.nr && !c->spent)
		return;			/* the task that it was to give way to is gone */
	c->expired = false;
	c->spent = false;
	if (c->current)
		requeue(s, c, expired ? ENQUEUE_EXPIRED : ENQUEUE_PREEMPTED);
	e = queue_pick(&c->q, s->now);
	if (!e)
		e = steal(s, c);
	if (!e)
		return;
	c->current = task_of(e);
	/* Offer what waits: the task that gave way, or one that an idle CPU came for and left. */
	for (unsigned i = 0; i < s->nr_cpus; i++)
		if (idle || &s->cpus[i] == c)
			kick_idle_for(s, &s->cpus[i]);
	c->q.current = e;
	c->current->dispatched++;
	if (!e->slice_left)
		e->slice_left = policy_slice(&c->q, e, s->now);
	c->slice_end = s->now + e->slice_left;
	set_state(s, c->current, SIM_RUNNING);
}

/*
 * --- What tasks do -------------------------------------------------------------------------------
 */

static void end_job(struct sim *s, struct sim_task *t)
{
	u64 response = s->now - t->released;

	t->jobs++;
	t->missed += response > t->relative_deadline;
	t->worst_response = MAX(t->worst_response, response);
	if (s->finished)
		s->finished(s, t);
}

static void inherit(struct sim *s, struct sim_task *t, struct sim_task *from)
{
	struct sched_rank none = { 0 };

	policy_inherit(&t->e, from ? entity_rank(&from->e) : none);
	s->cpus[t->cpu].look = true;
}

/* Takes the next step. True: the one after it follows at once. */
static bool take_step(struct sim *s, struct sim_cpu *c, struct sim_task *t)
{
	const struct sim_step *step = &t->steps[t->step++];

	if (t->step > t->nr_steps) {
		give_up(s, c, SIM_ENDED);
		return false;
	}
	switch (step->action) {
	case SIM_RUN:
		t->left = step->ns;
		return !t->left;
	case SIM_REPEAT:
		t->step = 0;
		return true;
	case SIM_BOOST:
		inherit(s, t, step->ns < s->nr_tasks ? &s->tasks[step->ns] : NULL);
		return true;
	case SIM_YIELD:
		requeue(s, c, ENQUEUE_YIELD);
		c->look = true;
		return false;
	case SIM_WAIT:
		end_job(s, t);
		t->released += t->period;
		t->wake_at = t->released;
		break;
	case SIM_SLEEP:
		t->wake_at = s->now + step->ns;
		break;
	}
	if (!time_before(s->now, t->wake_at))
		return true;
	give_up(s, c, SIM_SLEEPING);
	return false;
}

static void end_steps(struct sim *s)
{
	for (unsigned i = 0; i < s->nr_cpus; i++) {
		struct sim_cpu *c = &s->cpus[i];
		struct sim_task *t = c->current;

		charge(s, c);
		while (c->current && !t->left && take_step(s, c, t))
			;
	}
}

/*
 * --- Time ----------------------------------------------------------------------------------------
 */

static bool is_waiting(const struct sim_task *t)
{
	return t->admitted && (t->state == SIM_NEW || t->state == SIM_SLEEPING);
}

/* Returns the sleeper with the earliest time, or NULL. */
static struct sim_task *next_sleeper(struct sim *s)
{
	struct sim_task *first = NULL;

	for (unsigned i = 0; i < s->nr_tasks; i++) {
		struct sim_task *t = &s->tasks[i];

		if (is_waiting(t) && (!first || time_before(t->wake_at, first->wake_at)))
			first = t;
	}
	return first;
}

static void tick(struct sim *s, struct sim_cpu *c)
{
	if (c->q.timer_set && !time_before(s->now, c->q.timer_at) &&
	    (policy.timer(&c->q, s->now) || (!c->current && c->q.nr)))
		c->look = true;
	if (c->current && !time_before(s->now, c->slice_end)) {
		c->current->e.slice_left = policy_slice(&c->q, &c->current->e, s->now);
		c->slice_end = s->now + c->current->e.slice_left;
		c->expired = c->q.nr;
		c->look |= c->expired;
	}
}

/* Returns the time of the next event, at most @until. */
static u64 next_moment(struct sim *s, u64 until)
{
	struct sim_task *t = next_sleeper(s);
	u64 next = until;

	if (t && time_before(t->wake_at, next))
		next = t->wake_at;
	for (unsigned i = 0; i < s->nr_cpus; i++) {
		struct sim_cpu *c = &s->cpus[i];

		if (c->current && time_before(s->now + c->current->left, next))
			next = s->now + c->current->left;
		if (c->current && time_before(c->slice_end, next))
			next = c->slice_end;
		if (c->q.timer_set && time_before(c->q.timer_at, next))
			next = c->q.timer_at;
	}
	return time_before(next, s->now) ? s->now : next;
}

static void wake_sleepers(struct sim *s)
{
	struct sim_task *t;

	while ((t = next_sleeper(s)) && !time_before(s->now, t->wake_at)) {
		set_state(s, t, SIM_READY);
		enqueue(s, &s->cpus[t->cpu], t, ENQUEUE_WAKE);
	}
}

static bool somebody_looks(struct sim *s)
{
	bool any = false;

	for (unsigned i = 0; i < s->nr_cpus; i++) {
		if (s->cpus[i].look) {
			any = true;
			choose(s, &s->cpus[i]);
		}
	}
	return any;
}

void sim_begin(struct sim *s, u64 start)
{
	struct policy_queue *queues[MAX_CPUS];

	s->now = start;
	s->steps = 0;
	for (unsigned i = 0; i < s->nr_cpus; i++) {
		s->cpus[i] = (struct sim_cpu){ .charged_at = start };
		queues[i] = &s->cpus[i].q;
		policy_queue_init(queues[i], i);
	}
	for (unsigned i = 0; i < s->nr_tasks; i++) {
		struct sim_task *t = &s->tasks[i];

		policy_entity_init(&t->e, t->affinity & (BIT(s->nr_cpus) - 1), start);
		t->admitted = t->e.affinity && policy_check(&t->params) == 0 &&
			      policy_reserve(queues, s->nr_cpus, &t->e, t->e.affinity,
					     &t->params) == 0;
		if (!t->admitted)
			continue;
		policy_set_params(&t->e, &t->params, start);
		t->cpu = t->e.home ? t->e.home->cpu : (unsigned)__builtin_ctz(t->e.affinity);
		t->wake_at = t->arrival;
		t->released = t->arrival;
	}
}

bool sim_run(struct sim *s, u64 until)
{
	while (time_before(s->now, until)) {
		end_steps(s);
		wake_sleepers(s);
		for (unsigned i = 0; i < s->nr_cpus; i++)
			tick(s, &s->cpus[i]);
		if (somebody_looks(s)) {
			if (s->steps++ > 100000000)
				panic("simulation: nothing but switches at %lu", s->now);
			continue;	/* at the same moment */
		}
		s->now = next_moment(s, until);
		s->steps++;
	}
	for (unsigned i = 0; i < s->nr_cpus; i++)
		charge(s, &s->cpus[i]);
	return next_sleeper(s) != NULL;
}
