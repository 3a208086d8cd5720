/* The trace's record of an idle CPU: one for each wait, with the time of the next deadline. */
#include "base/trace.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "sched/wait.h"
#include "test/ktest.h"
#include "thread/thread.h"

/* Returns how many records of @event the ring has from number @from on, and the last one in *@r. */
static unsigned find_records(const struct trace_ring *ring, u64 from, enum trace_event event,
			     struct trace_record *r)
{
	unsigned found = 0;

	for (u64 i = from; i < atomic_load(&ring->head); i++) {
		if (ring->records[i & (ring->size - 1)].event != event)
			continue;
		*r = ring->records[i & (ring->size - 1)];
		found++;
	}
	return found;
}

/* Nothing else is to be done on this CPU while we sleep. */
KTEST(idle_recorded, "idle.recorded", "", "idle.recorded")
{
	u32 affinity = current_thread()->affinity;
	struct cpu *c = &cpus[nr_cpus - 1];
	struct trace_record r = { .a = 0 };
	struct deadline d;
	unsigned found;
	u64 from;

	if (!(trace_mask & TRACE_SCHED))
		return;
	sched_set_affinity(current_thread(), BIT(c->id));
	from = atomic_load(&c->trace->head);
	d = deadline_in(NSEC_PER_MSEC);
	thread_sleep_until(d);
	found = find_records(c->trace, from, TRACE_EV_IDLE, &r);
	CHECK(found == 1, "idle.recorded", "in one sleep it was idle %u times", found);
	CHECK(r.a == c->id && r.b == d.at && time_before(r.time, d.at), "idle.recorded",
	      "CPU %lu was idle at %lu until %lu; it is CPU %u, and the deadline is %lu", r.a,
	      r.time, r.b, c->id, d.at);
	sched_set_affinity(current_thread(), affinity);
}

static int ends(void *unused)
{
	(void)unused;
	return 0;
}

/* A CPU that has no deadline says so. */
KTEST(idle_without_deadline, "idle.without_deadline", "", "idle.recorded")
{
	u32 affinity = current_thread()->affinity;
	const struct trace_ring *ring;
	struct thread *t;
	struct trace_record r = { .b = 0 };
	unsigned found;
	u64 from;
	int code;

	if (nr_cpus == 1 || !(trace_mask & TRACE_SCHED))
		return;
	time_set_limit(0);			/* it is a deadline of all CPUs */
	sched_set_affinity(current_thread(), BIT(0));
	t = thread_create("guest", ends, NULL, PRIORITY_DEFAULT);
	REQUIRE(t, "idle.recorded", "no memory for a thread");
	sched_set_affinity(t, BIT(1));
	ring = cpus[1].trace;
	from = atomic_load(&ring->head);
	thread_resume(t);
	thread_join(t, &code, DEADLINE_NEVER);
	thread_sleep(100 * NSEC_PER_MSEC);	/* the last timer that was armed for it is over */
	found = find_records(ring, from, TRACE_EV_IDLE, &r);
	CHECK(found && !r.b, "idle.recorded", "CPU 1 was idle %u times, at %lu until %lu", found,
	      r.time, r.b);
	sched_set_affinity(current_thread(), affinity);
}
