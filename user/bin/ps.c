/*
 * ps [-e] [-f]: lists the processes. -f: with user, parent, times and arguments; -e is accepted,
 * but all processes are listed anyway.
 */
#include <err.h>
#include <time.h>

#include "proc.h"

static void show(const struct task *t)
{
	double seconds = (t->user_ticks + t->system_ticks) / (double)TICKS;

	printf("%5d %5d %5d %c %4d %8lu %6ld %8.2f %s\n", t->id, t->parent, t->group, t->state,
	       t->threads, t->bytes / 1024, t->pages * 4, seconds, t->name);
}

/* Shows the arguments, or the name in brackets if there are none. */
static void show_command(const struct task *t)
{
	char path[40], text[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", t->id);
	n = read_text(path, text, sizeof(text));
	for (ssize_t i = 0; i + 1 < n; i++)
		if (!text[i])
			text[i] = ' ';
	if (n > 0)
		puts(text);
	else
		printf("[%s]%s\n", t->name, t->state == 'Z' ? " <defunct>" : "");
}

static void show_full(const struct task *t)
{
	unsigned long seconds = (t->user_ticks + t->system_ticks) / TICKS;
	char uptime[64] = "", since[16];
	time_t start;
	double up;

	read_text("/proc/uptime", uptime, sizeof(uptime));
	up = strtod(uptime, NULL);
	start = time(NULL) - (time_t)up + (time_t)(t->start_ticks / TICKS);
	strftime(since, sizeof(since), "%H:%M", localtime(&start));
	printf("%-8s %5d %5d  %c %s %-7s %02lu:%02lu:%02lu ", "root", t->id, t->parent, t->state,
	       since, tty_name(t), seconds / 3600, seconds / 60 % 60, seconds % 60);
	show_command(t);
}

int main(int argc, char **argv)
{
	bool full = false;
	struct task *tasks;
	size_t n;
	int c;

	while ((c = getopt(argc, argv, "ef")) != -1) {
		if (c == '?')
			errx(2, "usage: ps [-ef]");
		full |= c == 'f';
	}
	tasks = read_tasks("/proc", &n);
	if (!tasks)
		err(1, "/proc");
	if (full)
		puts("UID        PID  PPID  S STIME TTY     TIME     CMD");
	else
		puts("  PID  PPID  PGRP S THRD  SIZE-K  RES-K  SECONDS NAME");
	for (size_t i = 0; i < n; i++)
		(full ? show_full : show)(&tasks[i]);
	free(tasks);
	return 0;
}
