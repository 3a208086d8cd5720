/*
 * Shared by the parts of the library, and not seen by programs.
 *
 * Everything here rests on the Linux system calls. sys3() and sys6() of machine.h return a negative
 * error number; __result() turns that into errno and -1. Where there is a choice, we use the system
 * calls that both machines have under one name (openat, ppoll, dup3, ...): only the numbers differ.
 */
#pragma once

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#include "machine.h"

#define weak	__attribute__((weak))

/* How the end of a thread and a join meet: see pthread.c. */
enum thread_state { THREAD_JOINABLE, THREAD_EXITED, THREAD_JOINING, THREAD_DETACHED };

struct pthread {
	struct pthread *self;		/* [const] first: x86_64's ABI reads it at fs:0 */
	_Atomic int tid;		/* the kernel zeroes it when the thread has ended */
	_Atomic int state;		/* enum thread_state */
	void *map;			/* [const] stack, TLS and this; NULL: not ours to unmap */
	size_t map_size;		/* [const] */
	void *(*fn)(void *);		/* [const] */
	void *arg;			/* [const] */
	void *result;			/* [self] until the thread has ended, then the joiner's */
	struct __specific *specific;	/* [self] PTHREAD_KEYS_MAX of them, or NULL: none set */
} __attribute__((aligned(16)));

static inline struct pthread *thread_self(void)
{
	struct pthread *tp = thread_pointer();

	return tls_above_tp ? tp - 1 : tp;
}

static inline void *thread_pointer_of(struct pthread *t)
{
	return tls_above_tp ? t + 1 : t;
}

size_t __tls_size(void);			/* room for the TLS image and struct pthread */
struct pthread *__tls_place(char *area);	/* lays both out in @area */

extern const char *__program_name;
extern _Atomic unsigned __live_threads;
void __run_key_destructors(struct pthread *self);

/* Turns a negative error number into errno and -1. */
long __result(long r);

static inline long call(long n, long a, long b, long c)
{
	return __result(sys3(n, a, b, c));
}

static inline long call6(long n, long a, long b, long c, long d, long e, long f)
{
	return __result(sys6(n, a, b, c, d, e, f));
}

/*
 * Sleeps while *word is @value, until woken or until @deadline on @clock (NULL: no deadline).
 * Returns 0, ETIMEDOUT or EINVAL. It may return 0 without a wake-up, so callers check the word
 * again.
 */
int __futex_wait(void *word, int value, clockid_t clock, const struct timespec *deadline,
		 bool shared);

static inline void __futex_wake(void *word, int n, bool shared)
{
	sys3(SYS_futex, (long)word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG), n);
}

/* The library's own lock; the word has the meanings of pthread_mutex_t's. */
void __lock(int *word);
void __unlock(int *word);

/* Make sure that the child of a fork finds no lock held by a thread that it does not have. */
void __malloc_fork_prepare(void) weak;
void __malloc_fork_done(void) weak;
void __stdio_fork_child(void) weak;

void __stdio_exit(void) weak;
void __atexit_run(void) weak;
