/*
 * Mutexes: owned by one thread, not recursive, held neither at thread exit nor on the way to user
 * mode. A waiting thread lends its urgency to the owner (pi.h). Locking needs a caller that may
 * block: no spin lock held, not an interrupt handler.
 */
#pragma once

#include "sched/time.h"
#include "sync/pi.h"
#include "types.h"

/* `word` is the owner's address, plus MUTEX_CONTENDED if a thread may wait; 0: free. */
struct LOCKABLE("mutex") mutex {
	_Atomic u64 word;
	struct pi_queue pi;		/* [pi_lock] */
	const char *name;		/* [const] for reports */
};

#define MUTEX_CONTENDED	1UL
#define MUTEX_DESTROYED	2UL		/* instead of an owner */

#define MUTEX_INIT(m)	{ .pi = PI_QUEUE_INIT((m).pi), .name = #m }
#define mutex_init(m)	mutex_init_named((m), #m)

void mutex_init_named(struct mutex *m, const char *name);

/* Waits for @m, even if the thread is killed meanwhile. */
void mutex_lock(struct mutex *m) ACQUIRES(*m);

/*
 * Return 0, -ETIMEDOUT, -EINTR or -EIDRM; -EDEADLK if the owner waits, perhaps through others, for
 * the current thread.
 */
must_check int mutex_lock_timed(struct mutex *m, struct deadline d) TRY_ACQUIRES(0, *m);
must_check int mutex_lock_interruptible(struct mutex *m) TRY_ACQUIRES(0, *m);

void mutex_unlock(struct mutex *m) RELEASES(*m);
bool mutex_held(const struct mutex *m);		/* by the current thread */

/* Destroys @m, which is free or the caller's: this and every later wait for it gets -EIDRM. */
void mutex_destroy(struct mutex *m);
