/*
 * Turns the text of the script into commands. A command is: addresses, "!", a letter, and what
 * belongs to the letter. Labels and braces are resolved when everything has been read.
 */
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sed.h"

struct command *commands;
size_t nr_commands;
bool extended;

static const char *script, *at, *script_file;
static int script_number;
static size_t open_braces[50], depth;

static _Noreturn void bad(const char *what)
{
	if (script_file)
		errx(1, "file %s line %d: %s", script_file, script_number, what);
	errx(1, "-e expression #%d, char %d: %s", script_number, (int)(at - script), what);
}

static void *need(void *p)
{
	if (!p)
		errx(4, "couldn't allocate memory");
	return p;
}

static void skip_blanks(void)
{
	while (*at == ' ' || *at == '\t')
		at++;
}

static regex_t *compile_regex(const char *text, bool ignore_case)
{
	char message[80];
	regex_t *re;
	int error;

	if (!*text)
		return NULL;
	re = need(malloc(sizeof(*re)));
	error = regcomp(re, text, (extended ? REG_EXTENDED : 0) | (ignore_case ? REG_ICASE : 0));
	if (error) {
		regerror(error, re, message, sizeof(message));
		bad(message);
	}
	return re;
}

/* Copies a set [...], in which the delimiter is an ordinary byte. */
static char *copy_set(char *to)
{
	*to++ = *at++;
	if (*at == '^')
		*to++ = *at++;
	if (*at == ']')
		*to++ = *at++;
	while (*at && *at != ']' && *at != '\n') {
		if (at[0] == '[' && at[1] && strchr(":.=", at[1])) {
			char kind = at[1];

			*to++ = *at++;
			*to++ = *at++;
			while (*at && !(at[0] == kind && at[1] == ']'))
				*to++ = *at++;
			if (*at)
				*to++ = *at++;
		} else if (at[0] == '\\' && at[1] == 'n') {
			*to++ = '\n';
			at += 2;
			continue;
		}
		if (*at)
			*to++ = *at++;
	}
	return to;
}

/*
 * Takes the text before the next @end. A delimiter behind a backslash stands for itself. In a
 * pattern, \n and \t are replaced by the bytes they mean; regcomp() sees to other backslashes.
 */
static char *read_until(char end, bool is_pattern, const char *unterminated)
{
	char *text = need(malloc(strlen(at) + 1)), *to = text;

	while (*at && *at != end) {
		if (*at == '\n' && is_pattern)
			break;
		if (is_pattern && *at == '[') {
			to = copy_set(to);
		} else if (*at != '\\') {
			*to++ = *at++;
		} else if (at[1] == end && end != '&') {
			*to++ = at[1];
			at += 2;
		} else if (is_pattern && (at[1] == 'n' || at[1] == 't')) {
			*to++ = at[1] == 'n' ? '\n' : '\t';
			at += 2;
		} else {
			*to++ = *at++;
			if (*at)
				*to++ = *at++;
		}
	}
	if (*at != end)
		bad(unterminated);
	at++;
	*to = 0;
	return text;
}

static bool read_number(long *n)
{
	char *end;

	if (!isdigit((unsigned char)*at))
		return false;
	*n = strtol(at, &end, 10);
	at = end;
	return true;
}

static bool read_address(struct address *a)
{
	bool ignore_case;
	char *text;

	if (read_number(&a->n)) {
		a->kind = AT_LINE;
		if (*at == '~') {
			at++;
			a->kind = EVERY;
			read_number(&a->step);
		}
		return true;
	}
	if (*at == '$') {
		at++;
		a->kind = AT_LAST;
		return true;
	}
	if (*at != '/' && *at != '\\')
		return false;
	at += *at == '\\';
	if (!*at)
		bad("unterminated address regex");
	at++;
	text = read_until(at[-1], true, "unterminated address regex");
	ignore_case = *at == 'I';
	at += ignore_case;
	a->kind = AT_MATCH;
	a->re = compile_regex(text, ignore_case);
	return true;
}

static void read_addresses(struct command *c)
{
	if (!read_address(&c->first))
		return;
	skip_blanks();
	if (*at != ',') {
		if (c->first.kind == AT_LINE && !c->first.n)
			bad("invalid usage of line address 0");
		return;
	}
	at++;
	skip_blanks();
	if (*at == '+') {
		at++;
		c->last.kind = PLUS_LINES;
		if (!read_number(&c->last.n))
			bad("expected number");
	} else if (!read_address(&c->last)) {
		bad("unexpected `,'");
	}
	if (c->first.kind == AT_LINE && !c->first.n) {
		if (c->last.kind != AT_MATCH)
			bad("invalid usage of line address 0");
		c->first.kind = FROM_ZERO;
	}
	skip_blanks();
}

static void read_end(void)
{
	skip_blanks();
	if (*at == '}' || *at == '#' || !*at)
		return;
	if (*at != ';' && *at != '\n') {
		at++;
		bad("extra characters after command");
	}
	at++;
}

static void read_flags(struct command *c)
{
	bool ignore_case = false;
	char *text = c->text;
	long n;

	c->text = read_until(at[-1], false, "unterminated `s' command");
	for (;; at++) {
		if (*at == 'g') {
			c->global = true;
		} else if (*at == 'p') {
			c->print = true;
		} else if (*at == 'i' || *at == 'I') {
			ignore_case = true;
		} else if (read_number(&n)) {
			at--;
			if (!n) {
				at++;
				bad("number option to `s' command may not be zero");
			}
			c->which = n;
		} else if (*at && !strchr(" \t;\n}#", *at)) {
			at++;
			bad("unknown option to `s'");
		} else {
			break;
		}
	}
	c->re = compile_regex(text, ignore_case);
	read_end();
}

static void read_substitution(struct command *c)
{
	if (!*at || *at == '\n' || *at == '\\')
		bad("unterminated `s' command");
	at++;
	c->text = read_until(at[-1], true, "unterminated `s' command");
	read_flags(c);
}

/* Returns the next byte of y's lists, in which \n and \\ have a meaning. */
static int list_byte(const char **s)
{
	if (**s == '\\' && (*s)[1] == 'n')
		return *s += 2, '\n';
	if (**s == '\\' && (*s)[1] == '\\')
		++*s;
	return (unsigned char)*(*s)++;
}

static void read_translation(struct command *c)
{
	const char *from, *to;
	char end = *at++;

	from = read_until(end, false, "unterminated `y' command");
	to = read_until(end, false, "unterminated `y' command");
	c->text = need(malloc(256));
	for (int i = 0; i < 256; i++)
		c->text[i] = i;
	while (*from && *to) {
		int byte = list_byte(&from);

		c->text[byte] = list_byte(&to);
	}
	if (*from || *to)
		bad("strings for `y' command are different lengths");
	read_end();
}

/*
 * Reads the text of a, i and c: "a\" and lines, or "a text"; every line but the last ends in a
 * backslash.
 */
static char *read_text(void)
{
	char *text = need(malloc(strlen(at) + 2)), *to = text;

	skip_blanks();
	if (*at == '\\') {
		at++;
		skip_blanks();
		if (*at == '\n')
			at++;
	}
	if (!*at)
		bad("expected \\ after `a', `c' or `i'");
	while (*at && *at != '\n') {
		if (*at == '\\' && at[1])
			at++;
		*to++ = *at++;
	}
	at += *at == '\n';
	*to++ = '\n';
	*to = 0;
	return text;
}

static char *read_name(bool file)
{
	const char *begin;

	skip_blanks();
	begin = at;
	at += strcspn(at, file ? "\n" : "\n;}");
	while (!file && at > begin && isspace((unsigned char)at[-1]))
		at--;
	return need(strndup(begin, at - begin));
}

static void close_brace(void)
{
	if (!depth)
		bad("unexpected `}'");
	commands[open_braces[--depth]].jump = nr_commands;
	read_end();
}

static void open_brace(struct command *c)
{
	if (depth == sizeof(open_braces) / sizeof(*open_braces))
		bad("too many {");
	open_braces[depth++] = c - commands;
}

static void read_rest(struct command *c)
{
	long status = 0;

	switch (c->name) {
	case '{':
		open_brace(c);
		break;
	case 's':
		read_substitution(c);
		break;
	case 'y':
		read_translation(c);
		break;
	case 'a':
	case 'i':
	case 'c':
		c->text = read_text();
		break;
	case ':':
	case 'b':
	case 't':
	case 'T':
		c->text = read_name(false);
		read_end();
		break;
	case 'r':
	case 'w':
		c->text = read_name(true);
		if (!*c->text)
			bad("missing filename in r/R/w/W commands");
		break;
	case 'q':
	case 'Q':
		skip_blanks();
		read_number(&status);
		c->which = status;
		read_end();
		break;
	default:
		read_end();
	}
}

static void read_command(void)
{
	struct command *c;
	char message[40];

	commands = need(realloc(commands, (nr_commands + 1) * sizeof(*commands)));
	c = &commands[nr_commands++];
	memset(c, 0, sizeof(*c));
	read_addresses(c);
	skip_blanks();
	for (; *at == '!'; at++)
		c->negated = true;
	skip_blanks();
	c->name = *at;
	if (!*at || *at == '\n' || *at == ';')
		bad("missing command");
	at++;
	if (c->name == '}') {
		if (c->first.kind)
			bad("} doesn't want any addresses");
		nr_commands--;
		close_brace();
		return;
	}
	if (!strchr("{:=abcdDgGhHilnNpPqQrstTwxy", c->name)) {
		snprintf(message, sizeof(message), "unknown command: `%c'", c->name);
		bad(message);
	}
	if (c->name == ':' && c->first.kind)
		bad(": doesn't want any addresses");
	read_rest(c);
}

/* Compiles the text of one -e, or of one file of -f. */
void compile_script(const char *text, int number, const char *file)
{
	script = at = text;
	script_number = number;
	script_file = file;
	for (;;) {
		at += strspn(at, " \t\n;");
		if (!*at)
			return;
		if (*at == '#')
			at += strcspn(at, "\n");
		else
			read_command();
	}
}

static size_t find_label(const char *name)
{
	for (size_t i = 0; i < nr_commands; i++)
		if (commands[i].name == ':' && !strcmp(commands[i].text, name))
			return i;
	errx(4, "can't find label for jump to `%s'", name);
}

void compile_end(void)
{
	if (depth) {
		at = script;
		bad("unmatched `{'");
	}
	for (struct command *c = commands; c < commands + nr_commands; c++)
		if (strchr("btT", c->name))
			c->jump = *c->text ? find_label(c->text) : nr_commands;
}
