/*
 * Real-time threads: the highest priority first, before all normal threads, whatever the scheduling
 * policy. All cases run on one CPU, so a more urgent thread runs at once, and nothing beside it.
 */
#include <semaphore.h>
#include <sys/syscall.h>

#include "test.h"

static int set_class(pid_t pid, int class, int priority)
{
	struct sched_param param = { priority };

	return sched_setscheduler(pid, class, &param);
}

/* Keeps everything on one CPU, and makes us more urgent than all but a few threads. */
static void go_first(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
	CHECK_EQ(set_class(0, SCHED_FIFO, 50), 0);
}

/* The steps of the threads, in order. */
static int order[64];
static atomic_int nr_done;

static void did(int what)
{
	order[atomic_fetch_add(&nr_done, 1)] = what;
}

static void expect_order(const int *expected, int n)
{
	CHECK_EQ(nr_done, n);
	for (int i = 0; i < n; i++)
		CHECK_EQ(order[i], expected[i]);
}

/* A thread of a case; it notes its number. */
struct actor {
	int class, priority, number;
	void (*act)(struct actor *self);
	pthread_t thread;
};

static atomic_int last_tid;		/* of the thread started last */

static void *act(void *arg)
{
	struct actor *a = arg;

	last_tid = gettid();
	a->act(a);
	return NULL;
}

/* The thread starts with our priority, and so runs after this, unless it is made more urgent. */
static void start(struct actor *a)
{
	struct sched_param param = { a->priority };

	a->thread = start_thread(act, a);
	CHECK_EQ(pthread_setschedparam(a->thread, a->class, &param), 0);
}

static void start_all(struct actor *a, int n)
{
	nr_done = 0;
	for (int i = 0; i < n; i++)
		start(&a[i]);
}

static void join_all(struct actor *a, int n)
{
	for (int i = 0; i < n; i++)
		join_thread(a[i].thread);
}

static void note(struct actor *self)
{
	did(self->number);
}

/* REALTIME3: a thread whose priority is lowered goes in front of those that have it already. */
static void the_highest_first(void)
{
	static const int expected[] = { 4, 2, 3, 1, 5, 6 };
	struct actor a[] = {
		{ SCHED_FIFO, 20, 1, note, 0 }, { SCHED_RR, 30, 2, note, 0 },
		{ SCHED_FIFO, 20, 3, note, 0 }, { SCHED_FIFO, 49, 4, note, 0 },
		{ SCHED_RR, 1, 5, note, 0 },    { SCHED_OTHER, 0, 6, note, 0 },
	};

	go_first();
	start_all(a, 6);
	CHECK_EQ(nr_done, 0);
	join_all(a, 6);
	expect_order(expected, 6);
}

static void normal_ones_wait(void)
{
	struct actor a = { SCHED_OTHER, 0, 1, note, 0 };
	int64_t until;

	go_first();
	start_all(&a, 1);
	until = now_ns(CLOCK_THREAD_CPUTIME_ID) + 50000000;
	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until)
		sched_yield();
	CHECK_EQ(nr_done, 0);
	join_all(&a, 1);
}

/* REALTIME4: normal threads wait, but not for ever: a real-time thread that spins is throttled. */
static void throttle(void)
{
	static const int classes[] = { SCHED_FIFO, SCHED_RR };
	struct actor a = { SCHED_OTHER, 0, 1, note, 0 };

	for (int i = 0; i < 2; i++) {
		int64_t until;

		go_first();
		CHECK_EQ(set_class(0, classes[i], 50), 0);
		start_all(&a, 1);
		until = now_ns(CLOCK_THREAD_CPUTIME_ID) + 5000000000;
		while (!nr_done && now_ns(CLOCK_THREAD_CPUTIME_ID) < until)
			continue;
		CHECK_EQ(nr_done, 1);
		join_all(&a, 1);
	}
}

static int fds[2];

static void note_after_read(struct actor *self)
{
	char c;

	CHECK_EQ(read(fds[0], &c, 1), 1);
	did(self->number);
}

static void write_between(struct actor *self)
{
	did(self->number);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	did(self->number);
}

/* A woken thread that is more urgent runs at once; the preempted one goes on before its equals. */
static void preemption(void)
{
	static const int expected[] = { 1, 3, 1, 2 };
	struct actor a[] = {
		{ SCHED_FIFO, 60, 3, note_after_read, 0 },
		{ SCHED_FIFO, 20, 2, note, 0 },
		{ SCHED_FIFO, 20, 1, write_between, 0 },
	};

	go_first();
	CHECK_EQ(pipe(fds), 0);
	start_all(a, 3);
	join_all(a, 3);
	expect_order(expected, 4);
}

static void yield_between(struct actor *self)
{
	did(self->number);
	sched_yield();
	did(self->number);
}

/* Yielding lets threads of the same priority run, but none below. */
static void yielding(void)
{
	static const int expected[] = { 1, 2, 1, 3 };
	struct actor a[] = {
		{ SCHED_FIFO, 20, 2, note, 0 },
		{ SCHED_FIFO, 10, 3, note, 0 },
		{ SCHED_FIFO, 20, 1, yield_between, 0 },
	};

	go_first();
	start_all(a, 3);
	join_all(a, 3);
	expect_order(expected, 4);
}

static void spin_until_two(struct actor *self)
{
	did(self->number);
	while (nr_done < 2)
		;
}

/* Each waits for the other to run, so the slices of SCHED_RR must end. */
static void slices(void)
{
	struct actor a[] = {
		{ SCHED_RR, 20, 1, spin_until_two, 0 },
		{ SCHED_RR, 20, 2, spin_until_two, 0 },
	};
	struct timespec slice;
	char text[16];
	FILE *f;

	go_first();
	start_all(a, 2);
	join_all(a, 2);
	CHECK_EQ(set_class(0, SCHED_RR, 1), 0);
	CHECK_EQ(sched_rr_get_interval(0, &slice), 0);
	f = fopen("/proc/sys/kernel/sched_rr_timeslice_ms", "r");
	CHECK(f && fgets(text, sizeof(text), f));
	CHECK_EQ(slice.tv_sec * 1000 + slice.tv_nsec / 1000000, atoi(text));
	fclose(f);
}

enum { FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3 };

static uint32_t words[2];

static long futex(uint32_t *word, int op, uint32_t val, long val2, uint32_t *word2)
{
	return syscall(SYS_futex, word, op, val, val2, word2, 0);
}

static void wait_at_word(struct actor *self)
{
	CHECK_EQ(futex(&words[0], FUTEX_WAIT, 0, 0, NULL), 0);
	did(self->number);
}

/* Wakes one thread, and waits until it has run. */
static void wake_one(uint32_t *word)
{
	int before = nr_done;

	CHECK_EQ(futex(word, FUTEX_WAKE, 1, 0, NULL), 1);
	while (nr_done == before)
		usleep(100);
	CHECK_EQ(nr_done, before + 1);
}

static void start_waiters(struct actor *a, int n)
{
	go_first();
	nr_done = 0;
	for (int i = 0; i < n; i++) {
		last_tid = 0;
		start(&a[i]);
		while (!last_tid || state_of(last_tid) != 'S')
			usleep(100);	/* it runs meanwhile: all are on one CPU */
	}
}

/* FUTEX4: threads wake by priority, equals in order of arrival, normal ones last. */
static void futex_wakes(void)
{
	static const int expected[] = { 9, 90, 7, 5, 2, 1, 10 };
	struct actor a[] = {
		{ SCHED_OTHER, 0, 1, wait_at_word, 0 }, { SCHED_FIFO, 2, 2, wait_at_word, 0 },
		{ SCHED_FIFO, 9, 9, wait_at_word, 0 },  { SCHED_FIFO, 5, 5, wait_at_word, 0 },
		{ SCHED_RR, 7, 7, wait_at_word, 0 },    { SCHED_FIFO, 9, 90, wait_at_word, 0 },
		{ SCHED_OTHER, 0, 10, wait_at_word, 0 },
	};

	start_waiters(a, 7);
	for (int i = 0; i < 7; i++)
		wake_one(&words[0]);
	join_all(a, 7);
	expect_order(expected, 7);
}

/* The two most urgent waiters are moved, and take their places among those at the other word. */
static void futex_requeues(void)
{
	static const int expected[] = { 9, 5, 2 };
	struct actor a[] = {
		{ SCHED_FIFO, 5, 5, wait_at_word, 0 },
		{ SCHED_FIFO, 2, 2, wait_at_word, 0 },
		{ SCHED_FIFO, 9, 9, wait_at_word, 0 },
	};

	start_waiters(a, 3);
	CHECK_EQ(futex(&words[0], FUTEX_REQUEUE, 0, 2, &words[1]), 2);
	wake_one(&words[1]);
	wake_one(&words[1]);
	wake_one(&words[0]);
	join_all(a, 3);
	expect_order(expected, 3);
}

static sem_t *shared_semaphore;
static int own_priority;

static void wait_for_post(void)
{
	CHECK_EQ(set_class(0, SCHED_FIFO, own_priority), 0);
	CHECK_EQ(sem_wait(shared_semaphore), 0);
}

/*
 * A semaphore between processes lets the most urgent one through, and of equals the first to come.
 */
static void semaphore_posts(void)
{
	static const int priority[] = { 2, 3, 3, 4 }, expected[] = { 3, 1, 2, 0 };
	pid_t pid[4];

	go_first();
	shared_semaphore = shared_memory(sizeof(*shared_semaphore));
	CHECK_EQ(sem_init(shared_semaphore, 1, 0), 0);
	for (int i = 0; i < 4; i++) {
		own_priority = priority[i];
		pid[i] = spawn(wait_for_post);
		while (state_of(pid[i]) != 'S')
			usleep(100);		/* else it would not get the CPU */
	}
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(sem_post(shared_semaphore), 0);
		CHECK_EQ(waitpid(-1, NULL, 0), pid[expected[i]]);
	}
}

/* --- A new class ------------------------------------------------------------------------------ */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* The rest of its slice as a normal thread does not end its run under SCHED_FIFO. */
static void a_new_class_ends_the_slice(void)
{
	struct actor a = { .class = SCHED_FIFO, .priority = 50, .number = 1, .act = note };
	double until;

	go_first();
	start_all(&a, 1);
	until = seconds() + 0.15;
	while (seconds() < until && !nr_done)
		continue;
	CHECK_EQ(nr_done, 0);
	join_all(&a, 1);
}

static const struct test_case cases[] = {
	CASE(a_new_class_ends_the_slice),
	CASE(the_highest_first),
	CASE(normal_ones_wait),
	CASE(throttle),
	CASE(preemption),
	CASE(yielding),
	CASE(slices),
	CASE(futex_wakes),
	CASE(futex_requeues),
	CASE(semaphore_posts),
};

TEST_MAIN(cases)
