/*
 * Every two arguments of a call at once: which fault is told first?
 *
 *	PAIRS(lseek, A(f, 77), A(0, -1), A(SEEK_SET, 9));
 *
 * The first value of each argument is a good one. The call is made with all pairs of values of two
 * arguments, the others being good, each time by a child of its own, so that nothing remains of it
 * but what it does to files. A line for two arguments has a group for each value of the first, in
 * order: 1 and 3 of lseek() give "1 3: ok EINVAL | EBADF EBADF". Root asks, and then a user, whose
 * answers follow behind "||" if they are others.
 *
 * One value that is wrong by itself is in each of these lines, too. Two that are wrong say in which
 * order the kernel looks, which programs rarely see; but a check that is forgotten, or one that
 * comes after the deed, shows here, and nobody has to think of it.
 */
#pragma once

#include "diff.h"

#define VALUES_MAX 12

struct values {
	const char *names;
	long v[VALUES_MAX + 1];	/* one more at the end: how many there are */
};

#define VALUE_1(a)	  (long)(a)
#define VALUE_2(a, ...)	  (long)(a), VALUE_1(__VA_ARGS__)
#define VALUE_3(a, ...)	  (long)(a), VALUE_2(__VA_ARGS__)
#define VALUE_4(a, ...)	  (long)(a), VALUE_3(__VA_ARGS__)
#define VALUE_5(a, ...)	  (long)(a), VALUE_4(__VA_ARGS__)
#define VALUE_6(a, ...)	  (long)(a), VALUE_5(__VA_ARGS__)
#define VALUE_7(a, ...)	  (long)(a), VALUE_6(__VA_ARGS__)
#define VALUE_8(a, ...)	  (long)(a), VALUE_7(__VA_ARGS__)
#define VALUE_9(a, ...)	  (long)(a), VALUE_8(__VA_ARGS__)
#define VALUE_10(a, ...)  (long)(a), VALUE_9(__VA_ARGS__)
#define VALUE_11(a, ...)  (long)(a), VALUE_10(__VA_ARGS__)
#define VALUE_12(a, ...)  (long)(a), VALUE_11(__VA_ARGS__)
#define VALUE_NR(a, b, c, d, e, f, g, h, i, j, k, l, n, ...) n
#define VALUE_COUNT(...)  VALUE_NR(__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
#define VALUE_N(n, ...)	  VALUE_##n(__VA_ARGS__)
#define VALUES(n, ...)	  VALUE_N(n, __VA_ARGS__)

/* The values of one argument, the good one first. */
#define A(...) \
	{ #__VA_ARGS__, { VALUES(VALUE_COUNT(__VA_ARGS__), __VA_ARGS__), \
			  [VALUES_MAX] = VALUE_COUNT(__VA_ARGS__) } }

#define PAIRS(call, ...) \
	do { \
		const struct values all_[] = { __VA_ARGS__ }; \
		pairs(#call, NR_##call, all_, sizeof(all_) / sizeof(*all_)); \
	} while (0)

void pairs(const char *name, long number, const struct values *args, int n);

void drop_cap(int cap);

enum { SYS_RESOURCE = 24 };

/* A structure as a value; fields that are not named are 0. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define AT(type, ...) (&(type){ __VA_ARGS__ })
#define TIME(s, ns)   AT(struct timespec, s, ns)
