/* Reads files of /proc and the figures in them. */
#pragma once

#include "test.h"

/* Reads a whole file of /proc/PID. */
static inline const char *read_file(pid_t pid, const char *name)
{
	static char text[16384];
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n >= 0);
	text[n] = 0;
	close(fd);
	return text;
}

/* Returns the number behind @name in a file of lines. */
static inline long figure(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	CHECK(at);
	at += strlen(name);
	return strtol(at + strcspn(at, "0123456789"), NULL, 10);
}
