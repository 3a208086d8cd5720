/* Condition variables: no signal is lost, none is taken twice, and no deadline comes early. */
#include "test.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

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

/* Every signal that finds a waiter wakes one (UCOND1): none is lost. */
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
	CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);		/* locked again on return */
	pthread_mutex_unlock(&mutex);
	CHECK_EQ(pthread_cond_destroy(&c), 0);
}

/* Timeouts race with signals: every ticket is taken once. */
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

static const struct test_case cases[] = {
	CASE(signal_wakes_one_each),
	CASE(broadcast_wakes_all),
	CASE(timed_wait),
	CASE(timeouts_race_signals),
	CASE(destroy_after_wake),
	CASE(producers_and_consumers),
};

TEST_MAIN(cases)
