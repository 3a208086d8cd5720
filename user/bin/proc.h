/*
 * /proc for the tools that show it: processes and threads from their stat files, and numbers from
 * files with lines such as "name: number".
 */
#pragma once

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICKS	100			/* ticks of /proc in a second */

struct task {
	int id, parent, group, session, tty, threads, cpu, priority, nice;
	char state;
	char name[32];
	unsigned long user_ticks, system_ticks, start_ticks, bytes;
	long pages;
};

/*
 * Reads as much of the file as fits, and adds a zero. Returns the length, or -1 if the file is
 * gone.
 */
static inline ssize_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = 0, len = 0;

	if (fd < 0)
		return -1;
	while (len < (ssize_t)size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += n;
	close(fd);
	text[len] = 0;
	return n < 0 ? -1 : len;
}

/*
 * Parses a stat file. It is one line: the id, the name in brackets (which may hold anything, so we
 * look for the last bracket), a letter for the state, and numbers. Returns false if the file is
 * gone.
 */
static inline bool read_task(const char *path, struct task *t)
{
	char line[1024], *open_bracket, *close_bracket;

	if (read_text(path, line, sizeof(line)) <= 0)
		return false;
	open_bracket = strchr(line, '(');
	close_bracket = strrchr(line, ')');
	if (!open_bracket || !close_bracket)
		return false;
	*close_bracket = 0;
	t->id = atoi(line);
	snprintf(t->name, sizeof(t->name), "%s", open_bracket + 1);
	return sscanf(close_bracket + 2,
		      "%c %d %d %d %d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %d %d %d %*d %lu "
		      "%lu %ld %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d",
		      &t->state, &t->parent, &t->group, &t->session, &t->tty, &t->user_ticks,
		      &t->system_ticks, &t->priority, &t->nice, &t->threads, &t->start_ticks,
		      &t->bytes, &t->pages, &t->cpu) == 14;
}

/*
 * Returns the tasks that have directories in @dir, "/proc" or "/proc/PID/task", sorted by id.
 * *count becomes their number; the caller frees the array. NULL: there is no such directory.
 */
static inline struct task *read_tasks(const char *dir, size_t *count)
{
	struct task *tasks = malloc(sizeof(*tasks));
	size_t room = 1, n = 0;
	struct dirent *e;
	char path[320];
	DIR *d = opendir(dir);

	while (d && tasks && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		if (n + 1 == room)
			tasks = realloc(tasks, (room *= 2) * sizeof(*tasks));
		snprintf(path, sizeof(path), "%s/%s/stat", dir, e->d_name);
		if (tasks && read_task(path, &tasks[n]))
			n++;
	}
	if (d)
		closedir(d);
	*count = n;
	return d ? tasks : NULL;
}

/* Returns the number behind @name in @text, or -1. */
static inline long number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	if (!at)
		return -1;
	at += strlen(name);
	return strtol(at + strcspn(at, "-0123456789"), NULL, 10);
}

/* Returns "ttyS0" or "?". */
static inline const char *tty_name(const struct task *t)
{
	return t->tty ? "ttyS0" : "?";
}
