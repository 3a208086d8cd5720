/* Kinds of open files, for cases that ask the same of each: a line a kind. */
#pragma once

struct kind {
	const char *name;
	int (*open)(void);	/* NULL: it is opened by @path, which is made first if it is "f" */
	const char *path;
	int flags;
};

enum { OWN = 19, ALL = 25 };	/* how many are the test's own; how many there are */

extern const struct kind kinds[ALL];

int kind_open(const struct kind *k);
void kind_answers(const struct kind *k, long result);

/* A case of one call on the first @count kinds, each opened anew as @fd. */
#define EACH(title, count, call) \
	CASE(title) \
	{ \
		for (const struct kind *k = kinds; k < kinds + (count); k++) { \
			int fd = kind_open(k); \
\
			kind_answers(k, call); \
			R(unlinkat, AT_FDCWD, "new", 0); \
			R(close, fd); \
		} \
	}
