/*
 * Streams: opening, closing, buffering, position.
 *
 * A stream either reads or writes; changing the direction flushes it. Flushing a stream that reads
 * moves the descriptor's offset back to what the program has read, so that another user of the same
 * descriptor continues there. Every open stream is on one list, for exit() and fflush(NULL).
 *
 * Locks: list_lock before a stream's.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "libc.h"

#define STATIC_STREAM(number, first_mode, buffer, out, link) \
	{ \
		.lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, \
		.fd = (number), \
		.mode = (first_mode), \
		.readable = !(out), \
		.writable = (out), \
		.buf = (buffer) + UNGET, \
		.pos = (buffer) + UNGET, \
		.end = (buffer) + UNGET, \
		.size = sizeof(buffer) - UNGET, \
		.next = (link), \
	}

static char in_buf[BUFSIZ + UNGET], out_buf[BUFSIZ + UNGET], err_buf[UNGET + 1];
static FILE in = STATIC_STREAM(0, _IOFBF, in_buf, false, NULL);
static FILE out = STATIC_STREAM(1, MODE_ASK, out_buf, true, &in);
static FILE err = STATIC_STREAM(2, _IONBF, err_buf, true, &out);

FILE *const stdin = &in, *const stdout = &out, *const stderr = &err;

static FILE *open_streams = &err; /* [list_lock] */
static int list_lock;

void flockfile(FILE *f)
{
	pthread_mutex_lock(&f->lock);
}

void funlockfile(FILE *f)
{
	pthread_mutex_unlock(&f->lock);
}

/* Writes all of it, or marks the stream as having failed. */
static bool write_through(FILE *f, const char *from, size_t n)
{
	while (n) {
		ssize_t done = write(f->fd, from, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			f->error = true;
			return false;
		}
		from += done;
		n -= done;
	}
	return true;
}

int stream_flush(FILE *f)
{
	int saved = errno;
	bool ok = true;

	if (f->state == STREAM_WRITING)
		ok = write_through(f, f->buf, f->pos - f->buf);
	if (f->state == STREAM_READING && f->pos != f->end) {
		lseek(f->fd, f->pos - f->end, SEEK_CUR);
		errno = saved; /* a pipe cannot seek, and that is no error here */
	}
	f->state = STREAM_IDLE;
	f->pos = f->end = f->buf;
	return ok ? 0 : EOF;
}

static bool begin(FILE *f, enum stream_state state)
{
	if (f->state == state)
		return true;
	if (!(state == STREAM_READING ? f->readable : f->writable)) {
		errno = EBADF;
		f->error = true;
		return false;
	}
	if (stream_flush(f))
		return false;
	f->state = state;
	return true;
}

/* Fills the empty buffer from the descriptor. */
static bool refill(FILE *f)
{
	ssize_t n;

	do
		n = read(f->fd, f->buf, f->mode == _IONBF ? 1 : f->size);
	while (n < 0 && errno == EINTR);
	f->eof |= n == 0;
	f->error |= n < 0;
	f->pos = f->buf;
	f->end = f->buf + (n > 0 ? n : 0);
	return n > 0;
}

int stream_get(FILE *f)
{
	if (!begin(f, STREAM_READING) || (f->pos == f->end && !refill(f)))
		return EOF;
	return (unsigned char)*f->pos++;
}

size_t stream_read(FILE *f, char *to, size_t n)
{
	size_t done = 0, step;

	if (!begin(f, STREAM_READING))
		return 0;
	while (done < n && (f->pos < f->end || refill(f))) {
		step = f->end - f->pos;
		if (step > n - done)
			step = n - done;
		memcpy(to + done, f->pos, step);
		f->pos += step;
		done += step;
	}
	return done;
}

size_t stream_write(FILE *f, const char *from, size_t n)
{
	int saved = errno;

	if (!begin(f, STREAM_WRITING))
		return 0;
	if (f->mode == MODE_ASK) {
		f->mode = isatty(f->fd) ? _IOLBF : _IOFBF;
		errno = saved;
	}
	if (f->mode == _IONBF || n > f->size) {
		if (stream_flush(f) || !write_through(f, from, n))
			return 0;
		return n;
	}
	if (n > f->size - (f->pos - f->buf) && (stream_flush(f) || !begin(f, STREAM_WRITING)))
		return 0;
	memcpy(f->pos, from, n);
	f->pos += n;
	if (f->mode == _IOLBF && memchr(from, '\n', n) && stream_flush(f))
		return 0;
	return n;
}

int fflush(FILE *f)
{
	int r = 0;

	if (f) {
		flockfile(f);
		r = stream_flush(f);
		funlockfile(f);
		return r;
	}
	__lock(&list_lock);
	for (f = open_streams; f; f = f->next)
		r |= f->state == STREAM_WRITING ? fflush(f) : 0;
	__unlock(&list_lock);
	return r;
}

/*
 * Flushes all streams at the end of the program. Takes no locks: another thread may hold one for
 * ever.
 */
void __stdio_exit(void)
{
	for (FILE *f = open_streams; f; f = f->next)
		stream_flush(f);
}

/* Makes new locks in the child, which does not have the threads that held the old ones. */
void __stdio_fork_child(void)
{
	const pthread_mutex_t fresh = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

	list_lock = 0;
	for (FILE *f = open_streams; f; f = f->next)
		f->lock = fresh;
}

/* Returns the flags of open() for a mode like "r+", or -1. */
static int open_flags(const char *mode)
{
	int flags = strchr(mode, '+') ? O_RDWR : *mode == 'r' ? O_RDONLY
							      : O_WRONLY;

	if (*mode != 'r' && *mode != 'w' && *mode != 'a') {
		errno = EINVAL;
		return -1;
	}
	if (*mode != 'r')
		flags |= O_CREAT | (*mode == 'w' ? O_TRUNC : O_APPEND);
	if (strchr(mode, 'x'))
		flags |= O_EXCL;
	if (strchr(mode, 'e'))
		flags |= O_CLOEXEC;
	return flags;
}

FILE *fdopen(int fd, const char *mode)
{
	int flags = open_flags(mode);
	FILE *f;

	if (flags < 0 || !(f = malloc(sizeof(*f) + UNGET + BUFSIZ)))
		return NULL;
	*f = (FILE){
		.lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
		.fd = fd,
		.mode = MODE_ASK,
		.readable = (flags & O_ACCMODE) != O_WRONLY,
		.writable = (flags & O_ACCMODE) != O_RDONLY,
		.buf = (char *)(f + 1) + UNGET,
		.size = BUFSIZ,
	};
	f->pos = f->end = f->buf;
	__lock(&list_lock);
	f->next = open_streams;
	open_streams = f;
	__unlock(&list_lock);
	return f;
}

FILE *fopen(const char *path, const char *mode)
{
	int flags = open_flags(mode), fd;
	FILE *f;

	if (flags < 0 || (fd = open(path, flags, 0666)) < 0)
		return NULL;
	f = fdopen(fd, mode);
	if (!f)
		close(fd);
	return f;
}

/* Keeps the stream and the number of its descriptor, and puts another file behind both. */
FILE *freopen(const char *path, const char *mode, FILE *f)
{
	int flags = open_flags(mode), fd, error = -1;

	fflush(f);
	fd = flags < 0 ? -1 : open(path, flags, 0666);
	if (fd < 0)
		return NULL;
	if (fd == f->fd || dup3(fd, f->fd, flags & O_CLOEXEC) >= 0)
		error = 0;
	if (fd != f->fd)
		close(fd);
	f->pos = f->end = f->buf;
	f->eof = f->error = false;
	return error ? NULL : f;
}

int fclose(FILE *f)
{
	FILE **link = &open_streams;
	int r;

	__lock(&list_lock);
	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
	__unlock(&list_lock);

	r = fflush(f);
	r |= close(f->fd);
	if (f != &in && f != &out && f != &err)
		free(f);
	return r ? EOF : 0;
}

int setvbuf(FILE *f, char *buf, int mode, size_t size)
{
	flockfile(f);
	stream_flush(f);
	f->mode = mode;
	if (buf && size > UNGET) {
		f->buf = f->pos = f->end = buf + UNGET;
		f->size = size - UNGET;
	}
	funlockfile(f);
	return 0;
}

void setbuf(FILE *f, char *buf)
{
	setvbuf(f, buf, buf ? _IOFBF : _IONBF, BUFSIZ);
}

void setlinebuf(FILE *f)
{
	setvbuf(f, NULL, _IOLBF, 0);
}

int fseeko(FILE *f, off_t offset, int whence)
{
	off_t at = -1;

	flockfile(f);
	if (!stream_flush(f))
		at = lseek(f->fd, offset, whence);
	if (at >= 0)
		f->eof = false;
	funlockfile(f);
	return at < 0 ? -1 : 0;
}

int fseek(FILE *f, long offset, int whence)
{
	return fseeko(f, offset, whence);
}

off_t ftello(FILE *f)
{
	off_t at;

	flockfile(f);
	at = lseek(f->fd, 0, SEEK_CUR);
	if (at >= 0 && f->state == STREAM_READING)
		at -= f->end - f->pos;
	if (at >= 0 && f->state == STREAM_WRITING)
		at += f->pos - f->buf;
	funlockfile(f);
	return at;
}

long ftell(FILE *f)
{
	return ftello(f);
}

void rewind(FILE *f)
{
	fseeko(f, 0, SEEK_SET);
	clearerr(f);
}

void clearerr(FILE *f)
{
	f->eof = f->error = false;
}

int feof(FILE *f)
{
	return f->eof;
}

int ferror(FILE *f)
{
	return f->error;
}

int fileno(FILE *f)
{
	return f->fd;
}
