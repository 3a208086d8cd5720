/*
 * $((...)): integer arithmetic, by precedence climbing. A name stands for a variable; an unset one
 * is 0.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

struct operator {
	char op[3];
	int rank;			/* higher binds tighter */
};

/* Longer operators come before their beginnings. */
static const struct operator operators[] = {
	{ "||", 1 }, { "&&", 2 }, { "==", 6 }, { "!=", 6 }, { "<=", 7 }, { ">=", 7 },
	{ "<<", 8 }, { ">>", 8 }, { "|", 3 }, { "^", 4 }, { "&", 5 }, { "<", 7 }, { ">", 7 },
	{ "+", 9 }, { "-", 9 }, { "*", 10 }, { "/", 10 }, { "%", 10 },
};

static const char *at;

static long expression(int rank);
static long choice(void);

static void skip_spaces(void)
{
	while (isspace((unsigned char)*at))
		at++;
}

static long operand(void)
{
	size_t len;
	char *end;
	long n;

	skip_spaces();
	len = name_length(at);
	switch (*at) {
	case '-':	at++; return -operand();
	case '+':	at++; return operand();
	case '!':	at++; return !operand();
	case '~':	at++; return ~operand();
	case '(':
		at++;
		n = choice();
		skip_spaces();
		at += *at == ')';
		return n;
	}
	if (len) {
		const char *value = var_get(arena_copy(at, len));

		at += len;
		return value ? strtol(value, NULL, 0) : 0;
	}
	n = strtol(at, &end, 0);
	if (end == at) {
		complain("bad arithmetic at '%s'", at);
		at += strlen(at);
	} else {
		at = end;
	}
	return n;
}

static long apply(const char *op, long a, long b)
{
	if ((*op == '/' || *op == '%') && b == 0) {
		complain("division by zero");
		return 0;
	}
	switch (op[0] << 8 | op[1]) {
	case '|' << 8 | '|':	return a || b;
	case '&' << 8 | '&':	return a && b;
	case '=' << 8 | '=':	return a == b;
	case '!' << 8 | '=':	return a != b;
	case '<' << 8 | '=':	return a <= b;
	case '>' << 8 | '=':	return a >= b;
	case '<' << 8 | '<':	return a << b;
	case '>' << 8 | '>':	return a >> b;
	case '|' << 8:		return a | b;
	case '^' << 8:		return a ^ b;
	case '&' << 8:		return a & b;
	case '<' << 8:		return a < b;
	case '>' << 8:		return a > b;
	case '+' << 8:		return a + b;
	case '-' << 8:		return a - b;
	case '*' << 8:		return a * b;
	case '/' << 8:		return a / b;
	default:		return a % b;
	}
}

/* Evaluates operators of @rank and those that bind tighter. */
static long expression(int rank)
{
	long left = operand();
	size_t i = 0;

	for (;;) {
		skip_spaces();
		for (i = 0; i < sizeof(operators) / sizeof(*operators); i++)
			if (!strncmp(at, operators[i].op, strlen(operators[i].op)))
				break;
		if (i == sizeof(operators) / sizeof(*operators) || operators[i].rank < rank)
			return left;
		at += strlen(operators[i].op);
		left = apply(operators[i].op, left, expression(operators[i].rank + 1));
	}
}

/* Evaluates condition ? this : that */
static long choice(void)
{
	long condition = expression(1), yes, no;

	skip_spaces();
	if (*at != '?')
		return condition;
	at++;
	yes = choice();
	skip_spaces();
	at += *at == ':';
	no = choice();
	return condition ? yes : no;
}

long arith(const char *text)
{
	long n;

	at = text;
	n = choice();
	skip_spaces();
	if (*at)
		complain("bad arithmetic at '%s'", at);
	return n;
}
