/*
 * From tokens to a tree, by recursive descent. The grammar, from the top:
 *
 *	list		and_or { (";" | "&" | newline) and_or }
 *	and_or		pipeline { ("&&" | "||") pipeline }
 *	pipeline	[ "!" ] command { "|" command }
 *	command		simple, or compound with redirections
 *	compound	( list ), { list; }, if, while, until, for, case, name() command
 *
 * Words like "if" mean something only where a command may begin.
 */
#include <string.h>

#include "token.h"

static struct node *list(void);

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
		{ "<", REDIR_IN }, { ">", REDIR_OUT }, { ">|", REDIR_OUT },
		{ ">>", REDIR_APPEND }, { "<>", REDIR_BOTH }, { ">&", REDIR_DUP },
		{ "<&", REDIR_DUP }, { "<<", REDIR_HERE },
	};
	struct redir *r = arena_alloc(sizeof(*r)), **end = &n->redirs;
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
	if (r->kind == REDIR_HERE)
		here_document_follows(r);
	next_token();
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

/* Parses what follows "if" or "elif", up to and including "fi". */
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
		for (; token.kind == TOKEN_WORD; next_token())
			fields_add(&n->words, token.text);
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
	while (!at_word("esac") && !parse_failed) {
		*end = case_branch();
		end = &(*end)->other;
	}
	next_token();
	return n;
}

/* Parses up to and including @close, which is "}" as a word or ")" as an operator. */
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
	while (at_redirection())
		redirection(n);
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

/* Checks whether a list ends here. A closing word counts only where a command may begin. */
static bool at_list_end(void)
{
	static const char *const closers[] = { "then", "elif", "else", "fi",
					       "do", "done", "esac", "}" };

	for (size_t i = 0; i < sizeof(closers) / sizeof(*closers); i++)
		if (at_word(closers[i]))
			return true;
	return token.kind == TOKEN_END || at_operator(")") || at_operator(";;");
}

/* Parses a list. @one_line: it ends with its line, as a typed command does. */
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
		unexpected();		/* as in "if ; then" */
	return n;
}

struct node *parse_command(bool *error, bool *end)
{
	struct node *n;

	tokens_begin();
	n = list_of(true);
	if (token.kind != TOKEN_NEWLINE && token.kind != TOKEN_END)
		unexpected();
	*error = parse_failed;
	*end = token.kind == TOKEN_END && !parse_failed;
	return parse_failed ? NULL : n;
}

static void describe_to(struct text *t, const struct node *n)
{
	static const char *const between[] = {
		[NODE_PIPE] = " | ", [NODE_AND] = " && ", [NODE_OR] = " || ", [NODE_THEN] = "; ",
	};

	if (n->kind < NODE_NOT && between[n->kind]) {
		describe_to(t, n->left);
		text_add_string(t, between[n->kind]);
		describe_to(t, n->right);
	} else if (n->kind == NODE_WHILE || n->kind == NODE_UNTIL) {
		text_add_string(t, n->kind == NODE_WHILE ? "while " : "until ");
		describe_to(t, n->left);
		text_add_string(t, "; do (...); done");
	} else if (n->kind != NODE_SIMPLE) {
		text_add_string(t, "(...)");
	}
	for (size_t i = 0; n->kind == NODE_SIMPLE && i < n->words.n; i++) {
		text_add_string(t, i ? " " : "");
		text_add_string(t, n->words.v[i]);
	}
}

const char *describe(const struct node *n)
{
	struct text t = { 0 };

	describe_to(&t, n);
	return t.s ? t.s : "";
}
