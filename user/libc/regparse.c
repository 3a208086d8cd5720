/*
 * Regular expressions, first part: from the pattern's text to a tree, by recursive descent.
 *
 *	alternatives	sequence { "|" sequence }
 *	sequence	{ repeated }
 *	repeated	atom { "*" | "+" | "?" | "{" m [ "," [ n ] ] "}" }
 *	atom		byte | "." | "[" set "]" | "(" alternatives ")" | "^" | "$" | "\" something
 *
 * In a basic expression the operators ( ) { } take a backslash before them, and so do | + and ?, as
 * in GNU's. There, "*" stands for itself where there is nothing to repeat, and so do "^" and "$"
 * where they are not at the ends of a sequence. Both kinds know \1 to \9, \w \W \s \S \b \B \< \>
 * \` \'.
 *
 * A count makes copies: x{2,4} is xx(x(x)?)?, so that the automaton need not count.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "automaton.h"

#define DUP_MAX 32767

struct parser {
	struct __regex *re;
	const char *at;
	bool extended;
	int depth; /* of open groups */
	int error; /* the first that was found */
};

static int alternatives(struct parser *p);

static int fail(struct parser *p, int error)
{
	if (!p->error)
		p->error = error;
	return -1;
}

static int node(struct parser *p, enum re_kind kind, int arg, int left, int right)
{
	struct __regex *re = p->re;
	struct re_node *n;

	if (p->error)
		return -1;
	if (re->nr_nodes == re->room_nodes) {
		int room = re->room_nodes ? 2 * re->room_nodes : 16;

		n = room > RE_MAX_NODES ? NULL : realloc(re->nodes, room * sizeof(*n));
		if (!n)
			return fail(p, REG_ESPACE);
		re->nodes = n;
		re->room_nodes = room;
	}
	n = &re->nodes[re->nr_nodes];
	*n = (struct re_node){ .kind = kind, .arg = arg, .left = left, .right = right };
	n->has_groups = kind == RE_GROUP || (left >= 0 && re->nodes[left].has_groups) ||
			(right >= 0 && re->nodes[right].has_groups);
	return re->nr_nodes++;
}

static int copy(struct parser *p, int from)
{
	struct re_node n;

	if (from < 0 || p->error)
		return -1;
	n = p->re->nodes[from];
	return node(p, n.kind, n.arg, copy(p, n.left), copy(p, n.right));
}

/* --- Sets of bytes --- */

static int set_node(struct parser *p, const struct re_set *set)
{
	struct re_set *sets;

	sets = realloc(p->re->sets, (p->re->nr_sets + 1) * sizeof(*sets));
	if (!sets)
		return fail(p, REG_ESPACE);
	p->re->sets = sets;
	sets[p->re->nr_sets] = *set;
	return node(p, RE_SET, p->re->nr_sets++, -1, -1);
}

static void invert(struct re_set *set)
{
	for (int i = 0; i < 4; i++)
		set->bits[i] = ~set->bits[i];
}

static int add_class(struct re_set *set, const char *name, size_t len)
{
	static const struct {
		const char *name;
		int (*is)(int c);
	} classes[] = {
		{ "alnum", isalnum },
		{ "alpha", isalpha },
		{ "blank", isblank },
		{ "cntrl", iscntrl },
		{ "digit", isdigit },
		{ "graph", isgraph },
		{ "lower", islower },
		{ "print", isprint },
		{ "punct", ispunct },
		{ "space", isspace },
		{ "upper", isupper },
		{ "xdigit", isxdigit },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (strlen(classes[i].name) != len || strncmp(classes[i].name, name, len))
			continue;
		for (int c = 0; c < 256; c++)
			if (classes[i].is(c))
				set_add(set, c);
		return 0;
	}
	return REG_ECTYPE;
}

/*
 * Parses [:class:], [=c=] or [.c.], p->at being behind the first bracket. *c becomes the byte, or
 * -1 for a class.
 */
static int bracket_name(struct parser *p, struct re_set *set, int *c)
{
	char kind = *p->at++;
	const char end[] = { kind, ']', 0 }, *name = p->at;

	/* The name may begin with the byte that ends it: [.].] and [=]=]. */
	p->at = *name ? strstr(name + 1, end) : NULL;
	if (!p->at) {
		p->at = name;
		return REG_EBRACK;
	}
	p->at += 2;
	*c = kind == ':' ? -1 : (unsigned char)*name;
	if (kind == ':')
		return add_class(set, name, p->at - 2 - name);
	return p->at - 2 - name == 1 ? 0 : REG_ECOLLATE;
}

/* Parses one member of a set: *c becomes the byte, or -1 for a class. */
static int bracket_item(struct parser *p, struct re_set *set, int *c)
{
	if (!*p->at)
		return REG_EBRACK;
	*c = (unsigned char)*p->at++;
	if (*c == '[' && *p->at && strchr(":=.", *p->at))
		return bracket_name(p, set, c);
	return 0;
}

static int bracket_items(struct parser *p, struct re_set *set)
{
	int low, high, error;

	for (bool first = true; first || *p->at != ']'; first = false) {
		error = bracket_item(p, set, &low);
		if (error)
			return error;
		high = low;
		if (p->at[0] == '-' && p->at[1] && p->at[1] != ']') {
			p->at++;
			error = bracket_item(p, set, &high);
			if (error)
				return error;
			if (low < 0 || high < 0 || low > high)
				return REG_ERANGE;
		}
		for (int c = low; c >= 0 && c <= high; c++)
			set_add(set, c);
	}
	p->at++;
	return 0;
}

static void add_other_case(struct re_set *set)
{
	for (int c = 'a'; c <= 'z'; c++) {
		if (set_has(set, c))
			set_add(set, toupper(c));
		else if (set_has(set, toupper(c)))
			set_add(set, c);
	}
}

static int bracket(struct parser *p)
{
	bool inverted = *p->at == '^';
	struct re_set set = { 0 };
	int error;

	p->at += inverted;
	error = bracket_items(p, &set);
	if (error)
		return fail(p, error);
	if (p->re->flags & REG_ICASE)
		add_other_case(&set);
	if (inverted)
		invert(&set);
	if (inverted && p->re->flags & REG_NEWLINE)
		set.bits['\n' / 64] &= ~(1ul << '\n');
	return set_node(p, &set);
}

static int byte_node(struct parser *p, unsigned char c)
{
	struct re_set both = { 0 };

	if (!(p->re->flags & REG_ICASE) || !isalpha(c))
		return node(p, RE_CHAR, c, -1, -1);
	set_add(&both, c);
	add_other_case(&both);
	return set_node(p, &both);
}

static int any_byte(struct parser *p)
{
	struct re_set set = { 0 };

	if (p->re->flags & REG_NEWLINE)
		set_add(&set, '\n');
	set_add(&set, 0); /* a C text has no zero byte, and GNU grep treats it likewise */
	invert(&set);
	return set_node(p, &set);
}

static int class_node(struct parser *p, char letter)
{
	struct re_set set = { 0 };

	for (int c = 0; c < 256; c++)
		if (tolower(letter) == 'w' ? isalnum(c) || c == '_' : isspace(c))
			set_add(&set, c);
	if (isupper((unsigned char)letter))
		invert(&set);
	return set_node(p, &set);
}

/* --- The grammar --- */

/* Checks whether the operator @c is at @s, as this kind of expression writes it. */
static bool operator_at(const struct parser *p, const char *s, char c)
{
	return p->extended ? *s == c : s[0] == '\\' && s[1] == c;
}

static bool take(struct parser *p, char c)
{
	if (!operator_at(p, p->at, c))
		return false;
	p->at += p->extended ? 1 : 2;
	return true;
}

static int group(struct parser *p)
{
	int number = ++p->re->groups, inner;

	p->depth++;
	inner = alternatives(p);
	p->depth--;
	if (p->error)
		return -1;
	if (!take(p, ')'))
		return fail(p, REG_EPAREN);
	return node(p, RE_GROUP, number, inner, -1);
}

static int back_reference(struct parser *p, int number)
{
	if (number > p->re->groups)
		return fail(p, REG_ESUBREG);
	if (number > p->re->highest_back)
		p->re->highest_back = number;
	return node(p, RE_BACK, number, -1, -1);
}

static int escaped(struct parser *p)
{
	static const char asserts[] = "`'<>bB";
	static const enum re_assert meaning[] = { AT_TEXT_START, AT_TEXT_END, AT_WORD_START,
						  AT_WORD_END, AT_WORD_EDGE, INSIDE };
	char c = *p->at++;

	if (!c)
		return fail(p, REG_EESCAPE);
	if (!p->extended && strchr("{)", c))
		return fail(p, c == '{' ? REG_BADRPT : REG_EPAREN);
	if (c >= '1' && c <= '9')
		return back_reference(p, c - '0');
	if (strchr(asserts, c))
		return node(p, RE_ASSERT, meaning[strchr(asserts, c) - asserts], -1, -1);
	if (strchr("wWsS", c))
		return class_node(p, c);
	return byte_node(p, c);
}

/* Checks whether a sequence ends at @s. */
static bool ends_sequence(const struct parser *p, const char *s)
{
	return !*s || operator_at(p, s, '|') || (p->depth && operator_at(p, s, ')'));
}

static int atom(struct parser *p, bool first)
{
	char c;

	if (take(p, '('))
		return group(p);
	c = *p->at++;
	if (c == '\\')
		return escaped(p);
	if (c == '[')
		return bracket(p);
	if (c == '.')
		return any_byte(p);
	if (c == '^' && (p->extended || first))
		return node(p, RE_ASSERT, AT_LINE_START, -1, -1);
	if (c == '$' && (p->extended || ends_sequence(p, p->at)))
		return node(p, RE_ASSERT, AT_LINE_END, -1, -1);
	if (p->extended && strchr("*+?{", c))
		return fail(p, REG_BADRPT);
	return byte_node(p, c);
}

/* Parses the inside of {m,n}; *most becomes -1 if there is no bound. */
static int read_counts(struct parser *p, int *least, int *most)
{
	char *end;

	*least = *p->at == ',' ? 0 : -1;
	if (isdigit((unsigned char)*p->at)) {
		*least = strtol(p->at, &end, 10);
		p->at = end;
	}
	*most = *least;
	if (*p->at == ',') {
		*most = -1;
		if (isdigit((unsigned char)*++p->at)) {
			*most = strtol(p->at, &end, 10);
			p->at = end;
		}
	}
	if (!*p->at)
		return REG_EBRACE;
	if (*least < 0 || !take(p, '}') || (*most >= 0 && *least > *most))
		return REG_BADBR;
	return *least > DUP_MAX || *most > DUP_MAX ? REG_ESPACE : 0;
}

static int counted(struct parser *p, int one)
{
	int least, most, error = read_counts(p, &least, &most), all = -1;

	if (error)
		return fail(p, error);
	if (most < 0)
		all = least ? node(p, RE_PLUS, 0, one, -1) : node(p, RE_STAR, 0, one, -1);
	for (int i = most; i > least && !p->error; i--) {
		int again = i == most ? one : copy(p, one);

		all = node(p, RE_OPTION, 0, all < 0 ? again : node(p, RE_CAT, 0, again, all), -1);
	}
	for (int i = most < 0 ? 1 : 0; i < least && !p->error; i++) {
		int again = all < 0 ? one : copy(p, one);

		all = all < 0 ? again : node(p, RE_CAT, 0, again, all);
	}
	return all < 0 ? node(p, RE_EMPTY, 0, -1, -1) : all;
}

static int repeated(struct parser *p, bool first)
{
	int n = atom(p, first);

	/*
	 * Nothing can be repeated after "^" and its like: a "*" there is an ordinary byte or an
	 * error.
	 */
	while (!p->error && p->re->nodes[n].kind != RE_ASSERT) {
		if (*p->at == '*') {
			p->at++;
			n = node(p, RE_STAR, 0, n, -1);
		} else if (take(p, '+')) {
			n = node(p, RE_PLUS, 0, n, -1);
		} else if (take(p, '?')) {
			n = node(p, RE_OPTION, 0, n, -1);
		} else if (take(p, '{')) {
			n = counted(p, n);
		} else {
			break;
		}
	}
	return n;
}

/* Builds the tree to the right, because the first part is the first to take as much as it can. */
static int sequence(struct parser *p, bool first)
{
	int n;

	if (ends_sequence(p, p->at))
		return node(p, RE_EMPTY, 0, -1, -1);
	n = repeated(p, first);
	if (p->error || ends_sequence(p, p->at))
		return n;
	return node(p, RE_CAT, 0, n, sequence(p, false));
}

static int alternatives(struct parser *p)
{
	int n = sequence(p, true);

	while (!p->error && take(p, '|'))
		n = node(p, RE_ALT, 0, n, sequence(p, true));
	return n;
}

int __regex_parse(struct __regex *re, const char *pattern)
{
	struct parser p = { .re = re, .at = pattern, .extended = re->flags & REG_EXTENDED };

	re->root = alternatives(&p);
	return p.error;
}
