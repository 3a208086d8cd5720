/*
 * Primitives to wait with, besides mutexes. Each is one wait queue and a few words that the queue's
 * lock guards.
 *
 * All hand over: a woken thread owns what it waited for, and no later thread can take it first. So
 * waits end in the order in which they began, and a wait that its deadline or a kill has ended uses
 * nothing up.
 *
 * Every wait takes a deadline and returns 0, -ETIMEDOUT (at once, without blocking, for
 * DEADLINE_POLL), -EINTR if the thread is killed or a signal has a handler to run, or -EIDRM if the
 * object is destroyed, which is then not touched again. Functions that end a wait may be called
 * from interrupt handlers.
 */
#pragma once

#include "sched/wait.h"
#include "sync/mutex.h"
#include "types.h"

/* A counting semaphore. */
struct semaphore {
	struct wait_queue q;
	unsigned count;			/* [q.lock] posts that no wait has used */
};

void semaphore_init(struct semaphore *s, unsigned count);
void semaphore_destroy(struct semaphore *s);
must_check int semaphore_wait(struct semaphore *s, struct deadline d);
void semaphore_post(struct semaphore *s);

/* A condition variable (Mesa: a wake-up is a hint, test again). A wait returns with the mutex. */
struct condvar {
	struct wait_queue q;
};

void condvar_init(struct condvar *c);
void condvar_destroy(struct condvar *c);
int condvar_wait(struct condvar *c, struct mutex *m, struct deadline d) HOLDS(*m);
void condvar_signal(struct condvar *c);
void condvar_broadcast(struct condvar *c);

/* An event: each signal lets one waiter pass (auto-reset), or all until event_unsignal(). */
struct event {
	struct wait_queue q;
	bool signaled;			/* [q.lock] */
	bool auto_reset;		/* [const] */
};

void event_init(struct event *e, bool signaled, bool auto_reset);
void event_destroy(struct event *e);
must_check int event_wait(struct event *e, struct deadline d);
void event_signal(struct event *e);
void event_unsignal(struct event *e);

/* A completion: each complete() ends one wait, before or after it. */
struct completion {
	struct wait_queue q;
	unsigned done;			/* [q.lock] completions that no wait has used */
};

void completion_init(struct completion *c);
/* @flags: WAIT_*. */
must_check int completion_wait(struct completion *c, struct deadline d, unsigned flags);
void complete(struct completion *c);
