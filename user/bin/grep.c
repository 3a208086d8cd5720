/*
 * grep [-cinqv] pattern [file...]: the lines that match. Status 0 if there are any, 1 if none.
 *
 * Patterns have . [set] [^set] ^ $ and * after any one character; a backslash takes a meaning away.
 * The matcher is the recursive one of Rob Pike (The Practice of Programming, 1999): a star tries
 * the shortest run first, as it does not matter which is found.
 */
#include <ctype.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inputs.h"

static bool ignore_case, invert, numbers, only_count, quiet, many;
static const char *pattern;
static long selected;

static int fold(char c)
{
	return ignore_case ? tolower((unsigned char)c) : (unsigned char)c;
}

/* How long the pattern of one character is at @p. */
static size_t atom_length(const char *p)
{
	const char *end;

	if (*p == '\\' && p[1])
		return 2;
	if (*p == '[' && p[1]) {
		end = strchr(p + 2 + (p[1] == '^'), ']');
		if (end)
			return end - p + 1;
	}
	return 1;
}

static bool in_set(const char *p, const char *end, char c)
{
	bool exclude = *p == '^', found = false;

	for (p += exclude; p < end; p++) {
		if (p[1] == '-' && p + 2 < end) {
			found |= fold(c) >= fold(p[0]) && fold(c) <= fold(p[2]);
			p += 2;
		} else {
			found |= fold(c) == fold(*p);
		}
	}
	return found != exclude;
}

static bool match_atom(const char *p, size_t len, char c)
{
	if (!c)
		return false;
	if (len == 2)
		return fold(p[1]) == fold(c);
	if (len > 2)
		return in_set(p + 1, p + len - 1, c);
	return *p == '.' || fold(*p) == fold(c);
}

static bool match_here(const char *p, const char *s)
{
	size_t len;

	if (!*p)
		return true;
	if (p[0] == '$' && !p[1])
		return !*s;
	len = atom_length(p);
	if (p[len] == '*') {
		do
			if (match_here(p + len + 1, s))
				return true;
		while (match_atom(p, len, *s++));
		return false;
	}
	return match_atom(p, len, *s) && match_here(p + len, s + 1);
}

static bool match(const char *p, const char *s)
{
	if (*p == '^')
		return match_here(p + 1, s);
	do
		if (match_here(p, s))
			return true;
	while (*s++);
	return false;
}

static void search(FILE *f, const char *name)
{
	char *line = NULL;
	long found = 0, number = 0;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		number++;
		if (match(pattern, line) == invert)
			continue;
		found++;
		if (only_count || quiet)
			continue;
		if (many)
			printf("%s:", name);
		if (numbers)
			printf("%ld:", number);
		puts(line);
	}
	if (only_count && !quiet)
		printf("%s%s%ld\n", many ? name : "", many ? ":" : "", found);
	selected += found;
}

int main(int argc, char **argv)
{
	bool all;
	int c;

	while ((c = getopt(argc, argv, "cinqv")) != -1) {
		if (c == '?')
			return 2;
		only_count |= c == 'c';
		ignore_case |= c == 'i';
		numbers |= c == 'n';
		quiet |= c == 'q';
		invert |= c == 'v';
	}
	if (optind == argc)
		errx(2, "usage: grep [-cinqv] pattern [file...]");
	pattern = argv[optind++];
	many = argc - optind > 1;
	all = for_inputs(argv + optind, search);
	return !all ? 2 : selected ? 0 : 1;
}
