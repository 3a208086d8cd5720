/*
 * Leaks: what a case leaves behind in the kernel. Trellis counts its objects in /proc/counters;
 * when a case has ended and its folder is gone, each count must be what it was before. Other
 * systems have no such file: nothing is said there, so that what is said here is a difference.
 */
#include <dirent.h>

#include "../../soak/counts.h"
#include "diff.h"
#include "run.h"

static struct counts before, after;

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
	before = read_counts();
}

int left_after(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY);

	if (fd >= 0)
		remove_all(fd);
	rmdir(folder);
	return !counts_settle(&before, &after);
}

void say_left(void)
{
	const char *was = before.text, *is = after.text;
	size_t line = 0;

	for (size_t i = 0; was[i] && was[i] == is[i]; i++)
		if (was[i] == '\n')
			line = i + 1;
	was += line;
	is += line;
	say("left behind: %.*s, before it was %.*s", (int)strcspn(is, "\n"), is,
	    (int)strcspn(was, "\n"), was);
}
