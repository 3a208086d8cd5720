/*
 * Lab 10, step 1: the test writes to the CPUs' places itself, so no thread has to run there.
 */
#include "base/counters.h"
#include "sched/cpu.h"
#include "test/ktest.h"

static void add_on(unsigned cpu, s64 n)
{
	atomic_fetch_add(&cpus[cpu].counters[COUNT_PIPES], n);
}

static void expect_count(s64 want, const char *property)
{
	s64 got = counter_read(COUNT_PIPES);

	CHECK(got == want, property, "%ld were made, and %ld are counted", want, got);
}

KTEST(counters_sum, "counters.sum", "10.1", "P10.1")
{
	s64 before = counter_read(COUNT_PIPES);

	for (unsigned i = 0; i < nr_cpus; i++) {
		add_on(i, i + 1);
		expect_count(before + i + 1, "P10.1");
		add_on(i, -(s64)(i + 1));
	}
	expect_count(before, "P10.1");
}

KTEST(counters_large, "counters.large", "10.1", "P10.2")
{
	s64 before = counter_read(COUNT_PIPES), many = 1L << 33;

	add_on(0, many);
	expect_count(before + many, "P10.2");
	add_on(0, -many - 5);
	expect_count(before - 5, "P10.2");
	add_on(0, 5);
}
