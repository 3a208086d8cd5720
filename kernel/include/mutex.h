/*
 * Blocking locks and events for threads, on top of wait queues.
 * All may block, so no spin lock may be held; none may be used from interrupt handlers except
 * semaphore_post(), event_signal() and the wait queues themselves.
 */
#pragma once

#include "types.h"
#include "wait.h"

/*
 * A mutex: owned by one thread, not recursive, not to be held at thread exit or return to user
 * mode. `word` is the owner's address, plus MUTEX_CONTENDED if somebody may wait; 0: free.
 */
struct mutex {
	_Atomic u64 word;
	struct wait_queue q;		/* q.lock is held to wait, and to set or clear CONTENDED */
};

#define MUTEX_CONTENDED	1UL

#define MUTEX_INIT(name)	{ .q = WAIT_QUEUE_INIT((name).q) }

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);				/* cannot be killed while waiting */
must_check int mutex_lock_killable(struct mutex *m);		/* 0, -EINTR */
must_check int mutex_lock_timed(struct mutex *m, struct deadline d);	/* 0, -ETIMEDOUT, -EINTR */
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_held(const struct mutex *m);				/* by the current thread */
void mutex_destroy(struct mutex *m);				/* waiters get -EIDRM */

/* A counting semaphore. */
struct semaphore {
	struct wait_queue q;		/* q.lock guards count */
	unsigned count;
};

void semaphore_init(struct semaphore *s, unsigned count);
void semaphore_destroy(struct semaphore *s);
must_check int semaphore_wait(struct semaphore *s, struct deadline d);
void semaphore_post(struct semaphore *s);

/*
 * A condition variable (Mesa: a wake-up is a hint, test again). Every return path holds the mutex.
 */
struct condvar {
	struct wait_queue q;
};

void condvar_init(struct condvar *c);
void condvar_destroy(struct condvar *c);
int condvar_wait(struct condvar *c, struct mutex *m, struct deadline d);
void condvar_signal(struct condvar *c);
void condvar_broadcast(struct condvar *c);

/* An event: auto-reset lets one waiter pass per signal, manual all until event_unsignal(). */
struct event {
	struct wait_queue q;		/* q.lock guards signaled */
	bool signaled;
	bool auto_reset;
};

void event_init(struct event *e, bool signaled, bool auto_reset);
void event_destroy(struct event *e);
must_check int event_wait(struct event *e, struct deadline d);
void event_signal(struct event *e);
void event_unsignal(struct event *e);
