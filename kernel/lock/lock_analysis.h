/*
 * Declarations of what functions do with locks, for clang's -Wthread-safety. `make lint` compiles
 * the kernel with it, which finds every path that forgets an unlock or makes a call without the
 * lock it needs. Other compilers see nothing.
 *
 * Used behind a declaration: bool wait_wake_one_locked(struct wait_queue *q) HOLDS(q->lock);
 *
 * The analysis compares the expressions that name locks, so it cannot follow a lock that a function
 * returns, that has two names, or that changes hands in a context switch. Such functions are marked
 * NO_LOCK_ANALYSIS with the reason, and assert at run time what holds.
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
