/*
 * Memory and string functions, with the C library's names and meanings. The compiler itself may
 * generate calls of memcpy, memmove, memset and memcmp. The ports define memcpy and memset.
 */
#pragma once

#include "types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* Copies at most size - 1 bytes and always terminates; returns strlen(src), as in BSD. */
size_t strlcpy(char *dst, const char *src, size_t size);
