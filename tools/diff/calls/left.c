/*
 * Leaks: what a case leaves behind in the kernel. Trellis counts its objects in /proc/counters;
 * when a case has ended and its folder is gone, each count must be what it was before. Other
 * systems have no such file: nothing is said there, so that what is said here is a difference.
 */
#include <dirent.h>

#include "diff.h"
#include "run.h"

#define TURNS	2000	/* of 1 ms, for orphans that others reap, and for what the reaper frees */

static char counts[2][2048];

/* Only the counts of objects, which come first: `pages` has the kernel's spare stacks in it. */
static void read_counts(char *text)
{
	int fd = open("/proc/counters", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(counts[0]) - 1);
	char *rest;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	rest = strstr(text, "\npages ");
	if (rest)
		*rest = 0;
}

/* Removes what is in the directory @fd, and closes it. */
static void remove_all(int fd)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int inner;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0)
			continue;
		inner = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (inner >= 0)
			remove_all(inner);
		unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
}

void left_before(void)
{
	read_counts(counts[0]);
}

int left_after(const char *folder)
{
	struct timespec ms = { 0, 1000000 };
	int fd = open(folder, O_RDONLY | O_DIRECTORY);

	if (fd >= 0)
		remove_all(fd);
	rmdir(folder);
	for (int turn = 0; turn < TURNS; turn++) {
		read_counts(counts[1]);
		if (!strcmp(counts[0], counts[1]))
			return 0;
		nanosleep(&ms, NULL);
	}
	return 1;
}

void say_left(void)
{
	const char *before = counts[0], *after = counts[1];
	size_t line = 0;

	for (size_t i = 0; before[i] && before[i] == after[i]; i++)
		if (before[i] == '\n')
			line = i + 1;
	before += line;
	after += line;
	say("left behind: %.*s, before it was %.*s", (int)strcspn(after, "\n"), after,
	    (int)strcspn(before, "\n"), before);
}
