/* Reading and writing bytes and lines of streams. Each call is atomic to other threads. */
#include <stdlib.h>
#include <string.h>

#include "file.h"

int fgetc(FILE *f)
{
	int c;

	flockfile(f);
	c = stream_get(f);
	funlockfile(f);
	return c;
}

int getc(FILE *f)
{
	return fgetc(f);
}

int getchar(void)
{
	return fgetc(stdin);
}

int ungetc(int c, FILE *f)
{
	int r = EOF;

	flockfile(f);
	if (f->state == STREAM_IDLE && f->readable)
		f->state = STREAM_READING;
	if (c != EOF && f->state == STREAM_READING && f->pos > f->buf - UNGET) {
		*--f->pos = c;
		f->eof = false;
		r = (unsigned char)c;
	}
	funlockfile(f);
	return r;
}

size_t fread(void *buf, size_t size, size_t n, FILE *f)
{
	size_t done;

	flockfile(f);
	done = stream_read(f, buf, size * n);
	funlockfile(f);
	return size ? done / size : 0;
}

size_t fwrite(const void *buf, size_t size, size_t n, FILE *f)
{
	size_t done;

	flockfile(f);
	done = stream_write(f, buf, size * n);
	funlockfile(f);
	return size ? done / size : 0;
}

int fputc(int c, FILE *f)
{
	char byte = c;

	return fwrite(&byte, 1, 1, f) ? (unsigned char)byte : EOF;
}

int putc(int c, FILE *f)
{
	return fputc(c, f);
}

int putchar(int c)
{
	return fputc(c, stdout);
}

int fputs(const char *s, FILE *f)
{
	size_t n = strlen(s);

	return fwrite(s, 1, n, f) == n ? 0 : EOF;
}

int puts(const char *s)
{
	int r;

	flockfile(stdout);
	r = fputs(s, stdout) == EOF || putchar('\n') == EOF ? EOF : 0;
	funlockfile(stdout);
	return r;
}

char *fgets(char *buf, int size, FILE *f)
{
	char *p = buf;
	int c = 0;

	flockfile(f);
	while (p < buf + size - 1 && c != '\n' && (c = stream_get(f)) != EOF)
		*p++ = c;
	funlockfile(f);
	if (p == buf)
		return NULL;
	*p = 0;
	return buf;
}

ssize_t getdelim(char **line, size_t *size, int delim, FILE *f)
{
	size_t n = 0;
	int c = 0;

	flockfile(f);
	do {
		if (!*line || n + 2 > *size) {
			size_t bigger = *line && *size >= 60 ? *size * 2 : 120;
			char *p = realloc(*line, bigger);

			if (!p)
				break;
			*line = p;
			*size = bigger;
		}
		c = stream_get(f);
		if (c != EOF)
			(*line)[n++] = c;
	} while (c != EOF && c != delim);
	funlockfile(f);
	if (n == 0)
		return -1;
	(*line)[n] = 0;
	return n;
}

ssize_t getline(char **line, size_t *size, FILE *f)
{
	return getdelim(line, size, '\n', f);
}
