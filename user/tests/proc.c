/* /proc/PID as ps and people read it: what both Linux and Trellis have there. */
#include <ctype.h>
#include <dirent.h>
#include <sys/prctl.h>

#include "proc.h"

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

/* Returns when the process began, in hundredths of a second since the machine did. */
static long start_of(pid_t pid)
{
	const char *at = strrchr(read_file(pid, "stat"), ')');

	for (int field = 2; field < 22; field++)
		at = strchr(at + 1, ' ');
	return strtol(at, NULL, 10);
}

static void start_is_told(void)
{
	long before = now_ns(CLOCK_BOOTTIME) / 10000000, start;
	int fds[2];
	pid_t pid;
	char c;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1));
	}
	start = start_of(pid);
	CHECK(before <= start);
	CHECK(start <= now_ns(CLOCK_BOOTTIME) / 10000000);
	close(fds[1]);
	expect_exit(pid, 0);
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

/* The process's state by its status file at @fd, read from the beginning. */
static char state_in(int fd)
{
	char text[4096] = "";

	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	return strstr(text, "State:\t")[7];
}

static void rewound_file_shows_the_present(void)
{
	char path[64], text[64];
	int fd, status;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY);
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(state_in(fd), 'T');
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitid(P_PID, pid, NULL, WEXITED | WNOWAIT), 0);
	CHECK_EQ(state_in(fd), 'Z');
	CHECK(pread(fd, text, sizeof(text), 10) > 0);
	expect_signal(pid, SIGKILL);
	CHECK_ERRNO(pread(fd, text, sizeof(text), 0), ESRCH);
	close(fd);
}

static void name_and_arguments(void)
{
	const char *text;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("sleep", "sleep", "100000", NULL);
		_exit(99);
	}
	/* exec changes the name before the arguments are there */
	while (strcmp(text = read_file(pid, "cmdline"), "sleep"))
		sched_yield();
	CHECK(!strcmp(text + 6, "100000"));
	CHECK(!strcmp(read_file(pid, "comm"), "sleep\n"));
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

/* Reads fields 23 and 24: bytes mapped, pages present. */
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

/* Returns a figure in KiB from our status file. */
static long status_kib(const char *name)
{
	const char *line = strstr(read_file(getpid(), "status"), name);

	CHECK(line);
	return strtol(line + strlen(name), NULL, 10);
}

/* Reads numbers of pages: shared ones, and those of programs' code. */
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

#define LITTLE	100		/* pages that a C library may come to need meanwhile */

/* Code, data, stack and shared memory are each counted as such. */
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

/* This process is in the list once, and reading finds no half-made entries. */
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

/* While processes come and go, reading shows what is there or nothing, never garbage. */
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
	/* /proc itself does not list the thread, but finds it. */
	CHECK(!listed("/proc", w.tid));
	CHECK_EQ(atoi(read_file(w.tid, "stat")), w.tid);
	CHECK(!strcmp(read_file(w.tid, "comm"), "worker bee\n"));
	CHECK_EQ(figure(read_file(w.tid, "status"), "\nTgid:"), getpid());
	snprintf(path, sizeof(path), "/proc/%d/task", w.tid);
	CHECK(listed(path, getpid()) && listed(path, w.tid));
	w.stop = 1;
	join_thread(t);
	while (listed("/proc/self/task", w.tid))
		sched_yield();
	snprintf(path, sizeof(path), "/proc/%d", w.tid);
	CHECK(access(path, F_OK) && errno == ENOENT);
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

/* CPU time and memory grow in the figures when they are used. */
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

/* Signals of the user that are queued, as others may have some. */
static void queued_signals_are_counted(void)
{
	long before = figure(read_file(getpid(), "status"), "\nSigQ:");
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	for (int i = 0; i < 16; i++)
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i }), 0);
	CHECK(figure(read_file(getpid(), "status"), "\nSigQ:") > before);
}

/* A waiting thread shows where in the kernel it waits; a running one shows 0. */
static void waits_are_named(void)
{
	int fds[2];
	pid_t pid;
	char c;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);		/* else it would wait for ever if the test fails */
		_exit(read(fds[0], &c, 1));
	}
	while (strlen(read_file(pid, "wchan")) <= 1)
		sched_yield();		/* it has not reached the read yet */
	CHECK(!strcmp(read_file(getpid(), "wchan"), "0"));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	expect_exit(pid, 1);
}

static void *outlive(void *fds)
{
	char c;

	read(((int *)fds)[0], &c, 1);
	_exit(3);
}

/* A process is found by its id as long as it lives, also after its first thread has left. */
static void outlives_its_first_thread(void)
{
	int fds[2];
	pid_t pid;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		start_thread(outlive, fds);
		pthread_exit(NULL);
	}
	for (int turn = 0; turn < 300; turn++) {
		CHECK_EQ(atoi(read_file(pid, "stat")), pid);
		sched_yield();
	}
	CHECK_EQ(write(fds[1], "x", 1), 1);
	expect_exit(pid, 3);
}

static const struct test_case cases[] = {
	CASE(own_stat),
	CASE(start_is_told),
	CASE(counts_threads),
	CASE(states),
	CASE(rewound_file_shows_the_present),
	CASE(name_and_arguments),
	CASE(memory_shows),
	CASE(memory_by_kind),
	CASE(list_of_processes),
	CASE(self),
	CASE(read_while_processes_end),
	CASE(threads_have_directories),
	CASE(limits_are_told),
	CASE(figures_grow),
	CASE(queued_signals_are_counted),
	CASE(waits_are_named),
	CASE(outlives_its_first_thread),
};

TEST_MAIN(cases)
