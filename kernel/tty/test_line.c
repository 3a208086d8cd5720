/*
 * Tests of the line discipline.
 */
#include "line.h"

#include "base/string.h"
#include "process/signal.h"
#include "test/ktest.h"

static struct line line;
static char shown[256];
static size_t nr_shown;

static void echo(const char *s, size_t n)
{
	for (size_t i = 0; i < n && nr_shown < sizeof(shown) - 1; i++)
		shown[nr_shown++] = s[i];
	shown[nr_shown] = '\0';
}

static void start(bool transparent)
{
	line_init(&line, transparent, echo);
	nr_shown = 0;
	shown[0] = '\0';
}

static int type(const char *keys)
{
	int sig = 0;

	for (; *keys; keys++)
		sig |= line_input(&line, *keys);
	return sig;
}

/* One read of up to @n bytes gives exactly @text, and says whether that ended a line. */
static bool reads(size_t n, const char *text, bool end)
{
	char buf[LINE_SIZE];
	bool ended;
	size_t got = line_read(&line, buf, n, &ended);

	return got == strlen(text) && memcmp(buf, text, got) == 0 && ended == end;
}

KTEST(line_editing, "line.editing", "", "line.editing")
{
	start(false);
	type("ab");
	CHECK(!line_readable(&line), "line.editing", "readable before the line has ended");
	type("x\x7f" "c\r");
	CHECK(reads(99, "abc\n", true), "line.editing", "erase");
	CHECK(strcmp(shown, "abx\b \bc\n") == 0, "line.editing", "shown: %s", shown);
	type("one two  \x17three\n");
	CHECK(reads(99, "one three\n", true), "line.editing", "word erase");
	type("gone\x15\x7f\x7fkept\n");
	CHECK(reads(99, "kept\n", true), "line.editing", "line kill, and erase of nothing");
	type("\xc3\xa4\x7f.\n");
	CHECK(reads(99, ".\n", true), "line.editing", "erase takes a whole UTF-8 character");
	type("1\n2\n");
	CHECK(reads(99, "1\n", true) && reads(99, "2\n", true), "line.editing",
	      "a read crosses lines");
	type("long\n");
	CHECK(reads(2, "lo", false) && reads(99, "ng\n", true), "line.editing",
	      "a line in two reads");
}

KTEST(line_eof, "line.eof", "", "line.eof")
{
	start(false);
	type("\x04");
	/* LINE2 */
	CHECK(line_readable(&line) && reads(99, "", true), "line.eof",
	      "end of file on an empty line");
	CHECK(!line_readable(&line), "line.eof", "one end of file is read twice");
	type("abc\x04");
	CHECK(reads(99, "abc", true), "line.eof", "^D hands over what is typed");
	CHECK(!line_readable(&line), "line.eof", "that ^D is read as an end of file, too");
	type("abc\x04");
	CHECK(reads(3, "abc", true) && !line_readable(&line), "line.eof",
	      "^D right behind a full read");
}

KTEST(line_signals, "line.signals", "", "line.signals")
{
	struct termios tio;

	start(false);
	CHECK(type("half\x03") == SIGINT, "line.signals", "^C is no SIGINT");
	CHECK(type("x\n") == 0 && reads(99, "x\n", true), "line.signals",
	      "^C leaves what was typed");
	CHECK(type("\x1a") == SIGTSTP, "line.signals", "^Z is no SIGTSTP");
	CHECK(type("\x1c") == SIGQUIT, "line.signals", "^\\ is no SIGQUIT");

	tio = line.tio;
	tio.lflag &= ~(ISIG | ICANON | ECHO);
	line_set(&line, &tio);
	nr_shown = 0;
	CHECK(type("\x03\r\x04") == 0, "line.signals", "a signal in raw mode");
	CHECK(reads(99, "\x03\n\x04", false) && nr_shown == 0, "line.signals",
	      "raw mode changes bytes");
}

KTEST(line_raw, "line.raw", "", "line.raw")
{
	struct termios tio;

	start(true);
	type("a\r\x08\xff\n");
	CHECK(reads(99, "a\r\x08\xff\n", true) && nr_shown == 0, "line.raw", "not transparent");

	start(false);
	type("typed");
	tio = line.tio;
	tio.lflag &= ~ICANON;
	line_set(&line, &tio);
	CHECK(reads(99, "typed", false), "line.raw", "what was being edited is lost to raw mode");
}

KTEST(line_full, "line.full", "", "line.full")
{
	char buf[LINE_SIZE];
	unsigned n = 0;
	bool end;

	start(false);
	line.tail = line.ready = line.head = U32_MAX - 100;	/* across the wrap of positions */
	while (line_room(&line) && n <= LINE_SIZE)
		line_input(&line, 'a' + n++ % 26);
	CHECK(n == LINE_SIZE, "line.full", "%u bytes fit", n);	/* LINE1 */
	/* LINE3 */
	CHECK(line_read(&line, buf, 10, &end) == 10 && !end && memcmp(buf, "abcdefghij", 10) == 0,
	      "line.full", "a full line cannot be read");
	type("\n");
	CHECK(line_read(&line, buf, sizeof(buf), &end) == LINE_SIZE - 10 + 1 && end, "line.full",
	      "its rest is damaged");
}
