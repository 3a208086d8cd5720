/* Bytes through pipes. */
#include <signal.h>
#include <sys/wait.h>

#include "bench.h"

#define BLOCK	4096

uint64_t pipe_self(unsigned n)
{
	int p[2];
	char c = 0;
	uint64_t start;

	check(pipe(p), "pipe");
	start = clock_now();
	for (unsigned i = 0; i < n; i++) {
		check(write(p[1], &c, 1), "write");
		check(read(p[0], &c, 1), "read");
	}
	start = clock_now() - start;
	close(p[0]);
	close(p[1]);
	return start;
}

/* One byte to another process and back. */
uint64_t pipe_rtt(unsigned n)
{
	int there[2], back[2];
	char c = 0;
	uint64_t start;
	pid_t other;

	check(pipe(there), "pipe");
	check(pipe(back), "pipe");
	other = check(fork(), "fork");
	if (other == 0) {
		while (read(there[0], &c, 1) == 1)
			check(write(back[1], &c, 1), "write");
		_exit(0);
	}
	start = clock_now();
	for (unsigned i = 0; i < n; i++) {
		check(write(there[1], &c, 1), "write");
		check(read(back[0], &c, 1), "read");
	}
	start = clock_now() - start;
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
	return start;
}

/* Writes and reads @n bytes, in blocks. */
uint64_t pipe_byte(unsigned n)
{
	static char data[BLOCK];
	int p[2];
	uint64_t start;

	check(pipe(p), "pipe");
	start = clock_now();
	for (unsigned i = 0; i < n; i += BLOCK) {
		check(write(p[1], data, BLOCK), "write");
		check(read(p[0], data, BLOCK), "read");
	}
	start = clock_now() - start;
	close(p[0]);
	close(p[1]);
	return start;
}
