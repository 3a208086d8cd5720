/*
 * The line discipline: what a terminal does between the keys and the program that reads them.
 *
 * Bytes come in one at a time and leave by the line (canonical mode) or as they are (raw). Pure
 * logic: no locks, no blocking; the tty owns it and guards it by its own lock.
 *
 *	head          ready         tail	all three only grow; positions modulo LINE_SIZE
 *	 | may be read | being edited |
 */
#pragma once

#include "types.h"

#define LINE_SIZE	4096u

/* Linux's struct termios as the kernel's interface has it, and the bits that we act on. */
struct termios {
	u32 iflag, oflag, cflag, lflag;
	u8 line;
	u8 cc[19];
};

#define INLCR		0000100u
#define IGNCR		0000200u
#define ICRNL		0000400u
#define IUTF8		0040000u
#define OPOST		0000001u
#define ONLCR		0000004u
#define ISIG		0000001u
#define ICANON		0000002u
#define ECHO		0000010u
#define ECHOE		0000020u
#define ECHOK		0000040u
#define ECHONL		0000100u
#define NOFLSH		0000200u
#define ECHOCTL		0001000u
#define ECHOKE		0004000u
#define IEXTEN		0100000u

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP, VSUSP, VEOL, VREPRINT,
       VDISCARD, VWERASE, VLNEXT, VEOL2 };

struct line {
	struct termios tio;
	u32 head, ready, tail;
	char buf[LINE_SIZE];
	u64 ends[LINE_SIZE / 64];		/* bit set: this byte ends a line */
	void (*echo)(const char *s, size_t n);	/* before output processing */
};

/* @transparent: for a program at the other end: no echo, nothing translated. */
void line_init(struct line *l, bool transparent, void (*echo)(const char *s, size_t n));

/* Takes a key. The signal it stands for, or 0. Only while line_room(). */
int line_input(struct line *l, char c);
bool line_room(const struct line *l);

/* A read would get something: bytes, or an end of file. */
bool line_readable(const struct line *l);

/* Bytes that line_read() takes out, at most @n; *end: they end a line (0 bytes: an end of file). */
size_t line_read(struct line *l, char *buf, size_t n, bool *end);

void line_flush(struct line *l);
void line_set(struct line *l, const struct termios *tio);
