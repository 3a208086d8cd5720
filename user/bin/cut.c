/*
 * cut -c|-b list, cut -f list [-d char] [-s] [file...]: prints the characters or fields of each
 * line that the list names (2,4-6,8-). Fields are separated by tabs, or by the character of -d; a
 * line without a separator is printed whole or, with -s, not at all.
 */
#include <ctype.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inputs.h"
#include "options.h"

#define RANGES 64

static struct {
	long first, last;
} ranges[RANGES];

static int n_ranges;
static bool by_fields, only_divided;
static char divider = '\t';

static bool wanted(long i)
{
	for (int r = 0; r < n_ranges; r++)
		if (i >= ranges[r].first && i <= ranges[r].last)
			return true;
	return false;
}

static void parse_list(const char *s)
{
	for (;; s++) {
		long first = 1, last;
		char *end = (char *)s;

		if (isdigit((unsigned char)*s))
			first = strtol(s, &end, 10);
		last = first;
		if (*end == '-') {
			s = end + 1;
			last = isdigit((unsigned char)*s) ? strtol(s, &end, 10) : 1L << 62;
			end = last == 1L << 62 ? (char *)s : end;
		}
		if (first < 1 || last < first || end == s - 1 || (*end && *end != ',') ||
		    n_ranges == RANGES)
			errx(1, "invalid list: '%s'", s);
		ranges[n_ranges].first = first;
		ranges[n_ranges++].last = last;
		s = end;
		if (!*s)
			return;
	}
}

static void cut_fields(char *line)
{
	bool any = false;
	char *end;

	if (!strchr(line, divider)) {
		if (!only_divided)
			puts(line);
		return;
	}
	for (long i = 1; line; i++, line = *end ? end + 1 : NULL) {
		end = strchrnul(line, divider);
		if (!wanted(i))
			continue;
		if (any)
			putchar(divider);
		printf("%.*s", (int)(end - line), line);
		any = true;
	}
	putchar('\n');
}

static void cut(FILE *f, const char *name)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	(void)name;
	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[--n] = 0;
		if (by_fields) {
			cut_fields(line);
			continue;
		}
		for (ssize_t i = 0; i < n; i++)
			if (wanted(i + 1))
				putchar(line[i]);
		putchar('\n');
	}
	free(line);
}

static const struct options options = {
	.letters = "b:c:d:f:ns",
	.names = "b:bytes c:characters d:delimiter f:fields s:only-delimited",
	.bad = 1,
};

int main(int argc, char **argv)
{
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		switch (c) {
		case 'b':
		case 'c':
		case 'f':
			parse_list(optarg);
			by_fields = c == 'f';
			break;
		case 'd':
			divider = *optarg;
			break;
		case 's':
			only_divided = true;
			break;
		}
	}
	if (!n_ranges) {
		warnx("you must specify a list of bytes, characters, or fields");
		bad_usage(argv, 1);
	}
	return for_inputs(argv + optind, cut) ? 0 : 1;
}
