#pragma once

#include <stddef.h>
#include <sys/types.h>

#define EXIT_SUCCESS	0
#define EXIT_FAILURE	1
#define RAND_MAX	0x7fffffff

void *calloc(size_t n, size_t size);
void free(void *p);
void *malloc(size_t size);
int posix_memalign(void **out, size_t align, size_t size);
void *aligned_alloc(size_t align, size_t size);
void *realloc(void *p, size_t size);

_Noreturn void abort(void);
int atexit(void (*fn)(void));
_Noreturn void exit(int status);
_Noreturn void _Exit(int status);

char *getenv(const char *name);
int putenv(char *string);
int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
int clearenv(void);

int abs(int n);
long labs(long n);
long long llabs(long long n);
double atof(const char *s);
int atoi(const char *s);
long atol(const char *s);
long long atoll(const char *s);
double strtod(const char *s, char **end);
long strtol(const char *s, char **end, int base);
long long strtoll(const char *s, char **end, int base);
unsigned long strtoul(const char *s, char **end, int base);
unsigned long long strtoull(const char *s, char **end, int base);

void *bsearch(const void *key, const void *base, size_t n, size_t size,
	      int (*compare)(const void *, const void *));
void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));

int rand(void);
int rand_r(unsigned *seed);
void srand(unsigned seed);
