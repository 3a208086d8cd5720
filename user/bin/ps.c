/*
 * ps: the processes there are, from /proc.
 *
 * /proc/PID/stat is one line: the id, the name in brackets (which may hold anything, so we look for
 * the last bracket), then a letter for the state and numbers.
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct task {
	int id, parent, group, threads;
	char state;
	char name[32];
	unsigned long user_ticks, system_ticks, bytes;
	long pages;
};

/* False: it is gone. */
static bool read_task(const char *path, struct task *t)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : 0;
	char line[1024], *open_bracket, *close_bracket;

	if (n == 0) {
		n = read(fd, line, sizeof(line) - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	line[n] = 0;
	open_bracket = strchr(line, '(');
	close_bracket = strrchr(line, ')');
	if (!open_bracket || !close_bracket)
		return false;
	*close_bracket = 0;
	t->id = atoi(line);
	snprintf(t->name, sizeof(t->name), "%s", open_bracket + 1);
	return sscanf(close_bracket + 2,
		      "%c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %d %*d %*u "
		      "%lu %ld", &t->state, &t->parent, &t->group, &t->user_ticks,
		      &t->system_ticks, &t->threads, &t->bytes, &t->pages) == 8;
}

static void show(const struct task *t)
{
	double seconds = (t->user_ticks + t->system_ticks) / 100.0;

	printf("%5d %5d %5d %c %4d %8lu %6ld %8.2f %s\n", t->id, t->parent, t->group, t->state,
	       t->threads, t->bytes / 1024, t->pages * 4, seconds, t->name);
}

int main(int argc, char **argv)
{
	struct dirent *e;
	char path[64];
	struct task t;
	DIR *d;

	(void)argv;
	if (argc > 1)
		errx(2, "usage: ps");
	d = opendir("/proc");
	if (!d)
		err(1, "/proc");
	puts("  PID  PPID  PGRP S THRD  SIZE-K  RES-K  SECONDS NAME");
	while ((e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/stat", e->d_name);
		if (read_task(path, &t))
			show(&t);
	}
	closedir(d);
	return 0;
}
