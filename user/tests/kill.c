/*
 * Killing processes in every state, and several at a time. Nothing may survive, hang, or report
 * another death than the first one. After each case a check finds whatever is left behind.
 *
 * The table names the tests that kill a victim in each state. Names without a file are cases of
 * this one. Lab 06's tests run in the kernel; `middle` is its tests/middle.c, which kills after
 * every so many instructions of the whole stretch, so that no place is left out.
 *
 *	user mode, spinning		killspin.c: each says that it runs; on CPUs of their own, or
 *					ready behind each other
 *	a loop of system calls		busy_in_all_places, in eight places each
 *	asleep				lab 06 kill.blocked, in state SLEEPING; kill.swept_sleep on
 *					its way there; here in state S: a_thousand_sleepers
 *	on a wait queue, with a		lab 06 kill.blocked; kill.swept_wait on the way there;
 *	deadline and without		kill.after_claim woken and not yet running
 *	join, mutex, semaphore		lab 06 kill.blocked; blocked_by_* here
 *	futex, pipe read, pipe write,	blocked_by_*: in state S, and nothing else on their way can
 *	poll, wait4			block; wait4 too in middle
 *	fork, exec, page fault,		middle, first instruction to last; busy_in_all_places and
 *	thread creation			exec_races_kill on several CPUs
 *	its own exit			middle; exit_races_kill
 *	suspended, ready		lab 06 kill.unrun; stopped (state T)
 *	on another CPU			killspin.c; lab 06 kill.crowd on 2 and 4
 *	dying, a zombie, nobody		twice_a_zombie_and_nobody; lab 06 kill.first, zombie.kept
 *	many killers, many exits	many_killers, all_states_at_once; lab 06 kill.crowd, and
 *					kill.swept_kill: one kill in the middle of another
 *	an orphan, a whole tree		group.c; a_whole_tree_by_its_group; lab 06 orphan.*
 */
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/syscall.h>

#include "test.h"

static int fds[2];			/* a pipe that no other process reads or writes */

static void spin(void)
{
	for (;;)
		;
}

static void spin_in_calls(void)
{
	for (;;)
		getppid();
}

static void yield_for_ever(void)
{
	for (;;)
		sched_yield();
}

static void sleep_long(void)
{
	sleep(100000);
}

static void read_pipe(void)
{
	char c;

	CHECK(read(fds[0], &c, 1) == 1);
}

static void fill_pipe(void)
{
	static char block[100000];

	CHECK(write(fds[1], block, sizeof(block)) > 0 && write(fds[1], block, sizeof(block)) > 0);
}

static void futex_wait(void)
{
	static int word;

	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void futex_wait_long(void)
{
	static int word;
	struct timespec t = { 100000, 0 };

	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
}

static void poll_wait(void)
{
	struct pollfd p = { fds[0], POLLIN, 0 };

	poll(&p, 1, -1);
}

static void wait_for_child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		while (getppid() == parent)	/* so that we outlive the test only briefly */
			sched_yield();
		_exit(0);
	}
	wait(NULL);
}

static void lock_twice(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&m);
	pthread_mutex_lock(&m);
}

static void wait_on_semaphore(void)
{
	sem_t s;

	sem_init(&s, 0, 0);
	sem_wait(&s);
}

static void pause_for_ever(void)
{
	pause();
}

static void fork_loop(void)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

static void *thread_nothing(void *arg)
{
	return arg;
}

static void thread_loop(void)
{
	pthread_t t;

	for (;;)
		if (!pthread_create(&t, NULL, thread_nothing, NULL))
			pthread_join(t, NULL);
}

static void map_loop(void)
{
	for (;;) {
		char *p = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		memset(p, 1, 1 << 16);
		munmap(p, 1 << 16);
	}
}

static void file_loop(void)
{
	for (;;)
		close(open("/dev/null", O_RDWR));
}

static void clock_loop(void)
{
	struct timespec t = { 0, 1000 };

	for (;;)
		nanosleep(&t, NULL);
}

typedef void (*state_fn)(void);

static const state_fn blocked[] = { sleep_long, read_pipe, futex_wait, futex_wait_long, poll_wait,
				    wait_for_child, lock_twice, wait_on_semaphore, pause_for_ever,
				    fill_pipe };
static const state_fn busy[] = { spin, spin_in_calls, yield_for_ever, fork_loop, thread_loop,
				 map_loop, file_loop, clock_loop };

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static pid_t start(state_fn fn)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		fn();
		_exit(99);
	}
	return pid;
}

static void make_pipe(void)
{
	CHECK_EQ(pipe(fds), 0);
}

static void kill_blocked(int sig)
{
	make_pipe();
	for (size_t i = 0; i < COUNT(blocked); i++) {
		pid_t pid = start(blocked[i]);

		await_state(pid, 'S');
		CHECK_EQ(kill(pid, sig), 0);
		expect_signal(pid, sig);
	}
}

static void blocked_by_sigkill(void)
{
	kill_blocked(SIGKILL);
}

static void blocked_by_sigterm(void)
{
	kill_blocked(SIGTERM);
}

/* Runs for a different time in each round, so that the kill hits it in many places. */
static void busy_in_all_places(void)
{
	for (int round = 0; round < 8; round++) {
		for (size_t i = 0; i < COUNT(busy); i++) {
			pid_t pid = start(busy[i]);
			struct timespec t = { 0, round * 150000 };

			nanosleep(&t, NULL);
			CHECK_EQ(kill(pid, SIGKILL), 0);
			expect_signal(pid, SIGKILL);
		}
	}
}

static void at_once_after_fork(void)
{
	for (int i = 0; i < 100; i++) {
		pid_t pid = start(spin);

		CHECK_EQ(kill(pid, SIGKILL), 0);
		expect_signal(pid, SIGKILL);
	}
}

static void *thread_in_state(void *arg)
{
	((state_fn)arg)();
	return NULL;
}

/* One process with a thread in each state. */
static void all_states_at_once(void)
{
	make_pipe();
	for (int round = 0; round < 4; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			for (size_t i = 0; i < COUNT(blocked); i++)
				if (blocked[i] != wait_for_child)
					start_thread(thread_in_state, blocked[i]);
			for (size_t i = 0; i < COUNT(busy); i++)
				if (busy[i] != fork_loop)
					start_thread(thread_in_state, busy[i]);
			CHECK_EQ(write(fds[1], "", 0), 0);
			kill(getpid(), round % 2 ? SIGKILL : SIGTERM);
			pause();
		}
		expect_signal(pid, round % 2 ? SIGKILL : SIGTERM);
	}
}

static void many_blocked_threads(void)
{
	make_pipe();
	for (int round = 0; round < 3; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			for (int i = 0; i < 50; i++)
				start_thread(thread_in_state, i % 2 ? read_pipe : futex_wait);
			pause();
		}
		await_state(pid, 'S');
		CHECK_EQ(kill(pid, SIGKILL), 0);
		expect_signal(pid, SIGKILL);
	}
}

/* Starts a thread with a small stack, so that there may be many. */
static void start_small_thread(state_fn fn)
{
	pthread_attr_t attr;
	pthread_t t;

	CHECK_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 1 << 16), 0);
	CHECK_EQ(pthread_create(&t, &attr, thread_in_state, fn), 0);
	pthread_attr_destroy(&attr);
}

static void a_thousand_sleepers(void)
{
	int ready[2];
	pid_t pid;
	char c;

	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 1000; i++)
			start_small_thread(sleep_long);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	await_state(pid, 'S');
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

static void stopped(void)
{
	static const state_fn fns[] = { spin, spin_in_calls, sleep_long };

	for (size_t i = 0; i < COUNT(fns); i++) {
		pid_t pid = start(fns[i]);

		CHECK_EQ(kill(pid, SIGSTOP), 0);
		await_state(pid, 'T');
		CHECK_EQ(kill(pid, SIGKILL), 0);
		expect_signal(pid, SIGKILL);
	}
}

static void say_so_and_spin(void)
{
	CHECK_EQ(write(fds[1], "x", 1), 1);
	spin_in_calls();
}

/*
 * A second kill of a zombie succeeds and changes nothing. The process must have left fork() first,
 * where a C library may block signals: of two pending signals the one with the lower number is
 * delivered first.
 */
static void twice_a_zombie_and_nobody(void)
{
	pid_t pid;
	char c;

	make_pipe();
	pid = start(say_so_and_spin);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(kill(pid, SIGTERM), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	while (state_of(pid) != 'Z')
		sched_yield();
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(kill(pid, 0), 0);
	expect_signal(pid, SIGTERM);
	CHECK_ERRNO(kill(pid, SIGKILL), ESRCH);
	CHECK_ERRNO(kill(pid, 0), ESRCH);
	CHECK_EQ(kill(getpid(), 0), 0);
}

static atomic_int *gate;		/* open when not 0 */
static pid_t target;

static void *kill_at_the_gate(void *sig)
{
	while (!atomic_load(gate))
		sched_yield();
	kill(target, (long)sig);
	return NULL;
}

static void *exit_at_the_gate(void *code)
{
	while (!atomic_load(gate))
		sched_yield();
	_exit((long)code);
}

/*
 * Six threads kill one process while four of its own threads exit: exactly one of the ten decides
 * its status.
 */
static void many_killers(void)
{
	gate = shared_memory(sizeof(*gate));
	for (int round = 0; round < 20; round++) {
		pthread_t killers[6];
		int status;

		atomic_store(gate, 0);
		target = fork();
		if (target == 0) {
			for (long i = 0; i < 4; i++)
				start_thread(exit_at_the_gate, (void *)(10 + i));
			spin_in_calls();
		}
		for (int i = 0; i < 6; i++)
			killers[i] = start_thread(kill_at_the_gate,
						  (void *)(long)(i % 2 ? SIGKILL : SIGTERM));
		atomic_store(gate, 1);
		for (int i = 0; i < 6; i++)
			join_thread(killers[i]);
		status = status_of(target);
		if (WIFEXITED(status))
			CHECK(WEXITSTATUS(status) >= 10 && WEXITSTATUS(status) < 14);
		else
			CHECK(WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL);
	}
}

/* Exit and kill race: the status is that of one of them, never a mixture. */
static void exit_races_kill(void)
{
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			for (volatile int k = 0; k < i * 40; k++)
				;
			_exit(42);
		}
		for (volatile int k = 0; k < 2000; k++)
			;
		CHECK_EQ(kill(pid, SIGTERM), 0);
		status = status_of(pid);
		CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 42) ||
		      (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
	}
}

/* Two signals from two processes: the status is that of one of them. */
static void two_killers(void)
{
	for (int i = 0; i < 30; i++) {
		pid_t victim = start(yield_for_ever), killer = fork();
		int status;

		if (killer == 0) {
			kill(victim, SIGTERM);
			_exit(0);
		}
		kill(victim, SIGHUP);
		status = status_of(victim);
		CHECK(WIFSIGNALED(status));
		CHECK(WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGHUP);
		expect_exit(killer, 0);
	}
}

/* A process is killed while it execs: the old program or the new one dies, under the same id. */
static void exec_races_kill(void)
{
	for (int i = 0; i < 25; i++) {
		pid_t pid = fork();
		struct timespec t = { 0, i * 40000 };

		if (pid == 0) {
			execlp("sleep", "sleep", "100000", NULL);
			_exit(99);
		}
		nanosleep(&t, NULL);
		CHECK_EQ(kill(pid, SIGKILL), 0);
		expect_signal(pid, SIGKILL);
	}
}

static void exit_of_threads_races_kill(void)
{
	for (int i = 0; i < 25; i++) {
		pid_t pid = fork();
		struct timespec t = { 0, i * 20000 };

		if (pid == 0) {
			thread_loop();
			_exit(99);
		}
		nanosleep(&t, NULL);
		CHECK_EQ(kill(pid, SIGTERM), 0);
		expect_signal(pid, SIGTERM);
	}
}

/* A dying process closes its ends of pipes, and the processes at the other ends notice. */
static void death_is_noticed_at_pipes(void)
{
	int go[2];
	pid_t pid;
	char c;

	CHECK_EQ(pipe(go), 0);
	make_pipe();
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		CHECK_EQ(write(go[1], "x", 1), 1);
		spin();
	}
	close(fds[1]);
	CHECK_EQ(read(go[0], &c, 1), 1);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(read(fds[0], &c, 1), 0);
	expect_signal(pid, SIGKILL);
}

static void a_whole_tree_by_its_group(void)
{
	int go[2], status;
	pid_t leader;
	char c;

	CHECK_EQ(pipe(go), 0);
	leader = fork();
	if (leader == 0) {
		setpgid(0, 0);
		for (int i = 0; i < 3; i++)
			if (fork() == 0)
				i = 10 + (fork() == 0);
		CHECK_EQ(write(go[1], "x", 1), 1);
		for (;;)
			pause();
	}
	close(go[1]);
	for (int i = 0; i < 7; i++)
		CHECK_EQ(read(go[0], &c, 1), 1);
	CHECK_EQ(kill(-leader, SIGKILL), 0);
	CHECK_EQ(read(go[0], &c, 1), 0);		/* until the last of them is gone */
	status = status_of(leader);
	CHECK_EQ(WTERMSIG(status), SIGKILL);
}

static const struct test_case cases[] = {
	CASE(blocked_by_sigkill),
	CASE(blocked_by_sigterm),
	CASE(busy_in_all_places),
	CASE(at_once_after_fork),
	CASE(all_states_at_once),
	CASE(many_blocked_threads),
	CASE(a_thousand_sleepers),
	CASE(stopped),
	CASE(twice_a_zombie_and_nobody),
	CASE(many_killers),
	CASE(exit_races_kill),
	CASE(two_killers),
	CASE(exec_races_kill),
	CASE(exit_of_threads_races_kill),
	CASE(death_is_noticed_at_pipes),
	CASE(a_whole_tree_by_its_group),
};

TEST_MAIN(cases)
