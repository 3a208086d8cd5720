/*
 * The line discipline: what a terminal does between the keys and the program that reads them.
 *
 * Bytes come in one at a time and leave line by line (canonical mode) or at once (raw mode). This
 * is pure logic, without locks or blocking; the tty owns it and guards it with tty.in.lock.
 *
 *	head          ready         tail	all three only grow; positions modulo LINE_SIZE
 *	 | may be read | being edited |
 */
#pragma once

#include "types.h"

#define LINE_SIZE	4096u

/* struct termios of Linux's system calls, and the bits that have an effect here. */
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
#define TOSTOP		0000400u
#define ECHOCTL		0001000u
#define ECHOKE		0004000u
#define IEXTEN		0100000u

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP, VSUSP, VEOL, VREPRINT,
       VDISCARD, VWERASE, VLNEXT, VEOL2 };

struct line {
	struct termios tio;
	u32 head, ready, tail;
	char buf[LINE_SIZE];
	u64 ends[LINE_SIZE / 64];		/* bit set: the byte ends a line */
	void (*echo)(const char *s, size_t n);	/* shows keys; does the output processing */
};

/* With @transparent, for a program at the other end, there is no echo and no translation. */
void line_init(struct line *l, bool transparent, void (*echo)(const char *s, size_t n));

/* Takes a key and returns the signal that it stands for, or 0. Needs line_room(). */
int line_input(struct line *l, char c);
bool line_room(const struct line *l);

/* Whether a read would get something: bytes, or an end of file. */
bool line_readable(const struct line *l);

/*
 * Takes out up to @n bytes and returns how many. *end: they end a line, or without bytes are an end
 * of file.
 */
size_t line_read(struct line *l, char *buf, size_t n, bool *end);

void line_flush(struct line *l);
void line_set(struct line *l, const struct termios *tio);
