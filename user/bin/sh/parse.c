/*
 * From characters to a tree, by recursive descent. The grammar, from the top:
 *
 *	list		and_or { (";" | "&" | newline) and_or }
 *	and_or		pipeline { ("&&" | "||") pipeline }
 *	pipeline	[ "!" ] command { "|" command }
 *	command		simple, or compound with redirections
 *	compound	( list ), { list; }, if, while, until, for, case, name() command
 *
 * Tokens are words and operators. A word is kept as typed: quotes decide later, in expand.c, what
 * they protect. Words like "if" mean something only where a command may begin.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

enum token_kind { TOKEN_WORD, TOKEN_OPERATOR, TOKEN_NEWLINE, TOKEN_END };

static struct {
	enum token_kind kind;
	char *text;			/* of a word or an operator */
	int io_number;			/* before < or >, or -1 */
} token;				/* the one being looked at */

static bool failed;			/* an error was found: everything unwinds without reading on */

struct pending {			/* here-documents whose lines come after this one */
	struct redir *redir;
	bool strip_tabs;
	struct pending *next;
};

static struct pending *pending;

static struct node *list(void);

/* --- Tokens --- */

static void fail(const char *what)
{
	if (!failed)
		complain("syntax error: %s", what);
	failed = true;
	token.kind = TOKEN_END;
}

static void unexpected(void)
{
	if (token.kind == TOKEN_END)
		fail("unexpected end");
	else if (token.kind == TOKEN_NEWLINE)
		fail("unexpected newline");
	else
		fail(token.text);
}

/* Copies up to and with @close, minding quotes and nesting: the rest of "...", $(...), `...`. */
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
			text_add(t, source_peek()), copy_until(t, source_next() == '(' ? ')' : '}');
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

	while (!ends_word(source_peek()) && !failed) {
		if (source_join_lines())
			continue;
		c = source_next();
		text_add(&t, c);
		if (c == '\\' && source_peek())
			text_add(&t, source_next());
		else if (c == '\'' || c == '"' || c == '`')
			copy_until(&t, c);
		else if (c == '$' && (source_peek() == '(' || source_peek() == '{'))
			text_add(&t, source_peek()), copy_until(&t, source_next() == '(' ? ')' : '}');
	}
	token.text = t.s ? t.s : arena_copy("", 0);
}

static void read_operator(void)
{
	static const char *const doubles[] = { "&&", "||", ";;", ">>", "<<", ">&", "<&", "<>", ">|" };
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

/* A word of digits right before a redirection is not a word: "2>file". */
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

static void next_token(void)
{
	int c;

	if (failed)
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

static bool at_operator(const char *op)
{
	return token.kind == TOKEN_OPERATOR && !strcmp(token.text, op);
}

static bool at_word(const char *word)
{
	return token.kind == TOKEN_WORD && !strcmp(token.text, word);
}

static void expect_word(const char *word)
{
	if (at_word(word))
		next_token();
	else
		unexpected();
}

static void skip_newlines(void)
{
	while (token.kind == TOKEN_NEWLINE)
		next_token();
}

/* --- Commands --- */

static struct node *new_node(enum node_kind kind, struct node *left, struct node *right)
{
	struct node *n = arena_alloc(sizeof(*n));

	n->kind = kind;
	n->left = left;
	n->right = right;
	return n;
}

static bool at_redirection(void)
{
	return token.kind == TOKEN_OPERATOR && (token.text[0] == '<' || token.text[0] == '>');
}

static void redirection(struct node *n)
{
	static const struct { const char *op; enum redir_kind kind; } kinds[] = {
		{ "<", REDIR_IN }, { ">", REDIR_OUT }, { ">|", REDIR_OUT }, { ">>", REDIR_APPEND },
		{ "<>", REDIR_BOTH }, { ">&", REDIR_DUP }, { "<&", REDIR_DUP }, { "<<", REDIR_HERE },
	};
	struct redir *r = arena_alloc(sizeof(*r)), **end = &n->redirs;
	struct pending *p, **last = &pending;
	size_t i = 0;

	while (strcmp(kinds[i].op, token.text))
		i++;
	r->kind = kinds[i].kind;
	r->fd = token.io_number >= 0 ? token.io_number : token.text[0] == '>';
	next_token();
	if (token.kind != TOKEN_WORD) {
		unexpected();
		return;
	}
	r->word = token.text;
	while (*end)
		end = &(*end)->next;
	*end = r;
	if (r->kind == REDIR_HERE) {
		p = arena_alloc(sizeof(*p));
		p->redir = r;
		p->strip_tabs = r->word[0] == '-';
		r->word += p->strip_tabs;
		while (*last)
			last = &(*last)->next;
		*last = p;
	}
	next_token();
}

static void redirections(struct node *n)
{
	while (at_redirection())
		redirection(n);
}

static struct node *command(void);

static struct node *function(struct node *name)
{
	next_token();			/* the "(" */
	if (!at_operator(")"))
		unexpected();
	next_token();
	skip_newlines();
	name->kind = NODE_FUNCTION;
	name->left = command();
	return name;
}

static struct node *simple(void)
{
	struct node *n = new_node(NODE_SIMPLE, NULL, NULL);

	for (;;) {
		if (token.kind == TOKEN_WORD) {
			fields_add(&n->words, token.text);
			next_token();
		} else if (at_redirection()) {
			redirection(n);
		} else if (at_operator("(") && n->words.n == 1 && !n->redirs) {
			return function(n);
		} else {
			break;
		}
	}
	if (!n->words.n && !n->redirs)
		unexpected();
	return n;
}

/* After "if" or "elif", up to and with "fi". */
static struct node *rest_of_if(void)
{
	struct node *n = new_node(NODE_IF, NULL, NULL);

	next_token();
	n->left = list();
	expect_word("then");
	n->right = list();
	if (at_word("elif")) {
		n->other = rest_of_if();
		return n;
	}
	if (at_word("else")) {
		next_token();
		n->other = list();
	}
	expect_word("fi");
	return n;
}

static struct node *do_group(void)
{
	struct node *body;

	skip_newlines();
	expect_word("do");
	body = list();
	expect_word("done");
	return body;
}

static struct node *loop(enum node_kind kind)
{
	struct node *n = new_node(kind, NULL, NULL);

	next_token();
	n->left = list();
	n->right = do_group();
	return n;
}

static void words_until_operator(struct fields *words)
{
	for (; token.kind == TOKEN_WORD; next_token())
		fields_add(words, token.text);
}

static struct node *for_loop(void)
{
	struct node *n = new_node(NODE_FOR, NULL, NULL);

	next_token();
	if (token.kind != TOKEN_WORD || !name_length(token.text))
		unexpected();
	fields_add(&n->words, token.text);
	next_token();
	skip_newlines();
	if (at_word("in")) {
		next_token();
		words_until_operator(&n->words);
	} else {
		fields_add(&n->words, "\"$@\"");
	}
	if (at_operator(";"))
		next_token();
	n->right = do_group();
	return n;
}

static struct node *case_branch(void)
{
	struct node *n = new_node(NODE_PATTERN, NULL, NULL);

	if (at_operator("("))
		next_token();
	for (;;) {
		if (token.kind != TOKEN_WORD)
			unexpected();
		fields_add(&n->words, token.text);
		next_token();
		if (!at_operator("|"))
			break;
		next_token();
	}
	if (!at_operator(")"))
		unexpected();
	next_token();
	skip_newlines();
	if (!at_operator(";;") && !at_word("esac"))
		n->left = list();
	if (at_operator(";;"))
		next_token();
	skip_newlines();
	return n;
}

static struct node *case_command(void)
{
	struct node *n = new_node(NODE_CASE, NULL, NULL), **end = &n->right;

	next_token();
	if (token.kind != TOKEN_WORD)
		unexpected();
	fields_add(&n->words, token.text);
	next_token();
	skip_newlines();
	expect_word("in");
	skip_newlines();
	while (!at_word("esac") && !failed) {
		*end = case_branch();
		end = &(*end)->other;
	}
	next_token();
	return n;
}

/* Up to and with @close, which is "}" as a word or ")" as an operator. */
static struct node *bracketed(enum node_kind kind, const char *close)
{
	struct node *n = new_node(kind, NULL, NULL);

	next_token();
	n->left = list();
	if (!at_word(close) && !at_operator(close))
		unexpected();
	next_token();
	return n;
}

static struct node *command(void)
{
	struct node *n;

	if (at_operator("("))
		n = bracketed(NODE_SUBSHELL, ")");
	else if (at_word("{"))
		n = bracketed(NODE_GROUP, "}");
	else if (at_word("if"))
		n = rest_of_if();
	else if (at_word("while"))
		n = loop(NODE_WHILE);
	else if (at_word("until"))
		n = loop(NODE_UNTIL);
	else if (at_word("for"))
		n = for_loop();
	else if (at_word("case"))
		n = case_command();
	else
		return simple();
	redirections(n);
	return n;
}

static struct node *pipeline(void)
{
	bool negate = at_word("!");
	struct node *n;

	if (negate)
		next_token();
	n = command();
	while (at_operator("|")) {
		next_token();
		skip_newlines();
		n = new_node(NODE_PIPE, n, command());
	}
	return negate ? new_node(NODE_NOT, n, NULL) : n;
}

static struct node *and_or(void)
{
	struct node *n = pipeline();

	while (at_operator("&&") || at_operator("||")) {
		enum node_kind kind = at_operator("&&") ? NODE_AND : NODE_OR;

		next_token();
		skip_newlines();
		n = new_node(kind, n, pipeline());
	}
	return n;
}

/* Does a list end here? Words that close something do so only where a command may begin. */
static bool at_list_end(void)
{
	static const char *const closers[] = { "then", "elif", "else", "fi", "do", "done", "esac", "}" };

	for (size_t i = 0; i < sizeof(closers) / sizeof(*closers); i++)
		if (at_word(closers[i]))
			return true;
	return token.kind == TOKEN_END || at_operator(")") || at_operator(";;");
}

/* @one_line: the list ends with its line, as a command typed at the top does. */
static struct node *list_of(bool one_line)
{
	struct node *n = NULL, *next;

	for (;;) {
		if (!one_line)
			skip_newlines();
		if (at_list_end() || token.kind == TOKEN_NEWLINE)
			break;
		next = and_or();
		if (at_operator("&")) {
			next = new_node(NODE_BACKGROUND, next, NULL);
			next_token();
		} else if (at_operator(";")) {
			next_token();
		} else if (token.kind != TOKEN_NEWLINE && !at_list_end()) {
			unexpected();
		}
		n = n ? new_node(NODE_THEN, n, next) : next;
	}
	return n;
}

static struct node *list(void)
{
	struct node *n = list_of(false);

	if (!n)
		unexpected();		/* "if ; then" and such */
	return n;
}

struct node *parse_command(bool *error, bool *end)
{
	struct node *n;

	failed = false;
	pending = NULL;
	next_token();
	n = list_of(true);
	if (token.kind != TOKEN_NEWLINE && token.kind != TOKEN_END)
		unexpected();
	*error = failed;
	*end = token.kind == TOKEN_END && !failed;
	return failed ? NULL : n;
}
