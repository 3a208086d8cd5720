/* System calls that one process makes without waiting. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "bench.h"

#define BLOCK	4096
#define MIB	(1 << 20)

uint64_t null_syscall(unsigned n)
{
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++)
		syscall(SYS_getppid);
	return clock_now() - start;
}

uint64_t yield_alone(unsigned n)
{
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++)
		sched_yield();
	return clock_now() - start;
}

uint64_t open_close(unsigned n)
{
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++)
		close(check(open("/etc/run", O_RDONLY), "open"));
	return clock_now() - start;
}

static volatile unsigned handled;

static void count(int sig)
{
	(void)sig;
	handled++;
}

uint64_t signal_self(unsigned n)
{
	struct sigaction action = { .sa_handler = count };
	uint64_t start;

	if (sigaction(SIGUSR1, &action, NULL) < 0 && errno == ENOSYS)
		return 0;
	start = clock_now();
	for (unsigned i = 0; i < n; i++)
		kill(getpid(), SIGUSR1);
	start = clock_now() - start;
	if (handled != n)
		errx(1, "%u signals of %u handled", handled, n);
	return start;
}

uint64_t create_unlink(unsigned n)
{
	static char data[1024];
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++) {
		int fd = check(open("/tmp/bench", O_WRONLY | O_CREAT | O_EXCL, 0600), "create");

		check(write(fd, data, sizeof(data)), "write");
		close(fd);
		check(unlink("/tmp/bench"), "unlink");
	}
	return clock_now() - start;
}

uint64_t write_mib(unsigned n)
{
	static char data[BLOCK];
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++) {
		int fd = check(open("/tmp/bench", O_WRONLY | O_CREAT | O_TRUNC, 0600), "create");

		for (unsigned at = 0; at < MIB; at += BLOCK)
			check(write(fd, data, BLOCK), "write");
		close(fd);
	}
	start = clock_now() - start;
	unlink("/tmp/bench");
	return start;
}

uint64_t read_mib(unsigned n)
{
	static char data[BLOCK];
	int fd = check(open("/tmp/bench", O_RDWR | O_CREAT | O_TRUNC, 0600), "create");
	uint64_t start;

	for (unsigned at = 0; at < MIB; at += BLOCK)
		check(write(fd, data, BLOCK), "write");
	start = clock_now();
	for (unsigned i = 0; i < n; i++) {
		check(lseek(fd, 0, SEEK_SET), "lseek");
		for (unsigned at = 0; at < MIB; at += BLOCK)
			check(read(fd, data, BLOCK), "read");
	}
	start = clock_now() - start;
	close(fd);
	unlink("/tmp/bench");
	return start;
}
