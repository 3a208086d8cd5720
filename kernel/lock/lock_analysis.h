/*
 * Declares what functions do with locks, for clang's -Wthread-safety: `make lint` compiles the
 * kernel with it, so a path that forgets an unlock, or calls without the lock it needs, is found by
 * reading alone. Other compilers see nothing.
 *
 * Behind a declaration: bool wait_wake_one_locked(struct wait_queue *q) HOLDS(q->lock);
 *
 * The analysis goes by the words of the expression that names a lock, so it cannot follow a lock
 * that comes out of a function, lies under two names, or changes hands in a context switch. Where
 * that is the point, NO_LOCK_ANALYSIS says so with the reason; what holds is asserted at run time.
 */
#pragma once

#if __has_attribute(acquire_capability)
#define LOCK_ATTRIBUTE(...)	__attribute__((__VA_ARGS__))
#else
#define LOCK_ATTRIBUTE(...)
#endif

#define LOCKABLE(kind)		LOCK_ATTRIBUTE(capability(kind))
#define ACQUIRES(...)		LOCK_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASES(...)		LOCK_ATTRIBUTE(release_capability(__VA_ARGS__))
#define TRY_ACQUIRES(on, ...)	LOCK_ATTRIBUTE(try_acquire_capability(on, __VA_ARGS__))
#define HOLDS(...)		LOCK_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define NO_LOCK_ANALYSIS(why)	LOCK_ATTRIBUTE(no_thread_safety_analysis)
