/* Buffered streams and formatted text. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct __file FILE;

extern FILE *const stdin, *const stdout, *const stderr;
#define stdin	stdin
#define stdout	stdout
#define stderr	stderr

#define EOF		(-1)
#define BUFSIZ		4096
#define FILENAME_MAX	4096

#define _IOFBF	0
#define _IOLBF	1
#define _IONBF	2

#ifndef SEEK_SET
#define SEEK_SET	0
#define SEEK_CUR	1
#define SEEK_END	2
#endif

FILE *fdopen(int fd, const char *mode);
FILE *fopen(const char *path, const char *mode);
FILE *freopen(const char *path, const char *mode, FILE *f);
int fclose(FILE *f);
int fflush(FILE *f);
int setvbuf(FILE *f, char *buf, int mode, size_t size);
void setbuf(FILE *f, char *buf);
void setlinebuf(FILE *f);

size_t fread(void *buf, size_t size, size_t n, FILE *f);
size_t fwrite(const void *buf, size_t size, size_t n, FILE *f);
int fgetc(FILE *f);
char *fgets(char *buf, int size, FILE *f);
int fputc(int c, FILE *f);
int fputs(const char *s, FILE *f);
int getc(FILE *f);
int getchar(void);
ssize_t getdelim(char **line, size_t *size, int delim, FILE *f);
ssize_t getline(char **line, size_t *size, FILE *f);
int putc(int c, FILE *f);
int putchar(int c);
int puts(const char *s);
int ungetc(int c, FILE *f);

void clearerr(FILE *f);
int feof(FILE *f);
int ferror(FILE *f);
int fileno(FILE *f);
void flockfile(FILE *f);
void funlockfile(FILE *f);
int fseek(FILE *f, long offset, int whence);
int fseeko(FILE *f, off_t offset, int whence);
long ftell(FILE *f);
off_t ftello(FILE *f);
void rewind(FILE *f);

#define __PRINTF(fmt, args)	__attribute__((format(printf, fmt, args)))
#define __SCANF(fmt, args)	__attribute__((format(scanf, fmt, args)))

int asprintf(char **out, const char *fmt, ...) __PRINTF(2, 3);
int dprintf(int fd, const char *fmt, ...) __PRINTF(2, 3);
int fprintf(FILE *f, const char *fmt, ...) __PRINTF(2, 3);
int printf(const char *fmt, ...) __PRINTF(1, 2);
int snprintf(char *buf, size_t size, const char *fmt, ...) __PRINTF(3, 4);
int sprintf(char *buf, const char *fmt, ...) __PRINTF(2, 3);
int vasprintf(char **out, const char *fmt, va_list ap) __PRINTF(2, 0);
int vdprintf(int fd, const char *fmt, va_list ap) __PRINTF(2, 0);
int vfprintf(FILE *f, const char *fmt, va_list ap) __PRINTF(2, 0);
int vprintf(const char *fmt, va_list ap) __PRINTF(1, 0);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __PRINTF(3, 0);
int vsprintf(char *buf, const char *fmt, va_list ap) __PRINTF(2, 0);

int sscanf(const char *s, const char *fmt, ...) __SCANF(2, 3);
int vsscanf(const char *s, const char *fmt, va_list ap) __SCANF(2, 0);

void perror(const char *what);
int remove(const char *path);
int rename(const char *from, const char *to);
