/*
 * The matcher of user/libc against this machine's C library: random patterns and texts from a seed,
 * and some chosen by hand. Both must accept or refuse the same patterns, and find the same matches
 * and groups.
 *
 * Groups inside a repetition or an alternative are not compared, since the host's groups are not
 * always those that POSIX demands. Their expected answers follow from the standard's rule that each
 * part, from the left, is as long as possible.
 */
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "regex_ours.h"

#define ROUNDS 8000
#define GROUPS 6

static unsigned long seed = 1;
static unsigned failures;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (seed >> 33) % n;
}

struct made {
	char s[2000];
	bool extended, ambiguous;
	int groups;
};

static void add(struct made *m, const char *s)
{
	strcat(m->s, s);
}

static void operator(struct made *m, const char *s)
{
	if (!m->extended)
		add(m, "\\");
	add(m, s);
}

static void make_alternatives(struct made *m, int depth);

static void make_atom(struct made *m, int depth)
{
	static const char *const atoms[] = { "a", "b", "c", "ab", ".", "[ab]", "[^a]", "[b-c_]",
					     "[[:alpha:]]", "A", "_", " ", "\\w", "\\W", "\\s" };

	if (depth > 0 && below(4) == 0) {
		m->groups++;
		operator(m, "(");
		make_alternatives(m, depth - 1);
		operator(m, ")");
	} else {
		add(m, atoms[below(sizeof(atoms) / sizeof(*atoms))]);
	}
}

static void make_repeated(struct made *m, int depth)
{
	static const char *const counts[] = { "2", "1,2", "0,1", "1,", "0,2", ",2" };
	int groups = m->groups;

	make_atom(m, depth);
	if (below(2))
		return;
	if (m->groups > groups)
		m->ambiguous = true;
	switch (below(4)) {
	case 0:
	case 1:
		add(m, "*");
		break;
	case 2:
		operator(m, below(2) ? "+" : "?");
		break;
	default:
		operator(m, "{");
		add(m, counts[below(6)]);
		operator(m, "}");
	}
}

static void make_alternatives(struct made *m, int depth)
{
	do
		for (int n = below(4); n >= 0; n--)
			make_repeated(m, depth);
	while (below(4) == 0 && (m->ambiguous = true) && (operator(m, "|"), true));
}

/* Anchors are at the ends only: inside repetitions the host's library handles them wrongly. */
static void make_pattern(struct made *m)
{
	static const char *const before[] = { "^", "\\b", "\\<", "\\B" };
	static const char *const behind[] = { "$", "\\b", "\\>" };

	if (below(8) == 0)
		add(m, before[below(4)]);
	make_alternatives(m, 2);
	if (below(8) == 0)
		add(m, behind[below(3)]);
}

static void make_text(char *s)
{
	static const char letters[] = "aaabbbccAB_ ";
	unsigned n = below(12);

	for (unsigned i = 0; i < n; i++)
		*s++ = letters[below(sizeof(letters) - 1)];
	*s = 0;
}

static void complain(const char *what, const char *pattern, int cflags, const char *text, long x,
		     long y)
{
	printf("%s: '%s' flags %d, text '%s': ours %ld, the host's %ld\n", what, pattern, cflags,
	       text, x, y);
	failures++;
}

static void compare(const char *pattern, int cflags, const char *text, int eflags, size_t n)
{
	regmatch_t match[GROUPS];
	long where[2 * GROUPS];
	regex_t re;
	int theirs = regcomp(&re, pattern, cflags);
	int mine = ours(pattern, cflags, text, eflags, n, where);

	if (theirs) {
		if (mine != OURS_BAD + theirs)
			complain("error", pattern, cflags, text, mine, theirs);
		return;
	}
	theirs = regexec(&re, text, n, match, eflags);
	regfree(&re);
	if (mine != theirs) {
		complain("result", pattern, cflags, text, mine, theirs);
		return;
	}
	for (size_t i = 0; !mine && i < n; i++) {
		if (where[2 * i] != match[i].rm_so)
			complain("start", pattern, cflags, text, where[2 * i], match[i].rm_so);
		else if (where[2 * i + 1] != match[i].rm_eo)
			complain("end", pattern, cflags, text, where[2 * i + 1], match[i].rm_eo);
	}
}

static void test_random(void)
{
	static const int eflags[] = { 0, 0, 0, REG_NOTBOL, REG_NOTEOL };

	for (int i = 0; i < ROUNDS; i++) {
		struct made m = { .extended = below(2) };
		int cflags = (m.extended ? REG_EXTENDED : 0) | (below(4) ? 0 : REG_ICASE);
		char text[16];

		make_pattern(&m);
		for (int k = 0; k < 4; k++) {
			make_text(text);
			compare(m.s, cflags, text, eflags[below(5)], m.ambiguous ? 1 : GROUPS);
		}
	}
}

static void test_chosen(void)
{
	static const struct {
		const char *pattern, *text;
	} basic[] = {
		{ "*a", "*a" },
		{ "\\(*a\\)", "x*a" },
		{ "^*", "**" },
		{ "a\\{2,3\\}", "caaaa" },
		{ "\\(.\\)\\1", "abccd" },
		{ "^\\(.*\\)x\\1$", "aaxaa" },
		{ "a^b$c", "a^b$c" },
		{ "x\\|^y", "ay" },
		{ "\\(ab*\\)*\\1", "abbabb" },
		{ "[]a]*", "]a]" },
		{ "[^]a]", "]ab" },
		{ "[a-]*", "x" },
		{ "[[.-.]]", "-" },
		{ "[[=a=]b]*", "abc" },
		{ "a\\{1", "a" },
		{ "a\\{x\\}", "a" },
		{ "\\(a", "a" },
		{ "a\\)", "a" },
		{ "[a", "a" },
		{ "[b-a]", "a" },
		{ "[[:foo:]]", "a" },
		{ "a\\", "a" },
		{ "\\1", "a" },
		{ "\\(\\)", "a" },
		{ "a\\{2,1\\}", "a" },
		{ "\\{1\\}", "a" },
		{ "", "abc" },
		{ "\\+a", "+a" },
		{ "\\(a\\|b\\)*c", "abac" },
	},
	  extended[] = {
		  { "x*", "aaa" },
		  { "(a*)(ab)*(b*)", "abb" },
		  { "a|*b", "b" },
		  { "*a", "a" },
		  { "(|a)b", "ab" },
		  { "()b", "b" },
		  { "a||b", "b" },
		  { "a)", "a)" },
		  { "(a", "a" },
		  { "a{2}{2}", "aaaaa" },
		  { "^*", "a" },
		  { "a+?", "aa" },
		  { "(a)(b)?(c)", "ac" },
		  { "\\(a\\)", "(a)" },
		  { "(.)(.)\\2\\1", "xabbay" },
		  { "(a?)(ab)?", "ab" },
		  { "[[:digit:]]+\\.?[0-9]*", "pi 3.14" },
		  { "a{,2}", "aaa" },
		  { "\\bfoo\\b", "a foo b" },
	  };

	for (size_t i = 0; i < sizeof(basic) / sizeof(*basic); i++)
		compare(basic[i].pattern, 0, basic[i].text, 0, GROUPS);
	for (size_t i = 0; i < sizeof(extended) / sizeof(*extended); i++)
		compare(extended[i].pattern, REG_EXTENDED, extended[i].text, 0, GROUPS);
	compare("^b.d$", REG_EXTENDED | REG_NEWLINE, "a\nb\nd\nbcd\ne", 0, 1);
	compare("b[^x]d", REG_NEWLINE, "b\nd", 0, 1);
}

static void test_longest_parts(void)
{
	static const struct {
		const char *pattern, *text;
		long begin, end; /* of the first group */
	} known[] = {
		{ "(a|ab)(c|bcd)(d*)", "abcd", 0, 2 },
		{ "(a|ab)(bc|c)?", "abc", 0, 2 },
		{ "(foo|foobar)(bar)?", "foobar", 0, 6 },
		{ "(a|ab|ba)*", "aba", 2, 3 },
		{ "x(a|b)*y", "xabay", 3, 4 },
	};
	long where[4];

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (ours(known[i].pattern, REG_EXTENDED, known[i].text, 0, 2, where) ||
		    where[2] != known[i].begin || where[3] != known[i].end)
			complain("parts", known[i].pattern, REG_EXTENDED, known[i].text, where[3],
				 known[i].end);
	}
}

/* Patterns for which a backtracking matcher would need 2^30 steps and more. */
static void test_time(void)
{
	static const char *const patterns[] = { "(a*)*b", "(a|aa)+b", "(a|a|a)*(a|a)*b",
						"(.*)(.*)(.*)(.*)(.*)x" };
	char text[3001];
	long where[2];
	clock_t start = clock();

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		if (ours(patterns[i], REG_EXTENDED, text, 0, 1, where) != REG_NOMATCH)
			complain("time", patterns[i], REG_EXTENDED, "a...", 0, REG_NOMATCH);
	if (clock() - start > 10 * CLOCKS_PER_SEC)
		complain("time", "all", REG_EXTENDED, "a...", clock() - start, 0);
}

int main(void)
{
	test_chosen();
	test_longest_parts();
	test_random();
	test_time();
	printf("%s regex\n", failures ? "FAIL" : "ok");
	return failures != 0;
}
