/*
 * Processes for scenarios. Nothing here is a scenario.
 */
#include "explore/scenario.h"

#include "explore/tree.h"
#include "process/cred.h"
#include "process/timers.h"

_Atomic unsigned teardowns, worked, worked_before_teardown;
struct thread *_Atomic torn_down_by;

/* Called once in each teardown. No process of a scenario has timers. */
void process_timers_end(struct process *p)
{
	(void)p;
	teardowns++;
	atomic_store_explicit(&torn_down_by, current_thread(), memory_order_relaxed);
	worked_before_teardown = atomic_load_explicit(&worked, memory_order_relaxed);
}

/* The tasks of the one user there is. */
static _Atomic int tasks;

int task_begin(void)
{
	tasks++;
	return 0;
}

void user_end_task(struct user *u)
{
	(void)u;
	tasks--;
}

/* As many signals may be pending as there is memory for. */
static _Atomic u64 signals;

_Atomic u64 *user_signals(struct user *u)
{
	(void)u;
	return &signals;
}

const char *check_tasks(void)
{
	/* Process 1 is left. */
	return tasks == 1 ? NULL : "not as many tasks were ended as begun";
}

struct process *make_child(void)
{
	struct process *p;

	expect(!process_create(&kernel_process, &p), "a process could not be made");
	return p;
}

void give_memory(struct process *p)
{
	p->as = host_user_space();
}

struct thread *create_in(struct process *p, thread_fn entry, void *arg)
{
	struct thread *t;

	expect(!thread_create_in(p, "thread", entry, arg, PRIORITY_DEFAULT, &t),
	       "a thread could not be made");
	return t;
}

static struct thread *on(unsigned cpu, struct thread *t)
{
	expect(!sched_set_affinity(t, BIT(cpu)), "CPU %u is not there", cpu);
	return t;
}

struct thread *create_on(struct process *p, unsigned cpu, thread_fn entry)
{
	return on(cpu, create_in(p, entry, NULL));
}

struct thread *create_actor_in(struct process *p, unsigned cpu, struct actor *a, int (*run)(void))
{
	a->run = run;
	return on(cpu, create_in(p, act, a));
}

void act_in(struct process *p, unsigned cpu, struct actor *a, int (*run)(void))
{
	start_actor(a, create_actor_in(p, cpu, a, run));
}

int leave_with_3(void *unused)
{
	(void)unused;
	return 3;
}

struct process *make_leaver(struct process *parent, struct thread **t)
{
	struct process *p;

	expect(!process_create(parent, &p), "a process could not be made");
	*t = create_in(p, leave_with_3, NULL);
	return p;
}

void adopt_orphans(void)
{
	init_process = &kernel_process;
}

int wait_for(pid_t pid)
{
	struct wait_result res;
	int err = process_wait(pid, WEXITED, &res);

	expect(!err && res.pid == pid, "waiting for process %d returned %d, process %d", pid, err,
	       res.pid);
	return res.status;
}

void expect_status(pid_t pid, int wanted)
{
	int status = wait_for(pid);

	expect(status == wanted, "the status is 0x%x, not 0x%x", status, wanted);
}

void expect_end(pid_t pid, int wanted)
{
	expect_status(pid, wanted);
	expect(teardowns == 1, "the process was torn down %u times", teardowns);
}
