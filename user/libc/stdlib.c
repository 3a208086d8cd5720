/* Ending a program, parsing numbers, sorting and searching, random numbers. */
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libc.h"

void _exit(int status)
{
	for (;;)
		sys3(SYS_exit_group, status, 0, 0);
}

void _Exit(int status)
{
	_exit(status);
}

/* The hooks are weak: a program that never prints or registers anything links neither. */
void exit(int status)
{
	if (__atexit_run)
		__atexit_run();
	if (__stdio_exit)
		__stdio_exit();
	_exit(status);
}

void abort(void)
{
	raise(SIGABRT);
	signal(SIGABRT, SIG_DFL);	/* a handler returned, or the signal was ignored */
	raise(SIGABRT);
	_exit(127);
}

void __assert_fail(const char *cond, const char *file, unsigned line, const char *func);
void __assert_fail(const char *cond, const char *file, unsigned line, const char *func)
{
	fprintf(stderr, "%s:%u: %s: assertion '%s' failed\n", file, line, func, cond);
	abort();
}

int abs(int n)
{
	return n < 0 ? -n : n;
}

long labs(long n)
{
	return n < 0 ? -n : n;
}

long long llabs(long long n)
{
	return n < 0 ? -n : n;
}

static unsigned digit_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	if (isalpha((unsigned char)c))
		return tolower((unsigned char)c) - 'a' + 10;
	return UINT_MAX;
}

/* Skips white space, the sign and the prefix that @base allows; sets *base if it is 0. */
static const char *number_start(const char *s, bool *negative, unsigned *base)
{
	while (isspace((unsigned char)*s))
		s++;
	*negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	if ((*base == 0 || *base == 16) && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') &&
	    isxdigit((unsigned char)s[2])) {
		*base = 16;
		return s + 2;
	}
	if (*base == 0)
		*base = *s == '0' ? 8 : 10;
	return s;
}

/* Parses the magnitude; if it is above @limit, returns that and sets ERANGE. */
static unsigned long parse(const char *s, char **end, unsigned base, bool *negative,
			   unsigned long (*limit)(bool negative))
{
	const char *p = number_start(s, negative, &base), *first = p;
	unsigned long value = 0, max = limit(*negative);
	bool over = false;

	for (; digit_value(*p) < base; p++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit_value(*p), &value) || value > max)
			over = true;
	}
	if (end)
		*end = (char *)(p == first ? s : p);
	if (over)
		errno = ERANGE;
	return over ? max : value;
}

static unsigned long signed_limit(bool negative)
{
	return (unsigned long)LONG_MAX + negative;
}

static unsigned long unsigned_limit(bool negative)
{
	(void)negative;
	return ULONG_MAX;
}

long strtol(const char *s, char **end, int base)
{
	bool negative;
	unsigned long value = parse(s, end, base, &negative, signed_limit);

	return negative ? -value : value;
}

unsigned long strtoul(const char *s, char **end, int base)
{
	bool negative;
	unsigned long value = parse(s, end, base, &negative, unsigned_limit);

	return negative && value != ULONG_MAX ? -value : value;
}

long long strtoll(const char *s, char **end, int base)
{
	return strtol(s, end, base);
}

unsigned long long strtoull(const char *s, char **end, int base)
{
	return strtoul(s, end, base);
}

intmax_t strtoimax(const char *s, char **end, int base)
{
	return strtol(s, end, base);
}

uintmax_t strtoumax(const char *s, char **end, int base)
{
	return strtoul(s, end, base);
}

int atoi(const char *s)
{
	return strtol(s, NULL, 10);
}

long atol(const char *s)
{
	return strtol(s, NULL, 10);
}

long long atoll(const char *s)
{
	return strtol(s, NULL, 10);
}

/* Returns value * 10^exponent, in one operation if the power is exact, which it is up to 10^22. */
static double scale(double value, long exponent)
{
	static const double exact[] = { 1e0,  1e1,  1e2,  1e3,	1e4,  1e5,  1e6,  1e7,
					1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
					1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	long step;

	for (; exponent && value != 0 && __builtin_isfinite(value); exponent -= step) {
		step = exponent > 22 ? 22 : exponent < -22 ? -22 : exponent;
		value = step > 0 ? value * exact[step] : value / exact[-step];
	}
	return value;
}

/*
 * Parses digits, perhaps with a point, into an integer and a power of ten. NULL: there are no
 * digits.
 */
static const char *decimal_digits(const char *s, unsigned long *mantissa, long *exponent)
{
	bool point = false, any = false;

	for (; isdigit((unsigned char)*s) || (*s == '.' && !point); s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		any = true;
		if (*mantissa < ULONG_MAX / 10 - 1) {
			*mantissa = *mantissa * 10 + (*s - '0');
			*exponent -= point;
		} else {
			*exponent += !point;	/* beyond 64 bits: drop the digit, and scale */
		}
	}
	return any ? s : NULL;
}

/*
 * Exact to the last bit for up to 15 digits and exponents up to 22, which covers what people write;
 * otherwise the last bit may be wrong.
 */
double strtod(const char *s, char **end)
{
	unsigned long mantissa = 0;
	long exponent = 0, e;
	const char *p = s;
	bool negative;
	char *e_end;

	while (isspace((unsigned char)*p))
		p++;
	negative = *p == '-';
	p = decimal_digits(p + (*p == '-' || *p == '+'), &mantissa, &exponent);
	if (end)
		*end = (char *)(p ? p : s);
	if (!p)
		return 0;
	if ((*p == 'e' || *p == 'E') && !isspace((unsigned char)p[1])) {
		e = strtol(p + 1, &e_end, 10);
		if (e_end != p + 1) {
			exponent += e;
			if (end)
				*end = e_end;
		}
	}
	return negative ? -scale(mantissa, exponent) : scale(mantissa, exponent);
}

double atof(const char *s)
{
	return strtod(s, NULL);
}

static void swap(char *a, char *b, size_t size)
{
	while (size--) {
		char c = *a;

		*a++ = *b;
		*b++ = c;
	}
}

/* Restores the heap below @i, where only the root may be out of order. */
static void sift_down(char *base, size_t i, size_t n, size_t size,
		      int (*compare)(const void *, const void *))
{
	size_t child;

	for (; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n &&
		    compare(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (compare(base + i * size, base + child * size) >= 0)
			return;
		swap(base + i * size, base + child * size, size);
	}
}

/* Heap sort (Williams, 1964): in place, and never worse than O(n log n). */
void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	for (size_t i = n / 2; i-- > 0;)
		sift_down(base, i, n, size, compare);
	for (size_t i = n; i-- > 1;) {
		swap(base, (char *)base + i * size, size);
		sift_down(base, 0, i, size, compare);
	}
}

void *bsearch(const void *key, const void *base, size_t n, size_t size,
	      int (*compare)(const void *, const void *))
{
	while (n) {
		const char *middle = (const char *)base + n / 2 * size;
		int order = compare(key, middle);

		if (order == 0)
			return (void *)middle;
		if (order > 0) {
			base = middle + size;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return NULL;
}

/* xorshift (Marsaglia, 2003). */
int rand_r(unsigned *seed)
{
	unsigned x = *seed ? *seed : 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*seed = x;
	return x & RAND_MAX;
}

static unsigned rand_seed = 1;

int rand(void)
{
	return rand_r(&rand_seed);
}

void srand(unsigned seed)
{
	rand_seed = seed;
}
