/* wc [-clw] [file...]: lines, words and bytes. */
#include <ctype.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

struct counts {
	long lines, words, bytes;
};

static bool lines, words, bytes;

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

static void count(FILE *f, const char *name, struct counts *total)
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
	total->lines += n.lines;
	total->words += n.words;
	total->bytes += n.bytes;
}

int main(int argc, char **argv)
{
	struct counts total = { 0 };
	int status = 0, c, files;

	while ((c = getopt(argc, argv, "clw")) != -1) {
		if (c == '?')
			return 2;
		lines |= c == 'l';
		words |= c == 'w';
		bytes |= c == 'c';
	}
	if (!lines && !words && !bytes)
		lines = words = bytes = true;
	files = argc - optind;
	if (files == 0)
		count(stdin, "", &total);
	for (; optind < argc; optind++) {
		FILE *f = fopen(argv[optind], "r");

		if (!f) {
			warn("%s", argv[optind]);
			status = 1;
			continue;
		}
		count(f, argv[optind], &total);
		fclose(f);
	}
	if (files > 1)
		show(&total, "total");
	return status;
}
