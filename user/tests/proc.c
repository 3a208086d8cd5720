/* /proc as far as ps and people read it: what both Linux and Trellis have there. */
#include <ctype.h>
#include <dirent.h>
#include <sys/prctl.h>

#include "test.h"

/* A whole file of /proc/PID. */
static const char *read_file(pid_t pid, const char *name)
{
	static char text[4096];
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
		for (volatile int i = 0;; i++)
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

static const struct test_case cases[] = {
	CASE(own_stat),
	CASE(counts_threads),
	CASE(states),
	CASE(name_and_arguments),
	CASE(memory_shows),
	CASE(list_of_processes),
	CASE(self),
	CASE(read_while_processes_end),
};

TEST_MAIN(cases)
