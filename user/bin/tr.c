/*
 * tr set1 set2, tr -d set1: characters of the first set become those at the same place of the
 * second, whose last one repeats; -d: are taken away. A set has ranges (a-z) and \n, \t, \\.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct set {
	unsigned char c[256];
	int n;
};

static unsigned char one(const char **s)
{
	if (**s == '\\' && (*s)[1]) {
		*s += 2;
		return (*s)[-1] == 'n' ? '\n' : (*s)[-1] == 't' ? '\t' : (*s)[-1];
	}
	return *(*s)++;
}

static void parse(const char *s, struct set *set)
{
	int first, last;

	while (*s && set->n < 256) {
		first = last = one(&s);
		if (s[0] == '-' && s[1]) {
			s++;
			last = one(&s);
		}
		for (; first <= last && set->n < 256; first++)
			set->c[set->n++] = first;
	}
}

int main(int argc, char **argv)
{
	bool delete = argc == 3 && !strcmp(argv[1], "-d");
	struct set from = { .n = 0 }, to = { .n = 0 };
	int map[256], c;

	if (argc != 3)
		errx(2, "usage: tr set1 set2 | tr -d set1");
	parse(argv[delete ? 2 : 1], &from);
	parse(delete ? "" : argv[2], &to);
	if (to.n == 0 && !delete)
		errx(2, "the second set is empty");
	for (int i = 0; i < 256; i++)
		map[i] = i;
	for (int i = from.n - 1; i >= 0; i--)
		map[from.c[i]] = delete ? -1 : to.c[i < to.n ? i : to.n - 1];
	while ((c = getchar()) != EOF)
		if (map[c] >= 0)
			putchar(map[c]);
	return 0;
}
