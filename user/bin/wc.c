/* wc [-clw] [file...]: lines, words and bytes. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "inputs.h"

struct counts {
	long lines, words, bytes;
};

static bool lines, words, bytes;
static struct counts total;

static void show(const struct counts *c, const char *name)
{
	const char *gap = "";

	if (lines)
		printf("%ld", c->lines), gap = " ";
	if (words)
		printf("%s%ld", gap, c->words), gap = " ";
	if (bytes)
		printf("%s%ld", gap, c->bytes);
	printf("%s%s\n", *name ? " " : "", name);
}

static void count(FILE *f, const char *name)
{
	struct counts n = { 0 };
	bool in_word = false;
	int c;

	while ((c = getc(f)) != EOF) {
		n.bytes++;
		n.lines += c == '\n';
		n.words += !isspace(c) && !in_word;
		in_word = !isspace(c);
	}
	show(&n, name);
	total.lines += n.lines;
	total.words += n.words;
	total.bytes += n.bytes;
}

int main(int argc, char **argv)
{
	bool all;
	int c;

	while ((c = getopt(argc, argv, "clw")) != -1) {
		if (c == '?')
			return 2;
		lines |= c == 'l';
		words |= c == 'w';
		bytes |= c == 'c';
	}
	if (!lines && !words && !bytes)
		lines = words = bytes = true;
	all = for_inputs(argv + optind, count);
	if (argc - optind > 1)
		show(&total, "total");
	return all ? 0 : 1;
}
