/* A fresh folder for each case that works with files, and helpers for the files in it. */
#pragma once

#include <sys/stat.h>

#include "test.h"

/* Each case works in a fresh folder, and leaves nothing in it. */
static char folder[32], below[40];	/* below: a path in that folder */

static inline void enter(void)
{
	snprintf(folder, sizeof(folder), "/tmp/file.%d", getpid());
	snprintf(below, sizeof(below), "%s/d", folder);
	CHECK_EQ(mkdir(folder, 0777), 0);
	CHECK_EQ(chdir(folder), 0);
}

static inline void leave(void)
{
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(rmdir(folder), 0);
}

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_EQ(close(fd), 0);
}

static inline bool file_is(const char *path, const char *text)
{
	char buf[256];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, buf, sizeof(buf));
	close(fd);
	return n == (ssize_t)strlen(text) && !memcmp(buf, text, n);
}

static inline off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}
