/*
 * Tests of formatting: each conversion, and buffers that are too small.
 */
#include "base/printf.h"

#include "base/string.h"
#include "test/ktest.h"

static char buf[64];

#define FORMATS(expected, ...)							\
	do {									\
		int n_ = snprintf(buf, sizeof(buf), __VA_ARGS__);		\
		CHECK(strcmp(buf, (expected)) == 0, "", "'%s' instead of '%s'", buf, (expected)); \
		CHECK(n_ == (int)strlen(expected), "", "length %d of '%s'", n_, buf);	\
	} while (0)

KTEST(printf_numbers, "printf.numbers", "", "")
{
	FORMATS("0 7 -7", "%d %i %d", 0, 7, -7);
	FORMATS("-2147483648 4294967295", "%d %u", -2147483647 - 1, 4294967295u);
	FORMATS("-9223372036854775808", "%ld", (long)(1UL << 63));
	FORMATS("18446744073709551615", "%lu", ~0UL);
	FORMATS("ff 17", "%x %o", 255u, 15u);
	FORMATS("0xffffffff80200000", "%p", (void *)0xffffffff80200000UL);
	FORMATS("at ?+0x0!", "at %pS!", NULL);
	FORMATS("123 456", "%zu %lld", (size_t)123, 456LL);
}

KTEST(printf_layout, "printf.layout", "", "")
{
	FORMATS("[   42][42   ][00042]", "[%5d][%-5d][%05d]", 42, 42, 42);
	FORMATS("[  -42][-42  ][-0042]", "[%5d][%-5d][%05d]", -42, -42, -42);
	FORMATS("[  007]", "[%5.3d]", 7);
	FORMATS("[  ab][ab  ][a]", "[%4s][%-4s][%.1s]", "ab", "ab", "ab");
	FORMATS("x%", "%c%%", 'x');
}

KTEST(printf_small_buffers, "printf.small_buffers", "", "")
{
	for (size_t size = 0; size <= 6; size++) {
		int n;

		memset(buf, '#', sizeof(buf));
		n = snprintf(buf, size, "%s", "hello");
		CHECK(n == 5, "", "%d characters of 5", n);
		if (size)
			CHECK(strlen(buf) == MIN(size - 1, 5u), "", "'%s' in %zu bytes", buf, size);
		CHECK(buf[size] == '#', "", "wrote behind %zu bytes", size);
	}
}
