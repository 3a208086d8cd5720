/*
 * Memory and string functions.
 *
 * The three bulk ones are weak: a port with something faster than eight unrolled words replaces
 * them (x86_64 does, with string instructions). They work a word at a time where both sides are
 * aligned alike, because a byte loop in the kernel shows in every pipe and every fork.
 */
#include "string.h"

typedef u64 __attribute__((may_alias)) word_t;

#define WORD		sizeof(word_t)
#define ALIGNED_ALIKE(a, b)	((((u64)(a) ^ (u64)(b)) & (WORD - 1)) == 0)

__attribute__((weak)) void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (ALIGNED_ALIKE(d, s)) {
		for (; n && ((u64)d & (WORD - 1)); n--)
			*d++ = *s++;
		for (; n >= 8 * WORD; n -= 8 * WORD, d += 8 * WORD, s += 8 * WORD) {
			word_t *to = (word_t *)d;
			const word_t *from = (const word_t *)s;
			word_t a = from[0], b = from[1], c = from[2], e = from[3];
			word_t f = from[4], g = from[5], h = from[6], i = from[7];

			to[0] = a, to[1] = b, to[2] = c, to[3] = e;
			to[4] = f, to[5] = g, to[6] = h, to[7] = i;
		}
		for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
			*(word_t *)d = *(const word_t *)s;
	}
	while (n--)
		*d++ = *s++;
	return dst;
}

__attribute__((weak)) void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (d <= s || d >= s + n)
		return memcpy(dst, src, n);
	while (n--)
		d[n] = s[n];
	return dst;
}

__attribute__((weak)) void *memset(void *dst, int c, size_t n)
{
	u8 *d = dst;
	word_t w = (u8)c * 0x0101010101010101UL;

	for (; n && ((u64)d & (WORD - 1)); n--)
		*d++ = c;
	for (; n >= 8 * WORD; n -= 8 * WORD, d += 8 * WORD) {
		word_t *to = (word_t *)d;

		to[0] = w, to[1] = w, to[2] = w, to[3] = w;
		to[4] = w, to[5] = w, to[6] = w, to[7] = w;
	}
	for (; n >= WORD; n -= WORD, d += WORD)
		*(word_t *)d = w;
	while (n--)
		*d++ = c;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return end - s;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; n--)
		a++, b++;
	return n ? (u8)*a - (u8)*b : 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (!*s)
			return (char *)last;
	}
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);

	if (size) {
		size_t fits = MIN(n, size - 1);

		memcpy(dst, src, fits);
		dst[fits] = '\0';
	}
	return n;
}
