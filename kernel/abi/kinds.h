/*
 * Macros over the arguments of system calls, for every file that includes syscalls.def: the
 * kernel's table, and the programs that print arguments or make them at random.
 */
#pragma once

/*
 * EACH(none, m, kinds...) expands to m(kind, 0), m(kind, 1) and so on, or to @none without kinds.
 */
#define EACH(none, m, ...)	EACH_OF(COUNT(__VA_ARGS__))(none, m, ##__VA_ARGS__)
#define EACH_OF(n)		EACH_PASTE(n)
#define EACH_PASTE(n)		EACH_##n
#define EACH_0(none, m)		none
#define EACH_1(none, m, a)	m(a, 0)
#define EACH_2(none, m, a, b)	m(a, 0), m(b, 1)
#define EACH_3(none, m, a, b, c) m(a, 0), m(b, 1), m(c, 2)
#define EACH_4(none, m, a, b, c, d) m(a, 0), m(b, 1), m(c, 2), m(d, 3)
#define EACH_5(none, m, a, b, c, d, e) m(a, 0), m(b, 1), m(c, 2), m(d, 3), m(e, 4)
#define EACH_6(none, m, a, b, c, d, e, f) m(a, 0), m(b, 1), m(c, 2), m(d, 3), m(e, 4), m(f, 5)

/* Counts a macro's arguments, up to six. */
#define COUNT(...)		COUNT_OF(0, ##__VA_ARGS__, 6, 5, 4, 3, 2, 1, 0)
#define COUNT_OF(zero, a, b, c, d, e, f, n, ...) n
