/*
 * A POSIX program for Linux, which knows nothing about Trellis: test_glibc.py links it statically
 * with glibc, and it must print the same on Trellis as on Linux.
 *
 * Its lines are the same however its threads are scheduled. Only one wait depends on time: the one
 * that must time out.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS	4
#define ITEMS	2000
#define ROUNDS	500

#define MUST(cond) \
	((cond) ? (void)0 \
		: (printf("line %d: %s (errno %d)\n", __LINE__, #cond, errno), _exit(1)))

static void run_threads(void *(*fn)(void *), void *results[THREADS])
{
	pthread_t t[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		MUST(pthread_create(&t[i], NULL, fn, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		MUST(pthread_join(t[i], &results[i]) == 0);
}

/* --- Thread-local storage, initialized and not, and by key --- */

static __thread long mine = 40;
static __thread alignas(64) char blank[100];
static pthread_key_t key;
static pthread_barrier_t all_here;
static atomic_long destroyed;

static void count_destroyed(void *value)
{
	destroyed += (intptr_t)value;
}

static void *use_own(void *arg)
{
	intptr_t number = (intptr_t)arg;

	MUST((uintptr_t)blank % 64 == 0 && blank[99] == 0);
	mine += number;
	errno = (int)number;
	memset(blank, (int)number, sizeof(blank));
	MUST(pthread_setspecific(key, (void *)(number + 1)) == 0);
	pthread_barrier_wait(&all_here);
	MUST(mine == 40 + number && errno == number && blank[99] == number);
	return (void *)mine;
}

static void local_storage(void)
{
	void *results[THREADS];

	MUST(pthread_key_create(&key, count_destroyed) == 0);
	MUST(pthread_barrier_init(&all_here, NULL, THREADS) == 0);
	run_threads(use_own, results);
	printf("local: ");
	for (int i = 0; i < THREADS; i++)
		printf("%ld, ", (long)results[i]);
	printf("and %ld; destructors got %ld\n", mine, destroyed);
}

/* --- A mutex and condition variables: a queue with room for eight --- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	long *items[8];		/* on the heap: malloc() is called by all threads at once */
	unsigned put, taken;
} queue = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, { NULL }, 0, 0 };

static void queue_put(long *item)
{
	pthread_mutex_lock(&queue.lock);
	while (queue.put - queue.taken == 8)
		pthread_cond_wait(&queue.changed, &queue.lock);
	queue.items[queue.put++ % 8] = item;
	pthread_cond_broadcast(&queue.changed);
	pthread_mutex_unlock(&queue.lock);
}

static long *queue_take(void)
{
	long *item;

	pthread_mutex_lock(&queue.lock);
	while (queue.put == queue.taken)
		pthread_cond_wait(&queue.changed, &queue.lock);
	item = queue.items[queue.taken++ % 8];
	pthread_cond_broadcast(&queue.changed);
	pthread_mutex_unlock(&queue.lock);
	return item;
}

/* Two threads put, two take. */
static void *produce_or_consume(void *arg)
{
	bool producer = (intptr_t)arg % 2;
	long sum = 0, *item;

	for (long i = 1; i <= ITEMS; i++) {
		item = producer ? malloc(sizeof(*item)) : queue_take();
		MUST(item);
		if (producer) {
			*item = i;
			queue_put(item);
		} else {
			sum += *item;
			free(item);
		}
	}
	return (void *)sum;
}

static void queues(void)
{
	struct timespec soon;
	void *sums[THREADS];
	int err;

	run_threads(produce_or_consume, sums);
	printf("queue: %u put, %u taken, sum %ld\n", queue.put, queue.taken,
	       (long)sums[0] + (long)sums[2]);

	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec = (soon.tv_nsec + 10000000) % 1000000000;
	soon.tv_sec += soon.tv_nsec < 10000000;
	pthread_mutex_lock(&queue.lock);
	do
		err = pthread_cond_timedwait(&queue.changed, &queue.lock, &soon);
	while (err == 0);
	pthread_mutex_unlock(&queue.lock);
	printf("timed wait: %s\n", strerror(err));
}

/* --- Semaphores --- */

static sem_t room, ping, pong;
static atomic_int inside, most;

static void *go_in_and_out(void *arg)
{
	int now, seen;

	for (int i = 0; i < ROUNDS; i++) {
		MUST(sem_wait(&room) == 0);
		now = ++inside;
		for (seen = most; now > seen && !atomic_compare_exchange_weak(&most, &seen, now);)
			;
		inside--;
		MUST(sem_post(&room) == 0);
	}
	return arg;
}

static void *answer(void *arg)
{
	for (int i = 1; i <= 3; i++) {
		MUST(sem_wait(&ping) == 0);
		printf("pong %d\n", i);
		MUST(sem_post(&pong) == 0);
	}
	return arg;
}

static void semaphores(void)
{
	void *results[THREADS];
	pthread_t t;

	sem_init(&room, 0, 2);
	sem_init(&ping, 0, 0);
	sem_init(&pong, 0, 0);
	run_threads(go_in_and_out, results);
	printf("semaphore: %s\n", most <= 2 ? "never more than two inside" : "too many inside");
	MUST(pthread_create(&t, NULL, answer, NULL) == 0);
	for (int i = 1; i <= 3; i++) {
		printf("ping %d\n", i);
		MUST(sem_post(&ping) == 0);
		MUST(sem_wait(&pong) == 0);
	}
	MUST(pthread_join(t, NULL) == 0);
}

/* --- Floating point: every thread has registers of its own --- */

static void *add_up(void *arg)
{
	double *sum = arg = malloc(sizeof(*sum));

	MUST(sum);
	*sum = 0;
	for (int i = 1; i <= 100000; i++)
		*sum += 1.0 / i;
	return arg;
}

static void floating_point(void)
{
	void *sums[THREADS];

	run_threads(add_up, sums);
	for (int i = 0; i < THREADS; i++) {
		printf("sum: %.17g, %a\n", *(double *)sums[i], *(double *)sums[i]);
		free(sums[i]);
	}
	printf("floats: %8.3f|%-12.4e|%g|%g|%.15Lf|%f\n", -2.0 / 3, 6.02214076e23, 1e-5, 1e100,
	       1.0L / 7, strtod("-inf", NULL));
	printf("root: %.15f\n", sqrt(strtod("2.000", NULL)));
}

/* --- A thread that is cancelled, and detached ones --- */

static sem_t never, gone;

static void clean_up(void *arg)
{
	printf("cleaned up: %s\n", (const char *)arg);
}

static void *wait_for_ever(void *arg)
{
	pthread_cleanup_push(clean_up, "a cancelled thread");
	sem_wait(&never);
	pthread_cleanup_pop(0);
	return arg;
}

static void *say_and_go(void *arg)
{
	printf("detached\n");
	MUST(sem_post(&gone) == 0);
	return arg;
}

static void cancelled_and_detached(void)
{
	pthread_attr_t attr;
	void *result;
	pthread_t t;

	sem_init(&never, 0, 0);
	sem_init(&gone, 0, 0);
	MUST(pthread_create(&t, NULL, wait_for_ever, NULL) == 0);
	MUST(pthread_cancel(t) == 0);
	MUST(pthread_join(t, &result) == 0);
	printf("result: %s\n", result == PTHREAD_CANCELED ? "cancelled" : "another");

	MUST(pthread_attr_init(&attr) == 0);
	MUST(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
	MUST(pthread_attr_setstacksize(&attr, 1 << 20) == 0);
	MUST(pthread_create(&t, &attr, say_and_go, NULL) == 0);
	MUST(sem_wait(&gone) == 0);
	MUST(pthread_create(&t, &attr, wait_for_ever, NULL) == 0);	/* until the program ends */
}

/* --- Processes --- */

static sem_t *shared;
static int ends[2];

static void *write_to_parent(void *arg)
{
	MUST(write(ends[1], "from a thread of the child", 26) == 26);
	return arg;
}

static void be_child(void)
{
	pthread_t t;

	MUST(sem_wait(shared) == 0);
	mine++;
	MUST(pthread_create(&t, NULL, write_to_parent, NULL) == 0);
	MUST(pthread_join(t, NULL) == 0);
	_exit(mine == 41 ? 7 : 8);
}

static void before_fork(void)
{
	printf("about to fork\n");
	fflush(stdout);
}

static void processes(void)
{
	char text[100] = "";
	size_t n = 0;
	ssize_t got;
	int status;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	MUST(shared != MAP_FAILED && sem_init(shared, 1, 0) == 0);
	MUST(pipe(ends) == 0 && pthread_atfork(before_fork, NULL, NULL) == 0);
	pid = fork();
	if (pid == 0)
		be_child();
	MUST(pid > 0 && close(ends[1]) == 0 && sem_post(shared) == 0);
	while ((got = read(ends[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	printf("child: \"%s\", status %d\n", text, WEXITSTATUS(status));

	pid = fork();
	if (pid == 0)
		raise(SIGTERM);
	MUST(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	printf("child: ended by signal %d, %s\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

static void at_the_end(void)
{
	printf("exit handler, in the buffer until the very end");
}

int main(void)
{
	MUST(atexit(at_the_end) == 0);
	local_storage();
	queues();
	semaphores();
	floating_point();
	cancelled_and_detached();
	processes();
	return 42;
}
