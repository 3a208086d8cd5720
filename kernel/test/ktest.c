/*
 * The in-kernel test runner: chooses tests by boot argument, runs them one after the other on the
 * caller's thread, and reports the results.
 *
 * For the grader (nonce=) each line is a message, "@@<nonce> <number> <kind> <words>". Messages are
 * numbered from 1:
 *	begin <version>				fail <property> <file:line> <ns> <text>
 *	list <name> <step> <property>		sum <property> <checks> <failed>
 *	test <name>				figure <name> <value>
 *	done <name>				end <tests> <checks> <failed>
 * For a person it prints a line when a test begins, for each failed check, when the test ends, and
 * at last how many there were. Each test then has the whole limit= for itself, and stuck.c says
 * what one that did not end was waiting for.
 *
 * No locks: checks come from any thread, CPU and context, so counts are atomic and a message is
 * written by one call, which does not go through what lab 01 writes. A test that aborts never
 * returns: the remaining tests run on top of its stack frames, so that everything its threads still
 * point at stays valid.
 */
#include "test/ktest.h"

#include "arch.h"
#include "base/bootargs.h"
#include "base/printf.h"
#include "base/string.h"
#include "base/trace.h"
#include "console/console.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "test/instrument.h"

#define PROTOCOL	1
#define TALLIES		16	/* the most properties of one test */
#define FAILURES_SHOWN	4	/* of one property; the others are only counted */
#define IDLE_TIMES	8
#define IDLE_NS		100000u

extern const struct ktest ktests_start[], ktests_end[];	/* linker script */

struct tally {
	_Atomic(const char *) property;	/* NULL: free */
	_Atomic unsigned checks, failed;
};

static struct {
	char nonce[33];			/* [const] empty: a person reads */
	const char *names, *step;	/* [const] test= and selftest=, or NULL */
	u64 seed;			/* [const] */
	_Atomic unsigned messages;
	const struct ktest *next;	/* [runner] the next test to consider */
	const struct ktest *current;	/* [runner] */
	_Atomic(const struct ktest *) ended;	/* the last test that a thread has ended */
	u64 until;			/* [runner] when the current test's time is up; 0: never */
	const char *skipped;		/* [runner] why the current test is, or NULL */
	unsigned tests, checks, failed, failed_tests, skipped_tests;	/* [runner] totals */
	struct tally tallies[TALLIES];	/* of the current test */
} run;

static printf_like(2, 3) void say(const char *kind, const char *fmt, ...)
{
	char words[256], line[320];
	va_list ap;
	int n;

	if (!*run.nonce)
		return;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	for (char *c = words; *c; c++)
		if ((u8)*c < ' ')
			*c = ' ';	/* a message is one line */
	n = snprintf(line, sizeof(line), "@@%s %u %s %s\n", run.nonce,
		     atomic_fetch_add(&run.messages, 1) + 1, kind, words);
	console_write_now(STREAM_KERNEL, line, n);
}

/* Takes the nonce, and wipes it from the command line before anything else can read it. */
static void take_nonce(void)
{
	char *nonce = (char *)bootarg("nonce");	/* a word of machine.cmdline */
	size_t n = nonce ? strlen(nonce) : 0;

	if (!n)
		return;
	if (n >= sizeof(run.nonce))
		bootarg_bad("nonce", "1 to 32 characters");
	memcpy(run.nonce, nonce, n);
	memset(nonce, '-', n);
}

u64 ktest_seed(void)
{
	return run.seed;
}

u64 test_random(void)
{
	static _Atomic u64 state;
	u64 x = atomic_fetch_add(&state, 0x9e3779b97f4a7c15UL) + run.seed;

	/* splitmix64 (Steele, Lea, Flood 2014) */
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebUL;
	return x ^ (x >> 31);
}

/*
 * --- Checks -------------------------------------------------------------------------------------
 */

/* Returns the tally of @property, if need be a new one; the last one serves all that do not fit. */
static struct tally *tally_of(const char *property)
{
	for (struct tally *t = run.tallies; t < run.tallies + TALLIES - 1; t++) {
		const char *taken = NULL;

		if (atomic_compare_exchange_strong(&t->property, &taken, property) ||
		    !strcmp(taken, property))
			return t;
	}
	return &run.tallies[TALLIES - 1];
}

/* Reports a failing check. The grader's replay stops GDB here, at the first one. */
static noinline void ktest_failing(const char *property, const char *where, const char *text)
{
	trace(TRACE_TEST, TRACE_EV_MARK, (u64)where, (u64)property);
	say("fail", "%s %s %lu %s", property, where, time_now(), text);
	if (!*run.nonce)
		kprintf("  %s %s: %s\n", property, where, text);
}

void ktest_check(bool ok, const char *property, const char *file, int line, const char *fmt, ...)
{
	struct tally *t = tally_of(property);
	char where[64], text[160];
	va_list ap;

	atomic_fetch_add(&t->checks, 1);
	if (ok || atomic_fetch_add(&t->failed, 1) >= FAILURES_SHOWN)
		return;
	snprintf(where, sizeof(where), "%s:%d", file, line);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ktest_failing(property, where, text);
}

void ktest_figure(const char *name, u64 value)
{
	say("figure", "%s %lu", name, value);
	if (!*run.nonce && !run.step)
		kprintf("  %s %lu\n", name, value);
}

void ktest_skip(const char *why)
{
	run.skipped = why;
}

/*
 * --- Running ------------------------------------------------------------------------------------
 */

/* Checks whether the list "a,b,c" contains @name. */
static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; p; p = strchr(p, ',')) {
		if (*p == ',')
			p++;
		if (!strncmp(p, name, n) && (p[n] == ',' || !p[n]))
			return true;
	}
	return false;
}

static bool wanted(const struct ktest *k)
{
	if (run.names)
		return listed(run.names, k->name);
	return !strcmp(run.step, k->step);
}

/* Tells a person that a test begins, which has the whole limit for itself. */
static void show_begin(const struct ktest *k)
{
	u64 limit = bootarg_number("limit", 0, 0, ~0UL);

	kprintf("run  %s %s\n", k->step, k->name);
	run.until = limit ? time_now() + limit : 0;
	irq_off();
	time_set_limit(limit);
	irq_on();
}

/* Tells a person how a test ended that had @checks, of which @failed failed. */
static void show_end(const struct ktest *k, unsigned checks, unsigned failed)
{
	if (*run.nonce)
		return;
	if (run.skipped)
		kprintf("skip %s %s: %s\n", k->step, k->name, run.skipped);
	else
		kprintf("%s %s %s, %u check%s\n", failed ? "FAIL" : "ok  ", k->step, k->name,
			checks, checks == 1 ? "" : "s");
}

/*
 * Ends the current test. Only the first thread that comes here does; others, which give up at the
 * same time, spin for ever. Checks after this do not count: a test must wait for its threads.
 */
static void finish_test(void)
{
	const struct ktest *k = run.current;
	unsigned checks = 0, failed = 0;

	if (atomic_exchange(&run.ended, k) == k)
		for (;;)
			arch_spin_hint();
	for (struct tally *t = run.tallies; t < run.tallies + TALLIES; t++) {
		const char *property = atomic_exchange(&t->property, NULL);
		unsigned n = atomic_exchange(&t->checks, 0), bad = atomic_exchange(&t->failed, 0);

		if (!n)
			continue;
		say("sum", "%s %u %u", property ? property : "-", n, bad);
		checks += n;
		failed += bad;
	}
	say("done", "%s", k->name);
	show_end(k, checks, failed);
	run.tests++;
	run.skipped_tests += run.skipped != NULL;
	run.skipped = NULL;
	run.checks += checks;
	run.failed += failed;
	run.failed_tests += failed != 0;
}

static noreturn void finish_run(void)
{
	if (!run.tests)
		kprintf("no such test; test=list names them, and the steps: selftest= takes one\n");
	else if (!*run.nonce)
		kprintf("%u test%s: %u ok, %u failed, %u skipped\n", run.tests,
			run.tests == 1 ? "" : "s",
			run.tests - run.failed_tests - run.skipped_tests, run.failed_tests,
			run.skipped_tests);
	say("end", "%u %u %u", run.tests, run.checks, run.failed);
	console_exit_status(run.failed_tests || !run.tests);
	console_flush();
	arch_machine_end(MACHINE_OFF);
}

static noreturn void run_remaining(void)
{
	while (run.next < ktests_end) {
		const struct ktest *k = run.next++;

		if (!wanted(k))
			continue;
		run.current = k;	/* always a wanted one, for ktest_abort() */
		say("test", "%s", k->name);
		if (!*run.nonce)
			show_begin(k);
		k->fn();
		finish_test();
	}
	finish_run();
}

void ktest_abort(void)
{
	unsigned failed = 0;

	for (struct tally *t = run.tallies; t < run.tallies + TALLIES; t++)
		failed += atomic_load(&t->failed);
	/* A test gives up by REQUIRE(), whose check has failed: without one this fails the test. */
	ktest_check(failed, run.current->property, __FILE__, __LINE__, "the test was left early");
	finish_test();
	run_remaining();
}

void ktest_leave(void)
{
	finish_test();
	run_remaining();
}

const char *ktest_property(void)
{
	return run.current->property;
}

void ktest_at_panic(void)
{
	if (run.until && !time_before(time_now(), run.until))
		stuck_print(run.current->name);
}

/*
 * Lets this CPU idle a few times. The grader asks for the list twice to check that the machine runs
 * the same way each time, and the way idle time passes is part of that.
 */
static void stand_idle(void)
{
	for (unsigned i = 0; i < IDLE_TIMES; i++) {
		arch_irqs_disable();
		timer_set(this_cpu(), time_now() + IDLE_NS);
		arch_idle_wait();
		arch_irqs_enable();
	}
}

static noreturn void list_tests(void)
{
	stand_idle();
	for (const struct ktest *k = ktests_start; k < ktests_end; k++) {
		say("list", "%s %s %s", k->name, *k->step ? k->step : "-", k->property);
		if (!*run.nonce)
			kprintf("%-6s%-32s%s\n", k->step, k->name, k->property);
	}
	console_exit_status(0);
	console_flush();
	arch_machine_end(MACHINE_OFF);
}

void ktest_early(void)
{
	bool some = false;

	run.names = bootarg("test");
	run.step = bootarg("selftest");
	run.seed = bootarg_number("seed", 1, 0, ~0UL);
	take_nonce();
	if (!run.names && !run.step)
		return;
	for (const struct ktest *k = ktests_start; k < ktests_end; k++) {
		if (wanted(k) && !k->early)
			return;
		some |= wanted(k);
	}
	if (some)
		ktest_main();
}

void ktest_main(void)
{
	if (!run.names && !run.step)
		return;
	say("begin", "%u", PROTOCOL);
	if (run.names && !strcmp(run.names, "list"))
		list_tests();
	run.next = ktests_start;
	run_remaining();
}
