/* Semaphores, readers and writers, barriers. */
#include <limits.h>
#include <semaphore.h>

#include "test.h"

static long counter;

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
	CASE(semaphore_values),
	CASE(semaphore_ping_pong),
	CASE(semaphore_limits),
	CASE(semaphore_between_processes),
	CASE(readers_and_writers),
	CASE(barriers),
};

TEST_MAIN(cases)
