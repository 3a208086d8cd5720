/*
 * Lab 06, hidden: processes that compute in user mode, on all CPUs but the test's, with others that
 * wait behind them. They are killed from other CPUs or by a thread that takes the CPU from one of
 * them, whole or a thread at a time, moved or suspended before. No quantum ends, so unless a kill
 * makes its victim enter the kernel, nothing does.
 */
#include "victims.h"

#include "base/string.h"
#include "mm/vm.h"
#include "sched/sched.h"

#define CODE		0x10000000UL
#define STACKS		0x20000000UL	/* a page for each thread */
#define CODE_SIZE	256u		/* more than compute() has */
#define CROWD		4
#define THREADS		3
#define TURNS		150
#define LONG		(50 * NSEC_PER_MSEC)	/* an interrupt takes a tiny part of this */

/* A process, and what the calls so far have made of it. */
static struct user {
	struct process *process;	/* NULL: it is not there */
	struct {
		struct thread *thread;
		vaddr_t stack;
	} threads[THREADS];
	unsigned nr;
	int status;
} users[CROWD];

static unsigned chance(unsigned n)
{
	return test_random() % n;
}

static unsigned some_other_cpu(void)
{
	return 1 + chance(nr_cpus - 1);
}

/* --- Beginnings ------------------------------------------------------------------------------- */

/*
 * Counts in the first word of the page that is its stack. The code is copied to where the user may
 * run it, so it uses nothing that is elsewhere.
 */
static noreturn void compute(void)
{
	for (;;)
		++*(volatile u64 *)((u64)__builtin_frame_address(0) & ~(PAGE_SIZE - 1));
}

static vaddr_t stack_of(unsigned i)
{
	return STACKS + i * PAGE_SIZE;
}

static int become_user(void *stack)
{
	arch_user_init(current_thread(), CODE, (vaddr_t)stack + PAGE_SIZE / 2);
	arch_user_enter();
}

/* Returns a new page of @as, with a reference. It is present, so no thread will fault there. */
static struct page *new_page(struct addr_space *as, vaddr_t addr, unsigned prot)
{
	struct map_request req = { .addr = addr, .size = PAGE_SIZE, .prot = prot, .fixed = true };
	struct page *p = NULL;
	vaddr_t at;
	int err = as_map(as, &req, &at);

	if (!err)
		p = as_pin_page(as, addr, VM_WRITE, &err);
	REQUIRE(p, "P6.11", "no memory for a program: %d", err);
	return p;
}

static struct addr_space *new_program(void)
{
	struct addr_space *as;
	struct page *p;

	REQUIRE(as_create(&as) == 0, "P6.11", "no memory for a program");
	for (unsigned i = 0; i < THREADS; i++)
		page_put(new_page(as, stack_of(i), VM_READ | VM_WRITE));
	p = new_page(as, CODE, VM_READ | VM_WRITE | VM_EXEC);
	memcpy(page_to_virt(p), (const void *)compute, CODE_SIZE);
	page_put(p);
	return as;
}

static void start_on(struct thread *t, unsigned cpu)
{
	t->affinity = t->se.affinity = BIT(cpu);
	t->cpu = &cpus[cpu];
	thread_resume(t);
}

static void begin_one(struct user *u)
{
	*u = (struct user){ .nr = 1 + chance(THREADS) };
	REQUIRE(process_create(current_process(), &u->process) == 0, "P6.11",
		"no process was made");
	u->process->as = new_program();
	for (unsigned i = 0; i < u->nr; i++) {
		u->threads[i].stack = stack_of(i);
		REQUIRE(thread_create_in(u->process, "user", become_user, (void *)stack_of(i),
					 PRIORITY_DEFAULT, &u->threads[i].thread) == 0,
			"P6.11", "no thread was made");
	}
	for (unsigned i = 0; i < u->nr; i++)
		start_on(u->threads[i].thread, some_other_cpu());
}

static u64 beats(struct user *u, unsigned i)
{
	int err;
	struct page *p = as_pin_page(u->process->as, u->threads[i].stack, VM_READ, &err);
	u64 n;

	REQUIRE(p, "P6.11", "no memory for a program");
	n = *(volatile u64 *)page_to_virt(p);
	page_put(p);
	return n;
}

/* Those that have a CPU are in user mode, and stay there. */
static void settle(void)
{
	for (unsigned k = 0; k < CROWD; k++) {
		struct user *u = &users[k];

		for (unsigned i = 0; u->process && i < u->nr; i++) {
			u64 before = beats(u, i);

			while (thread_state(u->threads[i].thread) == THREAD_RUNNING &&
			       beats(u, i) == before)
				thread_sleep(NSEC_PER_MSEC / 50);
		}
	}
}

/* --- Kills ------------------------------------------------------------------------------------ */

static int some_status(void)
{
	return STATUS_SIGNAL(1 + chance(31));
}

static int kill_it(void *arg)
{
	struct user *u = arg;

	return process_kill(u->process, u->status);
}

/* A thread that is more urgent does it, maybe on the CPU of the victim. */
static int kill_from_another(struct user *u)
{
	struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 50 };
	struct thread *t = thread_create("killer", kill_it, u, PRIORITY_DEFAULT);
	int err;

	REQUIRE(t && sched_set_params(t, &p) == 0, "P6.11", "no thread was made");
	start_on(t, chance(nr_cpus));
	thread_join(t, &err, DEADLINE_NEVER);
	return err;
}

static void kill_one(struct user *u)
{
	int err;

	u->status = some_status();
	err = chance(2) ? kill_it(u) : kill_from_another(u);
	CHECK(err == 0, "P6.1", "the first kill returned %d", err);
}

/* @u has been killed. */
static void reap(struct user *u)
{
	u64 until = time_now() + LONG;
	int status;

	while (process_state(u->process) != PROCESS_ZOMBIE && time_before(time_now(), until))
		thread_sleep(NSEC_PER_MSEC / 10);
	REQUIRE(process_state(u->process) == PROCESS_ZOMBIE, "P6.11",
		"a process of %u threads in user mode was killed, and has not ended for %lu ms",
		u->nr, LONG / NSEC_PER_MSEC);
	status = status_of(u->process->pid, "P6.1");
	CHECK(status == u->status, "P6.1", "its status is 0x%x instead of 0x%x", status,
	      u->status);
	u->process = NULL;
}

static void kill_and_reap(struct user *u)
{
	kill_one(u);
	reap(u);
}

/* Several are killed before the test looks at any of them. */
static void kill_some(struct user *unused)
{
	bool killed[CROWD] = { false };

	(void)unused;
	for (unsigned i = 0; i < CROWD; i++) {
		killed[i] = users[i].process && chance(2);
		if (killed[i])
			kill_one(&users[i]);
	}
	for (unsigned i = 0; i < CROWD; i++)
		if (killed[i])
			reap(&users[i]);
}

/* One of its threads is killed; the others go on. */
static void kill_thread(struct user *u)
{
	unsigned i = chance(u->nr);
	u64 until = time_now() + LONG;

	if (u->nr == 1)
		return;
	thread_kill(u->threads[i].thread);
	u->threads[i] = u->threads[--u->nr];
	while (u->process->nr_threads != u->nr && time_before(time_now(), until))
		thread_sleep(NSEC_PER_MSEC / 10);
	REQUIRE(u->process->nr_threads == u->nr, "P6.11",
		"a thread in user mode was killed, and has not ended for %lu ms",
		LONG / NSEC_PER_MSEC);
	CHECK(process_state(u->process) == PROCESS_ALIVE, "P6.1",
	      "one of %u threads was killed, and the process has ended", u->nr + 1);
}

/* --- Before a kill ---------------------------------------------------------------------------- */

static void move_thread(struct user *u)
{
	struct thread *t = u->threads[chance(u->nr)].thread;

	CHECK(sched_set_affinity(t, BIT(some_other_cpu())) == 0, "P6.11", "a mask is refused");
}

static void suspend_thread(struct user *u)
{
	thread_suspend(u->threads[chance(u->nr)].thread);
	if (chance(2))
		kill_and_reap(u);
}

static void resume_thread(struct user *u)
{
	thread_resume(u->threads[chance(u->nr)].thread);
}

/* --- All of it -------------------------------------------------------------------------------- */

static void take_a_turn(void)
{
	static void (*const acts[])(struct user *u) = {
		kill_and_reap, kill_and_reap, kill_some, kill_thread, move_thread, suspend_thread,
		resume_thread,
	};
	struct user *u = &users[chance(CROWD)];

	settle();
	if (u->process)
		acts[chance(ARRAY_SIZE(acts))](u);
	else
		begin_one(u);
}

KTEST(kill_users, "kill.users", "06.h", "P6.11")
{
	u32 affinity = current_thread()->affinity;
	struct counter_snapshot before, after;

	NEEDS_TWO_CPUS;
	sched_set_affinity(current_thread(), BIT(0));
	counters_snapshot(&before);
	for (unsigned i = 0; i < TURNS; i++)
		take_a_turn();
	for (unsigned i = 0; i < CROWD; i++)
		if (users[i].process)
			kill_and_reap(&users[i]);
	counters_snapshot(&after);
	counters_equal(&before, &after, "P6.10");
	audit();
	sched_set_affinity(current_thread(), affinity);
}
