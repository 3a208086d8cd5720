/*
 * Shared by the tests of the file layer.
 */
#pragma once

#include "base/string.h"
#include "fs.h"
#include "test/instrument.h"
#include "test/ktest.h"

/* Result of an operation on a path, its file or inode put again. */
static inline int test_lookup(const char *path, bool nofollow)
{
	struct inode *i;
	int err = path_lookup(NULL, path, nofollow, &i);

	if (!err)
		inode_put(i);
	return err;
}

static inline int test_open(const char *path, u32 flags)
{
	struct file *f;
	int err = path_open(NULL, path, flags, 0644, &f);

	if (!err)
		file_put(f);
	return err;
}

static inline struct iobuf test_buf(const void *p, size_t n)
{
	return iobuf_kernel(p, n);
}

/* Makes file @path with contents @text; 0 or an error. */
static inline int test_write(const char *path, const char *text)
{
	struct iobuf b = test_buf(text, strlen(text));
	struct file *f;
	ssize_t n;
	int err = path_open(NULL, path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &f);

	if (err)
		return err;
	n = file_write(f, &b, NULL);
	file_put(f);
	return n < 0 ? n : 0;
}

static inline bool test_contains(const char *path, const char *text)
{
	char buf[64];
	struct iobuf b = test_buf(buf, sizeof(buf));
	struct file *f;
	ssize_t n;

	if (path_open(NULL, path, O_RDONLY, 0, &f))
		return false;
	n = file_read(f, &b, NULL);
	file_put(f);
	return n == (ssize_t)strlen(text) && memcmp(buf, text, n) == 0;
}

/* Removes everything below directory @path, and it. */
void test_remove_tree(const char *path);
