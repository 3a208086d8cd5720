/*
 * Throws random system calls at the kernel: fuzz SEED ROUNDS.
 *
 * Each round is a child process that makes CALLS calls, most of them with arguments that mean
 * something: descriptors, addresses good, bad and on the edge, small numbers, flags. It may end or
 * be killed in any way. What must not happen is a panic, a hang, or memory that stays away.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS		2000
#define NUMBERS		460	/* one more than the highest system call number */
#define ROUND_MS	300	/* then a child that waits for something is killed */
#define LEAK_KIB	512	/* caches may keep this much */

static uint64_t state;

static uint64_t next_random(void)
{
	uint64_t x = state += 0x9e3779b97f4a7c15;

	/* splitmix64 (Steele, Lea, Flood 2014) */
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static unsigned below(unsigned n)
{
	return next_random() % n;
}

/* These would end the machine, somebody else, or the run. */
static int is_spared(long number)
{
	static const long spared[] = {
		SYS_reboot, SYS_kill, SYS_tkill, SYS_tgkill, SYS_setpgid, SYS_setsid,
#ifdef SYS_vfork
		SYS_vfork,	/* the child would run on in its parent's frame */
#endif
	};

	for (unsigned i = 0; i < sizeof(spared) / sizeof(spared[0]); i++)
		if (number == spared[i])
			return 1;
	return 0;
}

static char *good, *edge;

static long argument(void)
{
	static char path[] = "/tmp/fuzz", root[] = "/", proc[] = "/proc/self/stat";
	char *const pointers[] = { good, edge, path, root, proc, good + 4095, edge - 1, edge - 8 };
	const long odd[] = { 0, -1, INT32_MAX, INT64_MAX, INT64_MIN,
			     -4096, 1L << 38, 1L << 47, 0x1000 };

	switch (below(8)) {
	case 0:
	case 1:
		return below(8);			/* a descriptor, a small count */
	case 2:
	case 3:
	case 4:
		return (long)pointers[below(8)];
	case 5:
		return 1L << below(64);			/* a flag, a size, an address */
	case 6:
		return odd[below(9)];
	default:
		return next_random();
	}
}

static void fuzz_child(void)
{
	struct rlimit few = { .rlim_cur = 40, .rlim_max = 40 };
	pid_t self = getpid();

	setrlimit(RLIMIT_NPROC, &few);
	for (unsigned i = 0; i < CALLS; i++) {
		long number = below(NUMBERS);

		if (!is_spared(number))
			syscall(number, argument(), argument(), argument(), argument(), argument(),
				argument());
		if (syscall(SYS_getpid) != self)
			_exit(0);		/* a copy of us */
		if (below(64) == 0)
			memset(good, below(256), 4096);
	}
	_exit(0);
}

/* Waits for it in vain a while, then kills it. */
static void bury(pid_t child)
{
	struct timespec tick = { .tv_nsec = 10 * 1000 * 1000 };

	for (int waited = 0; waited < ROUND_MS; waited += 10) {
		if (waitpid(child, NULL, WNOHANG) == child)
			return;
		nanosleep(&tick, NULL);
	}
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0)
		;
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

static void round_of(uint64_t seed)
{
	pid_t child = fork();

	if (child == 0) {
		state = seed;
		for (int fd = 0; fd < 8; fd++)
			close(fd);
		open("/tmp/fuzz", O_RDWR | O_CREAT, 0600);
		pipe((int[2]){ 0 });
		fuzz_child();
	}
	bury(child);
}

static void all_rounds(uint64_t seed, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		round_of((seed << 20) + i);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	unsigned rounds = argc > 2 ? atoi(argv[2]) : 10;
	long before, after;

	good = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(good + 4096, 4096);
	edge = good + 4096;		/* what ends here ends in a fault */
	/* The first time fills caches; the second one, alike, must leave nothing behind. */
	all_rounds(seed, rounds);
	before = free_kib();
	all_rounds(seed, rounds);
	unlink("/tmp/fuzz");
	after = free_kib();
	printf("%u rounds, %ld KiB less\n", rounds, before - after);
	return before - after > LEAK_KIB;
}
