/*
 * Throws random system calls at the kernel: fuzz SEED CALLS.
 *
 * PROCESSES processes at a time, each with THREADS threads, make made-up calls (calls.c) until
 * there have been CALLS; a process makes some thousands and ends, or ends in any other way. A
 * process without progress waits for an event that will not come, and is killed. There must be no
 * panic and no hang, and nothing may stay behind: every count in /proc/counters must return to its
 * old value.
 *
 * The seed decides which calls each thread makes; how they interleave depends on the machine.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../counts.h"
#include "fuzz.h"

#define PROCESSES	8
#define THREADS		3
#define CALLS_EACH	2000	/* of each thread */
#define STUCK_MS	30	/* without a call: it waits */
#define WARM_UP		10000	/* calls that fill caches */
#define LEAK_KIB	1024	/* caches may keep this much */

/* One process, in memory that it shares with us. */
struct worker {
	_Atomic uint64_t calls;
	pid_t pid;		/* 0: none */
	uint64_t seed, seen;
	int idle_ms;
};

struct maker {
	struct worker *worker;
	struct numbers numbers;
};

static struct worker *workers;
static uint64_t next_seed;

/* --- The processes that make the calls -------------------------------------------------------- */

static void *make_calls(void *arg)
{
	struct maker *m = arg;

	for (int i = 0; i < CALLS_EACH; i++) {
		atomic_fetch_add(&m->worker->calls, 1);
		call_something(&m->numbers);
	}
	return NULL;
}

static void limit(int which, rlim_t most)
{
	setrlimit(which, &(struct rlimit){ most, most });
}

static void work(struct worker *w)
{
	static struct maker makers[THREADS];
	pthread_t t;

	setpgid(0, 0);		/* signals to the group reach only this process and its copies */
	mkdir(FOLDER, 0777);
	chdir(FOLDER);
	limit(RLIMIT_NPROC, 200);
	limit(RLIMIT_AS, 64 << 20);
	limit(RLIMIT_FSIZE, 1 << 20);
	calls_prepare();
	for (int i = THREADS - 1; i >= 0; i--) {
		makers[i] = (struct maker){ w, { (w->seed * THREADS + i) << 32 } };
		if (i)
			pthread_create(&t, NULL, make_calls, &makers[i]);
	}
	make_calls(&makers[0]);
	pthread_exit(NULL);
}

/* --- What was there before us ----------------------------------------------------------------- */

/* Calls @how for each name in @folder, with its path. */
static void for_each_name(const char *folder, void (*how)(const char *path))
{
	DIR *d = opendir(*folder ? folder : "/");
	struct dirent *e;
	char path[512];

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		how(path);
	}
	if (d)
		closedir(d);
}

/* Everything there was before us, by name: in /, /tmp and /proc. */
static char *known[128];
static unsigned nr_known;

static void note(const char *path)
{
	if (nr_known < sizeof(known) / sizeof(*known))
		known[nr_known++] = strdup(path);
}

static int is_new(const char *path)
{
	for (unsigned i = 0; i < nr_known; i++)
		if (!strcmp(known[i], path))
			return 0;
	return 1;
}

/* --- The parent of these processes ------------------------------------------------------------ */

static void start(struct worker *w)
{
	pid_t pid;		/* the child must not write to *w */

	w->seed = next_seed++;
	w->seen = atomic_load(&w->calls);
	w->idle_ms = 0;
	pid = fork();
	if (pid == 0)
		work(w);
	if (pid < 0) {
		perror("fuzz: fork");
		exit(1);
	}
	w->pid = pid;
}

/* The copies that it made of itself are in its group. */
static void end(struct worker *w)
{
	kill(-w->pid, SIGKILL);
	w->pid = 0;
}

/* Waits for ended children, also those of CLONE_PARENT. Returns false if none is left. */
static int bury(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (int i = 0; i < PROCESSES; i++)
			if (workers[i].pid == pid)
				end(&workers[i]);
	return pid == 0;
}

/* Kills copies that left their group or were stopped and so do not end by themselves. */
static void kill_new(const char *path)
{
	pid_t pid = atoi(path + strlen("/proc/"));

	if (pid > 0 && pid != getpid() && is_new(path))
		kill(pid, SIGKILL);
}

static void kill_if_stuck(struct worker *w, int ms)
{
	uint64_t calls = atomic_load(&w->calls);

	w->idle_ms = calls == w->seen ? w->idle_ms + ms : 0;
	w->seen = calls;
	if (w->idle_ms >= STUCK_MS)
		kill(-w->pid, SIGKILL);
}

static uint64_t calls_made(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < PROCESSES; i++)
		sum += atomic_load(&workers[i].calls);
	return sum;
}

/* Runs processes until they have made @calls more calls. */
static void fuzz(uint64_t calls)
{
	uint64_t enough = calls_made() + calls;

	while (calls_made() < enough) {
		for (int i = 0; i < PROCESSES; i++) {
			if (workers[i].pid)
				kill_if_stuck(&workers[i], 2);
			else
				start(&workers[i]);
		}
		sleep_ms(2);
		bury();
	}
	do {
		for_each_name("/proc", kill_new);
		sleep_ms(1);
	} while (bury());
}

/* --- What stays behind ------------------------------------------------------------------------ */

static void remove_any(const char *path)
{
	if (unlink(path) < 0 && errno == EISDIR) {
		for_each_name(path, remove_any);
		rmdir(path);
	}
}

static void remove_new(const char *path)
{
	if (is_new(path))
		remove_any(path);
}

/*
 * Files may also be beside our folder, if their makers changed to a higher one. A child removes
 * them, so that the pages of its deep stack do not count as a leak.
 */
static void tidy_up(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for_each_name("", remove_new);
		for_each_name("/tmp", remove_new);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static long free_kib(void)
{
	char line[128];
	long value = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "MemFree:", 8) == 0)
			value = atol(line + 8);
	if (f)
		fclose(f);
	return value;
}

/* Waits until the counts do not change any more. */
static struct counts settled(void)
{
	struct counts before, after = read_counts();

	do {
		before = after;
		sleep_ms(50);
		after = read_counts();
	} while (strcmp(before.text, after.text));
	return after;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t calls = argc > 2 ? strtoull(argv[2], NULL, 0) : 100000;
	long free_before, lost;
	struct counts before;

	touch_stack();
	workers = mmap(NULL, PROCESSES * sizeof(*workers), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	next_seed = seed << 20;
	for_each_name("", note);
	for_each_name("/tmp", note);
	for_each_name("/proc", note);
	for (int i = 0; i < 2; i++) {		/* the second time finds what the first one keeps */
		fuzz(WARM_UP);
		tidy_up();
		free_kib();
		before = settled();
	}
	free_before = free_kib();
	fuzz(calls);
	tidy_up();
	if (!counts_return(&before))
		return 1;
	lost = free_before - free_kib();
	printf("%lu calls, %lu processes, %ld KiB less\n", calls_made(), next_seed - (seed << 20),
	       lost);
	return lost > LEAK_KIB;
}
