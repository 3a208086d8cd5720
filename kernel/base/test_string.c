/*
 * Tests of memory and string functions: every small length and alignment, and that the bytes around
 * are left alone.
 */
#include "base/string.h"

#include "test/ktest.h"

#define ROOM	80
#define LONGEST	40

static u8 a[ROOM], b[ROOM];

static void fill(void)
{
	for (unsigned i = 0; i < ROOM; i++) {
		a[i] = i * 7 + 1;
		b[i] = 0xee;
	}
}

/* Checks that b[] has @n bytes from @at on equal to @from (NULL: to @value), else 0xee. */
static void check_copy(unsigned at, size_t n, const u8 *from, u8 value)
{
	for (unsigned i = 0; i < ROOM; i++) {
		bool inside = i >= at && i < at + n;
		u8 expected = !inside ? 0xee : from ? from[i - at] : value;

		if (b[i] == expected)
			continue;
		CHECK(false, "", "%zu bytes to %u: byte %u is %x, not %x", n, at, i, b[i],
		      expected);
		return;
	}
}

KTEST(string_memcpy, "string.memcpy", "", "")
{
	for (unsigned to = 0; to < 9; to++)
		for (unsigned from = 0; from < 9; from++)
			for (size_t n = 0; n <= LONGEST; n++) {
				fill();
				CHECK(memcpy(b + to, a + from, n) == b + to, "", "wrong result");
				check_copy(to, n, a + from, 0);
			}
}

KTEST(string_memset, "string.memset", "", "")
{
	for (unsigned to = 0; to < 9; to++)
		for (size_t n = 0; n <= LONGEST; n++) {
			fill();
			memset(b + to, 0x15a, n);	/* as a byte */
			check_copy(to, n, NULL, 0x5a);
		}
}

/* Moves in both directions, with overlap. */
KTEST(string_memmove, "string.memmove", "", "")
{
	for (unsigned to = 0; to < 20; to++)
		for (unsigned from = 0; from < 20; from++)
			for (size_t n = 0; n <= LONGEST; n += 3) {
				bool good = true;

				fill();
				memmove(a + to, a + from, n);
				for (unsigned i = 0; i < ROOM; i++) {
					unsigned source = i >= to && i < to + n ? i - to + from : i;

					good = good && a[i] == (u8)(source * 7 + 1);
				}
				CHECK(good, "", "%zu bytes from %u to %u", n, from, to);
			}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

KTEST(string_compare, "string.compare", "", "")
{
	CHECK(sign(memcmp("a\x80", "a\x01", 2)) == 1, "", "bytes have no sign");
	CHECK(memcmp("abc", "abd", 2) == 0, "", "compares too much");
	CHECK(sign(strcmp("a", "ab")) == -1 && strcmp("", "") == 0, "", "strcmp");
	CHECK(sign(strcmp("\x80", "\x01")) == 1, "", "characters have no sign");
	CHECK(strncmp("abc", "abd", 2) == 0 && sign(strncmp("abc", "abd", 3)) == -1, "", "strncmp");
	CHECK(strncmp("a", "a", 99) == 0, "", "strncmp goes on behind the end");
}

KTEST(string_search, "string.search", "", "")
{
	const char *s = "hello";
	char small[4];

	CHECK(strlen(s) == 5 && strnlen(s, 3) == 3 && strnlen(s, 9) == 5, "", "length");
	CHECK(strchr(s, 'l') == s + 2 && strrchr(s, 'l') == s + 3, "", "search");
	CHECK(!strchr(s, 'x') && !strrchr(s, 'x'), "", "found what is not there");
	CHECK(strchr(s, 0) == s + 5 && strrchr(s, 0) == s + 5, "", "the end is a character");
	CHECK(strlcpy(small, s, sizeof(small)) == 5 && !strcmp(small, "hel"), "", "strlcpy");
	CHECK(strlcpy(small, "", sizeof(small)) == 0 && !*small, "", "strlcpy of nothing");
}
