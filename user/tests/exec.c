/*
 * execve: what a new program gets, what it keeps, what is refused. The new program is this one
 * again.
 */
#include <sys/syscall.h>

#include "test.h"

static char *self;			/* the path of this program */

/* Runs this program as `exec child WHAT ...` with these arguments after it. */
static void exec_child(char *what, char **extra, char *const *envp)
{
	char *argv[40] = { self, "child", what };

	for (int i = 0; extra && extra[i]; i++)
		argv[3 + i] = extra[i];
	execve(self, argv, envp);
	_exit(100);
}

static pid_t run_child(char *what, char **extra, char *const *envp)
{
	pid_t pid = fork();

	if (pid == 0)
		exec_child(what, extra, envp);
	return pid;
}

static void arguments_arrive(void)
{
	char *args[] = { "one", "", "two words", "\xc3\xa9", NULL };

	expect_exit(run_child("args", args, environ), 0);
}

static void environment_arrives(void)
{
	char *envp[] = { "A=1", "EMPTY=", "B=x=y", NULL };

	expect_exit(run_child("env", NULL, envp), 0);
}

static void empty_environment(void)
{
	char *envp[] = { NULL };

	expect_exit(run_child("noenv", NULL, envp), 0);
}

static void long_arguments(void)
{
	static char text[100001];
	char *args[] = { text, NULL };

	memset(text, 'x', sizeof(text) - 1);
	expect_exit(run_child("long", args, environ), 0);
}

static void many_arguments(void)
{
	static char *argv[2003];
	pid_t pid = fork();

	if (pid == 0) {
		argv[0] = self;
		argv[1] = "child";
		argv[2] = "many";
		for (int i = 3; i < 2002; i++)
			argv[i] = "a";
		execve(self, argv, environ);
		_exit(100);
	}
	expect_exit(pid, 0);
}

static void memory_is_fresh(void)
{
	expect_exit(run_child("fresh", NULL, environ), 0);
}

/* A program begins with some room on its stack, which no limit on its memory takes back. */
static __attribute__((noinline)) int use_stack(void)
{
	volatile char deep[100000];

	for (size_t i = 0; i < sizeof(deep); i += 1000)
		deep[i] = 1;
	return deep[0];
}

static int stack_beyond_the_limit(void)
{
	struct rlimit page = { 4096, 4096 };

	return setrlimit(RLIMIT_AS, &page) || use_stack() != 1;
}

static void stack_has_room(void)
{
	expect_exit(run_child("stack", NULL, environ), 0);
}

static void keeps_identity(void)
{
	char pid_text[16];
	char *args[] = { pid_text, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		snprintf(pid_text, sizeof(pid_text), "%d", getpid());
		exec_child("pid", args, environ);
	}
	expect_exit(pid, 0);
}

static void closes_on_exec_only(void)
{
	char keep[16], closed[16];
	char *args[] = { keep, closed, NULL };
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(fcntl(fds[1], F_SETFD, FD_CLOEXEC), 0);
	snprintf(keep, sizeof(keep), "%d", fds[0]);
	snprintf(closed, sizeof(closed), "%d", fds[1]);
	expect_exit(run_child("fds", args, environ), 0);
	CHECK_EQ(fcntl(fds[1], F_GETFD), FD_CLOEXEC);	/* the child changed a table of its own */
}

static void keeps_ignored_signals(void)
{
	struct sigaction unwanted = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGTERM, SIG_IGN);
		sigaction(SIGCHLD, &unwanted, NULL);
		exec_child("ignored", NULL, environ);
	}
	expect_exit(pid, 0);
}

static void keeps_folder_and_mask(void)
{
	sigset_t set;
	pid_t pid = fork();

	if (pid == 0) {
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		CHECK_EQ(chdir("/"), 0);
		exec_child("folder", NULL, environ);
	}
	expect_exit(pid, 0);
}

static void make_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The list of the locks that a thread holds is in memory that the new program does not have. */
static void forgets_robust_list(void)
{
	static long head[3];
	char address[24];
	char *args[] = { address, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		CHECK_EQ(syscall(SYS_set_robust_list, head, sizeof(head)), 0);
		snprintf(address, sizeof(address), "%ld", (long)head);
		exec_child("locks", args, environ);
	}
	expect_exit(pid, 0);
}

static void errors(void)
{
	const char *plain = temp_path("plain"), *garbage = temp_path("garbage");
	const char *empty = temp_path("empty"), *cut = temp_path("cut");
	char *argv[] = { "x", NULL }, below[64];

	snprintf(below, sizeof(below), "%s/below", plain);
	make_file(plain, "text\n", 0644);
	make_file(garbage, "\x01garbage\n", 0755);
	make_file(empty, "", 0755);
	make_file(cut, "\x7f" "ELF", 0755);
	CHECK_ERRNO(execve("/tmp/no_such_program", argv, environ), ENOENT);
	CHECK_ERRNO(execve("", argv, environ), ENOENT);
	CHECK_ERRNO(execve("/tmp", argv, environ), EACCES);
	CHECK_ERRNO(execve(plain, argv, environ), EACCES);
	CHECK_ERRNO(execve(below, argv, environ), ENOTDIR);
	CHECK_ERRNO(execve(garbage, argv, environ), ENOEXEC);
	CHECK_ERRNO(execve(empty, argv, environ), ENOEXEC);
	CHECK_ERRNO(execve(cut, argv, environ), ENOEXEC);
	CHECK_ERRNO(execve(hidden(16), argv, environ), EFAULT);
	CHECK_ERRNO(execve(self, hidden(16), environ), EFAULT);
	unlink(plain);
	unlink(garbage);
	unlink(empty);
	unlink(cut);
}

static void too_long(void)
{
	size_t size = 8 << 20;
	char *text = malloc(size);
	char *argv[] = { self, text, NULL };

	CHECK(text);
	memset(text, 'x', size - 1);
	text[size - 1] = 0;
	CHECK_ERRNO(execve(self, argv, environ), E2BIG);
	free(text);
}

static void script_with_interpreter(void)
{
	char text[300], *argv[] = { "script", "arg", NULL };
	const char *script = temp_path("script");
	pid_t pid;

	snprintf(text, sizeof(text), "#!%s child\nnothing else\n", self);
	make_file(script, text, 0755);
	pid = fork();
	if (pid == 0) {
		execve(script, argv, environ);
		_exit(100);
	}
	expect_exit(pid, 33);
	unlink(script);
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *spin_for_ever(void *arg)
{
	for (;;)
		;
	return arg;
}

/* The other threads are gone when the new program starts, whatever they were doing. */
static void ends_the_other_threads(void)
{
	char pid_text[16];
	char *args[] = { pid_text, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 3; i++) {
			start_thread(sleep_for_ever, NULL);
			start_thread(spin_for_ever, NULL);
		}
		snprintf(pid_text, sizeof(pid_text), "%d", getpid());
		exec_child("pid", args, environ);
	}
	expect_exit(pid, 0);
}

static void *exec_in_thread(void *arg)
{
	char tid_text[16];
	char *args[] = { arg, tid_text, NULL };

	snprintf(tid_text, sizeof(tid_text), "%d", gettid());
	exec_child("pid", args, environ);
	return NULL;
}

/* A thread that is not the first becomes the process, with its id. Nobody has the old one. */
static void from_another_thread(void)
{
	char pid_text[16];
	pid_t pid = fork();

	if (pid == 0) {
		snprintf(pid_text, sizeof(pid_text), "%d", getpid());
		start_thread(exec_in_thread, pid_text);
		sleep_for_ever(NULL);
	}
	expect_exit(pid, 0);
}

static atomic_int ready;

/* All four are there first: Linux starts no thread in a process of which one is in execve(). */
static void *exec_with_long_arguments(void *text)
{
	char *args[5];

	ready++;
	while (ready < 4)
		sched_yield();
	for (int i = 0; i < 4; i++)
		args[i] = text;
	args[4] = NULL;
	exec_child("exit17", args, environ);
	return NULL;
}

/* One of the threads wins, whichever, and the others end: they do not end each other. */
static void from_all_threads(void)
{
	static char text[100001];

	memset(text, 'x', sizeof(text) - 1);
	for (int round = 0; round < 4; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			for (int i = 0; i < 3; i++)
				start_thread(exec_with_long_arguments, text);
			exec_with_long_arguments(text);
		}
		expect_exit(pid, 17);
	}
}

static int go[2], hold[2];
static atomic_int started;

static void note_nothing(int sig)
{
	(void)sig;
}

static void *exec_when_told(void *unused)
{
	char c;

	started = 1;
	CHECK_EQ(read(go[0], &c, 1), 1);
	exec_child("exit17", NULL, environ);
	return unused;
}

/* Waits in vfork(), where only a kill reaches it, with a signal that it has not taken yet. */
static void be_signalled_in_vfork(void)
{
	char c;

	CHECK_EQ(pipe(go), 0);
	CHECK_EQ(pipe2(hold, O_CLOEXEC), 0);
	signal(SIGUSR1, note_nothing);
	start_thread(exec_when_told, NULL);
	while (!started)	/* starting, it unblocks signals, and would take this one */
		sched_yield();
	if (vfork() == 0) {
		close(hold[1]);
		kill(getppid(), SIGUSR1);
		if (write(go[1], "x", 1) == 1 && read(hold[0], &c, 1) == 0)
			_exit(0);
		_exit(1);
	}
}

/* A signal goes to another thread if the one that was to take it ends: here, to the new program. */
static void keeps_a_signal_of_a_thread(void)
{
	expect_signal(spawn(be_signalled_in_vfork), SIGUSR1);
}

static void again_and_again(void)
{
	char *args[] = { "60", NULL };

	expect_exit(run_child("again", args, environ), 0);
}

static void after_vfork(void)
{
	static char *argv[4];
	pid_t pid;

	argv[0] = self;
	argv[1] = "child";
	argv[2] = "exit17";
	pid = vfork();
	if (pid == 0) {
		execve(self, argv, environ);
		_exit(100);
	}
	expect_exit(pid, 17);
}

/* --- In the new program: exit status 0 means that all checks held --- */

static int zeroes[20000];

static bool all_zero(void)
{
	for (size_t i = 0; i < sizeof(zeroes) / sizeof(*zeroes); i++)
		if (zeroes[i])
			return false;
	memset(zeroes, 0xff, sizeof(zeroes));	/* so that reuse of our pages would be seen */
	return true;
}

static bool args_good(int argc, char **argv)
{
	return argc == 7 && !strcmp(argv[3], "one") && !*argv[4] && !strcmp(argv[5], "two words") &&
	       !strcmp(argv[6], "\xc3\xa9") && !argv[7] && !strcmp(argv[0], self);
}

static bool env_good(void)
{
	return environ[0] && !strcmp(environ[0], "A=1") && !strcmp(environ[1], "EMPTY=") &&
	       !strcmp(environ[2], "B=x=y") && !environ[3] && !strcmp(getenv("B"), "x=y") &&
	       !getenv("C");
}

static bool fds_good(char **argv)
{
	return fcntl(atoi(argv[3]), F_GETFD) == 0 && fcntl(atoi(argv[4]), F_GETFD) == -1 &&
	       errno == EBADF;
}

static bool folder_good(void)
{
	sigset_t set;
	char path[64];

	sigprocmask(SIG_BLOCK, NULL, &set);
	return getcwd(path, sizeof(path)) && !strcmp(path, "/") && sigismember(&set, SIGUSR1) &&
	       !sigismember(&set, SIGUSR2);
}

static bool ignored_good(void)
{
	struct sigaction unwanted;

	if (sigaction(SIGCHLD, NULL, &unwanted) || (unwanted.sa_flags & SA_NOCLDWAIT))
		return false;
	raise(SIGTERM);
	return signal(SIGTERM, SIG_DFL) == SIG_IGN && signal(SIGHUP, SIG_DFL) == SIG_DFL;
}

static bool locks_good(const char *old)
{
	void *head = NULL;
	size_t size;

	return !syscall(SYS_get_robust_list, 0, &head, &size) && (!head || (long)head != atol(old));
}

static bool is_no_thread(pid_t tid)
{
	return syscall(SYS_tgkill, getpid(), tid, 0) == -1 && errno == ESRCH;
}

#define MUCH	(24L << 20)

static long most_memory(void)
{
	struct rusage u;

	CHECK_EQ(getrusage(RUSAGE_SELF, &u), 0);
	return u.ru_maxrss << 10;
}

/* The most memory is that of all programs that the process has been. */
static void keeps_the_most_memory(void)
{
	char *args[] = { NULL };
	pid_t pid = fork();

	if (pid == 0) {
		char *p = mmap(NULL, MUCH, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(p != MAP_FAILED);
		memset(p, 1, MUCH);
		CHECK(most_memory() >= MUCH);
		exec_child("most", args, environ);
		_exit(101);
	}
	expect_exit(pid, 0);
}

static int again(int left)
{
	char text[16];
	char *args[] = { text, NULL };

	if (!left || !all_zero())
		return left;
	snprintf(text, sizeof(text), "%d", left - 1);
	exec_child("again", args, environ);
	return 101;
}

static int child(int argc, char **argv)
{
	const char *what = argv[2];

	if (!strcmp(what, "args"))
		return !args_good(argc, argv);
	if (!strcmp(what, "env"))
		return !env_good();
	if (!strcmp(what, "noenv"))
		return environ[0] != NULL;
	if (!strcmp(what, "long"))
		return strlen(argv[3]) != 100000 || strspn(argv[3], "x") != 100000;
	if (!strcmp(what, "many"))
		return argc != 2002 || strcmp(argv[2001], "a") || argv[2002];
	if (!strcmp(what, "fresh"))
		return !all_zero();
	if (!strcmp(what, "pid"))
		return getpid() != atoi(argv[3]) || gettid() != getpid() ||
		       (argc > 4 && !is_no_thread(atoi(argv[4])));
	if (!strcmp(what, "fds"))
		return !fds_good(argv);
	if (!strcmp(what, "ignored"))
		return !ignored_good();
	if (!strcmp(what, "folder"))
		return !folder_good();
	if (!strcmp(what, "locks"))
		return !locks_good(argv[3]);
	if (!strcmp(what, "most"))
		return most_memory() < MUCH;
	if (!strcmp(what, "again"))
		return again(atoi(argv[3]));
	if (!strcmp(what, "stack"))
		return stack_beyond_the_limit();
	if (!strcmp(what, "exit17"))
		return 17;
	/* As an interpreter: "exec child SCRIPT arg". */
	return !strncmp(what, "/tmp/script.", 12) && argc == 4 && !strcmp(argv[3], "arg") ? 33 : 34;
}

static const struct test_case cases[] = {
	CASE(arguments_arrive),
	CASE(environment_arrives),
	CASE(empty_environment),
	CASE(long_arguments),
	CASE(many_arguments),
	CASE(memory_is_fresh),
	CASE(stack_has_room),
	CASE(keeps_identity),
	CASE(closes_on_exec_only),
	CASE(keeps_ignored_signals),
	CASE(keeps_folder_and_mask),
	CASE(forgets_robust_list),
	CASE(errors),
	CASE(too_long),
	CASE(script_with_interpreter),
	CASE(ends_the_other_threads),
	CASE(from_another_thread),
	CASE(from_all_threads),
	CASE(keeps_a_signal_of_a_thread),
	CASE(keeps_the_most_memory),
	CASE(again_and_again),
	CASE(after_vfork),
};

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 2 && !strcmp(argv[1], "child"))
		return child(argc, argv);
	return test_main(argc, argv, cases, sizeof(cases) / sizeof(*cases));
}
