/*
 * A stream, as stdio.c, text.c, printf.c and scanf.c see it.
 *
 *	idle	pos = end = buf: the buffer holds nothing
 *	reading	pos .. end: read from the descriptor, not yet by the program
 *	writing	buf .. pos: written by the program, not yet to the descriptor
 *
 * `lock` guards all fields; it is recursive because flockfile() may be nested. Callers of the
 * stream_*() functions hold it.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define UNGET	8			/* bytes before buf that ungetc() may use */

enum stream_state { STREAM_IDLE, STREAM_READING, STREAM_WRITING };

struct __file {
	pthread_mutex_t lock;
	int fd;
	enum stream_state state;
	int mode;			/* _IOFBF, _IOLBF, _IONBF; MODE_ASK: decided at first use */
	bool readable, writable, eof, error;
	char *buf, *pos, *end;
	size_t size;			/* of buf */
	struct __file *next;		/* of the list that exit() flushes; [stdio.c's lock] */
};

#define MODE_ASK	(-1)

int stream_flush(FILE *f);
int stream_get(FILE *f);		/* returns a byte or EOF */
size_t stream_read(FILE *f, char *to, size_t n);
size_t stream_write(FILE *f, const char *from, size_t n);
