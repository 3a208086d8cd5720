#pragma once

#include <stddef.h>
#include <strings.h>

void *memccpy(void *dst, const void *src, int c, size_t n);
void *memchr(const void *s, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmem(const void *hay, size_t hay_len, const void *needle, size_t len);
void *memmove(void *dst, const void *src, size_t n);
void *mempcpy(void *restrict dst, const void *restrict src, size_t n);
void *memrchr(const void *s, int c, size_t n);
void *memset(void *dst, int c, size_t n);

char *stpcpy(char *restrict dst, const char *restrict src);
char *strcat(char *restrict dst, const char *restrict src);
char *strchr(const char *s, int c);
char *strchrnul(const char *s, int c);
int strcmp(const char *a, const char *b);
int strcoll(const char *a, const char *b);
char *strcpy(char *restrict dst, const char *restrict src);
size_t strcspn(const char *s, const char *set);
char *strdup(const char *s);
size_t strlen(const char *s);
char *strncat(char *restrict dst, const char *restrict src, size_t n);
int strncmp(const char *a, const char *b, size_t n);
char *strncpy(char *restrict dst, const char *restrict src, size_t n);
char *strndup(const char *s, size_t n);
size_t strnlen(const char *s, size_t n);
char *strpbrk(const char *s, const char *set);
char *strrchr(const char *s, int c);
char *strsep(char **s, const char *set);
size_t strspn(const char *s, const char *set);
char *strstr(const char *hay, const char *needle);
char *strtok(char *restrict s, const char *restrict set);
char *strtok_r(char *restrict s, const char *restrict set, char **restrict rest);

char *strerror(int error);
char *strsignal(int sig);
const char *strerrorname_np(int error);
const char *sigabbrev_np(int sig);
