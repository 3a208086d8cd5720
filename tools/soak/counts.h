/* Finds leaks that a hostile program causes: the kernel's counts of objects, before and after. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct counts {
	char text[2048];
};

/* Touches the pages of our own stack that deeper calls will need, before anything is counted. */
static inline void touch_stack(void)
{
	volatile char deep[1 << 16];

	for (size_t i = 0; i < sizeof(deep); i += 4096)
		deep[i] = 0;
}

/* Reads /proc/counters up to `pages`, where the kernel's spare stacks count, too. */
static inline struct counts read_counts(void)
{
	struct counts c;
	int fd = open("/proc/counters", O_RDONLY);
	ssize_t n = read(fd, c.text, sizeof(c.text) - 1);
	char *rest;

	close(fd);
	c.text[n > 0 ? n : 0] = 0;
	rest = strstr(c.text, "\npages ");
	if (rest)
		*rest = 0;
	return c;
}

static inline void sleep_ms(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* Waits until the counts are what they were: orphans and the reaper need turns. */
static inline int counts_settle(const struct counts *before, struct counts *now)
{
	for (int ms = 0; ms < 5000; ms++) {
		*now = read_counts();
		if (!strcmp(before->text, now->text))
			return 1;
		sleep_ms(1);
	}
	return 0;
}

/* The same; prints both if they are not. */
static inline int counts_return(const struct counts *before)
{
	struct counts now;

	if (counts_settle(before, &now))
		return 1;
	printf("left behind; before:\n%s\nafter:\n%s\n", before->text, now.text);
	return 0;
}
