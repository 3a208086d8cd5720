/* Which times of a file and of the two folders a call changes. */
#include "diff.h"

static int watched[3];
static struct timespec changed[3];

static int is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

static struct stat status_of(int fd)
{
	struct stat st;

	Q(fstat, fd, &st);
	return st;
}

/*
 * Sets what can be set to long ago, so that a read is a change, and waits until the clock of files
 * has moved on: what changes now gets another time.
 */
static void settle(void)
{
	int clock = Q(memfd_create, "clock", 0);

	for (int i = 0; i < 3; i++) {
		struct timespec old[2] = { { 1, 0 }, { 2, 0 } };

		Q(utimensat, watched[i], NULL, old, 0);
		changed[i] = status_of(watched[i]).st_ctim;
	}
	do
		Q(fchmod, clock, 0600);
	while (!is_later(status_of(clock).st_ctim, changed[2]));
	Q(close, clock);
}

static void show(const char *call, long result)
{
	static const char *const names[] = { "file", "d", "e" };
	char text[99] = "";

	for (int i = 0; i < 3; i++) {
		struct stat st = status_of(watched[i]);
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, " %s=%s%s%s", names[i],
			 st.st_atim.tv_sec != 1 ? "a" : "", st.st_mtim.tv_sec != 2 ? "m" : "",
			 is_later(st.st_ctim, changed[i]) ? "c" : "");
	}
	say("%s%s%s:%s", call, result < 0 ? " = " : "", result < 0 ? error_name(-result) : "",
	    text);
}

#define TIMES(call, ...) (settle(), show(#call "(" #__VA_ARGS__ ")", R(call, ##__VA_ARGS__)))

static void begin(void)
{
	Q(mkdirat, AT_FDCWD, "d", 0755);
	Q(mkdirat, AT_FDCWD, "e", 0755);
	watched[0] = file("d/f", "0123456789");
	watched[1] = Q(openat, AT_FDCWD, "d", O_RDONLY);
	watched[2] = Q(openat, AT_FDCWD, "e", O_RDONLY);
}

CASE(of_contents)
{
	int f;

	begin();
	f = watched[0];
	TIMES(read, f, buf, 4);
	TIMES(read, f, buf, 0);
	TIMES(pread64, f, buf, 4, 100);
	TIMES(write, f, "x", 1);
	TIMES(write, f, "x", 0);
	TIMES(ftruncate, f, 5);
	TIMES(ftruncate, f, 5);
	TIMES(ftruncate, f, 50);
	TIMES(truncate, "d/f", 7);
	TIMES(fallocate, f, 0, 0, 2 * PAGE);
	TIMES(fallocate, f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
	TIMES(openat, AT_FDCWD, "d/f", O_RDONLY);
	TIMES(openat, AT_FDCWD, "d/f", O_WRONLY | O_TRUNC);
	TIMES(openat, AT_FDCWD, "d/f", O_WRONLY | O_TRUNC);
	TIMES(openat, AT_FDCWD, "d/f", O_WRONLY | O_CREAT, 0600);
	TIMES(getdents64, watched[1], buf, PAGE);
}

/* A read renews the time of the last one if the file was changed since, in whatever way. */
CASE(of_reads)
{
	static const int ages[][2] = { { 10, 20 }, { 20, 10 }, { -10, 20 }, { -10, -20 } };
	struct timespec now;
	int f = file("f", "0123456789");

	for (int i = 0; i < 4; i++) {
		struct timespec t[2];

		Q(clock_gettime, CLOCK_REALTIME, &now);
		for (int k = 0; k < 2; k++)
			t[k] = (struct timespec){ now.tv_sec - ages[i][k], k };
		Q(utimensat, f, NULL, t, 0);		/* status changed now */
		Q(pread64, f, buf, 1, 0);
		say("read %d s ago, written %d s ago: %s", ages[i][0], ages[i][1],
		    status_of(f).st_atim.tv_sec == t[0].tv_sec ? "as before" : "renewed");
	}
}

CASE(of_attributes)
{
	int f;

	begin();
	f = watched[0];
	TIMES(fchmod, f, 0600);
	TIMES(fchmod, f, 0600);
	TIMES(fchmodat, AT_FDCWD, "d", 0700);
	TIMES(fchown, f, 1, 1);
	TIMES(fchown, f, 1, 1);
	TIMES(fchown, f, -1, -1);
	TIMES(utimensat, f, NULL, NULL, 0);
	TIMES(faccessat, AT_FDCWD, "d/f", R_OK);
}

CASE(of_names)
{
	begin();
	TIMES(linkat, AT_FDCWD, "d/f", AT_FDCWD, "e/g", 0);
	TIMES(linkat, AT_FDCWD, "d/f", AT_FDCWD, "e/g", 0);
	TIMES(unlinkat, AT_FDCWD, "e/g", 0);
	TIMES(unlinkat, AT_FDCWD, "e/g", 0);
	TIMES(renameat2, AT_FDCWD, "d/f", AT_FDCWD, "d/g", 0);
	TIMES(renameat2, AT_FDCWD, "d/g", AT_FDCWD, "e/g", 0);
	TIMES(renameat2, AT_FDCWD, "e", AT_FDCWD, "d/e", 0);
	TIMES(renameat2, AT_FDCWD, "d/e", AT_FDCWD, "e", 0);
	TIMES(symlinkat, "x", AT_FDCWD, "d/l");
	TIMES(renameat2, AT_FDCWD, "d/l", AT_FDCWD, "e/g", RENAME_EXCHANGE);
	TIMES(renameat2, AT_FDCWD, "e/g", AT_FDCWD, "d/g", 0);
	TIMES(mkdirat, AT_FDCWD, "e/below", 0700);
	TIMES(unlinkat, AT_FDCWD, "e/below", AT_REMOVEDIR);
	TIMES(mknodat, AT_FDCWD, "e/fifo", S_IFIFO | 0600, 0);
	TIMES(unlinkat, AT_FDCWD, "e/fifo", 0);
	TIMES(unlinkat, AT_FDCWD, "e", AT_REMOVEDIR);
	TIMES(unlinkat, AT_FDCWD, "d/g", 0);
}
