/*
 * Processes for scenarios: kernel threads that belong to a process of their own.
 */
#pragma once

#include "process/process.h"
#include "process/signal.h"
#include "thread/thread.h"
#include "user.h"

extern _Atomic unsigned teardowns;	/* processes torn down in this execution */
extern struct thread *_Atomic torn_down_by;	/* the last one, by this thread */

/*
 * Whether a holder has used the process, and whether its teardown has seen that. The store and the
 * load are relaxed, so nothing but the kernel orders them.
 */
extern _Atomic unsigned worked, worked_before_teardown;

/* For a scenario's `after`: NULL if as many tasks were ended as begun (CRED3), or what is wrong. */
const char *check_tasks(void);

/* A process without threads, a child of the kernel's own process, whose threads can wait for it. */
struct process *make_child(void);

/* A child of @parent with one thread, which has not started and will exit with 3. */
struct process *make_leaver(struct process *parent, struct thread **t);
int leave_with_3(void *unused);

/* Gives @p, which has no threads yet, an address space: its threads use host_user_page. */
void give_memory(struct process *p);

/* A new thread of @p, which thread_resume() starts. */
struct thread *create_in(struct process *p, thread_fn entry, void *arg);

/* The same, for one CPU. */
struct thread *create_on(struct process *p, unsigned cpu, thread_fn entry);

/* An actor (scenario.h) that is a thread of @p; or only its thread, for start_actor(). */
struct actor;
void act_in(struct process *p, unsigned cpu, struct actor *a, int (*run)(void));
struct thread *create_actor_in(struct process *p, unsigned cpu, struct actor *a, int (*run)(void));

/* From here on the kernel's own process gets the orphans: the scenario can wait for them. */
void adopt_orphans(void);

/* The status of a process that the scenario kills. */
#define KILLED	STATUS_SIGNAL(SIGKILL)

/* Waits for the child with id @pid to end, and returns its status. */
int wait_for(pid_t pid);

/* The same, and the status must be @wanted. */
void expect_status(pid_t pid, int wanted);

/* The same, and it is the only process that was torn down, once. */
void expect_end(pid_t pid, int wanted);
