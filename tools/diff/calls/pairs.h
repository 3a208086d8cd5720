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

struct values {
	const char *names;
	const long *v;
	int n;
};

/* The values of one argument, at most twelve, the good one first. */
#define A(...) { #__VA_ARGS__, VALUES(__VA_ARGS__), sizeof(VALUES(__VA_ARGS__)) / sizeof(long) }
#define VALUES(...) ((const long[]){ LONGS_OF(__VA_ARGS__)(__VA_ARGS__) })

#define PAIRS(call, ...) \
	do { \
		const struct values all_[] = { __VA_ARGS__ }; \
		pairs(#call, NR_##call, all_, sizeof(all_) / sizeof(*all_)); \
	} while (0)

void pairs(const char *name, long number, const struct values *args, int n);

void become_user(void); /* USER, of no other group */

/*
 * A child makes the call, perhaps as a user. Below 0 is an error, or the signal that ended it;
 * asked_name() has the name of either without its sign.
 */
long answer_of_child(long number, const long a[6], int as_user);
const char *asked_name(long result);

void drop_cap(int cap);

enum { USER = 1000, SYS_RESOURCE = 24 };

/* A structure as a value; fields that are not named are 0. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define AT(type, ...) (&(type){ __VA_ARGS__ })
#define TIME(s, ns)   AT(struct timespec, s, ns)
