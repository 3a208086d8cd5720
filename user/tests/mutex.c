/* Mutexes: exclusion under contention, their types, and timeouts. */
#include "test.h"

enum { THREADS = 6, ROUNDS = 3000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *add_under_mutex(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		long seen;

		CHECK_EQ(pthread_mutex_lock(&mutex), 0);
		seen = counter;
		if (i % 64 == 0)
			sched_yield();		/* invites the others while we hold the lock */
		counter = seen + 1;
		CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	}
	return arg;
}

static void mutex_excludes(void)
{
	run_threads(add_under_mutex, THREADS);	/* UMUTEX1, UMUTEX2: else a sleeper never wakes */
	CHECK_EQ(counter, THREADS * ROUNDS);
}

static void *try_it(void *arg)
{
	return (void *)(long)pthread_mutex_trylock(arg);
}

static void trylock(void)
{
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
	CHECK_EQ((long)join_thread(start_thread(try_it, &mutex)), EBUSY);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	CHECK_EQ(pthread_mutex_trylock(&mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
}

static void make_mutex(pthread_mutex_t *m, int type)
{
	pthread_mutexattr_t attr;

	CHECK_EQ(pthread_mutexattr_init(&attr), 0);
	CHECK_EQ(pthread_mutexattr_settype(&attr, type), 0);
	CHECK_EQ(pthread_mutex_init(m, &attr), 0);
	CHECK_EQ(pthread_mutexattr_destroy(&attr), 0);
}

static void *unlock_it(void *arg)
{
	return (void *)(long)pthread_mutex_unlock(arg);
}

static void recursive_mutex(void)
{
	pthread_mutex_t m;

	make_mutex(&m, PTHREAD_MUTEX_RECURSIVE);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(i % 2 ? pthread_mutex_trylock(&m) : pthread_mutex_lock(&m), 0);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ((long)join_thread(start_thread(try_it, &m)), EBUSY);
		CHECK_EQ((long)join_thread(start_thread(unlock_it, &m)), EPERM);
		CHECK_EQ(pthread_mutex_unlock(&m), 0);
	}
	CHECK_EQ(pthread_mutex_unlock(&m), EPERM);
	CHECK_EQ(pthread_mutex_destroy(&m), 0);
}

static void checking_mutex(void)
{
	pthread_mutex_t m;

	make_mutex(&m, PTHREAD_MUTEX_ERRORCHECK);
	CHECK_EQ(pthread_mutex_unlock(&m), EPERM);
	CHECK_EQ(pthread_mutex_lock(&m), 0);
	CHECK_EQ(pthread_mutex_lock(&m), EDEADLK);
	CHECK_EQ(pthread_mutex_trylock(&m), EBUSY);
	CHECK_EQ((long)join_thread(start_thread(unlock_it, &m)), EPERM);
	CHECK_EQ(pthread_mutex_destroy(&m), EBUSY);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	CHECK_EQ(pthread_mutex_destroy(&m), 0);
}

static void timed_lock(void)
{
	struct timespec deadline = in_ms(20, CLOCK_REALTIME), past = { 0, 1 };

	CHECK_EQ(pthread_mutex_timedlock(&mutex, &past), 0);	/* it was free: no waiting */
	CHECK_EQ(pthread_mutex_timedlock(&mutex, &past), ETIMEDOUT);
	CHECK_EQ(pthread_mutex_timedlock(&mutex, &deadline), ETIMEDOUT);
	CHECK(now_ns(CLOCK_REALTIME) >= deadline.tv_sec * 1000000000L + deadline.tv_nsec);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
}

static void mutex_between_processes(void)
{
	struct shared {
		pthread_mutex_t mutex;
		volatile long count;
	} *s = shared_memory(sizeof(*s));
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	CHECK_EQ(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_mutex_init(&s->mutex, &attr), 0);
	for (int p = 0; p < 4; p++) {
		if (fork())
			continue;
		for (int i = 0; i < 1000; i++) {
			long seen;

			pthread_mutex_lock(&s->mutex);
			seen = s->count;
			if (i % 64 == 0)
				sched_yield();
			s->count = seen + 1;
			pthread_mutex_unlock(&s->mutex);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	CHECK_EQ(s->count, 4000);
}

static const struct test_case cases[] = {
	CASE(mutex_excludes),
	CASE(trylock),
	CASE(recursive_mutex),
	CASE(checking_mutex),
	CASE(timed_lock),
	CASE(mutex_between_processes),
};

TEST_MAIN(cases)
