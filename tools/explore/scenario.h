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

/* Ends the execution with a verdict. */
_Noreturn void explore_fail(const char *fmt, ...) printf_like(1, 2);

/* A CPU pauses before each access to this atomic word, whether or not one was seen to race. */
void explore_races(const void *address);

#define expect(cond, ...)				\
	do {						\
		if (!(cond))				\
			explore_fail(__VA_ARGS__);	\
	} while (0)

/* A new kernel thread that runs. */
static inline struct thread *start(thread_fn entry, void *arg)
{
	struct thread *t = thread_create("thread", entry, arg, PRIORITY_DEFAULT);

	thread_resume(t);
	return t;
}
