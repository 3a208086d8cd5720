/*
 * Everything at once: processes and threads that fork, exec, pipe, map, wait and die, driven by
 * numbers that are the same in each run. The checks are that every result arrives and that, as
 * after each case, nothing is left behind.
 */
#include "test.h"

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static void use_pipe(unsigned n)
{
	char out[512], in[512];
	int fds[2];
	size_t len = n % sizeof(out) + 1;

	CHECK_EQ(pipe(fds), 0);
	memset(out, n, len);
	CHECK_EQ(write(fds[1], out, len), len);
	CHECK_EQ(read(fds[0], in, sizeof(in)), len);
	CHECK(!memcmp(in, out, len));
	close(fds[0]);
	close(fds[1]);
}

static void use_memory(unsigned n)
{
	size_t size = (n % 16 + 1) * 4096;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, n, size);
	CHECK_EQ((unsigned char)p[size - 1], n & 0xff);
	CHECK_EQ(munmap(p, size), 0);
}

static void *thread_work(void *arg)
{
	unsigned seed = (long)arg;

	for (int i = 0; i < 5; i++) {
		use_pipe(next(&seed));
		use_memory(next(&seed));
		sched_yield();
	}
	return (void *)(long)(seed & 0xff);
}

static void use_threads(unsigned n)
{
	pthread_t t[4];

	for (long i = 0; i < 4; i++)
		t[i] = start_thread(thread_work, (void *)(n + i));
	for (int i = 0; i < 4; i++)
		CHECK_EQ((long)join_thread(t[i]) >> 8, 0);
}

static void use_process(unsigned n)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		if (n % 4 == 0)
			use_threads(n);
		use_memory(n);
		if (n % 4 == 1)
			execlp("true", "true", NULL);
		_exit(n % 4 == 1 ? 99 : 0);
	}
	if (n % 4 == 2) {
		CHECK_EQ(kill(pid, SIGKILL), 0);
		status_of(pid);		/* it may have ended already */
	} else {
		expect_exit(pid, 0);
	}
}

static void work(unsigned seed, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		unsigned n = next(&seed);

		switch (n % 4) {
		case 0:
			use_pipe(n / 4);
			break;
		case 1:
			use_memory(n / 4);
			break;
		case 2:
			use_threads(n / 4);
			break;
		default:
			use_process(n / 4);
		}
	}
}

static void mixture(void)
{
	int status;

	for (unsigned seed = 1; seed <= 6; seed++) {
		if (fork() == 0) {
			work(seed, 40);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		CHECK_EQ(status, 0);
}

/* A process with busy threads is killed again and again. */
static void mixture_killed(void)
{
	for (unsigned seed = 1; seed <= 25; seed++) {
		struct timespec t = { 0, seed * 130000 };
		pid_t pid = fork();

		if (pid == 0) {
			setpgid(0, 0);
			work(seed * 77, 1 << 30);
		}
		setpgid(pid, pid);
		nanosleep(&t, NULL);
		CHECK_EQ(kill(-pid, SIGKILL), 0);
		expect_signal(pid, SIGKILL);
	}
}

/* A chain of pipes through processes: what goes in at one end comes out at the other. */
static void pipeline(void)
{
	enum { STAGES = 8, BYTES = 50000 };
	int in, fds[2];
	char buf[1000];
	long sum = 0;
	ssize_t n;

	CHECK_EQ(pipe(fds), 0);
	in = fds[0];
	if (fork() == 0) {
		for (int i = 0; i < BYTES; i += sizeof(buf)) {
			memset(buf, 1, sizeof(buf));
			CHECK_EQ(write(fds[1], buf, sizeof(buf)), sizeof(buf));
		}
		_exit(0);
	}
	close(fds[1]);
	for (int s = 0; s < STAGES; s++) {
		CHECK_EQ(pipe(fds), 0);
		if (fork() == 0) {
			close(fds[0]);
			while ((n = read(in, buf, 100 + s * 77)) > 0) {
				for (int i = 0; i < n; i++)
					buf[i]++;
				CHECK_EQ(write(fds[1], buf, n), n);
			}
			_exit(0);
		}
		close(fds[1]);
		close(in);
		in = fds[0];
	}
	while ((n = read(in, buf, sizeof(buf))) > 0)
		for (int i = 0; i < n; i++)
			sum += buf[i];
	CHECK_EQ(sum, (long)BYTES * (STAGES + 1));
	while (wait(&(int){ 0 }) > 0)
		;
}

/* Memory runs out: the process that asks gets an error, and the others go on. */
static void more_memory_than_allowed(void)
{
	struct rlimit limit = { 48 << 20, 48 << 20 };
	pid_t pid = fork();

	if (pid == 0) {
		int n = 0;

		CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
		while (n < 1000) {
			char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (p == MAP_FAILED)
				break;
			*p = 1;
			n++;
		}
		CHECK(n > 10 && n < 48 && errno == ENOMEM);
		_exit(0);
	}
	use_memory(3);
	expect_exit(pid, 0);
}

static const struct test_case cases[] = {
	CASE(mixture),
	CASE(mixture_killed),
	CASE(pipeline),
	CASE(more_memory_than_allowed),
};

TEST_MAIN(cases)
