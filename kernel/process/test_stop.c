/* Tests of stops: the parent hears of each one once, whoever reports it. */
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

static _Atomic bool begun, may_leave;

/* In the kernel all the time, so that a stop finds it running. */
static int leave_when_told(void *unused)
{
	(void)unused;
	atomic_store(&begun, true);
	while (!atomic_load(&may_leave))
		thread_yield();
	return 0;
}

/* STOP1: the last thread to leave has ended the stop, but somebody else reports it before. */
KTEST(stop_reported_once, "stop.reported_once", "", "stop.reported")
{
	struct process *p, *self = current_process();
	struct wait_result res;
	struct thread *t;
	u32 events;

	NEEDS_TWO_CPUS;
	atomic_store(&begun, false);
	atomic_store(&may_leave, false);
	REQUIRE(process_create(self, &p) == 0, "stop.reported", "no process");
	REQUIRE(thread_create_in(p, "leaves", leave_when_told, NULL, PRIORITY_DEFAULT, &t) == 0,
		"stop.reported", "no thread");
	/* it may park with a lock held, which would keep us from running on its CPU */
	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "stop.reported", "affinity");
	CHECK(sched_set_affinity(t, BIT(1)) == 0, "stop.reported", "affinity");
	park_arm(0, "report_stop", AT_ENTRY, t, 10 * NSEC_PER_SEC);
	thread_resume(t);
	while (!atomic_load(&begun))
		thread_yield();
	events = atomic_load(&self->child_events);
	signal_send_process(p, SIGSTOP);
	atomic_store(&may_leave, true);
	REQUIRE(park_wait(0, 10 * NSEC_PER_SEC), "stop.reported", "it reports no stop");
	CHECK(atomic_load(&self->child_events) == events, "stop.reported", "it is told too early");
	signal_send_process(p, SIGWINCH);	/* ignored; its sender sees that there are news */
	CHECK(atomic_load(&self->child_events) == events + 1, "stop.reported", "it is not told");
	park_release(0);
	CHECK(process_wait(p->pid, WEXITED, &res) == 0, "stop.reported", "the wait fails");
	CHECK(atomic_load(&self->child_events) == events + 2, "stop.reported",
	      "%u events, where there is a stop and an end",
	      atomic_load(&self->child_events) - events);
	CHECK(!park_timed_out(0), "stop.reported", "the test took too long");
	sched_set_affinity(current_thread(), ~0u);
	audit();
}
