/*
 * Lab 02: joins of a thread that lives on. Its joiner is sent away by the clock, by a kill or by a
 * detach, or is told that it is not the first.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sched/cpu.h"

#define FAR_OFF		(1000 * NSEC_PER_SEC + 1)	/* ns; no round number */

static struct thread *living;		/* suspended until the scenario resumes it */
static unsigned nr_bodies;

static int body(void *arg)
{
	nr_bodies++;
	return (int)(long)arg;
}

static void make_living(void)
{
	living = thread_create("living", body, (void *)7, PRIORITY_DEFAULT);
}

static void expect_join(struct deadline d, int wanted)
{
	int code = 0, err = thread_join(living, &code, d);

	expect(err == wanted, "the join returned %d, not %d", err, wanted);
	expect(err || code == 7, "joined with code %d instead of 7", code);
}

/* A join that must not wait is refused whatever its deadline, also one that has passed. */
static void expect_refusals(int wanted)
{
	expect_join(DEADLINE_POLL, wanted);
	expect_join(deadline_at(time_now() - 1), wanted);
	expect_join(DEADLINE_NEVER, wanted);
}

static int join_living(void *deadline)
{
	int code;

	return thread_join(living, &code, deadline ? *(struct deadline *)deadline : DEADLINE_NEVER);
}

/* A thread that waits for the end of `living`, until *@d unless that is NULL. */
static struct thread *start_joiner(struct deadline *d)
{
	struct thread *j = start(join_living, d);

	await_state(j, THREAD_BLOCKED);
	return j;
}

static void expect_joiner(struct thread *j, int wanted)
{
	int err = join(j);

	expect(err == wanted, "the waiting joiner got %d, not %d", err, wanted);
}

/* A join that gave up leaves the place of the joiner free. */
SCENARIO(gives_up, "join.gives_up", "02.5", "P2.6", .cpus = 1)
{
	make_living();
	expect_join(DEADLINE_POLL, -ETIMEDOUT);
	expect_join(deadline_in(1000), -ETIMEDOUT);
	thread_resume(living);
	expect_join(DEADLINE_NEVER, 0);
}

static int die_and_join(void *unused)
{
	(void)unused;
	thread_kill(current_thread());
	return join_living(NULL);
}

/* It makes no difference whether the kill comes before the join or while that waits. */
SCENARIO(joiner_killed, "join.killed", "02.7", "P2.9", .cpus = 1)
{
	struct deadline far = deadline_in(1000 * NSEC_PER_SEC);
	struct thread *j;

	make_living();
	j = start_joiner(NULL);
	thread_kill(j);
	expect_joiner(j, -EINTR);
	j = start_joiner(&far);
	thread_kill(j);
	expect_joiner(j, -EINTR);
	j = start(die_and_join, NULL);
	expect_joiner(j, -EINTR);
	thread_resume(living);
	expect_join(DEADLINE_NEVER, 0);
}

/* A thread that must die need not wait for one that has left, so it gets the code. */
SCENARIO(dying_joins_left, "join.dying_joins_left", "02.5", "P2.6", .cpus = 1)
{
	make_living();
	thread_resume(living);
	while (!living->left)
		let_others_run();
	expect_joiner(start(die_and_join, NULL), 0);
}

/*
 * Wakes the joiner of `living` that waits until FAR_OFF, as a timer interrupt at time @now does.
 * Preemption is off, so the joiner does not run yet.
 */
static void let_it_pass(struct thread *j, u64 now)
{
	irq_off();
	host_clock_to(now);
	sleepq_expire(&this_cpu()->sleepq, now);
	irq_on();
	expect(thread_state(j) == THREAD_READY, "its deadline has come, and the joiner sleeps on");
}

/* The deadline is no round number. */
SCENARIO(punctual, "join.punctual", "02.5", "P2.6", .cpus = 1)
{
	struct deadline far = deadline_at(FAR_OFF);
	struct thread *j;

	make_living();
	j = start_joiner(&far);
	preempt_off();
	let_it_pass(j, FAR_OFF);
	preempt_on();
	expect_joiner(j, -ETIMEDOUT);
	thread_resume(living);
	expect_join(DEADLINE_NEVER, 0);
}

/* The clock stands shortly before its end: a deadline behind that is still to come. */
SCENARIO(wraps, "join.clock_wraps", "02.5", "P2.6", .cpus = 1)
{
	u64 wrap = 0;
	int code, err;

	clock_offset = wrap - 2000 - arch_clock_ns();	/* as the boot argument clock= does */
	make_living();
	expect_join(deadline_at(wrap - 3000), -ETIMEDOUT);
	thread_resume(living);
	err = thread_join(living, &code, deadline_at(wrap + 1000));
	expect(!err || !time_before(time_now(), wrap + 1000),
	       "the join returned %d, %ld ns before its deadline", err,
	       (long)(wrap + 1000 - time_now()));
	if (err)
		expect_join(DEADLINE_NEVER, 0);
}

static void expect_sent_away(struct thread *j, const char *woken_by)
{
	int err = thread_detach(living);

	expect(!err, "the detach returned %d", err);
	preempt_on();
	err = join(j);
	expect(err == -ECHILD, "%s woke the joiner, then came the detach: its join returned %d",
	       woken_by, err);
	thread_resume(living);
	thread_put(living);
}

/*
 * Between the joiner's wake-up and its next instruction the thread is detached. The joiner must
 * learn of this, or it would join once more a thread that is the reaper's.
 */
SCENARIO(woken, "join.woken_then_detached", "02.7", "P2.10", .cpus = 1)
{
	struct deadline far = deadline_at(FAR_OFF);
	struct thread *j;

	make_living();
	thread_get(living);
	j = start_joiner(&far);
	preempt_off();
	let_it_pass(j, FAR_OFF + NSEC_PER_SEC);
	expect_sent_away(j, "its deadline");
	make_living();
	thread_get(living);
	j = start_joiner(NULL);
	preempt_off();
	thread_kill(j);
	expect_sent_away(j, "a kill");
}

/* On CPU 1, if the scenario keeps CPU 0 from a joiner. */
static void await_left(void)
{
	bool left = false;

	while (!left) {
		arch_spin_hint();
		spin_lock(&living->joiners.lock);
		left = living->left;
		spin_unlock(&living->joiners.lock);
	}
}

static void let_it_leave(void)
{
	thread_resume(living);
	await_left();
}

static void expect_one_has_it(struct thread *j, const char *woken_by)
{
	int detached, joined;

	let_it_leave();
	detached = thread_detach(living);
	preempt_on();
	joined = join(j);
	expect(detached ? detached == -ECHILD && !joined : joined == -ECHILD,
	       "%s woke the joiner, the thread left, and was detached: the join returned %d, the "
	       "detach %d",
	       woken_by, joined, detached);
	thread_put(living);
}

/* The detach came first, so the thread is the reaper's when it leaves, and never the joiner's. */
static void expect_reaper_has_it(struct thread *j, const char *woken_by)
{
	int detached = thread_detach(living), joined;

	let_it_leave();
	preempt_on();
	joined = join(j);
	expect(!detached && joined == -ECHILD,
	       "%s woke the joiner, the thread was detached, and left: the join returned %d, the "
	       "detach %d",
	       woken_by, joined, detached);
	thread_put(living);
}

static struct thread *start_apart(struct deadline *d)
{
	struct thread *j;

	living = create_among(BIT(1), body, (void *)7);
	thread_get(living);
	j = start_on(0, join_living, d);
	await_state(j, THREAD_BLOCKED);
	preempt_off();
	return j;
}

/* First its deadline wakes a joiner, and then a kill. */
static void wake_by_each(void (*expect_ends)(struct thread *j, const char *woken_by))
{
	struct deadline far = deadline_at(FAR_OFF);
	struct thread *j;

	stay_on(0);
	j = start_apart(&far);
	let_it_pass(j, FAR_OFF + NSEC_PER_SEC);
	expect_ends(j, "its deadline");
	j = start_apart(NULL);
	thread_kill(j);
	expect_ends(j, "a kill");
}

/* The same if the thread has left meanwhile: a detach that is refused leaves it to the joiner. */
SCENARIO(woken_left, "join.woken_left_detached", "02.7", "P2.10", .cpus = 2)
{
	wake_by_each(expect_one_has_it);
}

/* The other order: when the joiner runs at last, the thread has been detached and then has left. */
SCENARIO(woken_detached, "join.woken_detached_left", "02.7", "P2.10", .cpus = 2)
{
	wake_by_each(expect_reaper_has_it);
}

#define NO_RESULT	1
static _Atomic int result_of_second;

static int join_second(void *unused)
{
	int err = join_living(unused);

	atomic_store(&result_of_second, err);
	return err;
}

/* A joiner on CPU 1, while the scenario keeps CPU 0 from the first: it waits, or has returned. */
static struct thread *start_second(struct deadline *d)
{
	struct thread *second;

	atomic_store(&result_of_second, NO_RESULT);
	second = start_on(1, join_second, d);
	while (thread_state(second) != THREAD_BLOCKED &&
	       atomic_load(&result_of_second) == NO_RESULT)
		arch_spin_hint();
	return second;
}

/* A second joiner has its place when the first returns with @firsts, or was refused. */
static void expect_place_is_kept(struct thread *first, int firsts)
{
	struct thread *second = start_second(NULL);

	preempt_on();
	expect_joiner(first, firsts);
	if (atomic_load(&result_of_second) == NO_RESULT) {
		expect_join(DEADLINE_POLL, -EBUSY);
		thread_resume(living);
		expect_joiner(second, 0);
	} else {
		expect_joiner(second, -EBUSY);
		thread_resume(living);
		expect_join(DEADLINE_NEVER, 0);
	}
	thread_put(living);
}

/* The exit has woken the first joiner: the code is kept for it, whatever the others' deadlines. */
static void expect_code_is_kept(struct thread *first)
{
	struct deadline at[] = { DEADLINE_POLL, deadline_at(time_now() - 1), DEADLINE_NEVER };
	struct thread *second[ARRAY_SIZE(at)];

	for (unsigned i = 0; i < ARRAY_SIZE(at); i++)
		second[i] = start_second(&at[i]);
	preempt_on();
	expect_joiner(first, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++)
		expect_joiner(second[i], -EBUSY);
	thread_put(living);
}

/*
 * A deadline or a kill has woken a joiner, and it has not run since: a second joiner is refused, or
 * has its place. Then the first one that returns does not leave that place to a third.
 */
SCENARIO(behind_woken, "join.behind_woken", "02.7", "P2.9", .cpus = 2)
{
	struct deadline far = deadline_at(FAR_OFF);
	struct thread *first;

	stay_on(0);
	first = start_apart(&far);
	let_it_pass(first, FAR_OFF);
	expect_place_is_kept(first, -ETIMEDOUT);
	first = start_apart(NULL);
	thread_kill(first);
	expect_place_is_kept(first, -EINTR);
	first = start_apart(NULL);
	let_it_leave();
	expect_code_is_kept(first);
}

/* At any moment of a join the thread is detached: its joiner does not wait for its end. */
SCENARIO(sent_away, "join.sent_away", "02.7", "P2.10", .cpus = 2)
{
	struct thread *j;
	int err;

	make_living();
	thread_get(living);
	j = start_on(1, join_living, NULL);
	err = thread_detach(living);
	expect(!err, "the detach returned %d", err);
	expect_joiner(j, -ECHILD);
	thread_resume(living);
	thread_put(living);
}

static struct wait_queue rest = WAIT_QUEUE_INIT(rest);

static int detach_and_rest(void *unused)
{
	int err = thread_detach(current_thread());

	(void)unused;
	expect(!err, "a thread detached itself with %d", err);
	return wait_block(&rest, DEADLINE_NEVER);
}

/* At any moment of a join the thread detaches itself, and lives on: its joiner does not wait. */
SCENARIO(detaches_itself, "detach.itself_while_joined", "02.7", "P2.10", .cpus = 2)
{
	living = create_among(BIT(1), detach_and_rest, NULL);
	thread_get(living);
	thread_resume(living);
	expect_join(DEADLINE_NEVER, -ECHILD);
	while (!wait_wake_one(&rest, 0))
		let_others_run();
	thread_put(living);
}

static int detach_living(void *unused)
{
	(void)unused;
	return thread_detach(living);
}

/* A thread detaches itself, and another one detaches it: one of the two is refused. */
SCENARIO(two_detach_it, "detach.itself_or_other", "02.7", "P2.9", .cpus = 2)
{
	int mine, its;

	living = create_among(BIT(1), detach_living, NULL);
	thread_get(living);
	thread_resume(living);
	mine = thread_detach(living);
	await_left();
	its = living->exit_code;
	expect((mine == 0 && its == -ECHILD) || (mine == -ECHILD && its == 0),
	       "of two detaches one returned %d, the thread's own %d", mine, its);
	thread_put(living);
}

/*
 * The kill and the exit come together, and the joiner says which of them was first. If it was the
 * kill, the code is still there for the next one.
 */
SCENARIO(killed_or_not, "join.killed_or_not", "02.7", "P2.9", .cpus = 2)
{
	struct thread *j;
	int err;

	living = create_among(BIT(1), body, (void *)7);
	j = start_joiner(NULL);
	thread_resume(living);
	thread_kill(j);
	err = join(j);
	expect(!err || err == -EINTR, "the join of a thread that is killed returned %d", err);
	if (err)
		expect_join(DEADLINE_NEVER, 0);
}

/* Each refusal has an error of its own, and a detach does not wait for the thread's end. */
SCENARIO(refused, "join.refused", "02.7", "P2.9", .cpus = 1)
{
	struct thread *j;
	int err;

	make_living();
	thread_get(living);
	j = start_joiner(NULL);
	expect_refusals(-EBUSY);
	err = thread_detach(living);
	expect(!err, "the detach returned %d", err);
	expect_joiner(j, -ECHILD);
	expect_refusals(-ECHILD);
	err = thread_detach(living);
	expect(err == -ECHILD, "a second detach returned %d, not %d", err, -ECHILD);
	expect_refusals(-ECHILD);
	expect(!nr_bodies, "a thread ran that had not been resumed");
	thread_resume(living);
	thread_put(living);
}

/* The reaper tells the joiner of a thread that was killed before it ran. */
SCENARIO(unrun, "join.killed_unrun", "02.8", "P2.5", .cpus = 1)
{
	struct thread *j;

	make_living();
	j = start_joiner(NULL);
	thread_kill(living);
	expect_joiner(j, 0);
}
