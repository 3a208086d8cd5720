/*
 * In-kernel tests: linked only into test kernels (TESTS=1), run by the boot argument
 * test=<name>[,<name>...] or selftest=<NN.k> (all tests of lab NN's step k), in a kernel thread
 * before user space starts. They live beside their unit (test_*.c) or in labs/NN-name/tests/.
 *
 * Results go out on the kernel stream, each line tagged with the boot argument nonce=, and into the
 * trace as MARK records; then the machine powers off. The grader judges from these and from
 * the trace, never from anything else that is printed. Without nonce= the lines are for people.
 */
#pragma once

#include "base/panic.h"
#include "types.h"

struct ktest {
	const char *name;	/* "sleep.never_early" */
	const char *step;	/* "04.1", or "" */
	const char *property;	/* "P4.1": the handout's sentence that it checks by default */
	void (*fn)(void);
	bool early;		/* runs on the idle thread before any other exists: cannot block */
};

/* Tests run in the order of the source; GCC turns the order of data around unless told not to. */
#if !__has_attribute(no_reorder)
#define no_reorder
#endif

#define KTEST(id, name, step, property)		KTEST_ENTRY(id, name, step, property, false)

/* For labs in which threads do not work yet: CPU 0 alone, interrupts off, see ktest_early(). */
#define KTEST_EARLY(id, name, step, property)	KTEST_ENTRY(id, name, step, property, true)

#define KTEST_ENTRY(id, name_, step_, property_, early_)				\
	static void ktest_##id(void);							\
	static const struct ktest ktest_entry_##id					\
	__attribute__((used, no_reorder, section(".ktests"), aligned(8))) = {		\
		.name = (name_), .step = (step_), .property = (property_), .fn = ktest_##id,	\
		.early = (early_)							\
	};										\
	static void ktest_##id(void)

/* Records one check of @property. If @ok is false the test fails, but goes on. Any context. */
void ktest_check(bool ok, const char *property, const char *file, int line, const char *fmt, ...)
	printf_like(5, 6);

/* Ends the current test now, as it stands. Only from the test's own thread. */
noreturn void ktest_abort(void);

/* The same, where the test cannot return, but has done all it had to. In a trap's handler, too. */
noreturn void ktest_leave(void);

/* CHECK(woke >= due, "P4.1", "woke %lu ns early", due - woke) */
#define CHECK(cond, property, ...) \
	ktest_check(!!(cond), (property), __FILE__, __LINE__, __VA_ARGS__)

#define REQUIRE(cond, property, ...)					\
	do {								\
		bool ok_ = !!(cond);					\
		CHECK(ok_, (property), __VA_ARGS__);			\
		if (!ok_)						\
			ktest_abort();					\
	} while (0)

/* The property that the running test names: for checks in functions that several tests share. */
const char *ktest_property(void);

/* A figure for the report: name and value. A person sees it with test=, not with selftest=. */
void ktest_figure(const char *name, u64 value);

/* For a panic: if the test's time is up, names it and prints where all threads stand (stuck.c). */
void ktest_at_panic(void);
void stuck_print(const char *test);

/* The boot argument seed=. */
u64 ktest_seed(void);

/* Runs what the boot arguments ask for and powers off; returns at once if they ask for nothing. */
void ktest_main(void);

/* The same before the first thread is made, if all that is asked for are early tests. */
void ktest_early(void);

/* The current test is skipped, as the machine cannot show what it is about: "it needs CPUS=1". */
void ktest_skip(const char *why);

/* Leaves the test function, with cpu.h, if the number of CPUs is wrong for it. */
#define NEEDS(cond, cpus_needed)						\
	do {									\
		if (!(cond)) {							\
			ktest_skip("it needs CPUS=" #cpus_needed);		\
			return;							\
		}								\
	} while (0)
#define NEEDS_ONE_CPU	NEEDS(nr_cpus == 1, 1)
#define NEEDS_TWO_CPUS	NEEDS(nr_cpus > 1, 2)
