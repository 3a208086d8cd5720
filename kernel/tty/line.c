/*
 * The line discipline: see the picture in line.h.
 *
 * LINE1  head <= ready <= tail <= head + LINE_SIZE.
 * LINE2  Only bytes in [head, ready) have their bit in `ends`. An end of file is the VEOF character
 *        with its bit set, which line_read() takes out but does not deliver.
 * LINE3  A line that fills the whole buffer may be read without its end, so that input never jams.
 *
 * Not here: flow control characters, quoting (VLNEXT), reprinting, stopping jobs.
 */
#include "line.h"

#include "process/signal.h"

#define CTRL(c)	((c) & 0x1f)
#define DEL	0x7f

static const struct termios defaults = {
	.iflag = ICRNL | IUTF8,
	.oflag = OPOST | ONLCR,
	.cflag = 0x4bf,			/* 38400 baud, 8 bits, receiver on, hang up on close */
	.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.cc = {
		[VINTR] = CTRL('C'), [VQUIT] = CTRL('\\'), [VERASE] = DEL, [VKILL] = CTRL('U'),
		[VEOF] = CTRL('D'), [VMIN] = 1, [VSTART] = CTRL('Q'), [VSTOP] = CTRL('S'),
		[VSUSP] = CTRL('Z'), [VREPRINT] = CTRL('R'), [VDISCARD] = CTRL('O'),
		[VWERASE] = CTRL('W'), [VLNEXT] = CTRL('V'),
	},
};

void line_init(struct line *l, bool transparent, void (*echo)(const char *s, size_t n))
{
	*l = (struct line){ .tio = defaults, .echo = echo };
	if (transparent) {
		l->tio.iflag = 0;
		l->tio.oflag = 0;
		l->tio.lflag = ISIG | ICANON | IEXTEN;
	}
}

static bool canonical(const struct line *l)
{
	return l->tio.lflag & ICANON;
}

static bool is_key(const struct line *l, unsigned which, char c)
{
	return l->tio.cc[which] && l->tio.cc[which] == (u8)c;
}

bool line_room(const struct line *l)
{
	return l->tail - l->head < LINE_SIZE;
}

bool line_readable(const struct line *l)
{
	return l->head != l->ready;
}

void line_flush(struct line *l)
{
	l->head = l->ready = l->tail;
	for (unsigned i = 0; i < LINE_SIZE / 64; i++)
		l->ends[i] = 0;
}

static u64 end_bit(u32 pos)
{
	return 1ull << pos % 64;
}

static u64 *end_word(struct line *l, u32 pos)
{
	return &l->ends[pos % LINE_SIZE / 64];
}

static bool is_end(struct line *l, u32 pos)
{
	return *end_word(l, pos) & end_bit(pos);
}

static void put(struct line *l, char c, bool end)
{
	l->buf[l->tail % LINE_SIZE] = c;
	if (end)
		*end_word(l, l->tail) |= end_bit(l->tail);
	l->tail++;
	if (end || !canonical(l) || (l->head == l->ready && !line_room(l)))
		l->ready = l->tail;	/* LINE3 */
}

/*
 * Writes to @out how @c is shown, and returns the length: a control character as ^C; a tab as one
 * blank, so that erasing need not count columns.
 */
static size_t show(const struct line *l, char c, char out[2])
{
	bool control = (u8)c < ' ' || c == DEL;

	if (c == '\t' && canonical(l)) {
		out[0] = ' ';
	} else if (control && c != '\n' && c != '\r' && (l->tio.lflag & ECHOCTL)) {
		out[0] = '^';
		out[1] = c ^ 0x40;
		return 2;
	} else {
		out[0] = c;
	}
	return 1;
}

static void echo_char(struct line *l, char c)
{
	bool newline = c == '\n' && canonical(l) && (l->tio.lflag & ECHONL);
	char out[2];

	if ((l->tio.lflag & ECHO) || newline)
		l->echo(out, show(l, c, out));
}

/* Erases the last character being edited, with all its bytes in UTF-8, and from the screen. */
static void erase_char(struct line *l)
{
	bool utf8 = l->tio.iflag & IUTF8;
	char c, shown[2];

	do {
		c = l->buf[--l->tail % LINE_SIZE];
	} while (utf8 && (c & 0xc0) == 0x80 && l->tail != l->ready);	/* a continuation byte */
	if ((l->tio.lflag & (ECHO | ECHOE)) == (ECHO | ECHOE))
		for (size_t n = show(l, c, shown); n; n--)
			l->echo("\b \b", 3);
}

static char last_char(const struct line *l)
{
	return l->buf[(l->tail - 1) % LINE_SIZE];
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void erase_word(struct line *l)
{
	while (l->tail != l->ready && is_blank(last_char(l)))
		erase_char(l);
	while (l->tail != l->ready && !is_blank(last_char(l)))
		erase_char(l);
}

static void input_canonical(struct line *l, char c)
{
	if (is_key(l, VERASE, c)) {
		if (l->tail != l->ready)
			erase_char(l);
	} else if (is_key(l, VWERASE, c)) {
		erase_word(l);
	} else if (is_key(l, VKILL, c)) {
		while (l->tail != l->ready)
			erase_char(l);
	} else if (is_key(l, VEOF, c)) {
		put(l, c, true);
	} else {
		echo_char(l, c);
		put(l, c, c == '\n' || is_key(l, VEOL, c) || is_key(l, VEOL2, c));
	}
}

static int key_signal(struct line *l, char c)
{
	if (!(l->tio.lflag & ISIG))
		return 0;
	if (is_key(l, VINTR, c) || is_key(l, VQUIT, c))
		return is_key(l, VINTR, c) ? SIGINT : SIGQUIT;
	return is_key(l, VSUSP, c) ? SIGTSTP : 0;
}

int line_input(struct line *l, char c)
{
	int sig;

	if (c == '\r' && (l->tio.iflag & IGNCR))
		return 0;
	if (c == '\r' && (l->tio.iflag & ICRNL))
		c = '\n';
	else if (c == '\n' && (l->tio.iflag & INLCR))
		c = '\r';

	sig = key_signal(l, c);
	if (sig) {
		echo_char(l, c);
		if (!(l->tio.lflag & NOFLSH))
			line_flush(l);
	} else if (canonical(l)) {
		input_canonical(l, c);
	} else {
		echo_char(l, c);
		put(l, c, false);
	}
	return sig;
}

size_t line_read(struct line *l, char *buf, size_t n, bool *end)
{
	size_t got = 0;

	for (*end = false; !*end && l->head != l->ready; l->head++) {
		char c = l->buf[l->head % LINE_SIZE];
		bool eof = canonical(l) && is_end(l, l->head) && is_key(l, VEOF, c);

		if (got == n && !eof)	/* but an end of file right behind is taken out, too */
			break;
		if (!eof)
			buf[got++] = c;
		*end = canonical(l) && is_end(l, l->head);
		*end_word(l, l->head) &= ~end_bit(l->head);
	}
	return got;
}

void line_set(struct line *l, const struct termios *tio)
{
	if ((l->tio.lflag ^ tio->lflag) & ICANON)
		l->ready = l->tail;	/* the bytes being edited may be read as they are */
	l->tio = *tio;
}
