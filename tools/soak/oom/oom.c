/*
 * Fails each allocation in turn: oom [STEP [WORKLOAD]]. Needs a test kernel, for /dev/inject.
 *
 * Each workload runs in a child whose k-th allocation in the kernel fails, for k = 1, 1 + STEP, ...
 * until it makes fewer than k. The child may then report an error, which must be ENOMEM if only
 * memory can be the reason, or be killed, of which the kernel's log must tell once; all counts in
 * /proc/counters must be the same as before, and the kernel and this program must go on.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../counts.h"
#include "oom.h"

#define PAGE		4096
#define BALLAST		(64 * PAGE)	/* who dies at a fault without memory is the largest */
#define FOLDER		"/tmp/oom"
#define LINKED		"/tmp/linked"
#define CALLS		3		/* made so often, a call meets a failure at STEP 3, too */

static int inject;	/* /dev/inject */
static volatile char ballast[BALLAST];

/* --- Workloads -------------------------------------------------------------------------------- */

/* Ends as the child does, so that its error counts; 1 if a signal has ended it. */
static void end_as(pid_t pid)
{
	int status;

	TRY(waitpid(pid, &status, 0) == pid);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void forks(void)
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid == 0) {
		pid = fork();
		NEED(pid >= 0);
		_exit(pid ? 0 : 3);
	}
	end_as(pid);
}

static void execute(const char *path)
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid == 0) {
		execl(path, "echo", NULL);
		NEED(false);
	}
	end_as(pid);
}

static void executes(void)
{
	execute("/bin/echo");
}

static void executes_linked(void)
{
	execute(LINKED);
}

/* Makes a program that has an interpreter: /bin/echo, with one of its headers changed. */
static void link_program(void)
{
	static const char interpreter[] = "/bin/echo";
	static union {
		Elf64_Ehdr header;
		char bytes[1 << 16];
	} file;
	Elf64_Phdr *ph, *end;
	int in = open("/bin/echo", O_RDONLY);
	int out = open(LINKED, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n = read(in, file.bytes, sizeof(file.bytes));

	if (in < 0 || out < 0 || n < (ssize_t)sizeof(file.header) || n == sizeof(file.bytes))
		exit(99);
	ph = (Elf64_Phdr *)(file.bytes + file.header.e_phoff);
	end = ph + file.header.e_phnum;
	while (ph < end && (ph->p_type == PT_LOAD || ph->p_type == PT_TLS))
		ph++;
	if (ph == end)
		exit(99);
	*ph = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = n, .p_filesz = sizeof(interpreter) };
	memcpy(file.bytes + n, interpreter, sizeof(interpreter));
	n += sizeof(interpreter);
	if (write(out, file.bytes, n) != n)
		exit(99);
	close(in);
	close(out);
}

/* The program that it executes must also survive the failure. */
static void runs_a_shell(void)
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "x=$(echo a | cat); (exit 0) && cat </dev/null", NULL);
		NEED(false);
	}
	end_as(pid);
}

static void pipes(void)
{
	char out[3 * PAGE], in[3 * PAGE];
	int a[2] = { 0 }, b[2] = { 0 };
	struct pollfd p;

	memset(out, 1, sizeof(out));
	NEED(pipe(a) == 0 && pipe(b) == 0);
	TRY(write(a[1], out, sizeof(out)) == sizeof(out));
	p = (struct pollfd){ .fd = a[0], .events = POLLIN };
	NEED(poll(&p, 1, 0) == 1);
	TRY(read(a[0], in, sizeof(in)) == sizeof(in) && !memcmp(in, out, sizeof(in)));
	NEED(dup2(b[0], 60) == 60);
}

static void *thread_main(void *arg)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	if (p == MAP_FAILED)
		return NULL;
	*p = 1;
	munmap(p, PAGE);
	return p;
}

static void threads(void)
{
	pthread_t t[3];
	void *result;
	int made = 0;

	while (made < 3 && pthread_create(&t[made], NULL, thread_main, NULL) == 0)
		made++;
	for (int i = 0; i < made; i++)
		TRY(pthread_join(t[i], &result) == 0);
	TRY(made == 3 && result);
}

static void maps(void)
{
	char *p, *q;
	int fd = open(FOLDER, O_RDWR | O_CREAT | O_TRUNC, 0600);

	NEED(fd >= 0 && ftruncate(fd, 8 * PAGE) == 0);
	p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	for (int i = 0; i < 64; i += 8)
		p[i * PAGE] = 1;
	NEED(mprotect(p + 8 * PAGE, PAGE, PROT_READ) == 0);
	NEED(munmap(p + 16 * PAGE, PAGE) == 0);
	q = mremap(p + 24 * PAGE, 8 * PAGE, 600 * PAGE, MREMAP_MAYMOVE);
	NEED(q != MAP_FAILED);
	q[599 * PAGE] = 1;
	NEED(madvise(q, 8 * PAGE, MADV_DONTNEED) == 0);
	p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	p[3 * PAGE] = 1;
	q = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED(q != MAP_FAILED);
	q[3 * PAGE] = 2;
	TRY(p[3 * PAGE] == 1 && sbrk(PAGE * 4) != (void *)-1);
}

static void files(void)
{
	char name[32], buf[2 * PAGE] = "";
	struct dirent *e;
	int fd, n = 0;
	DIR *d;

	NEED(mkdir(FOLDER, 0700) == 0 && chdir(FOLDER) == 0);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		NEED(fd >= 0);
		TRY(write(fd, buf, sizeof(buf)) == sizeof(buf));
		NEED(pwrite(fd, "x", 1, 100 * PAGE) == 1);
		TRY(close(fd) == 0);
	}
	NEED(link("file-0", "link") == 0 && symlink("file-1", "symlink") == 0);
	NEED(rename("file-2", "renamed") == 0 && rename("file-3", "file-4") == 0);
	NEED(readlink("symlink", buf, sizeof(buf)) == 6);
	NEED(getcwd(buf, sizeof(buf)));
	d = opendir(".");
	NEED(d);
	while ((e = readdir(d)))
		n++;
	closedir(d);
	TRY(n == 8);
	NEED(truncate("file-0", 10) == 0 && unlink("file-0") == 0);
}

static void read_whole(const char *path)
{
	char buf[512];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	NEED(fd >= 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	NEED(n == 0);
	close(fd);
}

static void looks_at_proc(void)
{
	static const char *const paths[] = {
		"stat", "meminfo", "schedstat", "interrupts", "loadavg", "self/stat", "self/maps",
		"self/status", "self/limits", "self/cmdline", "self/sched", "1/stat",
	};
	struct dirent *e;
	char path[64];
	int n = 0;
	DIR *d;

	for (unsigned i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		snprintf(path, sizeof(path), "/proc/%s", paths[i]);
		read_whole(path);
	}
	d = opendir("/proc/self/task");
	NEED(d);
	while ((e = readdir(d)))
		n++;
	TRY(n == 3);
}

static volatile sig_atomic_t taken;

static void take(int sig)
{
	(void)sig;
	taken++;
}

static void signals(void)
{
	struct sigaction action = { .sa_handler = take };
	union sigval value = { .sival_int = 7 };
	sigset_t all, old;
	stack_t stack = { .ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ };

	NEED(stack.ss_sp && sigaltstack(&stack, NULL) == 0);
	action.sa_flags = SA_ONSTACK | SA_SIGINFO;
	NEED(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGRTMIN, &action, NULL) == 0);
	sigfillset(&all);
	NEED(sigprocmask(SIG_BLOCK, &all, &old) == 0 && kill(getpid(), SIGUSR1) == 0);
	for (int i = 0; i < 4; i++)
		TRY(sigqueue(getpid(), SIGRTMIN, value) == 0);
	NEED(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
	TRY(taken == 5);
}

/* A PI futex that another process holds makes the kernel allocate its state. */
static void futexes(void)
{
	struct timespec soon = { .tv_nsec = 100000 };
	uint32_t *words;
	int status;
	pid_t pid;

	words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(words != MAP_FAILED);
	TRY(syscall(SYS_futex, &words[0], FUTEX_WAIT, 0, &soon, NULL, 0) < 0);
	TRY(errno == ETIMEDOUT);
	TRY(syscall(SYS_futex, &words[1], FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
	pid = fork();
	NEED(pid >= 0);
	if (pid == 0)
		_exit(syscall(SYS_futex, &words[1], FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0) == 0);
	TRY(waitpid(pid, &status, 0) == pid && status == 0);
	for (int i = 0; i < CALLS; i++) {
		TRY(syscall(SYS_futex, &words[1], FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
		NEED(syscall(SYS_futex, &words[1], FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
	}
}

/* The credentials are copied for each change, and a pidfd has an inode of its own. */
static void ids(void)
{
	for (int i = 0; i < CALLS; i++)
		NEED(syscall(SYS_setresuid, -1, 0, -1) == 0);
	for (int i = 0; i < CALLS; i++)
		NEED(syscall(SYS_pidfd_open, getpid(), 0) >= 0);
}

static const struct workload {
	const char *name;
	void (*run)(void);
} workloads[] = {
	{ "fork", forks },	{ "exec", executes },	   { "linked", executes_linked },
	{ "shell", runs_a_shell }, { "pipe", pipes },	   { "thread", threads },
	{ "map", maps },	{ "file", files },	   { "proc", looks_at_proc },
	{ "signal", signals },	{ "futex", futexes },	   { "ids", ids },
	{ "call", makes_calls }, { "descriptor", makes_descriptors },
};

/* --- Making them fail ------------------------------------------------------------------------- */

struct tally {
	int done, failed, killed;
};

static void arm(unsigned long k)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lu", k);

	if (write(inject, text, n) != n)
		_exit(99);
}

static bool has_fired(void)
{
	unsigned long seen;
	char text[32] = "";
	int fired = -1;

	if (pread(inject, text, sizeof(text) - 1, 0) <= 0 ||
	    sscanf(text, "%lu %d", &seen, &fired) != 2)
		exit(99);
	return fired;
}

static void remove_files(void)
{
	static const char *const names[] = {
		"file-0", "file-1", "file-2", "file-3", "file-4", "link", "symlink", "renamed",
	};
	char path[64];

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), FOLDER "/%s", names[i]);
		unlink(path);
	}
	rmdir(FOLDER);
	unlink(FOLDER);
}

static long kills_counted(void)
{
	char text[4096] = "", *line;
	int fd = open("/proc/counters", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		exit(99);
	close(fd);
	line = strstr(text, "oom_kills ");
	return line ? atol(line + strlen("oom_kills ")) : -1;
}

/* Counts the messages of kills since the last call. */
static long kills_told(void)
{
	static char text[1 << 16];
	const char *p = memset(text, 0, sizeof(text));
	long n = syscall(SYS_syslog, 4, text, sizeof(text) - 1), told = 0;	/* 4: read, clear */

	if (n < 0)
		exit(99);
	text[n] = 0;
	while ((p = strstr(p, "out of memory: killed "))) {
		told++;
		p++;
	}
	return told;
}

/* The first run fails at nothing: @k is beyond. */
static int run(const struct workload *w, unsigned long k)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		exit(99);
	if (pid == 0) {
		for (int i = 0; i < BALLAST; i += PAGE)
			ballast[i] = 1;
		setpgid(0, 0);
		arm(k);
		w->run();
		_exit(0);
	}
	while (waitpid(pid, &status, 0) != pid)
		;
	kill(-pid, SIGKILL);		/* what it left running */
	return status;
}

static bool one(const struct workload *w, unsigned long k, const struct counts *before,
		struct tally *t)
{
	long kills = kills_counted(), told;
	int status;

	kills_told();
	status = run(w, k);
	remove_files();
	t->done++;
	t->killed += WIFSIGNALED(status);
	t->failed += WIFEXITED(status) && WEXITSTATUS(status);
	if (WIFEXITED(status) && WEXITSTATUS(status) == WRONG_ERROR) {
		printf("FAIL %s: allocation %lu failed, with a wrong error\n", w->name, k);
		return false;
	}
	if (!counts_return(before)) {
		printf("FAIL %s: allocation %lu failed\n", w->name, k);
		return false;
	}
	kills = kills_counted() - kills;	/* whoever could be killed, or kill, has gone */
	told = kills_told();
	if (told != kills)
		printf("FAIL %s: %ld kills, and the log tells of %ld\n", w->name, kills, told);
	return told == kills;
}

static bool all(const struct workload *w, unsigned long step)
{
	struct tally t = { 0, 0, 0 };
	struct counts before;

	for (int i = 0; i < 3; i++) {		/* caches keep what they have after that */
		int status = run(w, 1UL << 40);

		if (status) {
			printf("FAIL %s: without a failure it ends with %#x\n", w->name, status);
			return false;
		}
		remove_files();
		sleep_ms(20);
		kills_told();			/* its memory is in use from then on */
		before = read_counts();
	}
	for (unsigned long k = 1; k == 1 || has_fired(); k += step)
		if (!one(w, k, &before, &t))
			return false;
	printf("ok %s: %d runs, %d gave an error, %d were killed\n", w->name, t.done, t.failed,
	       t.killed);
	return true;
}

int main(int argc, char **argv)
{
	unsigned long step = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	bool good = step > 0;

	touch_stack();
	setvbuf(stdout, NULL, _IOLBF, 0);
	inject = open("/dev/inject", O_RDWR | O_CLOEXEC);
	if (inject < 0) {
		perror("/dev/inject (is this a test kernel?)");
		return 1;
	}
	link_program();
	for (unsigned i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
		if (argc < 3 || !strcmp(argv[2], workloads[i].name))
			good &= all(&workloads[i], step);
	return good ? 0 : 1;
}
