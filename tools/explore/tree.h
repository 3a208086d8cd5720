/*
 * Processes for scenarios: kernel threads that belong to a process of their own.
 */
#pragma once

#include "host.h"
#include "process/process.h"
#include "process/signal.h"
#include "thread/thread.h"

extern _Atomic unsigned teardowns;	/* processes torn down in this execution */

/* For a scenario's `after`: NULL if as many tasks were ended as begun (CRED3), or what is wrong. */
const char *check_tasks(void);

/* A process without threads, a child of the kernel's own process, whose threads can wait for it. */
struct process *make_child(void);

/* A new thread of @p, which thread_resume() starts. */
struct thread *create_in(struct process *p, thread_fn entry, void *arg);

/* From here on the kernel's own process gets the orphans: the scenario can wait for them. */
void adopt_orphans(void);

/* The status of a process that the scenario kills. */
#define KILLED	STATUS_SIGNAL(SIGKILL)

/* Waits for the child with id @pid to end, and returns its status. */
int wait_for(pid_t pid);
