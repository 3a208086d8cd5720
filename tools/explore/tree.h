/*
 * Processes for scenarios: kernel threads that belong to a process of their own.
 */
#pragma once

#include "process/process.h"
#include "thread/thread.h"

extern unsigned teardowns;		/* processes torn down in this execution */

/* A process without threads, a child of the kernel's own process, whose threads can wait for it. */
struct process *make_child(void);

/* A new thread of @p, which thread_resume() starts. */
struct thread *create_in(struct process *p, thread_fn entry, void *arg);

/* Waits for the child with id @pid to end, and returns its status. */
int wait_for(pid_t pid);
