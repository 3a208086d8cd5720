/*
 * Lab 06, hidden: no memory is left when a process is killed. That is when the kernel kills one to
 * get its memory back, so neither the kill nor what follows it may need any.
 */
#include "victims.h"

#define SIBLINGS	40
#define MOST		20		/* allocations to fail, one after the other */

static struct wait_queue never = WAIT_QUEUE_INIT(never);

static int wait_for_ever(void *unused)
{
	(void)unused;
	return wait_block(&never, DEADLINE_NEVER);
}

/* Its threads wait, or are suspended before they run. */
static struct process *many_threads(void)
{
	struct thread *t;
	struct process *p = victim(wait_for_ever, NULL, &t);

	for (unsigned n = 0; n < SIBLINGS; n++) {
		irq_off();
		thread_resume(t);
		if (n % 2)
			thread_suspend(t);
		irq_on();
		REQUIRE(!thread_create_in(p, "sibling", wait_for_ever, NULL, PRIORITY_DEFAULT, &t),
			"P6.1", "only %u threads were made", n + 1);
	}
	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
	return p;
}

KTEST(kill_no_memory, "kill.no_memory", "06.h", "P6.1")
{
	u64 nth = 0, asked;

	do {
		struct process *p = many_threads();
		pid_t pid = p->pid;
		int err, status;

		oom_arm(++nth, NULL);
		err = process_kill(p, STATUS_SIGNAL(SIGKILL));
		if (!err)
			reaper_drain();
		asked = oom_seen();
		oom_arm(0, NULL);
		REQUIRE(!err, "P6.1", "when allocation %lu fails, the first kill returns %d", nth,
			err);
		status = status_of(pid, "P6.1");
		CHECK(status == STATUS_SIGNAL(SIGKILL), "P6.1",
		      "when allocation %lu fails, the status is 0x%x", nth, status);
	} while (asked >= nth && nth < MOST);
}
