/*
 * Scenarios: small programs over the kernel's functions that the explorer runs under every
 * interleaving.
 *
 *	SCENARIO(join_one, "join.one", "02.5", "P2.5", .cpus = 2)
 *	{
 *		struct thread *t = start(body, 7);
 *		...
 *		expect(code == 7, "joined with code %d", code);
 *	}
 *
 * The function runs in a kernel thread on CPU 0. When it has returned and all CPUs are idle, the
 * explorer calls `after`, if there is one, and checks that every object and stack was given back. A
 * failed assertion, a deadlock, an access to freed memory and a leak need no line of the scenario.
 */
#pragma once

#include "explore/entry.h"
#include "sched/policy/policy.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "thread/thread.h"
#include "types.h"

#define SCENARIO(id, name_, step_, property_, ...)					\
	static void scenario_##id(void);						\
	static const struct scenario scenario_entry_##id				\
	__attribute__((used, section("scenarios"), aligned(8))) = {			\
		.name = (name_), .step = (step_), .property = (property_),		\
		.run = scenario_##id, __VA_ARGS__					\
	};										\
	static void scenario_##id(void)

/* A function for each CPU, which runs without a kernel: to test the explorer itself. */
#define BARE_SCENARIO(id, name_, ...)							\
	static void bare_##id(unsigned cpu);						\
	static const struct scenario scenario_entry_##id				\
	__attribute__((used, section("scenarios"), aligned(8))) = {			\
		.name = (name_), .step = "", .property = "", .keeps = true,		\
		.bare = bare_##id, __VA_ARGS__						\
	};										\
	static void bare_##id(unsigned cpu __attribute__((unused)))

/* Ends the execution with a verdict. */
_Noreturn void explore_fail(const char *fmt, ...) printf_like(1, 2);

/* Notes where the check stands that fails next. */
void explore_check_at(const char *file, unsigned line);

#define expect(cond, ...)						\
	do {								\
		if (!(cond)) {						\
			explore_check_at(__FILE__, __LINE__);		\
			explore_fail(__VA_ARGS__);			\
		}							\
	} while (0)

/* Of a scenario with `.sets_up = true`, all before this runs in one way only, the usual one. */
void explore_from_here(void);

/* Moves the clock on to @now, ns since boot; timers that are due then fire as usual. */
void host_clock_to(u64 now);

/*
 * As if other CPUs took a hold and gave it up, @pairs times, always just before an exchange: each
 * time @word is not any more what the exchange expects, and in the end it is as it was.
 */
void host_contend(_Atomic u32 *word, unsigned pairs);

/* The same of a word that is no count: it becomes @other, then again what it is now, and so on. */
void host_contend_with(_Atomic u64 *word, u64 other, unsigned pairs);

/* In a loop that waits for others: the turn of another CPU, and of a thread of this CPU. */
static inline void let_others_run(void)
{
	arch_spin_hint();
	thread_yield();
}

static inline void await_state(struct thread *t, enum thread_state state)
{
	while (thread_state(t) != state)
		let_others_run();
}

/* A new kernel thread that runs. */
static inline struct thread *start(thread_fn entry, void *arg)
{
	struct thread *t = thread_create("thread", entry, arg, PRIORITY_DEFAULT);

	expect(t, "a thread could not be made: there may be too many");
	thread_resume(t);
	return t;
}

/* A thread that cannot move to other CPUs has far fewer interleavings. */
static inline struct thread *create_among(u32 mask, thread_fn entry, void *arg)
{
	struct thread *t = thread_create("thread", entry, arg, PRIORITY_DEFAULT);

	expect(t, "a thread could not be made: there may be too many");
	expect(!sched_set_affinity(t, mask), "there is no CPU among %x", mask);
	return t;
}

static inline struct thread *start_on(unsigned cpu, thread_fn entry, void *arg)
{
	struct thread *t = create_among(BIT(cpu), entry, arg);

	thread_resume(t);
	return t;
}

/* Keeps the current thread on one CPU. */
static inline void stay_on(unsigned cpu)
{
	expect(!sched_set_affinity(current_thread(), BIT(cpu)), "CPU %u is not there", cpu);
}

#define MOST_URGENT	((struct sched_params){ .class = SCHED_FIFO, .rt_priority = 99 })

/* From here on no other thread takes the CPU from the current one, until that gives it away. */
static inline void be_urgent(void)
{
	expect(!sched_set_params(current_thread(), &MOST_URGENT), "no real-time thread");
}

/* Waits until @t has ended, and returns its code. */
static inline int join(struct thread *t)
{
	int code = 0, err = thread_join(t, &code, DEADLINE_NEVER);

	expect(!err, "a join returned %d", err);
	return code;
}

/*
 * --- Actors --------------------------------------------------------------------------------------
 *
 * An exit and a join have several times as many interleavings as most races. So a scenario about
 * something else needs no thread that exits:
 *
 *	static struct actor reader;
 *
 *	static const char *one_read(void)
 *	{
 *		return reader.result == 7 ? NULL : wrong("it read %d", reader.result);
 *	}
 *
 *	SCENARIO(name, "reader.one", "", "", .cpus = 2, .after = one_read, .keeps = true)
 *	{
 *		act_on(1, &reader, read_it);
 *		...
 *		end_here();
 *	}
 *
 * Its function has returned when `after` is called; an actor that waits for ever is a deadlock.
 */
struct actor {
	int (*run)(void);
	int result;
	struct thread *thread;
	bool urgent;			/* set it before: the thread is a real-time one */
};

/* arch/host: the scenario ends when all its threads have. */
void host_thread_begins(void);
void host_thread_ends(void);

/* For `after`: what is wrong. */
const char *wrong(const char *fmt, ...) printf_like(1, 2);

/* The current thread never runs again. */
static inline void end_here(void)
{
	struct waiter w;

	host_thread_ends();
	waiter_init(&w, WAIT_UNKILLABLE);
	sched_block(&w, false);
}

static inline int act(void *actor)
{
	struct actor *a = actor;

	a->result = a->run();
	end_here();
	return 0;
}

/* Starts the actor's thread @t, which was created to call act(). */
static inline void start_actor(struct actor *a, struct thread *t)
{
	struct sched_params urgent = params_of_level(PRIORITY_HIGHEST);

	host_thread_begins();
	a->thread = t;
	if (a->urgent)
		policy_set_params(&t->se, &urgent, time_now());
	t->unwound = false;
	thread_resume(t);
}

/*
 * Runs @run on the CPUs in @mask. A kill that comes before it runs finds it in the middle of kernel
 * work, so it runs nevertheless.
 */
static inline void act_among(u32 mask, struct actor *a, int (*run)(void))
{
	a->run = run;
	start_actor(a, create_among(mask, act, a));
}

static inline void act_on(unsigned cpu, struct actor *a, int (*run)(void))
{
	act_among(BIT(cpu), a, run);
}

/* Lets others run until the actor waits for something. */
static inline void await_blocked(const struct actor *a)
{
	await_state(a->thread, THREAD_BLOCKED);
}
