/*
 * Lab 03, hidden: threads that yield, block, are woken, taken out and changed, and quanta that end,
 * in any order, against a model of whose turn it is. No quantum ends but by a tick of the test, so
 * the thread that runs decides what comes next. The first mistake ends it.
 */
#include "alone.h"

#include "errno.h"
#include "test/instrument.h"

#define MEMBERS	7
#define STEPS	3000

enum place { RUNS, WAITS, BLOCKED, OUT };

static struct member {
	struct thread *thread;
	struct wait_queue q;
	enum place is;
	bool changed;			/* has had another quantum since it last ran */
} members[MEMBERS];

/* Those that wait, the next one first. */
static struct member *line[MEMBERS], *runs;
static unsigned waiting, steps, urgent_runs;
static struct wait_queue urgent = WAIT_QUEUE_INIT(urgent);
static struct runq *rq;
static bool over;

static unsigned chance(unsigned n)
{
	return test_random() % n;
}

#define SHOULD(cond, property, ...)				\
	do {							\
		bool is_so = over || (cond);			\
		CHECK(is_so, property, __VA_ARGS__);		\
		over |= !is_so;					\
	} while (0)

static long number(const struct member *m)
{
	return m ? m - members : -1;
}

/* --- The model -------------------------------------------------------------------------------- */

static void line_put(struct member *m)
{
	m->is = WAITS;
	line[waiting++] = m;
}

static void line_take(struct member *m)
{
	unsigned i = 0;

	while (line[i] != m)
		i++;
	for (waiting--; i < waiting; i++)
		line[i] = line[i + 1];
}

static void next_runs(void)
{
	runs = line[0];
	line_take(runs);
	runs->is = RUNS;
}

/* The one that runs goes behind those that wait. */
static void goes_behind(void)
{
	line_put(runs);
	next_runs();
}

static struct member *one_that(enum place is)
{
	unsigned first = chance(MEMBERS);

	for (unsigned i = 0; i < MEMBERS; i++) {
		struct member *m = &members[(first + i) % MEMBERS];

		if (m->is == is)
			return m;
	}
	return NULL;
}

static struct sched_entity *model_find(unsigned cpu)
{
	for (unsigned i = 0; i < waiting; i++)
		if (line[i]->thread->se.affinity & BIT(cpu))
			return &line[i]->thread->se;
	return NULL;
}

/* @self runs: is it its turn, and is the queue as it should be? */
static void look_round(const struct member *self)
{
	unsigned cpu = chance(6);

	SHOULD(self == runs, "P3.2", "step %u: thread %ld runs, and it is the turn of %ld", steps,
	       number(self), number(runs));
	SHOULD(nr_ready(rq) == waiting, "P3.1", "step %u: %u wait, and the queue counts %u", steps,
	       waiting, nr_ready(rq));
	for (unsigned i = 0; i < MEMBERS; i++)
		SHOULD(entity_queued(&members[i].thread->se) == (members[i].is == WAITS), "P3.1",
		       "step %u: thread %u %s in the queue", steps, i,
		       members[i].is == WAITS ? "should be" : "is");
	SHOULD(policy.find(&rq->q, cpu) == model_find(cpu), "P3.2",
	       "step %u: for CPU %u another is found than the first that may run there", steps,
	       cpu);
}

/* --- Steps of the thread that runs ------------------------------------------------------------ */

/* It gave way between the times @from and now, and goes on with what its quantum had left. */
static void check_rest(u64 end, u64 from, const char *property, const char *when)
{
	u64 shift = rq->slice_end - end;

	if (runs->changed) {
		runs->changed = false;
		return;
	}
	SHOULD(shift <= time_now() - from, property,
	       "step %u: it %s for %lu ns, and its quantum ends %ld ns later", steps, when,
	       time_now() - from, (s64)shift);
}

static void yield(void)
{
	u64 end = rq->slice_end, from = time_now();

	if (waiting)
		goes_behind();
	sched_yield();
	check_rest(end, from, "P3.3", "yielded");
}

static void block(struct member *self)
{
	if (!waiting)
		return;
	self->is = BLOCKED;
	next_runs();
	if (wait_block(&self->q, DEADLINE_NEVER))
		over = true;
}

static void wake_one(void)
{
	struct member *m = one_that(BLOCKED);

	if (!m)
		return;
	line_put(m);
	wait_wake_all(&m->q, 0);
}

static void suspend_one(void)
{
	struct member *m = one_that(WAITS);

	if (!m)
		return;
	spin_lock(&rq->lock);
	sched_remove(rq, m->thread);
	thread_set_state(m->thread, THREAD_SUSPENDED, "suspended");
	spin_unlock(&rq->lock);
	line_take(m);
	m->is = OUT;
}

static void resume_one(void)
{
	struct member *m = one_that(OUT);

	if (!m)
		return;
	line_put(m);
	thread_resume(m->thread);
}

/* One that waits has a new nice value, and with it a new place and quantum. */
static void change_one(void)
{
	struct member *m = one_that(WAITS);
	struct sched_params p = { .class = SCHED_OTHER };

	if (!m)
		return;
	p.nice = m->thread->se.params.nice ? 0 : (int)chance(2) * 20 - 10;
	if (p.nice == m->thread->se.params.nice)
		return;
	line_take(m);
	line_put(m);
	m->changed = true;
	SHOULD(sched_set_params(m->thread, &p) == 0, "P3.2", "its parameters are refused");
}

/* With preemption off a tick comes, before the quantum's end or behind it. */
static bool tick_once(void)
{
	u64 end, now, quantum = quantum_of(&runs->thread->se);
	bool ends = chance(2), marked;

	irq_off();
	end = rq->slice_end;
	now = ends ? end + chance(NSEC_PER_MSEC) : end - 1 - chance(NSEC_PER_MSEC);
	this_cpu()->timer_armed = false;
	sched_tick(now);
	marked = atomic_load(&runs->thread->work) & WORK_RESCHED;
	irq_on();
	SHOULD(marked == (ends && waiting), "P3.4",
	       "step %u: a tick %s the end of its quantum, %u wait: it is %smarked", steps,
	       ends ? "at" : "before", waiting, marked ? "" : "not ");
	SHOULD(rq->slice_end == (ends ? now + quantum : end), "P3.5",
	       "step %u: a tick %s the end of its quantum, which ends %ld ns later", steps,
	       ends ? "at" : "before", (s64)(rq->slice_end - now));
	SHOULD(this_cpu()->timer_armed && !time_before(rq->slice_end, this_cpu()->timer_at),
	       "P3.5", "step %u: the timer is not armed for the end of the quantum", steps);
	return marked;
}

/* Others may come while it cannot give way. */
static void tick(struct member *self)
{
	u64 before, begins;
	unsigned depth = 1 + chance(3);
	bool marked;

	for (unsigned i = 0; i < depth; i++)
		preempt_off();
	marked = tick_once();
	if (chance(2))
		wake_one();
	while (--depth)
		preempt_on();
	look_round(self);
	if (marked)
		goes_behind();
	before = time_now();
	preempt_on();
	begins = rq->slice_end - quantum_of(&self->thread->se);
	self->changed &= !marked;
	SHOULD(!marked || (begins >= before && begins <= time_now()), "P3.5",
	       "step %u: its quantum was used up, and the next one is not full: it begins %ld ns "
	       "after it gave way",
	       steps, (s64)(begins - before));
}

/* A more urgent thread wakes. It runs when preemption is on again, and this one goes on. */
static void interrupt(void)
{
	u64 end = rq->slice_end, from = time_now();
	unsigned depth = 1 + chance(3), before = urgent_runs;

	for (unsigned i = 0; i < depth; i++)
		preempt_off();
	wait_wake_all(&urgent, 0);
	while (--depth)
		preempt_on();
	SHOULD(urgent_runs == before, "P3.7", "step %u: with preemption off it lost the CPU",
	       steps);
	preempt_on();
	SHOULD(urgent_runs == before + 1, "P3.7",
	       "step %u: a more urgent thread came while preemption was off: it ran %u times",
	       steps, urgent_runs - before);
	check_rest(end, from, "P3.8", "was interrupted");
}

static void take_a_step(struct member *self)
{
	switch (chance(10)) {
	case 0:
		block(self);
		break;
	case 1:
	case 2:
		wake_one();
		break;
	case 3:
		suspend_one();
		break;
	case 4:
		resume_one();
		break;
	case 5:
		change_one();
		break;
	case 6:
		interrupt();
		break;
	case 7:
		yield();
		break;
	default:
		tick(self);
	}
	look_round(self);
}

/* --- All of it -------------------------------------------------------------------------------- */

static int live(void *arg)
{
	struct member *self = arg;

	if (!over)
		look_round(self);
	while (!over && steps < STEPS) {
		steps++;
		take_a_step(self);
	}
	over = true;		/* from here on they rest, in any order */
	return rest();
}

static int be_urgent(void *unused)
{
	(void)unused;
	while (!wait_block(&urgent, DEADLINE_NEVER))
		urgent_runs++;
	return 0;
}

KTEST_EARLY(turns_model, "turns.model", "03.h", "P3.2")
{
	NEEDS_TO_BE_ALONE;
	rq = &this_cpu()->runq;
	make_real_time(be_urgent, NULL);
	run_them();
	for (unsigned i = 0; i < MEMBERS; i++) {
		wait_queue_init(&members[i].q);
		members[i].thread = create(live, &members[i]);
		members[i].thread->se.affinity = BIT(0) | chance(64);
		line_put(&members[i]);
		thread_resume(members[i].thread);
	}
	next_runs();
	run_them();
	for (unsigned i = 0; i < MEMBERS; i++) {
		wait_wake_all(&members[i].q, 0);
		if (thread_state(members[i].thread) == THREAD_SUSPENDED)
			thread_resume(members[i].thread);
	}
	run_them();
	CHECK(steps == STEPS, "P3.2", "%u of %u steps were taken", steps, STEPS);
}
