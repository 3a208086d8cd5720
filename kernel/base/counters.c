/*
 * Exact counts of objects, and counts of events.
 *
 * Each CPU adds to its own slot, so CPUs share no cache line when they count. A slot is atomic, so
 * the thread may migrate between finding it and adding to it. An object may be made on one CPU and
 * freed on another: a slot may be negative, but the sum is right.
 */
#include "base/counters.h"

#include "sched/cpu.h"

#define X(id, name) [id] = name,
static const char *const counter_names[] = { COUNTERS(X) };
static const char *const event_names[] = { EVENTS(X) };
#undef X

static _Atomic u64 events[EVENT_COUNT];

void counter_add(enum counter c, s64 n)
{
	struct cpu *cpu = thread_cpu(current_thread());

	atomic_fetch_add_explicit(&cpu->counters[c], n, memory_order_relaxed);
}

s64 counter_read(enum counter c)
{
	s64 sum = 0;

	for (unsigned i = 0; i < MAX_CPUS; i++)
		sum += atomic_load_explicit(&cpus[i].counters[c], memory_order_relaxed);
	return sum;
}

const char *counter_name(enum counter c)
{
	return counter_names[c];
}

void event_count(enum event_counter e)
{
	atomic_fetch_add_explicit(&events[e], 1, memory_order_relaxed);
}

u64 event_read(enum event_counter e)
{
	return atomic_load_explicit(&events[e], memory_order_relaxed);
}

const char *event_name(enum event_counter e)
{
	return event_names[e];
}
