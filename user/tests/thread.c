/* POSIX threads: creating, joining, detaching, ending, and data that each thread has for itself. */
#include "test.h"

static void *twice(void *arg)
{
	return (void *)(2 * (long)arg);
}

static void join_takes_the_result(void)
{
	CHECK_EQ((long)join_thread(start_thread(twice, (void *)21)), 42);
}

static void *exit_from_below(void *arg)
{
	pthread_exit(arg);
}

static void exit_takes_a_result_too(void)
{
	CHECK_EQ((long)join_thread(start_thread(exit_from_below, (void *)7)), 7);
}

static void many_one_after_the_other(void)
{
	for (long i = 0; i < 400; i++)
		CHECK_EQ((long)join_thread(start_thread(twice, (void *)i)), 2 * i);
}

static void many_at_once(void)
{
	enum { COUNT = 100 };
	pthread_t t[COUNT];

	for (long i = 0; i < COUNT; i++)
		t[i] = start_thread(twice, (void *)i);
	for (long i = COUNT - 1; i >= 0; i--)
		CHECK_EQ((long)join_thread(t[i]), 2 * i);
}

static void *self_of(void *arg)
{
	(void)arg;
	return (void *)pthread_self();
}

static void identity(void)
{
	pthread_t t = start_thread(self_of, NULL);

	CHECK(!pthread_equal(t, pthread_self()));
	CHECK(pthread_equal(pthread_self(), pthread_self()));
	CHECK(pthread_equal((pthread_t)join_thread(t), t));
}

static void *ids(void *arg)
{
	CHECK_EQ(getpid(), (long)arg);
	return (void *)(long)gettid();
}

static void one_process_many_ids(void)
{
	long a = (long)join_thread(start_thread(ids, (void *)(long)getpid()));

	CHECK_EQ(gettid(), getpid());
	CHECK(a > 0 && a != getpid());
}

static void *join_it(void *arg)
{
	return (void *)(long)pthread_join(*(pthread_t *)arg, NULL);
}

static void join_errors(void)
{
	pthread_t self = pthread_self();

	CHECK_EQ(pthread_join(self, NULL), EDEADLK);
	CHECK_EQ(pthread_detach(self), 0);
	CHECK_EQ((long)join_thread(start_thread(join_it, &self)), EINVAL);
}

static void *main_is_joined(void *arg)
{
	void *result;

	CHECK_EQ(pthread_join(*(pthread_t *)arg, &result), 0);
	CHECK_EQ((long)result, 5);
	exit(23);
}

static void the_first_thread_can_be_joined(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		static pthread_t first;

		first = pthread_self();
		start_thread(main_is_joined, &first);
		pthread_exit((void *)5);
	}
	expect_exit(pid, 23);
}

static void *finish_alone(void *arg)
{
	CHECK_EQ(pthread_join(*(pthread_t *)arg, NULL), 0);
	return NULL;
}

static void the_last_thread_ends_the_process(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		static pthread_t first;

		first = pthread_self();
		start_thread(finish_alone, &first);
		pthread_exit(NULL);
	}
	expect_exit(pid, 0);
}

static void *leave_process(void *arg)
{
	exit((long)arg);
}

static void exit_in_a_thread_ends_all(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		start_thread(leave_process, (void *)9);
		for (;;)
			pause();
	}
	expect_exit(pid, 9);
}

static void *fault(void *arg)
{
	*(int *)hidden(24) = 1;
	return arg;
}

static void fault_in_a_thread_ends_all(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		start_thread(fault, NULL);
		for (;;)
			pause();
	}
	expect_signal(pid, SIGSEGV);
}

static atomic_long detached_done;

static void *count_up(void *arg)
{
	detached_done++;
	return arg;
}

/* Thousands of stacks: they fit only if each is given back. */
static void detached_threads_clean_up(void)
{
	pthread_attr_t attr;
	pthread_t t;
	long made = 0;

	CHECK_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 1 << 20), 0);
	for (; made < 600; made++) {
		CHECK_EQ(pthread_create(&t, &attr, count_up, NULL), 0);
		while (made - detached_done > 20)
			sched_yield();
	}
	while (detached_done != made)
		sched_yield();
	pthread_attr_destroy(&attr);
}

static void detach_before_and_after_the_end(void)
{
	for (int i = 0; i < 200; i++) {
		pthread_t t = start_thread(twice, NULL);

		if (i % 2)
			sched_yield();
		CHECK_EQ(pthread_detach(t), 0);
	}
}

static void attributes(void)
{
	pthread_attr_t attr;
	size_t size = 0;
	int state = -1;

	CHECK_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_getdetachstate(&attr, &state), 0);
	CHECK_EQ(state, PTHREAD_CREATE_JOINABLE);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 200 << 10), 0);
	CHECK_EQ(pthread_attr_getstacksize(&attr, &size), 0);
	CHECK_EQ(size, 200 << 10);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 100), EINVAL);
	CHECK_EQ(pthread_attr_setdetachstate(&attr, 99), EINVAL);
	CHECK_EQ(pthread_attr_destroy(&attr), 0);
}

static long deep(long n)
{
	volatile char frame[1000];

	frame[n % 1000] = n;		/* varies, so that the whole stack is needed */
	return n ? deep(n - 1) + (frame[n % 1000] == (char)n) : 0;
}

static void *use_stack(void *arg)
{
	return (void *)deep((long)arg);
}

static void big_stack(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 4 << 20), 0);
	CHECK_EQ(pthread_create(&t, &attr, use_stack, (void *)3000), 0);
	CHECK_EQ((long)join_thread(t), 3000);
}

static void *overflow(void *arg)
{
	return (void *)deep(1L << 40);
	(void)arg;
}

static void guard_stops_overflow(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pthread_attr_t attr;
		pthread_t t;

		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, 128 << 10);
		pthread_create(&t, &attr, overflow, NULL);
		pthread_join(t, NULL);
		_exit(0);
	}
	expect_signal(pid, SIGSEGV);
}

static void own_stack(void)
{
	size_t size = 128 << 10;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t t;
	bool used = false;

	CHECK(stack != MAP_FAILED);
	pthread_attr_init(&attr);
	CHECK_EQ(pthread_attr_setstack(&attr, stack, size), 0);
	CHECK_EQ(pthread_create(&t, &attr, use_stack, (void *)10), 0);
	CHECK_EQ((long)join_thread(t), 10);
	for (size_t i = 0; i < size; i++)
		used |= stack[i] != 0;
	CHECK(used);
	munmap(stack, size);
}

static _Thread_local int initialised = 5, zeroed;
static _Thread_local char large[3000] = "large";

static void *check_tls(void *arg)
{
	CHECK_EQ(initialised, 5);
	CHECK_EQ(zeroed, 0);
	CHECK(!strcmp(large, "large") && !large[2999]);
	initialised = zeroed = (long)arg;
	memset(large, 'x', sizeof(large));
	errno = (long)arg;
	sched_yield();
	CHECK_EQ(initialised, (long)arg);
	CHECK_EQ(zeroed, (long)arg);
	CHECK_EQ(errno, (long)arg);
	return NULL;
}

static void thread_local_storage(void)
{
	pthread_t t[20];

	initialised = 1;
	errno = 99;
	for (long i = 0; i < 20; i++)
		t[i] = start_thread(check_tls, (void *)(i + 100));
	for (long i = 0; i < 20; i++)
		join_thread(t[i]);
	CHECK_EQ(errno, 99);
	CHECK_EQ(initialised, 1);
	CHECK(!strcmp(large, "large"));
}

static pthread_key_t key, chained;
static atomic_int destroyed, chain;

static void destroy(void *value)
{
	CHECK(value);
	destroyed += (long)value;
}

static void destroy_and_set_again(void *value)
{
	if (++chain < 3)
		pthread_setspecific(chained, value);
}

static void *set_keys(void *arg)
{
	CHECK(!pthread_getspecific(key));
	CHECK_EQ(pthread_setspecific(key, arg), 0);
	CHECK_EQ(pthread_setspecific(chained, arg), 0);
	sched_yield();
	CHECK(pthread_getspecific(key) == arg);
	return NULL;
}

static void keys_and_destructors(void)
{
	pthread_t t[4];

	CHECK_EQ(pthread_key_create(&key, destroy), 0);
	CHECK_EQ(pthread_key_create(&chained, NULL), 0);
	for (long i = 0; i < 4; i++)
		t[i] = start_thread(set_keys, (void *)(i + 1));
	for (long i = 0; i < 4; i++)
		join_thread(t[i]);
	CHECK_EQ(destroyed, 1 + 2 + 3 + 4);
	CHECK_EQ(pthread_key_delete(chained), 0);
	CHECK_EQ(pthread_key_create(&chained, destroy_and_set_again), 0);
	join_thread(start_thread(set_keys, (void *)1));
	CHECK_EQ(chain, 3);
	CHECK_EQ(pthread_key_delete(key), 0);
	CHECK_EQ(pthread_setspecific(key, &key), EINVAL);
}

/* The number of a deleted key is used again, its values are not. */
static void new_key_has_no_value(void)
{
	pthread_key_t k;

	for (int i = 0; i < 200; i++) {
		CHECK_EQ(pthread_key_create(&k, NULL), 0);
		CHECK(!pthread_getspecific(k));
		CHECK_EQ(pthread_setspecific(k, &k), 0);
		CHECK_EQ(pthread_key_delete(k), 0);
	}
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int times;

static void only_once(void)
{
	for (int i = 0; i < 10; i++)
		sched_yield();
	times++;
}

static void *come_once(void *arg)
{
	CHECK_EQ(pthread_once(&once, only_once), 0);
	CHECK_EQ(times, 1);
	return arg;
}

static void once_is_once(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		t[i] = start_thread(come_once, NULL);
	for (int i = 0; i < 8; i++)
		join_thread(t[i]);
}

static void *wait_at_pipe(void *arg)
{
	char c;

	CHECK_EQ(read(*(int *)arg, &c, 1), 0);
	return NULL;
}

static void timed_join(void)
{
	struct timespec past = { 0, 1 }, later;
	int fds[2];
	pthread_t t;

	CHECK_EQ(pipe(fds), 0);
	t = start_thread(wait_at_pipe, &fds[0]);
	CHECK_EQ(pthread_tryjoin_np(t, NULL), EBUSY);
	CHECK_EQ(pthread_timedjoin_np(t, NULL, &past), ETIMEDOUT);
	later = timespec_of(now_ns(CLOCK_REALTIME) + 20000000);
	CHECK_EQ(pthread_timedjoin_np(t, NULL, &later), ETIMEDOUT);
	CHECK(now_ns(CLOCK_REALTIME) >= later.tv_sec * 1000000000L + later.tv_nsec);
	close(fds[1]);
	later.tv_sec += 1000;
	CHECK_EQ(pthread_timedjoin_np(t, NULL, &later), 0);
}

static void names(void)
{
	char name[16] = "";

	CHECK_EQ(pthread_setname_np(pthread_self(), "a new name"), 0);
	CHECK_EQ(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
	CHECK(!strcmp(name, "a new name"));
	CHECK_EQ(pthread_setname_np(pthread_self(), "more than fifteen"), ERANGE);
}

/* The child has only the thread that forked. It can go on: create threads, use the heap. */
static void *use_heap(void *arg)
{
	while (!*(volatile bool *)arg) {
		free(malloc(100));
		sched_yield();
	}
	return NULL;
}

static void fork_with_threads(void)
{
	static volatile bool stop;
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		t[i] = start_thread(use_heap, (void *)&stop);
	for (int i = 0; i < 30; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			free(malloc(1000));
			CHECK_EQ((long)join_thread(start_thread(twice, (void *)4)), 8);
			_exit(3);
		}
		expect_exit(pid, 3);
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		join_thread(t[i]);
}

static const struct test_case cases[] = {
	CASE(join_takes_the_result),
	CASE(exit_takes_a_result_too),
	CASE(many_one_after_the_other),
	CASE(many_at_once),
	CASE(identity),
	CASE(one_process_many_ids),
	CASE(join_errors),
	CASE(the_first_thread_can_be_joined),
	CASE(the_last_thread_ends_the_process),
	CASE(exit_in_a_thread_ends_all),
	CASE(fault_in_a_thread_ends_all),
	CASE(detached_threads_clean_up),
	CASE(detach_before_and_after_the_end),
	CASE(attributes),
	CASE(big_stack),
	CASE(guard_stops_overflow),
	CASE(own_stack),
	CASE(thread_local_storage),
	CASE(keys_and_destructors),
	CASE(new_key_has_no_value),
	CASE(once_is_once),
	CASE(timed_join),
	CASE(names),
	CASE(fork_with_threads),
};

TEST_MAIN(cases)
