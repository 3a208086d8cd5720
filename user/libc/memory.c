/* The program break, and resource limits. */
#include <sys/resource.h>
#include <unistd.h>

#include "libc.h"

/* Where the break is. The system call returns it whether or not it moved. */
static char *current_break;

static int set_break(char *end)
{
	current_break = (char *)sys3(SYS_brk, (long)end, 0, 0);
	if (current_break >= end)
		return 0;
	errno = ENOMEM;
	return -1;
}

int brk(void *end)
{
	return set_break(end);
}

void *sbrk(intptr_t by)
{
	char *old;

	if (!current_break)
		set_break(NULL);
	old = current_break;
	if (by && set_break(old + by))
		return (void *)-1;
	return old;
}

int getrlimit(int which, struct rlimit *limit)
{
	return prlimit(0, which, NULL, limit);
}

int setrlimit(int which, const struct rlimit *limit)
{
	return prlimit(0, which, limit, NULL);
}

int getpagesize(void)
{
	return 4096;
}
