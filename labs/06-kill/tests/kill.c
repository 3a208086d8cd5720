/*
 * Lab 06, steps 1 and 3 to 5: one killer wins, no new thread joins, and a victim dies whatever
 * state it is in.
 */
#include "victims.h"

#include "base/string.h"

static struct wait_queue never = WAIT_QUEUE_INIT(never);	/* no event wakes its waiters */

static int wait_for_ever(void *arg)
{
	(void)arg;
	return wait_block(&never, DEADLINE_NEVER);
}

/* The victim's thread is not started: the test is about the state of the process alone. */
KTEST(kill_first, "kill.first", "06.1", "P6.1")
{
	struct thread *t;
	struct process *p = victim(wait_for_ever, NULL, &t);
	int err;

	CHECK(process_state(p) == PROCESS_ALIVE, "P6.1",
	      "a process is not alive before it is killed");
	err = process_kill(p, STATUS_SIGNAL(SIGKILL));
	CHECK(err == 0, "P6.1", "the first kill returned %d", err);
	CHECK(process_state(p) != PROCESS_ALIVE, "P6.1", "a killed process is alive");
	err = process_kill(p, STATUS_SIGNAL(SIGTERM));
	CHECK(err == -EALREADY, "P6.1", "the second kill returned %d", err);
	err = LIFE_STATUS(atomic_load(&p->life));
	CHECK(err == STATUS_SIGNAL(SIGKILL), "P6.1", "after two kills the status is 0x%x", err);
}

KTEST(kill_no_new, "kill.no_new", "06.1", "P6.2")
{
	struct thread *t, *late = NULL;
	struct process *p = victim(wait_for_ever, NULL, &t);
	int err;

	/* the process stays DYING: its thread is not started, and this hold is not given up */
	REQUIRE(process_hold(p), "P6.8", "a living process could not be held");
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	err = thread_create_in(p, "late", wait_for_ever, NULL, PRIORITY_DEFAULT, &late);
	CHECK(err == -ESRCH, "P6.2", "a thread was made in a dying process: %d", err);
	CHECK(!process_hold(p), "P6.8", "a dying process could be held");
}

static _Atomic unsigned running;	/* threads of the victim, each on another CPU */
static _Atomic unsigned missed;		/* those whose CPU got no IPI after the kill */

/* Runs until it is asked to die, and then for as long as an interrupt may take. */
static int run_on(void *arg)
{
	struct thread *self = current_thread();
	struct cpu_stats *stats = &thread_cpu(self)->stats;
	u64 before, seen = stats->resched_ipis, asked;

	(void)arg;
	running++;
	do {
		before = seen;		/* read before the flag was seen clear: not from the kill */
		seen = stats->resched_ipis;
	} while (!(atomic_load(&self->work) & WORK_KILL));
	asked = time_now();
	while (stats->resched_ipis == before && time_now() - asked < NSEC_PER_MSEC)
		arch_spin_hint();
	missed += stats->resched_ipis == before;
	return 0;
}

KTEST(kill_running, "kill.running", "06.3", "P6.11")
{
	struct process *p;
	struct thread *t;

	NEEDS_TWO_CPUS;
	running = missed = 0;
	p = victim(run_on, NULL, &t);
	sched_set_affinity(current_thread(), BIT(0));
	for (unsigned cpu = 1; cpu < nr_cpus; cpu++) {
		if (cpu > 1 && thread_create_in(p, "sibling", run_on, NULL, PRIORITY_DEFAULT, &t))
			break;
		sched_set_affinity(t, BIT(cpu));
		thread_resume(t);
	}
	while (running < nr_cpus - 1)
		arch_spin_hint();
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	sched_set_affinity(current_thread(), ~0u);
	status_of(p->pid, "P6.11");
	CHECK(missed == 0, "P6.11",
	      "it was running on other CPUs, and no interrupt came to %u of %u", missed,
	      nr_cpus - 1);
}

#define SIBLINGS	150		/* a kill is for all of them, however many there are */

static _Atomic unsigned ran;

static int count_run(void *arg)
{
	(void)arg;
	ran++;
	return 0;
}

/* Threads of the kernel, which have joiners: one READY, one SUSPENDED. On 1 CPU. */
static void kill_joinable(void)
{
	struct thread *t[2];

	for (unsigned i = 0; i < 2; i++) {
		t[i] = thread_create("joinable", count_run, NULL, PRIORITY_DEFAULT);
		REQUIRE(t[i], "P6.4", "no memory for a thread");
	}
	irq_off();
	thread_resume(t[0]);
	thread_resume(t[1]);
	thread_suspend(t[1]);
	for (unsigned i = 0; i < 2; i++)
		thread_kill(t[i]);
	irq_on();
	for (unsigned i = 0; i < 2; i++)
		CHECK(thread_join(t[i], NULL, DEADLINE_NEVER) == 0, "P6.4",
		      "a thread that was killed before it ran cannot be joined");
}

KTEST(kill_unrun, "kill.unrun", "06.4", "P6.4")
{
	static struct thread *siblings[SIBLINGS];
	struct thread *t;
	struct process *p;
	unsigned n = 0;

	NEEDS_ONE_CPU;
	ran = 0;
	p = victim(count_run, NULL, &t);
	while (n < SIBLINGS && thread_create_in(p, "sibling", count_run, NULL, PRIORITY_DEFAULT,
						&siblings[n]) == 0)
		n++;
	REQUIRE(n == SIBLINGS, "P6.4", "only %u threads were made", n);
	irq_off();			/* on 1 CPU no other thread runs until irq_on() */
	thread_resume(t);
	thread_suspend(t);		/* SUSPENDED */
	for (unsigned i = 0; i < n; i++)
		thread_resume(siblings[i]);	/* READY */
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	irq_on();
	status_of(p->pid, "P6.4");
	kill_joinable();
	CHECK(ran == 0, "P6.4", "%u threads that had not run before the kill ran after it", ran);
}

/* Sees to it that the reaper runs as soon as it has a body and interrupts are on, or no longer. */
static void hurry_reaper(bool hurry)
{
	static const struct sched_params first = { .class = SCHED_FIFO, .rt_priority = 1 };
	static struct sched_params usual;
	struct thread *reaper = NULL;

	spin_lock(&kernel_process.lock);
	list_for_each(t, &kernel_process.threads, struct thread, process_node)
		if (!strcmp(t->name, "reaper"))
			reaper = t;
	spin_unlock(&kernel_process.lock);
	REQUIRE(reaper, "P6.10", "there is no reaper");
	if (hurry)
		usual = sched_get_params(reaper);
	sched_set_params(reaper, hurry ? &first : &usual);
}

/* At rest, so the reaper has freed many of them when a walk that pauses goes on. */
KTEST(kill_thousands, "kill.thousands", "06.4", "P6.4")
{
	struct thread *t;
	struct process *p;
	unsigned n = 0, kept = threads_max;

	NEEDS_ONE_CPU;
	threads_max = 2 * THOUSANDS;
	ran = 0;
	p = victim(count_run, NULL, &t);
	do {
		irq_off();
		thread_resume(t);
		thread_suspend(t);
		irq_on();
		n++;
	} while (n < THOUSANDS && thread_create_in(p, "sibling", count_run, NULL, PRIORITY_DEFAULT,
						   &t) == 0);
	REQUIRE(n == THOUSANDS, "P6.4", "only %u threads were made", n);
	hurry_reaper(true);
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	hurry_reaper(false);
	status_of(p->pid, "P6.4");
	threads_max = kept;
	CHECK(ran == 0, "P6.4", "%u threads that had not run before the kill ran after it", ran);
}

static int wait_long(void *arg)
{
	(void)arg;
	return wait_block(&never, deadline_in(1000 * NSEC_PER_SEC));
}

static int sleep_long(void *arg)
{
	(void)arg;
	return thread_sleep(1000 * NSEC_PER_SEC);
}

static struct semaphore empty;

static int wait_semaphore(void *arg)
{
	(void)arg;
	return semaphore_wait(&empty, DEADLINE_NEVER);
}

static struct mutex taken = MUTEX_INIT(taken);

static int wait_mutex(void *arg)
{
	(void)arg;
	return mutex_lock_interruptible(&taken);
}

static int wait_join(void *arg)
{
	return thread_join(arg, NULL, DEADLINE_NEVER);
}

static void kill_blocked(thread_fn fn, void *arg, enum thread_state state, const char *where)
{
	struct thread *t;
	struct process *p = victim(fn, arg, &t);
	u64 from;

	thread_resume(t);
	await_state(t, state);
	from = time_now();
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	status_of(p->pid, "P6.3");
	CHECK(time_now() - from < SOON, "P6.3", "killed %s, it was gone only after %lu ns", where,
	      time_now() - from);
}

KTEST(kill_blocked_states, "kill.blocked", "06.5", "P6.3")
{
	struct counter_snapshot before, after;
	struct thread *other = thread_create("other", wait_for_ever, NULL, PRIORITY_DEFAULT);

	semaphore_init(&empty, 0);
	mutex_lock(&taken);
	thread_resume(other);
	counters_snapshot(&before);
	for (unsigned round = 0; round < 3; round++) {
		kill_blocked(wait_for_ever, NULL, THREAD_BLOCKED, "on a wait queue");
		kill_blocked(wait_long, NULL, THREAD_BLOCKED, "on a wait queue with a deadline");
		kill_blocked(sleep_long, NULL, THREAD_SLEEPING, "asleep");
		kill_blocked(wait_semaphore, NULL, THREAD_BLOCKED, "on a semaphore");
		kill_blocked(wait_mutex, NULL, THREAD_BLOCKED, "on a mutex");
		kill_blocked(wait_join, other, THREAD_BLOCKED, "in join");
	}
	counters_snapshot(&after);
	counters_equal(&before, &after, "P6.10");
	audit();
	mutex_unlock(&taken);
	thread_kill(other);
	thread_join(other, NULL, DEADLINE_NEVER);
}

KTEST(kill_status, "kill.status", "06.5", "P6.1")
{
	struct thread *t;
	struct process *p = victim(wait_for_ever, NULL, &t);
	int status;

	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	process_kill(p, STATUS_EXIT(3));
	status = status_of(p->pid, "P6.1");
	CHECK(status == STATUS_SIGNAL(SIGKILL), "P6.1",
	      "the parent saw status 0x%x of the second killer", status);
}

static struct wait_queue twice = WAIT_QUEUE_INIT(twice);

static int wait_twice(void *arg)
{
	(void)arg;
	wait_block(&twice, DEADLINE_NEVER);
	return wait_block(&never, deadline_in(1000 * NSEC_PER_SEC));
}

KTEST(kill_after_claim, "kill.after_claim", "06.5", "P6.5")
{
	struct thread *t;
	struct process *p;
	u64 from;

	NEEDS_ONE_CPU;
	p = victim(wait_twice, NULL, &t);
	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
	irq_off();
	wait_wake_one(&twice, 0);		/* claimed by the event, has not run */
	process_kill(p, STATUS_SIGNAL(SIGKILL));
	irq_on();
	from = time_now();
	status_of(p->pid, "P6.5");
	CHECK(time_now() - from < SOON, "P6.5",
	      "killed right after it was woken, it went into its next wait");
}

/* --- A victim between its look at the flag and its wait -------------------------------------- */

static struct process *target;

static void kill_target(void *arg)
{
	(void)arg;
	process_kill(target, STATUS_SIGNAL(SIGKILL));
}

/* On 1 CPU: the kill comes after every few instructions of a wait that only the kill can end. */
static void sweep_kill(thread_fn fn, const char *function)
{
	bool hit = true;
	unsigned step;

	NEEDS_ONE_CPU;
	sweep_action = kill_target;
	for (step = ktest_seed() % STRIDE; hit && step < 30000; step += STRIDE) {
		struct thread *t;
		u64 from = time_now();

		target = victim(fn, NULL, &t);
		REQUIRE(sweep_arm(function, t, step) == 0, "P6.5", "no function %s", function);
		thread_resume(t);
		do
			thread_yield();
		while (thread_state(t) == THREAD_READY || thread_state(t) == THREAD_RUNNING);
		hit = sweep_hit();
		if (!hit)
			process_kill(target, STATUS_SIGNAL(SIGKILL));
		status_of(target->pid, "P6.5");
		CHECK(time_now() - from < 100 * NSEC_PER_SEC, "P6.5",
		      "killed %u instructions into %s(), it went on waiting", step, function);
	}
	sweep_action = NULL;
	ktest_figure(function, step);
}

KTEST(kill_swept_wait, "kill.swept_wait", "06.5", "P6.5")
{
	sweep_kill(wait_long, "wait_block");
}

KTEST(kill_swept_sleep, "kill.swept_sleep", "06.5", "P6.5")
{
	sweep_kill(sleep_long, "thread_sleep");
}

static _Atomic bool started;

static int yield_and_wait(void *arg)
{
	(void)arg;
	started = true;
	thread_yield();
	return wait_block(&never, deadline_in(NSEC_PER_SEC));
}

/* On 1 CPU: the victim goes into its wait after every few instructions of thread_kill(). */
KTEST(kill_swept_mark, "kill.swept_mark", "06.5", "P6.5")
{
	bool hit = true;
	unsigned step;

	NEEDS_ONE_CPU;
	for (step = ktest_seed() % STRIDE; hit && step < 30000; step += STRIDE) {
		struct thread *t = thread_create("victim", yield_and_wait, NULL, PRIORITY_DEFAULT);
		u64 from = time_now();

		REQUIRE(t, "P6.5", "no thread was made");
		started = false;
		thread_resume(t);
		while (!started)
			thread_yield();
		REQUIRE(sweep_arm("thread_kill", current_thread(), step) == 0, "P6.5",
			"no thread_kill()");
		thread_kill(t);
		hit = sweep_hit();
		thread_join(t, NULL, DEADLINE_NEVER);
		REQUIRE(time_now() - from < NSEC_PER_SEC, "P6.5",
			"it blocked %u instructions into thread_kill(), and went on waiting", step);
	}
	ktest_figure("steps_of_the_mark", step);
}

static int second_kill;		/* result of the kill from the interrupt; 1: it has not come */

static void kill_again(void *arg)
{
	(void)arg;
	second_kill = process_kill(target, STATUS_SIGNAL(SIGTERM));
}

/* On 1 CPU: another killer comes after every few instructions of a kill. */
KTEST(kill_swept_kill, "kill.swept_kill", "06.5", "P6.1")
{
	bool hit = true;
	unsigned step;

	NEEDS_ONE_CPU;
	sweep_action = kill_again;
	for (step = ktest_seed() % STRIDE; hit && step < 30000; step += STRIDE) {
		struct thread *t;
		int first;

		target = victim(wait_for_ever, NULL, &t);
		process_get(target);
		thread_resume(t);
		await_state(t, THREAD_BLOCKED);
		second_kill = 1;
		REQUIRE(sweep_arm("process_kill", current_thread(), step) == 0, "P6.1",
			"no process_kill()");
		first = process_kill(target, STATUS_SIGNAL(SIGKILL));
		hit = sweep_hit();
		if (hit)
			CHECK((first == 0) != (second_kill == 0), "P6.1",
			      "two kills, the second %u instructions into the first: %d and %d",
			      step, first, second_kill);
		status_of(target->pid, "P6.1");
		process_put(target);
	}
	sweep_action = NULL;
	ktest_figure("kill_steps", step);
}

static struct thread *late;	/* the new thread of the target, if it could be created */
static int made;		/* result of creating it; 1: not tried yet */

static int make_late(void *over)
{
	if (!*(bool *)over)
		made = thread_create_in(target, "late", wait_for_ever, NULL, PRIORITY_DEFAULT,
					&late);
	return 0;
}

/*
 * On 1 CPU: another thread creates a thread in the victim after every few instructions of its kill.
 * Either the new thread is killed too, or its creation fails. No thread starts before the kill is
 * over.
 */
KTEST(kill_swept_new, "kill.swept_new", "06.5", "P6.2")
{
	bool hit = true;
	unsigned step;

	NEEDS_ONE_CPU;
	for (step = ktest_seed() % STRIDE; hit && step < 30000; step += STRIDE) {
		struct thread *t, *maker;
		bool over = false;
		pid_t pid;

		target = victim(wait_for_ever, NULL, &t);
		pid = target->pid;
		made = 1;
		maker = thread_create("maker", make_late, &over, PRIORITY_DEFAULT);
		REQUIRE(maker, "P6.2", "no thread was made");
		thread_resume(maker);
		REQUIRE(sweep_arm("process_kill", current_thread(), step) == 0, "P6.2",
			"no process_kill()");
		process_kill(target, STATUS_SIGNAL(SIGKILL));
		over = true;
		hit = sweep_hit();
		thread_join(maker, NULL, DEADLINE_NEVER);
		if (hit)
			CHECK(made == -ESRCH || (made == 0 && thread_is_dying(late)), "P6.2",
			      "a thread made %u instructions into the kill was not killed: %d",
			      step, made);
		thread_resume(t);
		if (made == 0) {
			if (!thread_is_dying(late))
				thread_kill(late);
			thread_resume(late);
		}
		status_of(pid, "P6.2");
	}
	ktest_figure("steps_of_the_kill", step);
}
