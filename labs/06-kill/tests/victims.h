/*
 * Shared by the tests of this lab: victims, processes whose threads run functions of the kernel.
 *
 * The test itself runs in process 1, so it is the parent of its victims, and orphans become its
 * children.
 */
#pragma once

#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "sched/wait.h"
#include "sync/sync.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define SIGKILL		9
#define SIGTERM		15
#define STRIDE		4			/* a sweep stops at every fourth instruction */
#define THOUSANDS	(9 * 256)		/* for a counter of 8 bits it is none */
#define SOON		(5 * NSEC_PER_MSEC)	/* less than a quantum: no wait for a tick */

/* Creates a child of @parent with one thread @t, which has not run yet. */
static inline struct process *victim_of(struct process *parent, thread_fn fn, void *arg,
					struct thread **t)
{
	struct process *p;

	REQUIRE(process_create(parent, &p) == 0, "P6.1", "no process was made");
	REQUIRE(thread_create_in(p, "victim", fn, arg, PRIORITY_DEFAULT, t) == 0, "P6.1",
		"no thread was made");
	return p;
}

static inline struct process *victim(thread_fn fn, void *arg, struct thread **t)
{
	return victim_of(current_process(), fn, arg, t);
}

/* Waits until @t is in @state. */
static inline void await_state(struct thread *t, enum thread_state state)
{
	while (thread_state(t) != state)
		thread_yield();
}

/* Waits for child @pid. Returns its status, or -1 after a failed check of @property. */
static inline int status_of(pid_t pid, const char *property)
{
	struct wait_result res = { 0 };
	int err = process_wait(pid, WEXITED, &res);

	CHECK(err == 0 && res.pid == pid, property, "waiting for the victim gave error %d, pid %d",
	      err, res.pid);
	return err ? -1 : res.status;
}
