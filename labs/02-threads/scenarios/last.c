/*
 * Lab 02: threads of one process that leave it at the same time.
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
