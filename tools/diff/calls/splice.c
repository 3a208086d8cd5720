/* splice(), tee(), vmsplice(): kinds of files, directions, positions, ends, waiting. */
#include "diff.h"
#include "kinds.h"

#define FLAG_MOVE     1
#define FLAG_NONBLOCK 2
#define FLAG_MORE     4
#define FLAG_GIFT     8

static int p[2], q[2];

static void pipes(int flags)
{
	Q(pipe2, p, flags);
	Q(pipe2, q, flags);
}

/* Pipe @which with @text in it, both ends from then on not waiting. */
static int pipe_with(int which, const char *text)
{
	static int fds[2];

	Q(pipe2, fds, O_NONBLOCK);
	if (*text)
		Q(write, fds[1], text, strlen(text));
	return fds[which];
}

/* --- Each kind of file on each side ------------------------------------------------------ */

EACH(from, ALL, R(splice, fd, NULL, pipe_with(1, ""), NULL, 4, 0))
EACH(from_a_place, ALL, R(splice, fd, bits(1), pipe_with(1, ""), NULL, 4, 0))
EACH(from_before, ALL, R(splice, fd, bits(-1), pipe_with(1, ""), NULL, 4, 0))
EACH(from_nowhere, ALL, R(splice, fd, BAD, pipe_with(1, ""), NULL, 4, 0))
EACH(from_too_much, ALL, R(splice, fd, NULL, pipe_with(1, ""), NULL, -1, FLAG_NONBLOCK))
EACH(from_very_far, ALL, R(splice, fd, bits(-1UL >> 1), pipe_with(1, ""), NULL, 1, 0))
EACH(from_unknown_flag, ALL, R(splice, fd, NULL, pipe_with(1, ""), NULL, 4, 16))
EACH(from_twice, ALL, (R(splice, fd, NULL, pipe_with(1, ""), NULL, 4, 0), R(read, fd, buf, 3)))
EACH(nothing_from, ALL, R(splice, fd, BAD, 88, BAD, 0, -1))
EACH(from_to_no_pipe, ALL, R(splice, fd, NULL, 0, NULL, 4, 0))
EACH(to, ALL, R(splice, pipe_with(0, "abcdefgh"), NULL, fd, NULL, 8, 0))
EACH(to_a_place, ALL, R(splice, pipe_with(0, "abcdefgh"), NULL, fd, bits(1), 8, 0))
EACH(to_before, ALL, R(splice, pipe_with(0, "abcdefgh"), NULL, fd, bits(-1), 8, 0))
EACH(to_nowhere, ALL, R(splice, pipe_with(0, "abcdefgh"), NULL, fd, BAD, 8, 0))
EACH(to_too_much, ALL, R(splice, pipe_with(0, "abc"), NULL, fd, NULL, -1, 0))
EACH(to_more_than_there_is, ALL, R(splice, pipe_with(0, "abc"), NULL, fd, NULL, 100, 0))
EACH(to_from_empty, ALL, R(splice, pipe_with(0, ""), NULL, fd, NULL, 8, 0))
EACH(to_and_place, OWN,
     (R(splice, pipe_with(0, "ab"), NULL, fd, NULL, 2, 0), R(lseek, fd, 0, SEEK_CUR)))
EACH(tee_from, ALL, R(tee, fd, pipe_with(1, ""), 4, 0))
EACH(tee_to, ALL, R(tee, pipe_with(0, "abc"), fd, 4, 0))
EACH(tee_nothing_to, ALL, R(tee, 77, fd, 0, 0))
EACH(tee_unknown_flag, ALL, R(tee, fd, fd, 0, 16))
EACH(vmsplice, ALL, R(vmsplice, fd, io(buf, 8), 1, FLAG_NONBLOCK))
EACH(vmsplice_of_nothing, ALL, R(vmsplice, fd, io(buf, 0), 1, FLAG_NONBLOCK))
EACH(vmsplice_no_segments, ALL, R(vmsplice, fd, BAD, 0, 0))
EACH(vmsplice_bad_vector, ALL, R(vmsplice, fd, BAD, 1, 0))
EACH(vmsplice_bad_memory, ALL, R(vmsplice, fd, io(BAD, 8), 1, 0))
EACH(vmsplice_too_many, ALL, R(vmsplice, fd, BAD, 1025, 0))
EACH(vmsplice_unknown_flag, ALL, R(vmsplice, fd, BAD, 1025, 16))

/* --- Order of the checks ----------------------------------------------------------------- */

CASE(checks)
{
	int fd = file("f", "abc");

	pipes(O_NONBLOCK);
	T(splice, 77, NULL, 78, NULL, 0, -1);
	T(splice, 77, NULL, 78, NULL, 1, 16);
	T(splice, 77, NULL, p[1], BAD, 1, 0);
	T(splice, p[0], BAD, 78, NULL, 1, 0);
	T(splice, p[0], BAD, p[0], NULL, 1, 0);
	T(splice, p[1], NULL, p[1], BAD, 1, 0);
	T(splice, p[0], NULL, fd, BAD, 1, 0);
	T(splice, fd, BAD, p[0], NULL, 1, 0);
	T(splice, fd, NULL, fd, NULL, 1, 0);
	T(splice, fd, BAD, fd, NULL, 1, 0);
	T(splice, fd, bits(0), p[0], NULL, 1, 0);
	T(splice, p[1], NULL, p[1], NULL, 1, 0);
	T(splice, p[0], NULL, p[1], NULL, 1, 0);
	T(splice, p[0], NULL, q[1], NULL, -1, FLAG_MOVE | FLAG_NONBLOCK | FLAG_MORE | FLAG_GIFT);
	T(tee, 77, 78, 0, 16);
	T(tee, 77, 78, 0, 15);
	T(tee, 77, 78, 1, 0);
	T(tee, fd, fd, 1, 0);
	T(tee, p[1], q[1], 1, 0);
	T(tee, p[0], q[0], 1, 0);
	T(tee, p[0], p[1], 1, 0);
	T(tee, 0, p[1], 1, 0);
	T(vmsplice, 77, BAD, 2000, 16);
	T(vmsplice, 77, BAD, 2000, 0);
	T(vmsplice, p[1], BAD, 2000, 0);
	T(vmsplice, p[1], io(buf, -1), 1, 0);
	T(vmsplice, fd, io(buf, 0), 1, 0);
}

CASE(full_before_the_kind)
{
	int d = Q(openat, AT_FDCWD, ".", O_RDONLY);

	pipes(O_NONBLOCK);
	full(p[1]);
	T(splice, d, NULL, p[1], NULL, 1, 0);
	T(sendfile, p[1], d, NULL, 1);
	T(sendfile, p[1], d, NULL, 0);
	R(read, p[0], buf, PAGE);
	T(splice, d, NULL, p[1], NULL, 1, 0);
	T(sendfile, p[1], d, NULL, 1);
	T(sendfile, p[1], d, NULL, 0);
}

CASE(fifo_both_ways)
{
	int fd;

	Q(mknodat, AT_FDCWD, "fifo", S_IFIFO | 0600, 0);
	fd = Q(openat, AT_FDCWD, "fifo", O_RDWR | O_NONBLOCK);
	T(splice, fd, NULL, fd, NULL, 1, 0);
	T(tee, fd, fd, 1, 0);
	pipes(O_NONBLOCK);
	Q(write, p[1], "abc", 3);
	T(splice, p[0], NULL, fd, NULL, 3, 0);
	T(tee, fd, q[1], 9, 0);
	T(splice, fd, NULL, q[1], NULL, 2, 0);
	S(rest(fd));
	S(rest(q[0]));
	T(vmsplice, fd, io("xyz", 3), 1, 0);
	S(rest(fd));
}

/* --- Positions --------------------------------------------------------------------------- */

CASE(positions_of_a_file)
{
	int fd = file("f", "0123456789");
	long at = 7;

	pipes(O_NONBLOCK);
	T(splice, fd, NULL, p[1], NULL, 3, 0);
	T(lseek, fd, 0, SEEK_CUR);
	T(splice, fd, &at, p[1], NULL, 2, 0);
	V(at);
	T(lseek, fd, 0, SEEK_CUR);
	T(splice, fd, &at, p[1], NULL, 2, 0);
	V(at);
	T(splice, fd, &at, p[1], NULL, 2, 0);
	V(at);
	at = 100;
	T(splice, fd, &at, p[1], NULL, 2, 0);
	V(at);
	S(rest(p[0]));
	T(splice, fd, NULL, p[1], NULL, 100, 0);
	S(rest(p[0]));
}

CASE(positions_to_a_file)
{
	int fd = file("f", "0123456789");
	long at = 8;

	pipes(O_NONBLOCK);
	Q(write, p[1], "abcdefghij", 10);
	T(splice, p[0], NULL, fd, NULL, 2, 0);
	T(lseek, fd, 0, SEEK_CUR);
	T(splice, p[0], NULL, fd, &at, 3, 0);
	V(at);
	T(lseek, fd, 0, SEEK_CUR);
	at = 20;
	T(splice, p[0], NULL, fd, &at, 100, 0);
	V(at);
	T(splice, p[0], NULL, fd, &at, 100, 0);
	V(at);
	T(pread64, fd, buf, 100, 0);
	S(buf);
	S(buf + 20);
}

CASE(position_that_cannot_be_told)
{
	long *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = file("f", "0123456789");

	*at = 2;
	Q(mprotect, at, PAGE, PROT_READ);
	pipes(O_NONBLOCK);
	T(splice, fd, at, p[1], NULL, 3, 0);
	S(rest(p[0]));
	T(splice, 0, at, p[1], NULL, 3, 0);
	T(splice, p[0], NULL, fd, at, 3, 0);
	Q(write, p[1], "ab", 2);
	T(splice, p[0], NULL, fd, at, 3, 0);
	T(pread64, fd, buf, 20, 0);
	S(buf);
}

CASE(append)
{
	int fd = file("f", "");

	pipes(O_NONBLOCK);
	Q(write, p[1], "ab", 2);
	Q(fcntl, fd, F_SETFL, O_APPEND);
	T(splice, p[0], NULL, fd, NULL, 2, 0);
	T(splice, p[0], NULL, fd, bits(0), 2, 0);
	Q(fcntl, q[1], F_SETFL, O_APPEND);
	T(splice, p[0], NULL, q[1], NULL, 1, 0);
	T(splice, fd, NULL, q[1], NULL, 1, 0);
	T(sendfile, q[1], fd, NULL, 1);
	S(rest(p[0]));
}

/* --- Ends and limits --------------------------------------------------------------------- */

CASE(no_readers)
{
	int fd = file("f", "abc");

	pipes(O_NONBLOCK);
	on(SIGPIPE, 0);
	Q(close, q[0]);
	T(splice, p[0], NULL, q[1], NULL, 1, 0);
	V(hits[SIGPIPE]);
	Q(write, p[1], "abc", 3);
	T(splice, p[0], NULL, q[1], NULL, 1, 0);
	T(tee, p[0], q[1], 1, 0);
	T(vmsplice, q[1], io("a", 1), 1, 0);
	T(vmsplice, q[1], io("a", 0), 1, 0);
	V(hits[SIGPIPE]);
	T(splice, fd, NULL, q[1], NULL, 1, 0);
	T(sendfile, q[1], fd, NULL, 1);
	T(sendfile, q[1], fd, NULL, 0);
	V(hits[SIGPIPE]);
	Q(close, p[1]);
	S(rest(p[0]));
	T(splice, p[0], NULL, q[1], NULL, 1, 0);
	V(hits[SIGPIPE]);
}

CASE(no_writers)
{
	int fd = file("f", "");

	pipes(0);
	Q(write, p[1], "abc", 3);
	Q(close, p[1]);
	T(tee, p[0], q[1], 10, 0);
	T(splice, p[0], NULL, fd, NULL, 2, 0);
	T(splice, p[0], NULL, q[1], NULL, 10, 0);
	T(splice, p[0], NULL, q[1], NULL, 10, 0);
	T(splice, p[0], NULL, fd, NULL, 10, 0);
	T(tee, p[0], q[1], 10, 0);
	T(vmsplice, p[0], io(buf, 1), 1, 0);
	full(q[1]);
	T(splice, p[0], NULL, q[1], NULL, 10, FLAG_NONBLOCK);
}

CASE(sealed_file)
{
	int fd = Q(memfd_create, "m", MFD_ALLOW_SEALING);

	pipes(O_NONBLOCK);
	Q(write, p[1], "abc", 3);
	Q(fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE);
	T(splice, p[0], NULL, fd, NULL, 3, 0);
	S(rest(p[0]));
}

/* --- Waiting ----------------------------------------------------------------------------- */

CASE(whose_flag_says_not_to_wait)
{
	int fd = file("f", "abc");

	pipes(0);
	Q(fcntl, p[0], F_SETFL, O_NONBLOCK);
	T(splice, p[0], NULL, q[1], NULL, 1, 0);
	T(splice, p[0], NULL, fd, NULL, 1, 0);
	T(tee, p[0], q[1], 1, 0);
	T(vmsplice, p[0], io(buf, 1), 1, FLAG_NONBLOCK);
	Q(fcntl, p[0], F_SETFL, 0);
	Q(fcntl, q[1], F_SETFL, O_NONBLOCK);
	T(splice, p[0], NULL, q[1], NULL, 1, 0);
	T(tee, p[0], q[1], 1, 0);
	full(q[1]);
	T(splice, fd, NULL, q[1], NULL, 1, 0);
	T(sendfile, q[1], fd, NULL, 1);
	T(vmsplice, q[1], io(buf, 1), 1, FLAG_NONBLOCK);
	T(splice, p[0], NULL, fd, NULL, 1, FLAG_NONBLOCK);
}

/* Once we block, a child writes @text into p, or reads from q if there is none. */
static void helper(const char *text)
{
	pid_t us = getpid();

	if (child())
		return;
	await_blocked(us);
	if (text)
		R(write, p[1], text, strlen(text));
	else
		R(read, q[0], buf, PAGE);
	end(0);
}

CASE(waits_for_bytes)
{
	int fd = file("f", "");

	pipes(0);
	helper("abc");
	T(splice, p[0], NULL, fd, NULL, 10, 0);
	helper("de");
	T(splice, p[0], NULL, q[1], NULL, 10, 0);
	helper("fg");
	T(tee, p[0], q[1], 10, 0);
	T(vmsplice, p[0], io(buf, 1), 1, 0);
	T(vmsplice, p[0], io(buf + 1, 1), 1, 0);
	S(buf);
	helper("h");
	T(vmsplice, p[0], io(buf, 5), 1, 0);
	S(rest(q[0]));
}

CASE(waits_for_room)
{
	int fd = file("f", "0123456789");

	pipes(0);
	full(q[1]);
	Q(write, p[1], "abc", 3);
	helper(NULL);
	T(splice, p[0], NULL, q[1], NULL, 2, 0);
	helper(NULL);
	T(tee, p[0], q[1], 2, 0);
	helper(NULL);
	T(splice, fd, NULL, q[1], NULL, 5, 0);
	helper(NULL);
	T(sendfile, q[1], fd, NULL, 2);
	helper(NULL);
	T(vmsplice, q[1], io("xyz", 3), 1, 0);
	S(rest(p[0]));
}

CASE(wakes_a_reader)
{
	long *got = (long *)pages(1, PROT_READ | PROT_WRITE, MAP_SHARED);
	int fd = file("f", "abc");
	pid_t reader;

	pipes(0);
	reader = child();
	if (!reader) {
		for (int i = 0; i < 3; i++)
			got[i] = R(read, p[0], buf, 10);
		end(0);
	}
	await_blocked(reader);
	T(splice, fd, NULL, p[1], NULL, 3, 0);
	await_blocked(reader);
	T(vmsplice, p[1], io("de", 2), 1, 0);
	await_blocked(reader);
	Q(write, q[1], "f", 1);
	T(splice, q[0], NULL, p[1], NULL, 1, 0);
	W(reap(reader));
	for (int i = 0; i < 3; i++)
		V(got[i]);
}

CASE(wakes_a_writer)
{
	int null = Q(openat, AT_FDCWD, "/dev/null", O_WRONLY);
	pid_t writer;

	pipes(0);
	full(p[1]);
	writer = child();
	if (!writer) {
		for (int i = 0; i < 3; i++)
			R(write, p[1], buf, PAGE);
		end(0);
	}
	await_blocked(writer);
	T(splice, p[0], NULL, null, NULL, PAGE, 0);
	await_blocked(writer);
	T(splice, p[0], NULL, q[1], NULL, PAGE, 0);
	await_blocked(writer);
	T(vmsplice, p[0], io(buf, PAGE), 1, 0);
	W(reap(writer));
	V(bytes_in(p[0]));
}
