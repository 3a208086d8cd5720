/*
 * Lab 02: threads of one process that leave it at the same time, or that leave it as they start.
 */
#include "explore/scenario.h"

#include "explore/tree.h"

static int leave(void *arg)
{
	return (int)(long)arg;
}

SCENARIO(two_leave, "last.two_leave", "02.8", "P2.11", .cpus = 2)
{
	struct process *p = make_child();
	struct thread *first = create_in(p, leave, (void *)3);
	struct thread *second = create_in(p, leave, (void *)4);
	pid_t pid = p->pid;

	thread_resume(first);
	thread_resume(second);
	expect_end(pid, STATUS_EXIT(3));
}

/* A kill that comes when the thread has been dispatched, and before its function is called. */
SCENARIO(killed_as_it_starts, "last.killed_as_it_starts", "02.8", "P2.11", .cpus = 2)
{
	struct process *p = make_child();
	struct thread *t = create_on(p, 1, leave_with_3);
	pid_t pid = p->pid;
	int status;

	thread_get(t);
	thread_resume(t);
	thread_kill(t);
	thread_put(t);
	status = wait_for(pid);
	/* The code is the function's 3, if that was called. */
	expect(!(status & 0x7f),
	       "its only thread was killed as it started, and the process ended with %x", status);
	expect(teardowns == 1, "the process was torn down %u times", teardowns);
}
