/*
 * POSIX threads. The objects are plain structures so that programs may define them statically; only
 * the library uses their fields.
 */
#pragma once

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/types.h>
#include <time.h>

typedef unsigned long pthread_t;
typedef unsigned pthread_key_t;
typedef int pthread_once_t;

typedef struct {
	size_t __stack_size, __guard_size;
	void *__stack;			/* the caller's own memory, or NULL */
	int __detached;
} pthread_attr_t;

typedef struct {
	int __type, __shared;
} pthread_mutexattr_t;

typedef struct {
	int __word;			/* 0 free, 1 locked, 2 locked and a thread may be waiting */
	int __owner;			/* thread id, if the mutex's type needs it */
	unsigned __depth;		/* of a recursive mutex */
	int __type, __shared;
} pthread_mutex_t;

typedef struct {
	clockid_t __clock;
} pthread_condattr_t;

typedef struct {
	int __lock;
	clockid_t __clock;
	struct __cond_waiter *__first, *__last;
	int __left;			/* counts the waiters that left on their own */
} pthread_cond_t;

typedef int pthread_rwlockattr_t;
typedef int pthread_barrierattr_t;

typedef struct {
	pthread_mutex_t __mutex;
	pthread_cond_t __released;
	unsigned __readers;
	int __writer;			/* thread id, or 0 */
} pthread_rwlock_t;

typedef struct {
	pthread_mutex_t __mutex;
	pthread_cond_t __full, __empty;
	unsigned __count;		/* how many threads make a round */
	unsigned __arrived;		/* of this round */
	unsigned __inside;		/* in this round, or on their way out of an earlier one */
	unsigned long __round;
} pthread_barrier_t;

#define PTHREAD_CREATE_JOINABLE		0
#define PTHREAD_CREATE_DETACHED		1
#define PTHREAD_PROCESS_PRIVATE		0
#define PTHREAD_PROCESS_SHARED		1
#define PTHREAD_MUTEX_NORMAL		0
#define PTHREAD_MUTEX_RECURSIVE		1
#define PTHREAD_MUTEX_ERRORCHECK	2
#define PTHREAD_MUTEX_DEFAULT		PTHREAD_MUTEX_NORMAL
#define PTHREAD_BARRIER_SERIAL_THREAD	(-1)

#define PTHREAD_ONCE_INIT		0
#define PTHREAD_MUTEX_INITIALIZER	{ 0, 0, 0, PTHREAD_MUTEX_NORMAL, 0 }
#define PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP	{ 0, 0, 0, PTHREAD_MUTEX_RECURSIVE, 0 }
#define PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP	{ 0, 0, 0, PTHREAD_MUTEX_ERRORCHECK, 0 }
#define PTHREAD_COND_INITIALIZER	{ 0, CLOCK_REALTIME, 0, 0, 0 }
#define PTHREAD_RWLOCK_INITIALIZER \
	{ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 }

int pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int pthread_detach(pthread_t thread);
int pthread_equal(pthread_t a, pthread_t b);
_Noreturn void pthread_exit(void *result);
int pthread_join(pthread_t thread, void **result);
pthread_t pthread_self(void);
int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *deadline);
int pthread_tryjoin_np(pthread_t thread, void **result);

int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set);
int pthread_getname_np(pthread_t thread, char *name, size_t size);
int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set);
int pthread_setname_np(pthread_t thread, const char *name);
int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param);

int pthread_attr_destroy(pthread_attr_t *a);
int pthread_attr_getdetachstate(const pthread_attr_t *a, int *state);
int pthread_attr_getguardsize(const pthread_attr_t *a, size_t *size);
int pthread_attr_getstacksize(const pthread_attr_t *a, size_t *size);
int pthread_attr_init(pthread_attr_t *a);
int pthread_attr_setdetachstate(pthread_attr_t *a, int state);
int pthread_attr_setguardsize(pthread_attr_t *a, size_t size);
int pthread_attr_setstack(pthread_attr_t *a, void *stack, size_t size);
int pthread_attr_setstacksize(pthread_attr_t *a, size_t size);

int pthread_mutex_destroy(pthread_mutex_t *m);
int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr);
int pthread_mutex_lock(pthread_mutex_t *m);
int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *deadline);
int pthread_mutex_trylock(pthread_mutex_t *m);
int pthread_mutex_unlock(pthread_mutex_t *m);
int pthread_mutexattr_destroy(pthread_mutexattr_t *a);
int pthread_mutexattr_gettype(const pthread_mutexattr_t *a, int *type);
int pthread_mutexattr_init(pthread_mutexattr_t *a);
int pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared);
int pthread_mutexattr_settype(pthread_mutexattr_t *a, int type);

int pthread_cond_broadcast(pthread_cond_t *c);
int pthread_cond_destroy(pthread_cond_t *c);
int pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr);
int pthread_cond_signal(pthread_cond_t *c);
int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *deadline);
int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int pthread_condattr_destroy(pthread_condattr_t *a);
int pthread_condattr_init(pthread_condattr_t *a);
int pthread_condattr_setclock(pthread_condattr_t *a, clockid_t clock);

int pthread_rwlock_destroy(pthread_rwlock_t *l);
int pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr);
int pthread_rwlock_rdlock(pthread_rwlock_t *l);
int pthread_rwlock_tryrdlock(pthread_rwlock_t *l);
int pthread_rwlock_trywrlock(pthread_rwlock_t *l);
int pthread_rwlock_unlock(pthread_rwlock_t *l);
int pthread_rwlock_wrlock(pthread_rwlock_t *l);

int pthread_barrier_destroy(pthread_barrier_t *b);
int pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *attr, unsigned count);
int pthread_barrier_wait(pthread_barrier_t *b);

int pthread_once(pthread_once_t *once, void (*fn)(void));
void *pthread_getspecific(pthread_key_t key);
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int pthread_key_delete(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value);
