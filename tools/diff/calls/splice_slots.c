/*
 * splice(), tee(), vmsplice(): which bytes make a slot of a pipe, so how much goes into it; tee()
 * and vmsplice() by themselves.
 */
#include "diff.h"

static int p[2], q[2];

static void pipes(int flags)
{
	Q(pipe2, p, flags);
	Q(pipe2, q, flags);
}

#define SMALL	16	/* bytes: a write of so few merges, and thousands of them fill a pipe */

/* How many more writes of @n bytes a pipe takes: tells what slots are free, and what merges. */
static int takes(int fd, size_t n)
{
	static char x[PAGE];
	int count = 0;

	Q(fcntl, fd, F_SETFL, O_NONBLOCK | R(fcntl, fd, F_GETFL));
	while (R(write, fd, x, n) == (long)n)
		count++;
	return count;
}

CASE(slots_of_a_file)
{
	int fd = file("f", "");

	fill(fd, 20 * PAGE);
	pipes(0);
	T(splice, fd, bits(0), p[1], NULL, 3, 0);
	V(takes(p[1], SMALL));
	T(splice, fd, bits(PAGE - 1), q[1], NULL, 2, 0);
	V(takes(q[1], PAGE));
	pipes(0);
	T(splice, fd, bits(PAGE - 1), p[1], NULL, 20 * PAGE, 0);
	T(splice, fd, bits(1), q[1], NULL, 15 * PAGE, 0);
	V(takes(q[1], SMALL));
	pipes(0);
	T(splice, fd, bits(0), p[1], NULL, 20 * PAGE, 0);
	T(splice, fd, bits(0), p[1], NULL, 1, 2);
	Q(fcntl, q[1], F_SETPIPE_SZ, PAGE);
	T(splice, fd, bits(100), q[1], NULL, 20 * PAGE, 0);
}

CASE(slots_of_a_device)
{
	int zero = Q(openat, AT_FDCWD, "/dev/zero", O_RDONLY);

	pipes(0);
	T(splice, zero, bits(1), p[1], NULL, 20 * PAGE, 0);
	T(splice, zero, bits(PAGE - 1), q[1], NULL, 2, 0);
	V(takes(q[1], SMALL));
	pipes(0);
	T(splice, zero, NULL, q[1], NULL, PAGE + 1, 0);
	V(takes(q[1], PAGE));
}

CASE(slots_of_a_file_of_the_kernel)
{
	static const char *const names[] = {
		"/proc/version", "/proc/sys/kernel/ostype", "/proc/self/mounts",
		"/proc/self/stat", "/sys/devices/system/cpu/possible",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int fd = Q(openat, AT_FDCWD, names[i], O_RDONLY);
		long n;

		pipes(0);
		n = R(splice, fd, NULL, p[1], NULL, 2 * PAGE, 0);
		say("%s: %s, then %d", names[i], n > 0 ? "some" : error_name(-n),
		    takes(p[1], SMALL));
	}
}

CASE(slots_from_pipe_to_pipe)
{
	pipes(0);
	for (int i = 0; i < 3; i++) {
		Q(fcntl, p[1], F_SETFL, O_DIRECT);
		Q(write, p[1], "abc", 3);
	}
	Q(fcntl, p[1], F_SETFL, 0);
	Q(write, p[1], "defg", 4);
	T(splice, p[0], NULL, q[1], NULL, 2, 0);
	T(splice, p[0], NULL, q[1], NULL, 3, 0);
	T(splice, p[0], NULL, q[1], NULL, 100, 0);
	V(takes(q[1], PAGE));
	T(splice, p[0], NULL, q[1], NULL, 1, 2);
	for (int i = 0; i < 7; i++)
		T(read, q[0], buf, 10);
	V(takes(p[1], PAGE));
}

CASE(merging_behind_what_moved)
{
	pipes(0);
	Q(write, p[1], "abcd", 4);
	T(splice, p[0], NULL, q[1], NULL, 4, 0);
	V(takes(q[1], SMALL));
	pipes(0);
	Q(write, p[1], "abcd", 4);
	T(splice, p[0], NULL, q[1], NULL, 3, 0);
	V(takes(q[1], SMALL));
	V(takes(p[1], SMALL));
	pipes(0);
	Q(write, p[1], "abcd", 4);
	T(tee, p[0], q[1], 4, 0);
	V(takes(q[1], SMALL));
	V(takes(p[1], SMALL));
	pipes(0);
	T(vmsplice, p[1], io("abcd", 4), 1, 0);
	V(takes(p[1], SMALL));
}

CASE(full_pipe_moves_to_a_smaller)
{
	pipes(0);
	full(p[1]);
	Q(fcntl, q[1], F_SETPIPE_SZ, 4 * PAGE);
	T(splice, p[0], NULL, q[1], NULL, 100 * PAGE, 0);
	T(splice, p[0], NULL, q[1], NULL, 100 * PAGE, 2);
	V(bytes_in(p[0]));
	V(takes(p[1], PAGE));
}

CASE(packets)
{
	int fd = file("f", "");

	Q(pipe2, p, O_DIRECT | O_NONBLOCK);
	Q(pipe2, q, O_NONBLOCK);
	for (int i = 0; i < 3; i++)
		Q(write, p[1], "abcdef", 6);
	T(splice, p[0], NULL, fd, NULL, 4, 0);
	T(vmsplice, p[0], io(buf, 1), 1, 0);
	T(tee, p[0], q[1], 4, 0);
	T(read, q[0], buf, 1);
	T(read, q[0], buf, 10);
	T(read, q[0], buf, 1);
	T(read, p[0], buf, 10);
	T(vmsplice, p[1], io("abcdef", 6), 1, 0);
	T(read, p[0], buf, 1);
	T(read, p[0], buf, 1);
	T(read, p[0], buf, 10);
}

/* --- tee --------------------------------------------------------------------------------- */

CASE(tee_keeps)
{
	pipes(O_NONBLOCK);
	Q(write, p[1], "abcdef", 6);
	T(tee, p[0], q[1], 4, 0);
	T(tee, p[0], q[1], 100, 0);
	S(rest(q[0]));
	Q(write, p[1], "gh", 2);
	T(tee, p[0], q[1], 100, 0);
	S(rest(p[0]));
	S(rest(q[0]));
	T(tee, p[0], q[1], 1, 0);
	Q(close, p[1]);
	T(tee, p[0], q[1], 1, 0);
	T(splice, p[0], NULL, q[1], NULL, 1, 0);
}

CASE(tee_of_many)
{
	pipes(O_NONBLOCK);
	full(p[1]);
	Q(read, p[0], buf, 10);
	T(tee, p[0], q[1], 5 * PAGE, 0);
	T(tee, p[0], q[1], 50 * PAGE, 0);
	T(tee, p[0], q[1], 1, 0);
	Q(read, q[0], buf, PAGE);
	T(tee, p[0], q[1], 1, 0);
}

/* --- vmsplice ---------------------------------------------------------------------------- */

CASE(vmsplice_segments)
{
	char a[4] = "", b[4] = "";

	pipes(O_NONBLOCK);
	T(vmsplice, p[1], io2("abc", 3, "defg", 4), 2, 0);
	T(vmsplice, p[1], io2("", 0, "h", 1), 2, 15);
	T(vmsplice, p[0], io2(a, 2, b, 3), 2, 0);
	S(a);
	S(b);
	S(rest(p[0]));
	T(vmsplice, p[0], io(a, 1), 1, 2);
	Q(close, p[1]);
	T(vmsplice, p[0], io(a, 1), 1, 0);
}

CASE(vmsplice_pages)
{
	char *m = pages(20, PROT_READ | PROT_WRITE, 0);

	pipes(O_NONBLOCK);
	T(vmsplice, p[1], io(m + 1, PAGE), 1, 0);
	V(takes(p[1], PAGE));
	T(vmsplice, q[1], io(m + 1, 20 * PAGE - 1), 1, 0);
	T(vmsplice, q[1], io(m, 1), 1, 2);
	T(vmsplice, q[0], io2(m, 10, m + 100, 20 * PAGE - 100), 2, 0);
}

CASE(vmsplice_at_the_edge)
{
	pipes(O_NONBLOCK);
	T(vmsplice, p[1], io(edge(3), 10), 1, 0);
	T(vmsplice, p[1], io2("ab", 2, edge(PAGE), 2 * PAGE), 2, 0);
	V(bytes_in(p[0]));
	T(vmsplice, p[0], io2(buf, 1, edge(0), 2), 2, 0);
	T(vmsplice, p[0], io2(buf, 2, edge(0), 2), 2, 0);
	T(vmsplice, p[0], io(edge(10), 20), 1, 0);
	T(vmsplice, p[0], io(pages(1, PROT_READ, 0), 20), 1, 0);
	Q(close, p[1]);
	V(strlen(rest(p[0])));
}

CASE(large_pipe)
{
	int fd = file("f", "");

	fill(fd, 40 * PAGE);
	pipes(O_NONBLOCK);
	Q(fcntl, p[1], F_SETPIPE_SZ, 64 * PAGE);
	T(splice, fd, bits(0), p[1], NULL, 50 * PAGE, 0);
	T(splice, p[0], NULL, fd, bits(0), 3 * PAGE + 5, 0);
	T(splice, p[0], NULL, q[1], NULL, 50 * PAGE, 0);
	V(bytes_in(p[0]));
	V(bytes_in(q[0]));
	T(fcntl, p[1], F_SETPIPE_SZ, 32 * PAGE);
	T(tee, q[0], p[1], 50 * PAGE, 0);
	V(bytes_in(p[0]));
}

CASE(limit_of_file_size)
{
	int fd = file("f", "");

	pipes(O_NONBLOCK);
	on(SIGXFSZ, 0);
	full(p[1]);
	Q(prlimit64, 0, RLIMIT_FSIZE, lim(PAGE + 10, PAGE + 10), NULL);
	T(splice, p[0], NULL, fd, NULL, 3 * PAGE, 0);
	V(hits[SIGXFSZ]);
	T(lseek, fd, 0, SEEK_CUR);
	T(splice, p[0], NULL, fd, NULL, 1, 0);
	V(hits[SIGXFSZ]);
	V(bytes_in(p[0]));
	V(takes(p[1], PAGE));
}
