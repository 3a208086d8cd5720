/*
 * Strings and memory, except memcpy, memmove and memset, which are written for each architecture.
 * These are plain byte loops. The compiler must not turn them into calls of the very functions they
 * define, so the library is built with -fno-tree-loop-distribute-patterns.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *mempcpy(void *restrict dst, const void *restrict src, size_t n)
{
	return (char *)memcpy(dst, src, n) + n;
}

void *memccpy(void *dst, const void *src, int c, size_t n)
{
	unsigned char *d = dst;
	const unsigned char *s = src;

	while (n--)
		if ((*d++ = *s++) == (unsigned char)c)
			return d;
	return NULL;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const unsigned char *p = s; n--; p++)
		if (*p == (unsigned char)c)
			return (void *)p;
	return NULL;
}

void *memrchr(const void *s, int c, size_t n)
{
	const unsigned char *p = s;

	while (n--)
		if (p[n] == (unsigned char)c)
			return (void *)(p + n);
	return NULL;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (; n--; p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *memmem(const void *hay, size_t hay_len, const void *needle, size_t len)
{
	const char *h = hay;

	for (; hay_len >= len; h++, hay_len--)
		if (!memcmp(h, needle, len))
			return (void *)h;
	return NULL;
}

void bzero(void *dst, size_t n)
{
	memset(dst, 0, n);
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return p - s;
}

size_t strnlen(const char *s, size_t n)
{
	size_t len = 0;

	while (len < n && s[len])
		len++;
	return len;
}

char *stpcpy(char *restrict dst, const char *restrict src)
{
	while ((*dst = *src++))
		dst++;
	return dst;
}

char *strcpy(char *restrict dst, const char *restrict src)
{
	stpcpy(dst, src);
	return dst;
}

char *strncpy(char *restrict dst, const char *restrict src, size_t n)
{
	size_t len = strnlen(src, n);

	memcpy(dst, src, len);
	memset(dst + len, 0, n - len);
	return dst;
}

char *strcat(char *restrict dst, const char *restrict src)
{
	stpcpy(dst + strlen(dst), src);
	return dst;
}

char *strncat(char *restrict dst, const char *restrict src, size_t n)
{
	char *end = dst + strlen(dst);
	size_t len = strnlen(src, n);

	memcpy(end, src, len);
	end[len] = 0;
	return dst;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; a++, b++, n--)
		;
	return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

int strcoll(const char *a, const char *b)
{
	return strcmp(a, b);
}

int strncasecmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++, b++, n--)
		;
	return n ? tolower((unsigned char)*a) - tolower((unsigned char)*b) : 0;
}

int strcasecmp(const char *a, const char *b)
{
	return strncasecmp(a, b, (size_t)-1);
}

char *strchrnul(const char *s, int c)
{
	while (*s && *s != (char)c)
		s++;
	return (char *)s;
}

char *strchr(const char *s, int c)
{
	s = strchrnul(s, c);
	return *s == (char)c ? (char *)s : NULL;
}

char *strrchr(const char *s, int c)
{
	return memrchr(s, c, strlen(s) + 1);
}

size_t strspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && strchr(set, s[n]))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && !strchr(set, s[n]))
		n++;
	return n;
}

char *strpbrk(const char *s, const char *set)
{
	s += strcspn(s, set);
	return *s ? (char *)s : NULL;
}

char *strstr(const char *hay, const char *needle)
{
	return memmem(hay, strlen(hay), needle, strlen(needle));
}

char *strtok_r(char *restrict s, const char *restrict set, char **restrict rest)
{
	char *token = (s ? s : *rest);

	token += strspn(token, set);
	*rest = token + strcspn(token, set);
	if (**rest)
		*(*rest)++ = 0;
	return *token ? token : NULL;
}

char *strtok(char *restrict s, const char *restrict set)
{
	static char *rest;

	return strtok_r(s, set, &rest);
}

char *strsep(char **s, const char *set)
{
	char *token = *s, *end;

	if (!token)
		return NULL;
	end = token + strcspn(token, set);
	*s = *end ? end + 1 : NULL;
	*end = 0;
	return token;
}

char *strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = malloc(len + 1);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = 0;
	}
	return copy;
}

char *strdup(const char *s)
{
	return strndup(s, strlen(s));
}
