/*
 * Lab 06: callers, victims and moments that are rare. One at rest is in rest.c.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sched/cpu.h"
#include "sched/timer.h"
#include "sched/wait.h"

static struct process *subject;
static struct thread *victim;
static struct wait_queue never = WAIT_QUEUE_INIT(never);

/* --- Victims ---------------------------------------------------------------------------------- */

static _Atomic unsigned computing;

static int compute(void *unused)
{
	(void)unused;
	computing++;
	host_user_loop();
}

/* Two threads of the victim run, each on its CPU. No quantum ends, so both need an interrupt. */
SCENARIO(two_run, "kill.two_in_user_mode", "06.3", "P6.11", .cpus = 3, .sets_up = true)
{
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	stay_on(0);
	for (unsigned cpu = 1; cpu < 3; cpu++)
		thread_resume(create_on(subject, cpu, compute));
	while (computing < 2)
		arch_spin_hint();
	explore_from_here();
	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static int wait_for_ever(void *unused)
{
	int err = wait_block(&never, DEADLINE_NEVER);

	(void)unused;
	expect(err == -EINTR, "the wait of a killed thread returned %d", err);
	return 3;
}

static int wait_and_compute(void *unused)
{
	wait_for_ever(unused);
	host_user_loop();
}

static int sleep_and_compute(void *unused)
{
	(void)unused;
	thread_sleep_until(DEADLINE_NEVER);
	host_user_loop();
}

/* It is pushed to the other CPU at once, and may run before its killer goes on. */
static void kill_pushed(thread_fn entry, enum thread_state state)
{
	struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 50 };
	pid_t pid;

	stay_on(0);
	subject = make_child();
	pid = subject->pid;
	victim = create_on(subject, 0, entry);
	thread_resume(victim);
	await_state(victim, state);
	expect(!sched_set_params(victim, &p), "no real-time thread");
	expect(!sched_set_affinity(victim, BIT(0) | BIT(1)), "CPU 1 is not there");
	be_urgent();
	explore_from_here();
	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

SCENARIO(pushed, "kill.urgent_waits", "06.5", "P6.5", .cpus = 2, .sets_up = true,
	 .no_costume = true)
{
	kill_pushed(wait_for_ever, THREAD_BLOCKED);
}

/* It may come as far as user mode, where it would stay. */
SCENARIO(returns, "kill.urgent_returns", "06.5", "P6.5", .cpus = 2, .sets_up = true,
	 .no_costume = true)
{
	kill_pushed(wait_and_compute, THREAD_BLOCKED);
}

SCENARIO(sleeper_returns, "kill.urgent_sleeper", "06.5", "P6.5", .cpus = 2, .sets_up = true,
	 .no_costume = true)
{
	kill_pushed(sleep_and_compute, THREAD_SLEEPING);
}

static struct thread *first, *second;

/* In the kernel, where it may lose the CPU, until it is told. */
static int work_on(void *unused)
{
	(void)unused;
	computing++;
	do {
		arch_spin_hint();
		irq_off();
		irq_on();	/* takes an interrupt that came meanwhile */
	} while (!thread_is_dying(current_thread()));
	return 3;
}

/* Wakes the second victim as soon as the first has been told. */
static int wake_second(void *unused)
{
	(void)unused;
	while (!thread_is_dying(first))
		arch_spin_hint();
	wait_wake_one(&never, -EINTR);
	return 0;
}

/*
 * Both are on CPU 1. The first runs, and loses the CPU to the second, which is more urgent, goes to
 * user mode and stays there. So a kill that finds both of them running interrupts that CPU twice.
 * The first is pushed to CPU 2, since no slice of a thread ends that is alone on its CPU.
 */
SCENARIO(one_cpu, "kill.two_on_one_cpu", "06.5", "P6.11", .cpus = 3, .sets_up = true,
	 .no_costume = true)
{
	struct thread *waker;
	pid_t pid;

	stay_on(0);
	subject = make_child();
	pid = subject->pid;
	first = thread_get(create_on(subject, 1, work_on));
	second = create_on(subject, 1, wait_and_compute);
	expect(!sched_set_params(second, &MOST_URGENT), "no real-time thread");
	thread_resume(second);
	while (thread_state(second) != THREAD_BLOCKED)
		arch_spin_hint();
	thread_resume(first);
	while (!computing)
		arch_spin_hint();
	expect(!sched_set_affinity(first, BIT(1) | BIT(2)), "CPU 2 is not there");
	waker = start_on(2, wake_second, NULL);
	explore_from_here();
	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
	join(waker);
	thread_put(first);
}

/* --- Callers ---------------------------------------------------------------------------------- */

static void kill_subject(struct timer *unused)
{
	(void)unused;
	expect(!process_kill(subject, KILLED), "the kill of a living process failed");
}

/*
 * A timer's interrupt kills, on the CPU of a thread of the victim that exits: that one may have
 * left the process already. The other thread waits.
 */
SCENARIO(by_timer, "kill.by_a_timer", "06.5", "P6.3", .cpus = 1, .sets_up = true)
{
	static struct timer timer = { .clock = TIMER_MONOTONIC, .fire = kill_subject };
	struct thread *leaves;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	victim = create_in(subject, wait_for_ever, NULL);
	thread_resume(victim);
	await_state(victim, THREAD_BLOCKED);
	leaves = create_in(subject, leave_with_3, NULL);
	spin_lock(&timer_lock);
	timer_start(&timer, time_now() + 1000);
	spin_unlock(&timer_lock);
	explore_from_here();
	thread_resume(leaves);
	expect_end(pid, KILLED);
}

/* --- The reaper ------------------------------------------------------------------------------- */

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

static int join_victim(void *unused)
{
	(void)unused;
	return thread_join(victim, NULL, DEADLINE_NEVER);
}

/* Its joiner has been woken by a detach, and has not run, when the reaper comes to it. */
SCENARIO(joiner_woken, "reaper.joiner_sent_away", "06.4", "P6.10", .cpus = 1)
{
	struct thread *joiner;
	int err;

	victim = thread_get(create_among(BIT(0), nothing, NULL));
	joiner = start(join_victim, NULL);
	await_state(joiner, THREAD_BLOCKED);
	thread_kill(victim);
	thread_detach(victim);		/* too late if the joiner has run nevertheless */
	thread_put(victim);
	err = join(joiner);
	expect(!err || err == -ECHILD, "the join returned %d", err);
}

/* It was killed before it ran, has left, and comes to the reaper again when it is detached. */
SCENARIO(comes_again, "reaper.comes_again", "06.4", "P6.10", .cpus = 1)
{
	unsigned before = kernel_process.nr_threads;

	victim = create_among(BIT(0), nothing, NULL);
	thread_kill(victim);
	while (!victim->left)
		let_others_run();
	expect(!thread_detach(victim), "the detach failed");
	reaper_drain();
	expect(kernel_process.nr_threads == before, "one thread came and went, and %u are %u",
	       before, kernel_process.nr_threads);
}

/* --- Holds ------------------------------------------------------------------------------------ */

static int hold_as_victim(void *unused)
{
	(void)unused;
	expect(wait_block(&never, DEADLINE_NEVER) == -EINTR, "the wait of a victim goes on");
	expect(process_hold(subject), "a killed thread could not hold a living process");
	process_unhold(subject);
	return 3;
}

SCENARIO(holder_dies, "hold.by_a_victim", "06.6", "P6.8", .cpus = 1)
{
	struct process *its = make_child();
	struct thread *t;
	pid_t pid, its_pid = its->pid;

	subject = make_leaver(&kernel_process, &t);
	pid = subject->pid;
	thread_resume(create_in(its, hold_as_victim, NULL));
	let_others_run();
	process_kill(its, KILLED);
	expect_status(its_pid, KILLED);
	thread_resume(t);
	expect_status(pid, STATUS_EXIT(3));
}

static int hold_for_others(void *unused)
{
	(void)unused;
	expect(process_hold(current_process()), "a thread could not hold its own process");
	return 3;
}

/* A thread takes a hold on its own process, and leaves; another process gives it up. */
SCENARIO(handed_on, "hold.handed_on", "06.6", "P6.8", .cpus = 1)
{
	pid_t pid;

	subject = process_get(make_child());
	pid = subject->pid;
	thread_resume(create_in(subject, hold_for_others, NULL));
	while (subject->nr_threads)
		let_others_run();
	let_others_run();
	expect(!teardowns, "a held process was torn down");
	process_unhold(subject);
	process_put(subject);
	expect_end(pid, STATUS_EXIT(3));
}

static int give_up_own(void *unused)
{
	(void)unused;
	process_unhold(current_process());
	return 3;
}

/* The other way round: the process's own thread gives up what another one took. */
SCENARIO(handed_over, "hold.handed_over", "06.6", "P6.8", .cpus = 1)
{
	struct thread *t;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	t = create_in(subject, give_up_own, NULL);
	expect(process_hold(subject), "a living process could not be held");
	thread_resume(t);
	expect_end(pid, STATUS_EXIT(3));
}

/* --- The family ------------------------------------------------------------------------------- */

/* The parent of the one that ends takes orphans in, but is dying itself, and is held. */
SCENARIO(subreaper_dies, "orphan.of_a_dying_subreaper", "06.2", "P6.9", .cpus = 1, .keeps = true)
{
	struct thread *t, *unborn;
	struct process *parent = make_leaver(&kernel_process, &unborn), *ends, *orphan;

	parent->subreaper = true;
	expect(process_hold(parent), "a living process could not be held");
	ends = make_leaver(parent, &t);
	orphan = make_leaver(ends, &unborn);
	adopt_orphans();
	process_kill(parent, KILLED);
	thread_resume(t);
	while (process_state(ends) != PROCESS_ZOMBIE)
		let_others_run();
	expect(orphan->parent == init_process, "an orphan has come to a subreaper that is dying");
	end_here();
}

/* Puts @c, which has only what a wait asks of a child, among this process's children. */
static void add_child(struct process *c, pid_t pid)
{
	c->pid = pid;
	c->exit_signal = SIGCHLD;
	spin_lock(&tree_lock);
	process_set_parent(c, &kernel_process);
	list_push_back(&kernel_process.children, &c->sibling);
	spin_unlock(&tree_lock);
}

/* Looks for any child that has ended: it must be @pid. Returns what the wait returned. */
static int look(pid_t pid)
{
	struct wait_result res = { 0 };
	int err = process_wait(-1, WEXITED | WNOHANG | WNOWAIT, &res);

	expect(err || res.pid == pid, "a look found process %d, not %d", res.pid, pid);
	return err;
}

/* Waits for any child to end: it must be @pid. */
static void collect_any(pid_t pid)
{
	struct wait_result res = { 0 };
	int err = process_wait(-1, WEXITED, &res);

	expect(!err && res.pid == pid, "a wait returned %d, process %d, not %d", err, res.pid,
	       pid);
}

/* It is the youngest of very many children that have not ended. */
SCENARIO(among_many, "zombie.among_very_many", "06.2", "P6.7", .cpus = 1, .keeps = true)
{
	static struct process crowd[1100];
	struct thread *t;
	pid_t pid;

	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++)
		add_child(&crowd[i], 10000 + (pid_t)i);
	pid = make_leaver(&kernel_process, &t)->pid;
	thread_resume(t);
	collect_any(pid);
	end_here();
}

/* Returns a child that has ended. */
static struct process *make_zombie(void)
{
	struct thread *t;
	struct process *p = make_leaver(&kernel_process, &t);

	thread_resume(t);
	while (process_state(p) != PROCESS_ZOMBIE)
		let_others_run();
	return p;
}

/* A child has the id of the one that was collected last. */
SCENARIO(same_id, "zombie.same_id_again", "06.2", "P6.7", .cpus = 1, .keeps = true)
{
	pid_t pid = make_zombie()->pid;

	collect_any(pid);
	make_zombie()->pid = pid;
	expect(!look(pid), "a child with the id of one that is gone was not found");
	end_here();
}

/* A zombie that was looked at is gone in another way, as one is that nobody wants. */
SCENARIO(looked_and_gone, "zombie.looked_at_and_gone", "06.2", "P6.7", .cpus = 1, .keeps = true)
{
	struct process *p = make_zombie();
	int err = look(p->pid);

	expect(!err, "a look for a child that has ended returned %d", err);
	spin_lock(&tree_lock);
	list_remove(&p->sibling);
	spin_unlock(&tree_lock);
	look(0);
	end_here();
}
