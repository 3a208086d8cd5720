/*
 * Work of the kernel on many threads at one moment: a process is killed with all its threads,
 * timers are due together, all waiters of a word are woken. It is marked for bench/meter, which
 * measures how long interrupts are off.
 */
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "bench.h"

#define SECOND	1000000000ll
#define SOON	(SECOND / 20)		/* all of them are asleep by then */

static int word;
static struct timespec moment;
static unsigned awake;

static struct timespec after(struct timespec t, long long ns)
{
	ns += t.tv_nsec;
	return (struct timespec){ .tv_sec = t.tv_sec + ns / SECOND, .tv_nsec = ns % SECOND };
}

static void sleep_until(const struct timespec *t)
{
	if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, t, NULL))
		errx(1, "clock_nanosleep");
}

static void *wait_for_word(void *arg)
{
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
	return arg;
}

static void *wait_for_moment(void *arg)
{
	sleep_until(&moment);
	__atomic_fetch_add(&awake, 1, __ATOMIC_RELAXED);
	return arg;
}

static void wake_all(unsigned n)
{
	gather(n, wait_for_word);
	mark_begin();
	if (syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX) != n)
		errx(1, "not all %u are woken", n);
	mark_end();
}

static void expire_all(unsigned n)
{
	struct timespec now, then;

	clock_gettime(CLOCK_MONOTONIC, &now);
	moment = after(now, SOON);
	then = after(moment, SOON);
	gather(n, wait_for_moment);
	if (awake)
		errx(1, "the moment was too soon for %u", n);
	mark_begin();
	sleep_until(&then);
	mark_end();
	if (awake != n)
		errx(1, "%u of %u are awake", awake, n);
}

static void kill_all(unsigned n)
{
	int ready[2], status;
	char c = 0;
	pid_t child;

	check(pipe(ready), "pipe");
	child = check(fork(), "fork");
	if (child == 0) {
		gather(n - 1, wait_for_word);
		check(write(ready[1], &c, 1), "write");
		pause();
		_exit(1);
	}
	check(read(ready[0], &c, 1), "read");
	mark_begin();
	check(kill(child, SIGKILL), "kill");
	check(waitpid(child, &status, 0), "waitpid");
	mark_end();
	if (!WIFSIGNALED(status))
		errx(1, "it ended with status %x", (unsigned)status);
}

void many(const char *what, unsigned n)
{
	static const struct {
		const char *name;
		void (*fn)(unsigned n);
	} kinds[] = { { "wake", wake_all }, { "expire", expire_all }, { "kill", kill_all } };

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, what) == 0) {
			kinds[i].fn(n);
			return;
		}
	}
	errx(2, "what to do with many: wake, expire or kill");
}
