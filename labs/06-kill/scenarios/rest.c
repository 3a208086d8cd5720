/*
 * Lab 06, step 4: victims at rest, off the CPU on their way to user mode, do not run again,
 * whatever else is true of them.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "process/futex_impl.h"
#include "process/signal_impl.h"

static struct process *subject;
static struct thread *victim;

static _Atomic bool runs;
static bool at_rest;
static u64 switches;			/* to the victim, before it was killed */
static void (*before_kill)(void);	/* makes something else true of the victim at rest */

static int stay_in_user_mode(void *unused)
{
	(void)unused;
	runs = true;
	host_user_loop();
}

/* Starts the victim, the subject's thread, and returns when it runs on CPU 1. */
static pid_t start_at_rest(struct process *p)
{
	subject = p;
	runs = false;
	victim = create_on(p, 1, stay_in_user_mode);
	stay_on(0);
	thread_get(victim);
	thread_resume(victim);
	while (!runs)
		arch_spin_hint();
	return p->pid;
}

/*
 * The victim cannot leave @state, as nobody resumes it, or interrupts are off on its CPU. Other
 * work at the edge is no reason to let it run again.
 */
static void kill_in(enum thread_state state)
{
	struct runq *rq = thread_runq_lock_allowed(victim);

	at_rest = thread_state(victim) == state && victim->unwound;
	switches = victim->stats.switches_in;
	atomic_fetch_or(&victim->work, WORK_SIGNAL | WORK_SUSPEND);
	runq_unlock(rq);
	if (before_kill)
		before_kill();
	process_kill(subject, KILLED);
}

static void expect_no_more_runs(pid_t pid)
{
	expect_status(pid, KILLED);
	expect(!at_rest || victim->stats.switches_in == switches,
	       "a victim that had run, and had no kernel work in hand, ran again after the kill");
	thread_put(victim);
}

static int kill_ready(void *unused)
{
	(void)unused;
	irq_off();
	kill_in(THREAD_READY);
	irq_on();
	return 0;
}

/* The killer takes the CPU from the victim, which is in user mode or on its way there. */
static void kill_preempted(pid_t pid)
{
	struct thread *killer = thread_create("killer", kill_ready, NULL, PRIORITY_HIGHEST);

	expect(!sched_set_affinity(killer, BIT(1)), "CPU 1 is not there");
	thread_resume(killer);
	join(killer);
	expect_no_more_runs(pid);
}

/* The victim suspends itself when it leaves the kernel. */
static void kill_stopped(pid_t pid)
{
	expect(!thread_suspend(victim), "the suspend failed");
	while (thread_state(victim) != THREAD_SUSPENDED)
		arch_spin_hint();
	kill_in(THREAD_SUSPENDED);
	expect_no_more_runs(pid);
}

SCENARIO(at_rest_preempted, "kill.preempted_at_rest", "06.4", "P6.4", .cpus = 2, .no_costume = true)
{
	kill_preempted(start_at_rest(make_child()));
}

SCENARIO(at_rest_stopped, "kill.stopped_at_rest", "06.4", "P6.4", .cpus = 2)
{
	kill_stopped(start_at_rest(make_child()));
}

struct words {
	_Atomic u32 lock, tid;
	u64 robust[3];			/* Linux's robust_list_head */
};

#define USER	((struct words *)host_user_page)

static int wait_for_owner(void *unused)
{
	(void)unused;
	futex_lock_pi((vaddr_t)&USER->lock, false, DEADLINE_NEVER, false);
	return 3;
}

static struct process *make_program(void)
{
	struct process *p = make_child();

	give_memory(p);
	return p;
}

/*
 * As kill_preempted() and kill_stopped(), where the victim is a thread as the C library makes it,
 * and owns a lock that a thread of another program waits for. The reaper does what there is to do.
 */
static void kill_owner(void (*kill_it)(pid_t pid))
{
	struct process *other = make_program();
	struct thread *waiter = create_on(other, 0, wait_for_owner);
	pid_t pid = start_at_rest(make_program()), others = other->pid;

	USER->lock = USER->tid = victim->tid;
	USER->robust[0] = (u64)USER->robust;
	victim->robust_list = (vaddr_t)USER->robust;
	victim->clear_tid = (vaddr_t)&USER->tid;
	thread_resume(waiter);
	await_state(waiter, THREAD_BLOCKED);
	expect(!list_empty(&victim->contended), "the victim owns no lock that another waits for");
	kill_it(pid);
	expect_status(others, STATUS_EXIT(3));
}

SCENARIO(owner_preempted, "kill.preempted_owner", "06.4", "P6.4", .cpus = 2, .no_costume = true)
{
	kill_owner(kill_preempted);
}

SCENARIO(owner_stopped, "kill.stopped_owner", "06.4", "P6.4", .cpus = 2, .no_costume = true)
{
	kill_owner(kill_stopped);
}

/* --- What else may be true of it -------------------------------------------------------------- */

/* A signal that it blocks has been sent to it alone. */
static void has_a_signal(void)
{
	spin_lock(&subject->lock);
	victim->sigmask = SIGSET(SIGUSR1);
	atomic_fetch_or(&victim->sigpending, SIGSET(SIGUSR1));
	spin_unlock(&subject->lock);
}

SCENARIO(with_signal, "kill.preempted_with_signal", "06.4", "P6.4", .cpus = 2, .no_costume = true)
{
	before_kill = has_a_signal;
	kill_preempted(start_at_rest(make_child()));
}

SCENARIO(stopped_with_signal, "kill.stopped_with_signal", "06.4", "P6.4", .cpus = 2)
{
	before_kill = has_a_signal;
	kill_stopped(start_at_rest(make_child()));
}

/* It has to report a stop: that signal came when it had looked at its other marks. */
static void has_a_stop_to_report(void)
{
	spin_lock(&subject->lock);
	subject->stopped = true;
	subject->stop_signal = SIGSTOP;
	victim->stop_pending = true;
	subject->stopping++;
	spin_unlock(&subject->lock);
}

SCENARIO(with_stop, "kill.preempted_with_stop", "06.4", "P6.4", .cpus = 2, .no_costume = true)
{
	before_kill = has_a_stop_to_report;
	kill_preempted(start_at_rest(make_child()));
}

/* It was told of an earlier kill while it ran, and lost the CPU before it could see that. */
static void was_told(void)
{
	atomic_fetch_or(&victim->work, WORK_KILL);
}

SCENARIO(told_before, "kill.preempted_when_told", "06.4", "P6.4", .cpus = 2, .no_costume = true)
{
	before_kill = was_told;
	kill_preempted(start_at_rest(make_child()));
}

static void its_process_is_stopped(void)
{
	spin_lock(&subject->lock);
	process_stop(subject, SIGSTOP);
	spin_unlock(&subject->lock);
}

SCENARIO(process_stopped, "kill.stopped_process", "06.4", "P6.4", .cpus = 2)
{
	before_kill = its_process_is_stopped;
	kill_stopped(start_at_rest(make_child()));
}

/* Gives the victim a reservation, which the reaper gives back. */
static void reserve(void)
{
	struct sched_params p = { .class = SCHED_DEADLINE, .runtime = 4 * NSEC_PER_MSEC,
				  .deadline = 10 * NSEC_PER_MSEC, .period = 10 * NSEC_PER_MSEC };

	expect(!sched_set_affinity(victim, BIT(0) | BIT(1)), "CPU 0 is not there");
	expect(!sched_set_params(victim, &p), "the reservation is refused");
}

SCENARIO(reserved, "kill.stopped_with_reservation", "06.4", "P6.4", .cpus = 2,
	 .bootargs = "sched=edf", .no_costume = true)
{
	pid_t pid = start_at_rest(make_child());

	reserve();
	kill_stopped(pid);
}

/* It is ready on this CPU, which cannot switch to it before the kill. */
SCENARIO(reserved_unrun, "kill.unrun_with_reservation", "06.4", "P6.4", .cpus = 2, .sets_up = true,
	 .bootargs = "sched=edf", .no_costume = true)
{
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	victim = thread_get(create_on(subject, 0, stay_in_user_mode));
	reserve();
	stay_on(0);
	explore_from_here();
	irq_off();
	thread_resume(victim);
	process_kill(subject, KILLED);
	irq_on();
	expect_status(pid, KILLED);
	thread_put(victim);
	expect(!runs, "a victim that had not run before the kill ran after it");
}
