/* /proc as far as ps and people read it: what both Linux and Trellis have there. */
#include <ctype.h>
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include "test.h"

/* A whole file of /proc/PID. */
static const char *read_file(pid_t pid, const char *name)
{
	static char text[16384];
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n >= 0);
	text[n] = 0;
	close(fd);
	return text;
}

static void own_stat(void)
{
	int pid, parent, group, session;
	char name[32], state;
	const char *text;

	prctl(PR_SET_NAME, "a (name");
	text = read_file(getpid(), "stat");
	CHECK_EQ(sscanf(text, "%d (%[^)]) %c", &pid, name, &state), 3);
	CHECK_EQ(sscanf(strchr(text, ')') + 3, "%d %d %d", &parent, &group, &session), 3);
	CHECK_EQ(pid, getpid());
	CHECK(!strcmp(name, "a (name"));
	CHECK_EQ(state, 'R');
	CHECK_EQ(parent, getppid());
	CHECK_EQ(group, getpgrp());
	CHECK_EQ(session, getsid(0));
}

static void *wait_at_pipe(void *arg)
{
	char c;

	CHECK_EQ(read(*(int *)arg, &c, 1), 0);
	return NULL;
}

static void counts_threads(void)
{
	pthread_t t[3];
	int fds[2], n = 0;

	CHECK_EQ(pipe(fds), 0);
	for (int i = 0; i < 3; i++)
		t[i] = start_thread(wait_at_pipe, &fds[0]);
	CHECK(sscanf(strstr(read_file(getpid(), "status"), "Threads:"), "Threads: %d", &n) == 1);
	CHECK_EQ(n, 4);
	close(fds[1]);
	for (int i = 0; i < 3; i++)
		join_thread(t[i]);
}

static void states(void)
{
	int fds[2];
	pid_t pid;
	char c;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		CHECK_EQ(read(fds[0], &c, 1), 0);
		_exit(0);
	}
	await_state(pid, 'S');
	close(fds[1]);
	await_state(pid, 'Z');
	CHECK(strstr(read_file(pid, "status"), "State:\tZ (zombie)"));
	expect_exit(pid, 0);
	CHECK_EQ(state_of(pid), 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			;
	await_state(pid, 'R');
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

static void name_and_arguments(void)
{
	const char *text;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("sleep", "sleep", "100000", NULL);
		_exit(99);
	}
	/* exec renames before it has the new arguments */
	while (strcmp(text = read_file(pid, "cmdline"), "sleep"))
		sched_yield();
	CHECK(!strcmp(text + 6, "100000"));
	CHECK(!strcmp(read_file(pid, "comm"), "sleep\n"));
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

/* Fields 23 and 24: bytes mapped, pages there. */
static void read_sizes(long *size, long *resident)
{
	const char *text = strrchr(read_file(getpid(), "stat"), ')') + 2;

	int n = sscanf(text,
		       "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		       "%*d %*u %ld %ld",
		       size, resident);

	CHECK_EQ(n, 2);
}

static void memory_shows(void)
{
	long size, resident, size2, resident2;
	char *p;

	read_sizes(&size, &resident);
	CHECK(size > 0 && resident > 0 && resident <= size / 4096);
	p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 1 << 20);
	read_sizes(&size2, &resident2);
	CHECK_EQ(size2 - size, 4 << 20);
	CHECK(resident2 - resident >= 200);
}

/* A figure in KiB of our status. */
static long status_kib(const char *name)
{
	const char *line = strstr(read_file(getpid(), "status"), name);

	CHECK(line);
	return strtol(line + strlen(name), NULL, 10);
}

/* Pages: there and shared, of programs' code. */
static void read_statm(long *shared, long *text)
{
	CHECK_EQ(sscanf(read_file(getpid(), "statm"), "%*d %*d %ld %ld", shared, text), 2);
}

__attribute__((noinline)) static void use_stack(void)
{
	volatile char deep[1 << 20];

	for (unsigned i = sizeof(deep); i > 0; i -= 4096)
		deep[i - 1] = 1;
}

#define LITTLE	100		/* pages: what a C library may come to need meanwhile */

/* Code, data, stack and what is shared are each counted as what they are. */
static void memory_by_kind(void)
{
	long data = status_kib("VmData:"), stack = status_kib("VmStk:");
	long code = status_kib("VmExe:");
	long shared, text, shared2, text2;
	char *p;

	read_statm(&shared, &text);
	CHECK(code > 0 && text > 0 && stack > 0 && stack < 1024);
	p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 2 << 20);
	CHECK_EQ(status_kib("VmData:") - data, 4096);
	read_statm(&shared2, &text2);
	CHECK(shared2 - shared < LITTLE);
	p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 2 << 20);
	CHECK_EQ(status_kib("VmData:") - data, 4096);
	read_statm(&shared2, &text2);
	CHECK(shared2 - shared >= 512 && shared2 - shared < 512 + LITTLE);
	CHECK_EQ(text2, text);
	CHECK_EQ(status_kib("VmExe:"), code);
	CHECK(status_kib("VmStk:") - stack < 256);
	use_stack();
	CHECK(status_kib("VmStk:") - stack >= 700);
}

/* Ours is in the list, once, and reading it does not find half-made entries. */
static void list_of_processes(void)
{
	int found = 0;
	struct dirent *e;
	DIR *d = opendir("/proc");

	CHECK(d);
	while ((e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		CHECK(atoi(e->d_name) > 0);
		found += atoi(e->d_name) == getpid();
	}
	closedir(d);
	CHECK_EQ(found, 1);
}

static void self(void)
{
	char buf[16];
	ssize_t n = readlink("/proc/self", buf, sizeof(buf) - 1);

	CHECK(n > 0);
	buf[n] = 0;
	CHECK_EQ(atoi(buf), getpid());
}

/* While others come and go, reading shows what is or nothing, never garbage. */
static void read_while_processes_end(void)
{
	for (int i = 0; i < 30; i++) {
		pid_t pid = fork();
		char state;

		if (pid == 0)
			_exit(0);
		while ((state = state_of(pid)) != 'Z')
			CHECK(strchr("RSDZ", state) && state);
		expect_exit(pid, 0);
	}
}

/* The number behind @name in a file of lines. */
static long figure(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	CHECK(at);
	at += strlen(name);
	return strtol(at + strcspn(at, "0123456789"), NULL, 10);
}

/* A file of /proc itself. */
static const char *read_system(const char *name)
{
	char path[40];

	snprintf(path, sizeof(path), "../%s", name);
	return read_file(getpid(), path);
}

struct worker {
	int stop, tid;
};

static void *named_worker(void *arg)
{
	struct worker *w = arg;

	prctl(PR_SET_NAME, "worker bee");
	__atomic_store_n(&w->tid, gettid(), __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&w->stop, __ATOMIC_SEQ_CST))
		sched_yield();
	return NULL;
}

static bool listed(const char *path, int id)
{
	bool found = false;
	struct dirent *e;
	DIR *d = opendir(path);

	CHECK(d);
	while ((e = readdir(d)))
		found |= atoi(e->d_name) == id;
	closedir(d);
	return found;
}

static void threads_have_directories(void)
{
	struct worker w = { 0, 0 };
	pthread_t t = start_thread(named_worker, &w);
	char path[40];

	while (!__atomic_load_n(&w.tid, __ATOMIC_SEQ_CST))
		sched_yield();
	CHECK(listed("/proc/self/task", getpid()) && listed("/proc/self/task", w.tid));
	snprintf(path, sizeof(path), "task/%d/comm", w.tid);
	CHECK(!strcmp(read_file(getpid(), path), "worker bee\n"));
	snprintf(path, sizeof(path), "task/%d/stat", w.tid);
	CHECK_EQ(atoi(read_file(getpid(), path)), w.tid);
	snprintf(path, sizeof(path), "task/%d/status", w.tid);
	CHECK_EQ(figure(read_file(getpid(), path), "\nPid:"), w.tid);
	CHECK_EQ(figure(read_file(getpid(), path), "\nTgid:"), getpid());
	w.stop = 1;
	join_thread(t);
	while (listed("/proc/self/task", w.tid))
		sched_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d", w.tid);
	CHECK(access(path, F_OK) && errno == ENOENT);
	CHECK(access("/proc/self/task/1/comm", F_OK) && errno == ENOENT);
}

static void limits_are_told(void)
{
	struct rlimit limit = { 123, 456 };
	char soft[24], hard[24];
	const char *line;

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	line = strstr(read_file(getpid(), "limits"), "Max open files");
	CHECK(line && sscanf(line, "Max open files %23s %23s files", soft, hard) == 2);
	CHECK(!strcmp(soft, "123") && !strcmp(hard, "456"));
	line = strstr(read_file(getpid(), "limits"), "Max cpu time");
	CHECK(line && !strncmp(line + 26, "unlimited", 9));
}

/* The use of CPUs and memory grows where it is told. */
static void figures_grow(void)
{
	long size, resident, size2, resident2, switches;
	char *p;

	CHECK_EQ(sscanf(read_file(getpid(), "statm"), "%ld %ld", &size, &resident), 2);
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 1 << 20);
	CHECK_EQ(sscanf(read_file(getpid(), "statm"), "%ld %ld", &size2, &resident2), 2);
	CHECK_EQ(size2 - size, 256);
	CHECK(resident2 - resident >= 200);
	munmap(p, 1 << 20);
	CHECK(figure(read_file(getpid(), "status"), "VmHWM:") >= 200 * 4);
	switches = figure(read_file(getpid(), "status"), "\nvoluntary_ctxt_switches:");
	expect_exit(spawn(test_nothing), 0);
	usleep(10000);
	CHECK(figure(read_file(getpid(), "status"), "\nvoluntary_ctxt_switches:") > switches);
	CHECK(figure(read_file(getpid(), "sched"), "nr_switches") > 0);
}

/* A waiting thread tells where in the kernel it waits; a running one says 0. */
static void waits_are_named(void)
{
	int fds[2];
	pid_t pid;
	char c;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		_exit(read(fds[0], &c, 1));
	await_state(pid, 'S');
	CHECK(strlen(read_file(pid, "wchan")) > 1);
	CHECK(!strcmp(read_file(getpid(), "wchan"), "0"));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	expect_exit(pid, 1);
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

/* The numbers behind "cpuN" in schedstat, and on Trellis what the CPU does; false: no such CPU. */
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

/* Of all CPUs together. */
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

/* Not the host's Linux, which may be built without some files and some words in them. */
static bool on_trellis(void)
{
	return access("/proc/counters", F_OK) == 0;
}

/* One after the other on one CPU: yields, wakes and waits for the CPU are counted. */
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

/* Which CPUs are idle, busy, or with a real-time thread: Trellis says it, Linux does not. */
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
			return;			/* not this policy, or not allowed */
		expected = "realtime";
	}
}

/* File locks, of which neither has any that a stranger sees: a list that may be empty. */
static void locks_are_listed(void)
{
	const char *text = read_system("locks");

	CHECK(!text[0] || !strncmp(text, "1: ", 3));
}

/* The first word of a file. */
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
	strcpy(first, first_word("/proc/sys/kernel/random/boot_id"));
	CHECK_EQ(strlen(first), 36);
	CHECK(!strcmp(first_word("/proc/sys/kernel/random/boot_id"), first));
	CHECK(strcmp(first_word("/proc/sys/kernel/random/uuid"), first));
	CHECK(open("/proc/sys/kernel/ostype", O_WRONLY) < 0 && errno == EACCES);
	CHECK(open("/proc/sys/kernel/ostype/x", O_RDONLY) < 0 && errno == ENOTDIR);
	CHECK(open("/proc/sys/kernel/os", O_RDONLY) < 0 && errno == ENOENT);
}

/* A directory a CPU, and their numbers as a list. */
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

/* Half in user mode, half in the kernel. */
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

/* Time that has been counted as the system's does not become the user's, nor idle time busy. */
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
	CASE(own_stat),
	CASE(counts_threads),
	CASE(states),
	CASE(name_and_arguments),
	CASE(memory_shows),
	CASE(memory_by_kind),
	CASE(list_of_processes),
	CASE(self),
	CASE(read_while_processes_end),
	CASE(threads_have_directories),
	CASE(limits_are_told),
	CASE(figures_grow),
	CASE(waits_are_named),
	CASE(system_figures),
	CASE(schedstat_counts),
	CASE(schedstat_tells_what_runs),
	CASE(locks_are_listed),
	CASE(names_and_limits_of_the_system),
	CASE(cpus_are_listed),
	CASE(times_never_shrink),
};

TEST_MAIN(cases)
