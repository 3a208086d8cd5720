/*
 * The ids of threads and processes, one table for each, and lookups by id.
 *
 * One lock guards both, and the tree of processes with them: an id, a place in the tree and a
 * leader change together.
 */
#pragma once

#include "lock/spinlock.h"
#include "types.h"

struct process;
struct thread;

extern struct spinlock tree_lock;

#define ID_MAX	32768			/* ids are below it */

/* An id that nobody has; 0 if all are taken. tree_lock held until it is in a table. */
pid_t id_alloc(void) HOLDS(tree_lock);
pid_t process_last_id(void);		/* the id given out last, for /proc */

/* A referenced process by id, or NULL. Zombies are found. */
struct process *process_find(pid_t pid);

/* The same by the id of any of its threads. */
struct process *process_find_by_task(pid_t id);

/* @p is found by its id from now on. */
void process_list_add(struct process *p) HOLDS(tree_lock);
bool process_is_listed(struct process *p);	/* it was not waited for yet */

/* Runs @fn on every live process and zombie, with the tree lock held; by the caller already. */
void process_for_each(void (*fn)(struct process *p, void *arg), void *arg);
void process_for_each_locked(void (*fn)(struct process *p, void *arg), void *arg);

/* A referenced thread by id, or NULL; a thread whose last reference is going is not found. */
struct thread *thread_find(tid_t tid);

/* The table of threads; adding gives an id unless it has one. -EAGAIN: all are taken. */
int thread_list_add(struct thread *t);
void thread_list_remove(struct thread *t);	/* its process's leader is still found by its id */
void thread_change_id(struct thread *t, tid_t tid) HOLDS(tree_lock);

/* No thread_find() finds it from now on. */
void thread_forget_id(struct thread *t);

/*
 * Runs @fn on every thread with the tree lock held; on every one that thread_find() finds, so on
 * the leaders of zombies, too, but on none that is past its exit and not its process's leader.
 */
void thread_for_each(void (*fn)(struct thread *t, void *arg), void *arg);
void thread_for_each_id(void (*fn)(struct thread *t, void *arg), void *arg);

void ids_init(void);
