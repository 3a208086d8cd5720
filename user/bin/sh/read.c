/*
 * read: reads a line of standard input and splits it at the bytes of $IFS. It reads one byte at a
 * time, because what follows the line belongs to the next command.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

struct line {
	struct text text;
	struct text quoted; /* for each byte: did a backslash protect it? */
	size_t at;
};

const char *field_separators(void)
{
	const char *ifs = var_get("IFS");

	return ifs ? ifs : " \t\n";
}

static bool is_separator(const struct line *l, size_t i)
{
	return l->quoted.s[i] == '0' && strchr(field_separators(), l->text.s[i]);
}

static bool is_blank(const struct line *l, size_t i)
{
	return is_separator(l, i) && strchr(" \t\n", l->text.s[i]);
}

/* Reads a line. Returns false if the input ends before the line does. */
static bool read_line(struct line *l, bool raw)
{
	bool quote = false;
	ssize_t n;
	char c;

	for (;;) {
		n = read(0, &c, 1);
		if (n < 0 && errno == EINTR && !job_interrupted() && !trap_is_pending())
			continue;
		if (n <= 0)
			return false;
		if (c == '\n' && !quote)
			return true;
		if (c == '\\' && !raw && !quote) {
			quote = true;
			continue;
		}
		if (c != '\n') {
			text_add(&l->text, c);
			text_add(&l->quoted, quote ? '1' : '0');
		}
		quote = false;
	}
}

static void skip_blanks(struct line *l)
{
	while (l->at < l->text.len && is_blank(l, l->at))
		l->at++;
}

/* Takes the next field, and skips its separator: blanks, and one other byte. */
static char *next_field(struct line *l)
{
	size_t begin = l->at, end;

	while (l->at < l->text.len && !is_separator(l, l->at))
		l->at++;
	end = l->at;
	skip_blanks(l);
	if (l->at < l->text.len && is_separator(l, l->at)) {
		l->at++;
		skip_blanks(l);
	}
	return arena_copy(l->text.s + begin, end - begin);
}

/* Takes all that is left for the last variable; a single field loses its separators. */
static char *last_field(struct line *l)
{
	size_t begin = l->at, end = l->text.len;
	char *one = next_field(l);

	if (l->at >= l->text.len)
		return one;
	while (end > begin && is_blank(l, end - 1))
		end--;
	return arena_copy(l->text.s + begin, end - begin);
}

/* read [-r] [-p prompt] name... */
int builtin_read(int argc, char **argv)
{
	struct line line = { 0 };
	bool raw = false, whole;
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		raw |= !strcmp(argv[i], "-r");
		if (!strcmp(argv[i], "-p") && i + 1 < argc)
			fputs(argv[++i], stderr);
	}
	whole = read_line(&line, raw);
	if (!line.text.s)
		line.text.s = arena_copy("", 0);
	skip_blanks(&line);
	for (; i < argc; i++)
		var_set(argv[i], i + 1 < argc ? next_field(&line) : last_field(&line));
	return !whole;
}
