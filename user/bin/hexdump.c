/*
 * hexdump [-Cv] [-n bytes] [-s skip] [file]: prints a file in hexadecimal, as words of 16 bits or,
 * with -C, as bytes with their characters beside them. A star stands for lines equal to the one
 * before; -v: print all lines. -n: at most so many bytes, -s: after skipping so many.
 */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inputs.h"

static bool canonical, verbose;
static long skip, most = -1;

static void show_words(const unsigned char *row, int n)
{
	for (int i = 0; i < n; i += 2)
		printf(" %02x%02x", i + 1 < n ? row[i + 1] : 0, row[i]);
	for (int i = n + n % 2; i < 16; i += 2)
		printf("     ");
}

static void show_bytes(const unsigned char *row, int n)
{
	for (int i = 0; i < 16; i++) {
		fputs(i % 8 ? " " : "  ", stdout);
		if (i < n)
			printf("%02x", row[i]);
		else
			printf("  ");
	}
	printf("  |");
	for (int i = 0; i < n; i++)
		putchar(isprint(row[i]) ? row[i] : '.');
	putchar('|');
}

static void dump(FILE *f, const char *name)
{
	unsigned char row[16], before[16];
	bool starred = false;
	int n, width = canonical ? 8 : 7;
	long at = 0, end;

	(void)name;
	while (at < skip && getc(f) != EOF)
		at++;
	end = most < 0 ? LONG_MAX : at + most;
	for (; (n = fread(row, 1, end - at < 16 ? end - at : 16, f)) > 0; at += n) {
		bool same = at > skip && n == 16 && !memcmp(row, before, 16) && !verbose;

		memcpy(before, row, 16);
		if (same && !starred)
			puts("*");
		starred = same;
		if (same)
			continue;
		printf("%0*lx", width, at);
		(canonical ? show_bytes : show_words)(row, n);
		putchar('\n');
	}
	if (at)
		printf("%0*lx\n", width, at);
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "Cn:s:v")) != -1) {
		switch (c) {
		case 'C':	canonical = true; break;
		case 'n':	most = strtol(optarg, NULL, 0); break;
		case 's':	skip = strtol(optarg, NULL, 0); break;
		case 'v':	verbose = true; break;
		default:	return 1;
		}
	}
	return for_inputs(argv + optind, dump) ? 0 : 1;
}
