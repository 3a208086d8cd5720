/*
 * expr ARGUMENT...: evaluates an expression, in which each operand and operator is an argument of
 * its own, and prints the result. Operators, from the weakest: | & then = != < <= > >= then + -
 * then * / % then TEXT : PATTERN, which gives the text that \(...\) matched at the start of TEXT,
 * or else how many bytes matched. Also match TEXT PATTERN, substr TEXT FIRST COUNT, index TEXT
 * BYTES, length TEXT, + WORD, and ( ) around an expression. Status 0: the result is neither empty
 * nor 0; 1: it is; 2: the expression is wrong.
 */
#include <err.h>
#include <regex.h>

#include "options.h"

static char **at;

static const char *expression(int rank);

static bool is(const char *word)
{
	return *at && !strcmp(*at, word);
}

static bool take(const char *word)
{
	if (!is(word))
		return false;
	at++;
	return true;
}

static const char *text_of(long n)
{
	char *s;

	if (asprintf(&s, "%ld", n) < 0)
		err(3, "memory exhausted");
	return s;
}

static bool is_number(const char *s, long *n)
{
	char *end;

	if (*s && strspn(s, "-0123456789") == strlen(s)) {
		*n = strtol(s, &end, 10);
		return !*end && end > s;
	}
	return false;
}

static long number(const char *s)
{
	long n;

	if (!is_number(s, &n))
		errx(2, "non-integer argument");
	return n;
}

static bool is_null(const char *s)
{
	long n;

	return !*s || (is_number(s, &n) && n == 0);
}

static const char *match(const char *text, const char *pattern)
{
	char message[80];
	regmatch_t m[2];
	regex_t re;
	int error = regcomp(&re, pattern, 0);
	bool found;

	if (error) {
		regerror(error, &re, message, sizeof(message));
		errx(2, "%s", message);
	}
	found = !regexec(&re, text, 2, m, 0) && m[0].rm_so == 0;
	if (!re.re_nsub)
		return text_of(found ? m[0].rm_eo : 0);
	if (!found || m[1].rm_so < 0)
		return "";
	return strndup(text + m[1].rm_so, m[1].rm_eo - m[1].rm_so);
}

static const char *substring(const char *text, const char *first, const char *count)
{
	long from, n, len = strlen(text);

	if (!is_number(first, &from) || !is_number(count, &n) || from < 1 || from > len || n < 1)
		return "";
	return strndup(text + from - 1, n > len ? len : n);
}

static const char *word(void)
{
	if (!*at)
		errx(2, "syntax error: missing argument after '%s'", at[-1]);
	return *at++;
}

static const char *operand(void)
{
	const char *text, *second, *third;

	if (take("+"))
		return word();
	if (take("length"))
		return text_of(strlen(operand()));
	if (take("match")) {
		text = operand();
		return match(text, operand());
	}
	if (take("index")) {
		text = operand();
		second = operand();
		return text_of(text[strcspn(text, second)] ? strcspn(text, second) + 1 : 0);
	}
	if (take("substr")) {
		text = operand();
		second = operand();
		third = operand();
		return substring(text, second, third);
	}
	if (is(")"))
		errx(2, "syntax error: unexpected ')'");
	if (!take("("))
		return word();
	text = expression(0);
	if (!*at)
		errx(2, "syntax error: expecting ')' after '%s'", at[-1]);
	if (!take(")"))
		errx(2, "syntax error: expecting ')' instead of '%s'", *at);
	return text;
}

static const char *compare(const char *op, const char *a, const char *b)
{
	long x, y, order = strcmp(a, b);
	bool yes;

	if (is_number(a, &x) && is_number(b, &y))
		order = x < y ? -1 : x > y;
	if (*op == '=')
		yes = order == 0;
	else if (*op == '!')
		yes = order != 0;
	else
		yes = (op[1] == '=' && order == 0) || (*op == '<' ? order < 0 : order > 0);
	return yes ? "1" : "0";
}

static const char *calculate(char op, long x, long y)
{
	long r = 0;
	bool too_big = false;

	if ((op == '/' || op == '%') && y == 0)
		errx(2, "division by zero");
	if (op == '+')
		too_big = __builtin_add_overflow(x, y, &r);
	else if (op == '-')
		too_big = __builtin_sub_overflow(x, y, &r);
	else if (op == '*')
		too_big = __builtin_mul_overflow(x, y, &r);
	else if (y != -1)
		r = op == '/' ? x / y : x % y;
	else if (op == '/')
		too_big = __builtin_sub_overflow(0, x, &r);
	if (too_big)
		errx(2, "integer overflow");
	return text_of(r);
}

static const struct {
	char op[3];
	int rank;
} operators[] = {
	{ "|", 0 },
	{ "&", 1 },
	{ "=", 2 },
	{ "==", 2 },
	{ "!=", 2 },
	{ "<", 2 },
	{ "<=", 2 },
	{ ">", 2 },
	{ ">=", 2 },
	{ "+", 3 },
	{ "-", 3 },
	{ "*", 4 },
	{ "/", 4 },
	{ "%", 4 },
	{ ":", 5 },
};

/* Returns the next operator if it is of @rank, else NULL. */
static const char *operator(int rank)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (operators[i].rank == rank && is(operators[i].op))
			return *at++;
	return NULL;
}

/*
 * Evaluates operators of @rank from left to right; those that bind tighter are a level further
 * down.
 */
static const char *expression(int rank)
{
	const char *left = rank > 5 ? operand() : expression(rank + 1), *op, *right;

	while (rank <= 5 && (op = operator(rank))) {
		right = expression(rank + 1);
		if (rank == 0)
			left = !is_null(left) ? left : is_null(right) ? "0"
								      : right;
		else if (rank == 1)
			left = is_null(left) || is_null(right) ? "0" : left;
		else if (rank == 2)
			left = compare(op, left, right);
		else if (rank == 5)
			left = match(left, right);
		else
			left = calculate(*op, number(left), number(right));
	}
	return left;
}

int main(int argc, char **argv)
{
	const char *result;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		show_help(argv);
	at = argv + 1 + (argc > 1 && !strcmp(argv[1], "--"));
	if (!*at) {
		fputs("expr: missing operand\n", stderr);
		bad_usage(argv, 2);
	}
	result = expression(0);
	if (*at)
		errx(2, "syntax error: unexpected argument '%s'", *at);
	puts(result);
	return fflush(stdout) ? 3 : is_null(result);
}
