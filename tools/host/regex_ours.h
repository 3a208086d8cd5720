/* The matcher of user/libc, for a test that knows another <regex.h>. */
#pragma once

#include <stddef.h>

#define OURS_BAD 1000 /* and the error: the pattern is refused */

/* regcomp() and regexec(); where each of @n groups begins and ends. 0, REG_NOMATCH, or an error. */
int ours(const char *pattern, int cflags, const char *text, int eflags, size_t n, long where[]);
