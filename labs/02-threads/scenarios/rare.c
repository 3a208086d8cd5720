/*
 * Lab 02: joins in states that are rare: a joiner that a signal wakes, one that dies beside a dead
 * thread, one that was refused, deadlines far ahead, and threads that were detached from the
 * beginning.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "explore/tree.h"
#include "process/process.h"
#include "sched/cpu.h"

static struct thread *subject;		/* suspended until the scenario resumes it */
static struct deadline until;
static struct wait_queue go = WAIT_QUEUE_INIT(go);
static unsigned nr_bodies;

static int leave(void *arg)
{
	nr_bodies++;
	return (int)(long)arg;
}

static void make_subject(void)
{
	subject = thread_create("subject", leave, (void *)7, PRIORITY_DEFAULT);
}

static int join_it(void *unused)
{
	int code, err = thread_join(subject, &code, until);

	(void)unused;
	expect(err || code == 7, "joined with code %d instead of 7", code);
	return err;
}

/* A thread that waits for the end of `subject`. */
static struct thread *start_joiner(void)
{
	struct thread *j = start(join_it, NULL);

	await_state(j, THREAD_BLOCKED);
	return j;
}

/* A joiner ends with what its join returned. */
static void expect_code(struct thread *t, int wanted)
{
	int code = join(t);

	expect(code == wanted, "%s ended with %d, not %d",
	       t == subject ? "the subject" : "a joiner", code, wanted);
}

/* --- Signals ---------------------------------------------------------------------------------- */

/* A signal is no kill: its thread does all that it was made for. */
SCENARIO(signal_at_start, "exit.signal_at_start", "02.5", "P2.1", .cpus = 1)
{
	make_subject();
	atomic_fetch_or(&subject->work, WORK_SIGNAL);
	thread_resume(subject);
	expect_code(subject, 7);
	expect(nr_bodies == 1, "its function was called %u times", nr_bodies);
}

static int join_with_signal(void *unused)
{
	(void)unused;
	atomic_fetch_or(&current_thread()->work, WORK_SIGNAL);
	return join_it(NULL);
}

/* A signal may end the wait, or may not: the deadline ends it in any case. */
SCENARIO(signalled, "join.signalled", "02.5", "P2.6", .cpus = 1)
{
	int err;

	make_subject();
	until = deadline_in(NSEC_PER_MSEC);
	err = join(start(join_with_signal, NULL));
	expect(err == -EINTR || err == -ETIMEDOUT, "with a signal the join returned %d", err);
	thread_resume(subject);
	expect_code(subject, 7);
}

static void signal_wait_of(struct thread *t)
{
	struct runq *rq = thread_runq_lock(t);

	atomic_fetch_or(&t->work, WORK_SIGNAL);
	if (waiter_swap(t->waiter, WAIT_SIGNAL, 0))
		sched_make_ready(rq, t, __func__);
	runq_unlock(rq);
}

/* It is detached after a signal has woken its joiner, and before that one runs. */
SCENARIO(signalled_detached, "join.signalled_then_detached", "02.7", "P2.10", .cpus = 1)
{
	struct thread *j;

	make_subject();
	until = DEADLINE_NEVER;
	j = start_joiner();
	preempt_off();
	signal_wait_of(j);
	thread_get(subject);
	expect(!thread_detach(subject), "a first detach was refused");
	preempt_on();
	expect_code(j, -ECHILD);
	thread_resume(subject);
	thread_put(subject);
}

/* --- Deadlines -------------------------------------------------------------------------------- */

/* More than an hour is a time like any other. */
SCENARIO(hours, "join.for_hours", "02.5", "P2.6", .cpus = 1)
{
	u64 later = 4000 * NSEC_PER_SEC;
	struct thread *j;

	make_subject();
	until = deadline_in(2 * later);
	j = start_joiner();
	preempt_off();
	irq_off();
	host_clock_to(later);
	sleepq_expire(&this_cpu()->sleepq, later);
	irq_on();
	thread_resume(subject);
	preempt_on();
	expect_code(j, 0);
}

/* A clock that wraps comes to 0, and a deadline there is one. */
SCENARIO(zero, "join.until_zero", "02.5", "P2.6", .cpus = 1)
{
	int err;

	clock_offset = -2000 - arch_clock_ns();
	make_subject();
	err = thread_join(subject, NULL, deadline_at(0));
	expect(err == -ETIMEDOUT, "the join until 0, 2 us ahead, returned %d", err);
	thread_resume(subject);
	expect_code(subject, 7);
}

static int join_for_a_moment(void *unused)
{
	(void)unused;
	return thread_join(subject, NULL, deadline_in(1000));
}

/* The first keeps its place however it waits: the second one may come at any moment. */
SCENARIO(long_wait, "join.keeps_its_place", "02.5", "P2.9", .cpus = 2, .sets_up = true)
{
	struct thread *first, *second;

	make_subject();
	until = deadline_in(15 * NSEC_PER_MSEC);
	first = start_on(0, join_it, NULL);
	await_state(first, THREAD_BLOCKED);
	expect(!thread_sleep(10 * NSEC_PER_MSEC - 200), "a sleep failed");
	explore_from_here();
	second = start_on(1, join_for_a_moment, NULL);
	expect_code(first, -ETIMEDOUT);
	join(second);
	thread_resume(subject);
	expect_code(subject, 7);
}

/* --- Who may join ----------------------------------------------------------------------------- */

/* The threads of a user process are detached from the beginning. */
SCENARIO(of_process, "join.of_a_process", "02.7", "P2.9", .cpus = 1)
{
	struct process *p = make_child();
	pid_t pid = p->pid;
	int err;

	subject = create_in(p, leave, (void *)3);
	thread_get(subject);
	err = thread_join(subject, NULL, DEADLINE_POLL);
	expect(err == -ECHILD, "the join of a detached thread returned %d", err);
	err = thread_detach(subject);
	expect(err == -ECHILD, "its second detach returned %d", err);
	thread_resume(subject);
	thread_put(subject);
	expect_end(pid, STATUS_EXIT(3));
}

static struct wait_queue stay = WAIT_QUEUE_INIT(stay);
static struct thread *refused;

static int stay_after_refusal(void *unused)
{
	int err = join_it(unused);

	expect(err == -EBUSY, "the second joiner got %d", err);
	expect(!wait_block(&stay, DEADLINE_NEVER), "a wait failed");
	return 7;
}

static int join_refused(void *unused)
{
	int code = 0, err;

	(void)unused;
	expect(!wait_block(&go, DEADLINE_NEVER), "a wait failed");
	err = thread_join(refused, &code, DEADLINE_NEVER);
	expect(!err, "the join of a thread that was refused returned %d", err);
	return code;
}

/* A refused thread waits for nobody: the one that it wanted may join it. */
SCENARIO(refused_joined, "join.of_the_refused", "02.7", "P2.9", .cpus = 1)
{
	struct thread *j;

	until = DEADLINE_NEVER;
	subject = start(join_refused, NULL);
	await_state(subject, THREAD_BLOCKED);
	j = start_joiner();
	refused = start(stay_after_refusal, NULL);
	await_state(refused, THREAD_BLOCKED);
	wait_wake_one(&go, 0);
	while (thread_state(subject) == THREAD_READY)
		let_others_run();
	wait_wake_one(&stay, 0);
	expect_code(j, 0);
}

/* --- Before it ran ---------------------------------------------------------------------------- */

/* Its joiner is sent away, and has not run when the reaper frees it. */
SCENARIO(unrun_detached, "detach.killed_unrun", "02.8", "P2.10", .cpus = 1)
{
	struct thread *j;

	make_subject();
	until = DEADLINE_NEVER;
	j = start_joiner();
	be_urgent();
	thread_get(subject);
	thread_kill(subject);
	expect(!thread_detach(subject), "a first detach was refused");
	thread_put(subject);
	expect_code(j, -ECHILD);
}

/* It waits for a dead thread that the reaper has not seen yet, and is killed like any other. */
SCENARIO(joins_dead, "join.killed_at_the_dead", "02.7", "P2.9", .cpus = 1)
{
	struct thread *j;

	make_subject();
	until = DEADLINE_NEVER;
	j = thread_create("joiner", join_it, NULL, PRIORITY_DEFAULT);
	expect(!sched_set_params(j, &MOST_URGENT), "the joiner's class was refused");
	be_urgent();
	thread_kill(subject);
	thread_resume(j);
	await_state(j, THREAD_BLOCKED);
	thread_kill(j);
	for (unsigned n = 0; n < 5 && thread_state(j) != THREAD_DEAD; n++)
		let_others_run();
	expect(thread_state(j) == THREAD_DEAD, "a killed joiner waits on");
	expect_code(j, -EINTR);
	expect_code(subject, 0);
}
