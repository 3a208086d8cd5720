/* tail [-n lines] [file...]: the last lines, 10 if not said otherwise. +n: from line n on. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "inputs.h"

static void from_line(FILE *f, long first)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	for (long i = 1; (n = getline(&line, &size, f)) > 0; i++)
		if (i >= first)
			fwrite(line, 1, n, stdout);
	free(line);
}

/* Keeps the last lines in a ring. */
static void last_lines(FILE *f, long keep)
{
	struct {
		char *text;
		size_t size;
		ssize_t n;
	} *ring = calloc(keep, sizeof(*ring)), *l;
	long i = 0, first;

	if (!ring)
		err(1, "%ld lines", keep);
	for (;; i++) {
		l = &ring[i % keep];
		char *old = l->text;
		ssize_t old_n = l->n;

		l->text = NULL;
		l->n = getline(&l->text, &l->size, f);
		if (l->n <= 0) {	/* not a line: the one it was to replace stays */
			free(l->text);
			l->text = old;
			l->n = old_n;
			break;
		}
		free(old);
	}
	first = i > keep ? i - keep : 0;
	for (; first < i; first++)
		fwrite(ring[first % keep].text, 1, ring[first % keep].n, stdout);
	for (long k = 0; k < keep; k++)
		free(ring[k].text);
	free(ring);
}

static const char *lines = "10";

static void tail(FILE *f, const char *name)
{
	(void)name;
	if (*lines == '+')
		from_line(f, atol(lines + 1));
	else if (atol(lines) > 0)
		last_lines(f, atol(lines));
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:")) != -1) {
		if (c == '?')
			return 2;
		lines = optarg;
	}
	return for_inputs(argv + optind, tail) ? 0 : 1;
}
