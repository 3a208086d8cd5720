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

/* Returns an unused id, 0 if there is none. The caller puts it in a table before it unlocks. */
pid_t id_alloc(void) HOLDS(tree_lock);
pid_t process_last_id(void);		/* the id given out last, for /proc */

/* Returns the process with id @pid, referenced, or NULL. Finds zombies, too. */
struct process *process_find(pid_t pid);

/* Returns the process that has a thread with id @id, referenced, or NULL. */
struct process *process_find_by_task(pid_t id);

/* Lets process_find() find @p from now on. */
void process_list_add(struct process *p) HOLDS(tree_lock);
bool process_is_listed(struct process *p);	/* no wait has collected it yet */

/* Runs @fn on every process, zombies included, with the tree lock held. */
void process_for_each(void (*fn)(struct process *p, void *arg), void *arg);
void process_for_each_locked(void (*fn)(struct process *p, void *arg), void *arg);

/* Returns the thread with id @tid, referenced, or NULL. */
struct thread *thread_find(tid_t tid);

/* Adds @t to the tables, with a new id unless it has one. -EAGAIN: all ids are taken. */
int thread_list_add(struct thread *t);
void thread_list_remove(struct thread *t);	/* a leader is still found by its id */
void thread_change_id(struct thread *t, tid_t tid) HOLDS(tree_lock);

/* Keeps thread_find() from finding @t from now on. */
void thread_forget_id(struct thread *t);

/*
 * Run @fn with the tree lock held, on every thread that has a stack, or on every one that
 * thread_find() finds: that includes leaders of zombies, but no other thread that was freed.
 */
void thread_for_each(void (*fn)(struct thread *t, void *arg), void *arg);
void thread_for_each_id(void (*fn)(struct thread *t, void *arg), void *arg);

void ids_init(void);
