/*
 * From characters to words and operators, and the text of here-documents, which comes after the
 * line that has the <<.
 *
 * A word is kept as typed: expand.c decides later what the quotes protect. Here they matter
 * only for where the word ends.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "token.h"

struct token token;
bool parse_failed;

struct pending {			/* a here-document whose text comes after this line */
	struct redir *redir;
	bool strip_tabs;
	struct pending *next;
};

static struct pending *pending;

void tokens_begin(void)
{
	parse_failed = false;
	pending = NULL;
	next_token();
}

/* @r->word is the line that will end the text; "<<-" removes tabs before each line. */
void here_document_follows(struct redir *r)
{
	struct pending *p = arena_alloc(sizeof(*p)), **last = &pending;

	p->redir = r;
	p->strip_tabs = r->word[0] == '-';
	r->word += p->strip_tabs;
	while (*last)
		last = &(*last)->next;
	*last = p;
}

static void fail(const char *what)
{
	if (!parse_failed && !source_cancelled())
		complain("syntax error: %s", what);
	parse_failed = true;
	token.kind = TOKEN_END;
}

void unexpected(void)
{
	if (token.kind == TOKEN_END)
		fail("unexpected end");
	else if (token.kind == TOKEN_NEWLINE)
		fail("unexpected newline");
	else
		fail(token.text);
}

static void copy_until(struct text *t, char close);

/* Copies all of (...) or {...} behind a '$'. */
static void copy_bracketed(struct text *t)
{
	char open = source_next();

	text_add(t, open);
	copy_until(t, open == '(' ? ')' : '}');
}

/*
 * Copies up to and including @close, minding quotes and nesting: the rest of "...", $(...), `...`.
 */
static void copy_until(struct text *t, char close)
{
	int c;

	while ((c = source_next()) != close) {
		if (!c) {
			fail("a quote or bracket is not closed");
			return;
		}
		text_add(t, c);
		if (close == '\'')
			continue;
		if (c == '\\' && source_peek())
			text_add(t, source_next());
		else if (c == '$' && (source_peek() == '(' || source_peek() == '{'))
			copy_bracketed(t);
		else if (c == '`' || (c == '"' && close != '`') || (c == '\'' && close == ')'))
			copy_until(t, c);
		else if (c == '(' && close == ')')
			copy_until(t, ')');
	}
	text_add(t, close);
}

static bool ends_word(int c)
{
	return !c || isspace(c) || strchr("|&;<>()", c);
}

static void read_word(void)
{
	struct text t = { 0 };
	int c;

	while (!ends_word(source_peek()) && !parse_failed) {
		if (source_join_lines())
			continue;
		c = source_next();
		text_add(&t, c);
		if (c == '\\' && source_peek())
			text_add(&t, source_next());
		else if (c == '\'' || c == '"' || c == '`')
			copy_until(&t, c);
		else if (c == '$' && (source_peek() == '(' || source_peek() == '{'))
			copy_bracketed(&t);
	}
	token.text = t.s ? t.s : arena_copy("", 0);
}

static void read_operator(void)
{
	static const char *const doubles[] = { "&&", "||", ";;", ">>", "<<",
					       ">&", "<&", "<>", ">|" };
	char op[3] = { source_next(), source_peek(), 0 };

	for (size_t i = 0; i < sizeof(doubles) / sizeof(*doubles); i++) {
		if (!strcmp(op, doubles[i])) {
			source_next();
			token.text = arena_copy(op, 2);
			return;
		}
	}
	token.text = arena_copy(op, 1);
}

static void read_here_documents(void)
{
	for (struct pending *p = pending; p; p = p->next) {
		struct redir *r = p->redir;
		char *end = unquote_word(r->word);
		struct text body = { 0 }, line;

		r->literal = strpbrk(r->word, "'\"\\") != NULL;
		while (source_peek()) {
			line = (struct text){ 0 };
			while (p->strip_tabs && source_peek() == '\t')
				source_next();
			while (source_peek() && source_peek() != '\n')
				text_add(&line, source_next());
			source_next();
			if (!strcmp(line.s ? line.s : "", end))
				break;
			text_add_string(&body, line.s ? line.s : "");
			text_add(&body, '\n');
		}
		r->word = body.s ? body.s : arena_copy("", 0);
	}
	pending = NULL;
}

static void skip_blanks_and_comment(void)
{
	int c;

	while ((c = source_peek()) == ' ' || c == '\t' || source_join_lines())
		if (c != '\\')
			source_next();
	if (c == '#')
		while ((c = source_peek()) && c != '\n')
			source_next();
}

/* Digits right before a redirection are not a word, but the descriptor: "2>file". */
static void check_io_number(void)
{
	int c = source_peek();
	char *end;
	long n;

	if ((c != '<' && c != '>') || !isdigit((unsigned char)token.text[0]))
		return;
	n = strtol(token.text, &end, 10);
	if (*end || n > 9)
		return;
	token.kind = TOKEN_OPERATOR;
	read_operator();
	token.io_number = n;
}

void next_token(void)
{
	int c;

	if (parse_failed)
		return;
	skip_blanks_and_comment();
	token.io_number = -1;
	c = source_peek();
	if (!c) {
		token.kind = TOKEN_END;
	} else if (c == '\n') {
		token.kind = TOKEN_NEWLINE;
		source_next();
		read_here_documents();
	} else if (ends_word(c)) {
		token.kind = TOKEN_OPERATOR;
		read_operator();
	} else {
		token.kind = TOKEN_WORD;
		read_word();
		check_io_number();
	}
}

bool at_operator(const char *op)
{
	return token.kind == TOKEN_OPERATOR && !strcmp(token.text, op);
}

bool at_word(const char *word)
{
	return token.kind == TOKEN_WORD && !strcmp(token.text, word);
}

void expect_word(const char *word)
{
	if (at_word(word))
		next_token();
	else
		unexpected();
}

void skip_newlines(void)
{
	while (token.kind == TOKEN_NEWLINE)
		next_token();
}
