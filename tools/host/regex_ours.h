/* The matcher of user/libc, for test_regex.c, which includes the host's <regex.h>. */
#pragma once

#include <stddef.h>

#define OURS_BAD 1000 /* plus the error: the pattern is refused */

/*
 * regcomp() and regexec(): puts into @where where each of @n groups begins and ends. Returns 0,
 * REG_NOMATCH or an error.
 */
int ours(const char *pattern, int cflags, const char *text, int eflags, size_t n, long where[]);
