/*
 * wc [-clmwL] [file...]: counts lines, words and bytes, and prints them in this order. -l, -w, -c:
 * only these; -m: characters, which are bytes here; -L: the length of the longest line.
 */
#include <ctype.h>

#include "inputs.h"
#include "options.h"

enum { LINES,
       WORDS,
       CHARACTERS,
       BYTES,
       LONGEST,
       COUNTS };

static bool wanted[COUNTS];
static long total[COUNTS];
static int width = 1;
static bool named; /* there are operands; "-" among them is standard input */

static void show(const long *counts, const char *name)
{
	const char *gap = "";

	for (int i = 0; i < COUNTS; i++) {
		if (wanted[i])
			printf("%s%*ld", gap, width, counts[i]);
		gap = wanted[i] ? " " : gap;
	}
	printf("%s%s\n", *name ? " " : "", name);
}

static void count(FILE *f, const char *name)
{
	long n[COUNTS] = { 0 }, column = 0;
	bool in_word = false;
	int c;

	while ((c = getc(f)) != EOF) {
		n[BYTES]++;
		n[LINES] += c == '\n';
		n[WORDS] += !isspace(c) && !in_word;
		in_word = !isspace(c);
		column = c == '\n' ? 0 : c == '\t' ? (column | 7) + 1
						   : column + !!isprint(c);
		n[LONGEST] = column > n[LONGEST] ? column : n[LONGEST];
	}
	n[CHARACTERS] = n[BYTES];
	show(n, *name || !named ? name : "-");
	for (int i = 0; i < COUNTS; i++)
		total[i] = i == LONGEST && n[i] < total[i] ? total[i]
			   : i == LONGEST                  ? n[i]
							   : total[i] + n[i];
}

static void count_folder(const char *name)
{
	static const long none[COUNTS];

	errno = EISDIR;
	complain_of("%s", name);
	show(none, name);
}

/*
 * The columns are as wide as the sum of all sizes, and at least 7 if a size is not known. A single
 * number needs no column.
 */
static int width_for(char **names, int kinds)
{
	unsigned long sum = 0;
	int digits = 1, least = 1;
	struct stat st;
	bool single = kinds == 1 && (!*names || !names[1]);

	for (char **name = names; *name || name == names; name++) {
		int failed = *name && strcmp(*name, "-") ? stat(*name, &st) : fstat(0, &st);

		if (!failed && S_ISREG(st.st_mode))
			sum += st.st_size;
		else if (!failed)
			least = 7;
		if (!*name)
			break;
	}
	for (; sum > 9; sum /= 10)
		digits++;
	return single ? 1 : digits > least ? digits
					   : least;
}

static const struct options options = {
	.letters = "clmwL",
	.names = "c:bytes m:chars l:lines w:words L:max-line-length",
	.bad = 1,
};

int main(int argc, char **argv)
{
	static const char letters[] = "lwmcL";
	int kinds = 0, c;
	bool all;

	while ((c = next_option(argc, argv, &options)) != -1)
		wanted[strchr(letters, c) - letters] = true;
	for (int i = 0; i < COUNTS; i++)
		kinds += wanted[i];
	if (!kinds) {
		wanted[LINES] = wanted[WORDS] = wanted[BYTES] = true;
		kinds = 3;
	}
	width = width_for(argv + optind, kinds);
	named = optind < argc;
	each_folder = count_folder;
	cannot_read = NULL;
	all = for_inputs(argv + optind, count);
	if (argc - optind > 1)
		show(total, "total");
	return all ? 0 : 1;
}
