/*
 * Measures operations of the kernel in instructions, for bench/report.py, which boots it with
 * -icount shift=0 on one CPU. Each is done so often that the cost of reading the clock is
 * negligible.
 *
 *	ops boot		the clock now, and how much memory is in use
 *	ops latency		how late a real-time thread runs under load
 *	ops crowd N		the costs of operations among up to N threads
 *	ops many WHAT N		for bench/meter: N threads woken, due or killed at one moment
 *	ops [-p N] [NAME]...	"NAME total operations" for each, N processes doing it at once
 *	ops -s N [-d D] [NAME]...	"NAME operations 1": side by side, each process on a CPU of
 *				its own and marked for bench/meter; each does a D-th as many
 */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench.h"

static const struct {
	const char *name;
	unsigned n;
	bench_fn run;
} benches[] = {
	{ "null_syscall", 20000, null_syscall },
	{ "yield", 20000, yield_alone },
	{ "yield_pair", 10000, yield_pair },
	{ "pipe_self", 5000, pipe_self },
	{ "pipe_rtt", 5000, pipe_rtt },
	{ "pipe_byte", 4 << 20, pipe_byte },
	{ "fork_exit_wait", 300, fork_exit_wait },
	{ "fork_exec_wait", 200, fork_exec_wait },
	{ "thread_create_join", 500, thread_create_join },
	{ "page_touch", 4000, page_touch },
	{ "munmap_page", 4000, munmap_page },
	{ "map_many", 8192, map_many },
	{ "map_file_many", 16384, map_file_many },
	{ "open_close", 5000, open_close },
	{ "create_unlink", 500, create_unlink },
	{ "write_mib", 8, write_mib },
	{ "read_mib", 8, read_mib },
	{ "signal_self", 5000, signal_self },
	{ "futex_wake", 5000, futex_wake },
	{ "futex_wake_timed", 5000, futex_wake_timed },
	{ "sleep_wake", 50, sleep_wake },
};

#define NR_BENCHES	(sizeof(benches) / sizeof(benches[0]))

long meminfo(const char *name)
{
	char line[128];
	long value = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			value = atol(line + strlen(name));
	if (f)
		fclose(f);
	return value;
}

static void run(unsigned i)
{
	unsigned long long total = benches[i].run(benches[i].n);

	if (total)
		printf("%s %llu %u\n", benches[i].name, total, benches[i].n);
}

/* Lets @processes do it at the same time; measures from the first start to the last end. */
static void run_parallel(unsigned i, int processes)
{
	uint64_t start = clock_now();

	for (int p = 0; p < processes; p++) {
		if (check(fork(), "fork") == 0) {
			benches[i].run(benches[i].n);
			_exit(0);
		}
	}
	for (int p = 0; p < processes; p++)
		check(wait(NULL), "wait");
	printf("%s %llu %u\n", benches[i].name, (unsigned long long)(clock_now() - start),
	       benches[i].n * processes);
}

/*
 * Marks for bench/meter: the measured work begins or ends on this CPU, or has ended on all. Their
 * code differs, or the compiler would merge the three functions into one.
 */
__attribute__((noinline)) void mark_begin(void)
{
	__asm__ volatile("# begin");
}

__attribute__((noinline)) void mark_end(void)
{
	__asm__ volatile("# end");
}

__attribute__((noinline)) static void mark_section(void)
{
	__asm__ volatile("# section");
}

/* A process of run_side_by_side(): it counts itself, and begins when all have done so. */
static void take_part(unsigned i, unsigned n, int cpu, const int ready[2], const int go[2])
{
	cpu_set_t here;
	char c = 0;

	CPU_ZERO(&here);
	CPU_SET(cpu, &here);
	check(sched_setaffinity(0, sizeof(here), &here), "sched_setaffinity");
	check(write(ready[1], &c, 1), "write");
	check(read(go[0], &c, 1), "read");
	mark_begin();
	benches[i].run(n);
	mark_end();
	_exit(0);
}

static void run_side_by_side(unsigned i, int processes, unsigned share)
{
	unsigned n = (benches[i].n + share - 1) / share;
	int ready[2], go[2];
	char c = 0;

	check(pipe(ready), "pipe");
	check(pipe(go), "pipe");
	for (int p = 0; p < processes; p++)
		if (check(fork(), "fork") == 0)
			take_part(i, n, p, ready, go);
	for (int p = 0; p < processes; p++)
		check(read(ready[0], &c, 1), "read");
	for (int p = 0; p < processes; p++)
		check(write(go[1], &c, 1), "write");
	for (int p = 0; p < processes; p++)
		check(wait(NULL), "wait");
	mark_section();
	for (int e = 0; e < 2; e++) {
		close(ready[e]);
		close(go[e]);
	}
	printf("%s %u 1\n", benches[i].name, n * processes);
}

int main(int argc, char **argv)
{
	uint64_t now = clock_now();
	int processes = 0, first = 1, share = 1;
	bool marked = argc > 2 && strcmp(argv[1], "-s") == 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "boot") == 0) {
		printf("boot %llu 1\n", (unsigned long long)now);
		printf("memory_kib %ld 1\n", meminfo("MemTotal:") - meminfo("MemFree:"));
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "latency") == 0) {
		latency();
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "crowd") == 0) {
		crowd(atoi(argv[2]));
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "many") == 0) {
		many(argv[2], atoi(argv[3]));
		return 0;
	}
	if (marked || (argc > 2 && strcmp(argv[1], "-p") == 0)) {
		processes = atoi(argv[2]);
		first = 3;
	}
	if (marked && argc > 4 && strcmp(argv[3], "-d") == 0) {
		share = atoi(argv[4]);
		first = 5;
	}
	for (unsigned i = 0; i < NR_BENCHES; i++) {
		int wanted = argc <= first;

		for (int a = first; a < argc; a++)
			wanted |= strcmp(argv[a], benches[i].name) == 0;
		if (!wanted)
			continue;
		if (marked)
			run_side_by_side(i, processes, share);
		else if (processes)
			run_parallel(i, processes);
		else
			run(i);
	}
	return 0;
}
