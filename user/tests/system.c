/* /proc and /sys about the machine: CPUs, times, limits; what both Linux and Trellis have there. */
#include <sys/time.h>
#include <sys/utsname.h>

#include "proc.h"

/* Reads a file directly below /proc. */
static const char *read_system(const char *name)
{
	char path[40];

	snprintf(path, sizeof(path), "../%s", name);
	return read_file(getpid(), path);
}

static void system_figures(void)
{
	long user, nice, system, idle, ctxt, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	long up[2], idle_up[2], load[3][2];
	int running, all, last, n;
	const char *text = read_system("stat");

	CHECK_EQ(sscanf(text, "cpu  %ld %ld %ld %ld", &user, &nice, &system, &idle), 4);
	for (long i = 0; i < cpus; i++) {
		char name[32];

		snprintf(name, sizeof(name), "\ncpu%ld ", i);
		CHECK(strstr(text, name));
	}
	ctxt = figure(text, "\nctxt");
	CHECK(figure(text, "\nbtime") >= 0 && figure(text, "\nprocs_running") >= 1);
	expect_exit(spawn(test_nothing), 0);
	text = read_system("stat");
	CHECK(figure(text, "\nctxt") > ctxt && figure(text, "\nprocesses") > 1);
	n = sscanf(read_system("uptime"), "%ld.%2ld %ld.%2ld", &up[0], &up[1], &idle_up[0],
		   &idle_up[1]);
	CHECK_EQ(n, 4);
	CHECK(up[0] + up[1] > 0 && idle_up[0] >= 0);
	n = sscanf(read_system("loadavg"), "%ld.%2ld %ld.%2ld %ld.%2ld %d/%d %d", &load[0][0],
		   &load[0][1], &load[1][0], &load[1][1], &load[2][0], &load[2][1], &running, &all,
		   &last);
	CHECK_EQ(n, 9);
	CHECK(load[0][0] >= 0 && running >= 1 && all >= running && last > 0);
	text = read_system("meminfo");
	CHECK(figure(text, "MemTotal:") > figure(text, "MemFree:"));
	CHECK(strstr(read_system("interrupts"), "CPU0"));
	CHECK(!strncmp(read_system("version"), "Linux version ", 14));
}

/*
 * Reads the numbers behind "cpuN" in schedstat and, on Trellis, what the CPU does. Returns false if
 * there is no such CPU.
 */
static bool read_schedstat(const char *text, int cpu, long long n[9], char does[16])
{
	char name[24];
	const char *line;

	snprintf(name, sizeof(name), "\ncpu%d ", cpu);
	line = strstr(text, name);
	if (!line)
		return false;
	CHECK_EQ(sscanf(line + strlen(name), "%lld %lld %lld %lld %lld %lld %lld %lld %lld", &n[0],
			&n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8]),
		 9);
	snprintf(name, sizeof(name), "\nbalance%d ", cpu);
	line = strstr(text, name);
	does[0] = 0;
	CHECK(!line || sscanf(line + strlen(name), "%15s", does) == 1);
	return true;
}

/* Sums up the numbers of all CPUs. */
static void sum_schedstat(long long sum[9])
{
	const char *text = read_system("schedstat");
	long long n[9];
	char does[16];

	memset(sum, 0, 9 * sizeof(sum[0]));
	for (int cpu = 0; read_schedstat(text, cpu, n, does); cpu++)
		for (int i = 0; i < 9; i++)
			sum[i] += n[i];
}

/* False on the host's Linux, which may lack some files, and words in them. */
static bool on_trellis(void)
{
	return access("/proc/counters", F_OK) == 0;
}

/* Threads take turns on one CPU: yields, wakes and waits for the CPU are counted. */
static void schedstat_counts(void)
{
	long long before[9], after[9];
	cpu_set_t set;
	int fds[2];
	pid_t pid;
	char c;

	if (access("/proc/schedstat", R_OK)) {
		CHECK(!on_trellis());
		return;
	}
	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
	sum_schedstat(before);
	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 10; i++)
			CHECK_EQ(read(fds[0], &c, 1), 1);
		_exit(0);
	}
	for (int i = 0; i < 10; i++) {
		await_state(pid, 'S');
		CHECK_EQ(write(fds[1], "x", 1), 1);
		sched_yield();
	}
	expect_exit(pid, 0);
	sum_schedstat(after);
	CHECK(after[0] - before[0] >= 10);	/* yields */
	CHECK(after[2] - before[2] >= 10);	/* schedules */
	CHECK(after[4] - before[4] >= 10);	/* wakes */
	CHECK(after[5] - before[5] >= 10);	/* local ones */
	CHECK(after[6] > before[6]);		/* ns run */
	CHECK(after[7] > before[7]);		/* ns waited */
	CHECK(after[8] - before[8] >= 10);	/* slices */
	for (int i = 0; i < 9; i++)
		CHECK(after[i] >= before[i]);
}

/* Which CPUs are idle, busy, or run a real-time thread: Trellis shows it, Linux does not. */
static void schedstat_tells_what_runs(void)
{
	struct sched_param param = { .sched_priority = 10 };
	const char *text, *expected = "busy";
	cpu_set_t set;
	long long n[9];
	char does[16];
	int own = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(own, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
	for (int i = 0; i < 2; i++) {
		if (access("/proc/schedstat", R_OK)) {
			CHECK(!on_trellis());
			return;
		}
		text = read_system("schedstat");
		CHECK(read_schedstat(text, own, n, does));
		CHECK(does[0] ? !strcmp(does, expected) : !on_trellis());
		if (sched_setscheduler(0, SCHED_FIFO, &param))
			return;			/* this policy has none, or it is not allowed */
		expected = "realtime";
	}
}

/* File locks: the list may be empty, because no process need hold any. */
static void locks_are_listed(void)
{
	const char *text = read_system("locks");

	CHECK(!text[0] || !strncmp(text, "1: ", 3));
}

/* Returns the first word of a file. */
static const char *first_word(const char *path)
{
	static char word[100];
	ssize_t n;
	int fd = open(path, O_RDONLY);

	CHECK(fd >= 0);
	n = read(fd, word, sizeof(word) - 1);
	CHECK(n > 0);
	word[n] = 0;
	word[strcspn(word, " \n")] = 0;
	close(fd);
	return word;
}

static void names_and_limits_of_the_system(void)
{
	struct utsname u;
	char first[100];

	CHECK_EQ(uname(&u), 0);
	CHECK(!strcmp(first_word("/proc/sys/kernel/hostname"), u.nodename));
	CHECK(!strcmp(first_word("/proc/sys/kernel/ostype"), u.sysname));
	CHECK(!strcmp(first_word("/proc/sys/kernel/osrelease"), u.release));
	CHECK(atoi(first_word("/proc/sys/kernel/pid_max")) >= 32768);
	CHECK(atoi(first_word("/proc/sys/kernel/threads-max")) > 0);
	CHECK(atol(first_word("/proc/sys/fs/file-max")) > 1000);
	CHECK(atoi(first_word("/proc/sys/fs/pipe-max-size")) >= 4096);
	strcpy(first, first_word("/proc/sys/kernel/random/boot_id"));
	CHECK_EQ(strlen(first), 36);
	CHECK(!strcmp(first_word("/proc/sys/kernel/random/boot_id"), first));
	CHECK(strcmp(first_word("/proc/sys/kernel/random/uuid"), first));
	CHECK(open("/proc/sys/kernel/ostype", O_WRONLY) < 0 && errno == EACCES);
	CHECK(open("/proc/sys/kernel/ostype/x", O_RDONLY) < 0 && errno == ENOTDIR);
	CHECK(open("/proc/sys/kernel/os", O_RDONLY) < 0 && errno == ENOENT);
}

/* There is a directory for each CPU, and a list of their numbers. */
static void cpus_are_listed(void)
{
	char path[80], expected[32];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	snprintf(expected, sizeof(expected), cpus > 1 ? "0-%ld" : "0", cpus - 1);
	CHECK(!strcmp(first_word("/sys/devices/system/cpu/online"), expected));
	for (long i = 0; i < cpus; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%ld/topology/core_id", i);
		CHECK(atoi(first_word(path)) >= 0);
	}
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%ld", cpus);
	CHECK(access(path, F_OK) && errno == ENOENT);
}

static atomic_bool enough;

/* Spends half of its time in user mode, half in the kernel. */
static void *work(void *unused)
{
	while (!enough)
		for (volatile int i = 0; i < 2000; i++)
			if (i % 200 == 0)
				getppid();
	return unused;
}

static void check_grows(struct timeval *was, struct timeval is)
{
	CHECK(!timercmp(was, &is, >));
	*was = is;
}

/* Time counted as the system's never becomes the user's, nor idle time busy. */
static void times_never_shrink(void)
{
	long was[4] = { 0 }, is[4];
	struct timeval user = { 0 }, system = { 0 };
	struct rusage usage;
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		t[i] = start_thread(work, NULL);
	for (int i = 0; i < 1000; i++) {
		const char *text = read_system("stat");

		CHECK_EQ(sscanf(text, "cpu %ld %ld %ld %ld", &is[0], &is[1], &is[2], &is[3]), 4);
		for (int k = 0; k < 4; k++)
			CHECK(is[k] >= was[k]);
		memcpy(was, is, sizeof(was));
		CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
		check_grows(&user, usage.ru_utime);
		check_grows(&system, usage.ru_stime);
	}
	enough = true;
	for (int i = 0; i < 2; i++)
		join_thread(t[i]);
}

static const struct test_case cases[] = {
	CASE(system_figures),
	CASE(schedstat_counts),
	CASE(schedstat_tells_what_runs),
	CASE(locks_are_listed),
	CASE(names_and_limits_of_the_system),
	CASE(cpus_are_listed),
	CASE(times_never_shrink),
};

TEST_MAIN(cases)
