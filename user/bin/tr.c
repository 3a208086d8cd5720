/*
 * tr [-cds] set1 [set2]: replaces characters of the first set by those at the same place of the
 * second, whose last one repeats. -d: delete them; -s: print repeated characters of the last set
 * once; -c: the first set is everything but these. A set may have a-z, \n, \t, \\, \101, [:upper:]
 * and the like.
 */
#include <ctype.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

struct set {
	unsigned char c[1024];
	int n;
};

static void add(struct set *set, int c)
{
	if (set->n < (int)sizeof(set->c))
		set->c[set->n++] = c;
}

static int one(const char **s)
{
	static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	const char *name;
	int octal = 0, digits = 0;

	if (**s != '\\' || !(*s)[1])
		return (unsigned char)*(*s)++;
	for ((*s)++; digits < 3 && **s >= '0' && **s <= '7'; digits++)
		octal = octal * 8 + *(*s)++ - '0';
	if (digits)
		return octal & 0xff;
	name = strchr(names, *(*s)++);
	return name ? values[name - names] : (unsigned char)(*s)[-1];
}

/* Adds the class at "[:" and returns what follows it. NULL: it is no class. */
static const char *parse_class(const char *s, struct set *set)
{
	static const struct {
		const char *name;
		int (*has)(int c);
	} classes[] = {
		{ "[:alnum:]", isalnum },
		{ "[:alpha:]", isalpha },
		{ "[:digit:]", isdigit },
		{ "[:lower:]", islower },
		{ "[:print:]", isprint },
		{ "[:punct:]", ispunct },
		{ "[:space:]", isspace },
		{ "[:upper:]", isupper },
		{ "[:xdigit:]", isxdigit },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		size_t len = strlen(classes[i].name);

		if (strncmp(s, classes[i].name, len))
			continue;
		for (int c = 0; c < 256; c++)
			if (classes[i].has(c))
				add(set, c);
		return s + len;
	}
	return NULL;
}

static void parse(const char *s, struct set *set)
{
	const char *behind;
	int first, last;

	while (*s) {
		behind = parse_class(s, set);
		if (behind) {
			s = behind;
			continue;
		}
		first = last = one(&s);
		if (s[0] == '-' && s[1]) {
			s++;
			last = one(&s);
		}
		for (; first <= last; first++)
			add(set, first);
	}
}

static bool has(const struct set *set, int c)
{
	return memchr(set->c, c, set->n);
}

static void complement(struct set *set)
{
	struct set all = { .n = 0 };

	for (int c = 0; c < 256; c++)
		if (!has(set, c))
			add(&all, c);
	*set = all;
}

static const struct options options = {
	.letters = "+cCdst",
	.names = "c:complement d:delete s:squeeze-repeats",
	.bad = 1,
};

int main(int argc, char **argv)
{
	bool delete = false, squeeze = false, other = false;
	struct set from = { .n = 0 }, to = { .n = 0 };
	int map[256], c, last = EOF;
	char **args;

	while ((c = next_option(argc, argv, &options)) != -1) {
		delete |= c == 'd';
		squeeze |= c == 's';
		other |= c == 'c' || c == 'C';
	}
	args = argv;
	argv += optind;
	argc -= optind;
	if (argc < 1) {
		warnx("missing operand");
		bad_usage(args, 1);
	}
	if (argc == 1 && !delete &&!squeeze) {
		warnx("missing operand after '%s'", argv[0]);
		fputs("Two strings must be given when translating.\n", stderr);
		bad_usage(args, 1);
	}
	if (argc > 2) {
		warnx("extra operand '%s'", argv[2]);
		bad_usage(args, 1);
	}
	parse(argv[0], &from);
	if (other)
		complement(&from);
	if (argc == 2)
		parse(argv[1], &to);
	if (argc == 2 && !to.n && !delete)
		errx(1, "when not truncating set1, string2 must be non-empty");
	for (int i = 0; i < 256; i++)
		map[i] = i;
	for (int i = from.n - 1; i >= 0 && (delete || to.n); i--)
		map[from.c[i]] = delete ? -1 : to.c[i < to.n ? i : to.n - 1];
	while ((c = getchar()) != EOF) {
		c = map[c];
		if (c < 0 || (squeeze && c == last && has(argc == 2 ? &to : &from, c)))
			continue;
		putchar(c);
		last = c;
	}
	return 0;
}
