/* Mutexes, condition variables, semaphores, locks and barriers, under contention. */
#include <limits.h>
#include <semaphore.h>

#include "test.h"

enum { THREADS = 6, ROUNDS = 3000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void run_threads(void *(*fn)(void *), int n)
{
	pthread_t t[32];

	for (long i = 0; i < n; i++)
		t[i] = start_thread(fn, (void *)i);
	for (int i = 0; i < n; i++)
		join_thread(t[i]);
}

static struct timespec in_ms(int ms, clockid_t clock)
{
	return timespec_of(now_ns(clock) + ms * 1000000L);
}

static void *add_under_mutex(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		long seen;

		CHECK_EQ(pthread_mutex_lock(&mutex), 0);
		seen = counter;
		if (i % 64 == 0)
			sched_yield();		/* invite the others while we are inside */
		counter = seen + 1;
		CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	}
	return arg;
}

static void mutex_excludes(void)
{
	run_threads(add_under_mutex, THREADS);
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

/* --- Condition variables --- */

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER, other = PTHREAD_COND_INITIALIZER;
static int waiting, tickets, served;

static void *take_ticket(void *arg)
{
	pthread_mutex_lock(&mutex);
	waiting++;
	pthread_cond_signal(&other);
	while (!tickets)
		CHECK_EQ(pthread_cond_wait(&cond, &mutex), 0);
	tickets--;
	served++;
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void wait_for_waiters(int n)
{
	pthread_mutex_lock(&mutex);
	while (waiting < n)
		pthread_cond_wait(&other, &mutex);
	pthread_mutex_unlock(&mutex);
}

/* Every signal that finds a waiter wakes one: none is lost. */
static void signal_wakes_one_each(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		t[i] = start_thread(take_ticket, NULL);
	wait_for_waiters(8);
	for (int i = 0; i < 8; i++) {
		pthread_mutex_lock(&mutex);
		tickets++;
		pthread_mutex_unlock(&mutex);
		CHECK_EQ(pthread_cond_signal(&cond), 0);
	}
	for (int i = 0; i < 8; i++)
		join_thread(t[i]);
	CHECK_EQ(served, 8);
}

static void broadcast_wakes_all(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		t[i] = start_thread(take_ticket, NULL);
	wait_for_waiters(8);
	pthread_mutex_lock(&mutex);
	tickets = 8;
	CHECK_EQ(pthread_cond_broadcast(&cond), 0);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 8; i++)
		join_thread(t[i]);
	CHECK_EQ(served, 8);
}

static void timed_wait(void)
{
	struct timespec deadline, past = { 0, 1 };
	pthread_condattr_t attr;
	pthread_cond_t c;
	int r;

	CHECK_EQ(pthread_condattr_init(&attr), 0);
	CHECK_EQ(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), 0);
	CHECK_EQ(pthread_cond_init(&c, &attr), 0);
	pthread_mutex_lock(&mutex);
	CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, &past), ETIMEDOUT);
	deadline = in_ms(20, CLOCK_REALTIME);
	while ((r = pthread_cond_timedwait(&cond, &mutex, &deadline)) == 0)
		;
	CHECK_EQ(r, ETIMEDOUT);
	CHECK(now_ns(CLOCK_REALTIME) >= deadline.tv_sec * 1000000000L + deadline.tv_nsec);
	deadline = in_ms(20, CLOCK_MONOTONIC);
	while ((r = pthread_cond_timedwait(&c, &mutex, &deadline)) == 0)
		;
	CHECK_EQ(r, ETIMEDOUT);
	CHECK(now_ns(CLOCK_MONOTONIC) >= deadline.tv_sec * 1000000000L + deadline.tv_nsec);
	CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);		/* it is ours again */
	pthread_mutex_unlock(&mutex);
	CHECK_EQ(pthread_cond_destroy(&c), 0);
}

/* Timeouts and signals race; whoever times out must not have eaten a signal. */
static void *impatient(void *arg)
{
	struct timespec deadline;
	int r;

	for (int i = 0; i < 60; i++) {
		pthread_mutex_lock(&mutex);
		deadline = timespec_of(now_ns(CLOCK_REALTIME) + (i % 5) * 30000);
		for (r = 0; !tickets && r == 0;)
			r = pthread_cond_timedwait(&cond, &mutex, &deadline);
		CHECK(r == 0 || r == ETIMEDOUT);
		if (tickets)
			tickets--, served++;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void timeouts_race_signals(void)
{
	pthread_t t[4], patient[4];

	for (int i = 0; i < 4; i++) {
		t[i] = start_thread(impatient, NULL);
		patient[i] = start_thread(take_ticket, NULL);
	}
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&mutex);
		tickets++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
		sched_yield();
	}
	for (int i = 0; i < 4; i++)
		join_thread(t[i]);
	pthread_mutex_lock(&mutex);
	tickets += 4;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 4; i++)
		join_thread(patient[i]);
	CHECK_EQ(tickets + served, 104);
}

/* A waiter may destroy the condition variable as soon as it is woken, then free it. */
struct once {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool done;
};

static void *signal_last(void *arg)
{
	struct once *o = arg;

	pthread_mutex_lock(&o->mutex);
	o->done = true;
	pthread_cond_signal(&o->cond);
	pthread_mutex_unlock(&o->mutex);
	return NULL;
}

static void destroy_after_wake(void)
{
	for (int i = 0; i < 150; i++) {
		struct once *o = calloc(1, sizeof(*o));
		pthread_t t;

		pthread_mutex_init(&o->mutex, NULL);
		pthread_cond_init(&o->cond, NULL);
		pthread_mutex_lock(&o->mutex);
		t = start_thread(signal_last, o);
		while (!o->done)
			pthread_cond_wait(&o->cond, &o->mutex);
		CHECK_EQ(pthread_cond_destroy(&o->cond), 0);
		pthread_mutex_unlock(&o->mutex);
		join_thread(t);
		CHECK_EQ(pthread_mutex_destroy(&o->mutex), 0);
		memset(o, 0xee, sizeof(*o));
		free(o);
	}
}

enum { SLOTS = 4, ITEMS = 2000 };

static struct {
	pthread_cond_t not_full, not_empty;
	int slot[SLOTS], first, count;
	long sum;
} queue = { .not_full = PTHREAD_COND_INITIALIZER, .not_empty = PTHREAD_COND_INITIALIZER };

static void *produce(void *arg)
{
	for (int i = 1; i <= ITEMS; i++) {
		pthread_mutex_lock(&mutex);
		while (queue.count == SLOTS)
			pthread_cond_wait(&queue.not_full, &mutex);
		queue.slot[(queue.first + queue.count++) % SLOTS] = i;
		pthread_cond_signal(&queue.not_empty);
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void *consume(void *arg)
{
	for (int i = 1; i <= ITEMS; i++) {
		pthread_mutex_lock(&mutex);
		while (queue.count == 0)
			pthread_cond_wait(&queue.not_empty, &mutex);
		queue.sum += queue.slot[queue.first];
		queue.first = (queue.first + 1) % SLOTS;
		queue.count--;
		pthread_cond_signal(&queue.not_full);
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void producers_and_consumers(void)
{
	pthread_t t[6];

	for (int i = 0; i < 6; i++)
		t[i] = start_thread(i % 2 ? consume : produce, NULL);
	for (int i = 0; i < 6; i++)
		join_thread(t[i]);
	CHECK_EQ(queue.sum, 3L * ITEMS * (ITEMS + 1) / 2);
	CHECK_EQ(queue.count, 0);
}

/* --- Semaphores, readers and writers, barriers --- */

static sem_t sem, sem2;

static void semaphore_values(void)
{
	struct timespec past = { 0, 1 }, deadline;
	int value = -1;

	CHECK_EQ(sem_init(&sem, 0, 2), 0);
	CHECK_EQ(sem_wait(&sem), 0);
	CHECK_EQ(sem_trywait(&sem), 0);
	CHECK_ERRNO(sem_trywait(&sem), EAGAIN);
	CHECK_ERRNO(sem_timedwait(&sem, &past), ETIMEDOUT);
	deadline = in_ms(20, CLOCK_REALTIME);
	CHECK_ERRNO(sem_timedwait(&sem, &deadline), ETIMEDOUT);
	CHECK(now_ns(CLOCK_REALTIME) >= deadline.tv_sec * 1000000000L + deadline.tv_nsec);
	CHECK_EQ(sem_post(&sem), 0);
	CHECK_EQ(sem_getvalue(&sem, &value), 0);
	CHECK_EQ(value, 1);
	CHECK_EQ(sem_destroy(&sem), 0);
	CHECK_EQ(sem_init(&sem, 0, INT_MAX), 0);
	CHECK_ERRNO(sem_post(&sem), EOVERFLOW);
	CHECK_ERRNO(sem_init(&sem, 0, INT_MAX + 1u), EINVAL);
}

static void *pong(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		sem_wait(&sem);
		counter++;
		sem_post(&sem2);
	}
	return arg;
}

static void semaphore_ping_pong(void)
{
	pthread_t t;

	sem_init(&sem, 0, 0);
	sem_init(&sem2, 0, 0);
	t = start_thread(pong, NULL);
	for (int i = 0; i < 1000; i++) {
		sem_post(&sem);
		sem_wait(&sem2);
		CHECK_EQ(counter, i + 1);
	}
	join_thread(t);
}

static void *take_and_give(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		sem_wait(&sem);
		CHECK(__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST) <= 3);
		if (i % 32 == 0)
			sched_yield();
		__atomic_sub_fetch(&counter, 1, __ATOMIC_SEQ_CST);
		sem_post(&sem);
	}
	return arg;
}

static void semaphore_limits(void)
{
	int value;

	sem_init(&sem, 0, 3);
	run_threads(take_and_give, 8);
	sem_getvalue(&sem, &value);
	CHECK_EQ(value, 3);
}

static void semaphore_between_processes(void)
{
	sem_t *s = shared_memory(2 * sizeof(*s));
	pid_t pid;

	CHECK_EQ(sem_init(&s[0], 1, 0), 0);
	CHECK_EQ(sem_init(&s[1], 1, 0), 0);
	pid = fork();
	for (int i = 0; i < 300; i++) {
		sem_post(&s[pid == 0]);
		sem_wait(&s[pid != 0]);
	}
	if (pid == 0)
		_exit(0);
	expect_exit(pid, 0);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile long pair[2];

static void *read_and_write(void *arg)
{
	for (int i = 0; i < 1500; i++) {
		if (i % 8 == (long)arg) {
			CHECK_EQ(pthread_rwlock_wrlock(&rwlock), 0);
			pair[0]++;
			if (i % 64 < 8)
				sched_yield();
			pair[1]++;
		} else {
			CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0);
			CHECK_EQ(pair[0], pair[1]);
		}
		CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
	}
	return NULL;
}

static void *try_both(void *arg)
{
	long r = pthread_rwlock_tryrdlock(&rwlock);

	(void)arg;
	if (!r)
		pthread_rwlock_unlock(&rwlock);
	return (void *)(100 * r + pthread_rwlock_trywrlock(&rwlock));
}

static void readers_and_writers(void)
{
	CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0);
	CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0);
	CHECK_EQ((long)join_thread(start_thread(try_both, NULL)), EBUSY);
	CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
	CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
	CHECK_EQ(pthread_rwlock_wrlock(&rwlock), 0);
	CHECK_EQ((long)join_thread(start_thread(try_both, NULL)), 101 * EBUSY);
	CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
	run_threads(read_and_write, 6);
	CHECK_EQ(pair[0], pair[1]);
}

static pthread_barrier_t barrier;
static atomic_int arrived, serial;

static void *meet(void *arg)
{
	for (int round = 1; round <= 40; round++) {
		int r;

		arrived++;
		r = pthread_barrier_wait(&barrier);
		CHECK(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
		serial += r == PTHREAD_BARRIER_SERIAL_THREAD;
		CHECK(arrived >= round * 5);
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

static void barriers(void)
{
	CHECK_EQ(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
	CHECK_EQ(pthread_barrier_init(&barrier, NULL, 5), 0);
	run_threads(meet, 5);
	CHECK_EQ(serial, 40);
	CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
}

static const struct test_case cases[] = {
	CASE(mutex_excludes),
	CASE(trylock),
	CASE(recursive_mutex),
	CASE(checking_mutex),
	CASE(timed_lock),
	CASE(mutex_between_processes),
	CASE(signal_wakes_one_each),
	CASE(broadcast_wakes_all),
	CASE(timed_wait),
	CASE(timeouts_race_signals),
	CASE(destroy_after_wake),
	CASE(producers_and_consumers),
	CASE(semaphore_values),
	CASE(semaphore_ping_pong),
	CASE(semaphore_limits),
	CASE(semaphore_between_processes),
	CASE(readers_and_writers),
	CASE(barriers),
};

TEST_MAIN(cases)
