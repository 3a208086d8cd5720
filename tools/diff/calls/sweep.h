/*
 * Every number that an argument can be, where it chooses among things or is a set of bits: each
 * command, each kind, each flag, those too that there are not.
 *
 *	NUMBERS(lseek, 2, -1, 8, f, 0, 0);		its argument at 2 becomes -1 to 8
 *	SHIFTED(mknodat, 2, 12, 0, 15, d, "f", 0, 0);	0 to 15, times 2 to the 12th
 *	BITS(pipe2, 1, 32, buf, O_CLOEXEC);		O_CLOEXEC and one bit more
 *	NUMBERS_IN(ppoll, p.fd, -1, 8, &p, 1);		a field becomes the number
 *	BITS_IN(ppoll, p.events, 16, &p, 1);
 *	ONE_BY_ONE NUMBERS(prctl, 0, 0, 9, 0, 1);	each call by a child of its own
 *	QUIETLY BITS(openat, 2, 32, d, "f", O_RDONLY);	the result is not told, only "ok"
 *
 * Otherwise one child makes all the calls. Root asks, and then a user, whose answers follow if they
 * are others. Neighbours with the same answer are told together. Numbers are left out that some
 * Linux newer than 6.1 knows, or one with other options.
 */
#pragma once

#include "pairs.h"

struct sweep {
	const char *what;
	long number;
	const long *args;
	int which; /* the argument that changes; or a field: */
	const char *of;
	void *field;
	unsigned size;
	long from, to;
	int shift, are_bits;
};

extern int sweep_one_by_one, sweep_quietly;

void sweep(const struct sweep *s);

#define SWEEP(call, text, arguments, ...)						\
	sweep(&(struct sweep){ .what = #call text, .number = NR_##call,			\
			       .args = (const long[6]){ SWEEP_LONGS arguments }, __VA_ARGS__ })
#define SWEEP_LONGS(...) LONGS_OF(__VA_ARGS__)(__VA_ARGS__)

#define NUMBERS(call, at, first, last, ...)						\
	SWEEP(call, "(" #__VA_ARGS__ ")", (__VA_ARGS__), .which = at, .from = first, .to = last)
#define SHIFTED(call, at, by, first, last, ...)						\
	SWEEP(call, "(" #__VA_ARGS__ ")", (__VA_ARGS__), .which = at, .from = first,	\
	      .to = last, .shift = by)
#define BITS(call, at, n, ...)								\
	SWEEP(call, "(" #__VA_ARGS__ ")", (__VA_ARGS__), .which = at, .to = (n)-1,	\
	      .are_bits = 1)
#define NUMBERS_IN(call, value, first, last, ...)					\
	SWEEP(call, "(" #__VA_ARGS__ ")", (__VA_ARGS__), .of = #value, .field = &(value), \
	      .size = sizeof(value), .from = first, .to = last)
#define BITS_IN(call, value, n, ...)							\
	SWEEP(call, "(" #__VA_ARGS__ ")", (__VA_ARGS__), .of = #value, .field = &(value), \
	      .size = sizeof(value), .to = (n)-1, .are_bits = 1)

#define ONE_BY_ONE for (sweep_one_by_one = 1; sweep_one_by_one; sweep_one_by_one = 0)
#define QUIETLY	   for (sweep_quietly = 1; sweep_quietly; sweep_quietly = 0)
