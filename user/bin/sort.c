/*
 * sort [-bcfhnrsuV] [-k first[,last]] [-t byte] [-o file] [file...]: prints the lines in order.
 * -n: by the number at the start; -h: the same with K, M, G behind it; -V: as versions; -r: in
 * reverse; -u: print equal lines only once; -f: ignore case; -b: ignore blanks at the start; -k: by
 * the words from first to last, as in 2,2 or 3.2n, with letters of the above for this key alone;
 * -t: the byte that separates words, instead of blanks; -s: keep the order of equal lines; -c: only
 * check whether the input is in order; -o: write to a file, which may be an input.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

#include "options.h"

struct key {
	long word, byte; /* where the key begins, counted from 1 */
	long last_word, last_byte; /* where it ends; 0: at the end of the line, or of the word */
	bool option[128];
	bool has_options;
};

static struct key keys[16];
static int nr_keys;
static bool option[128];
static int separator = -1;

struct line {
	char *text;
	size_t number; /* of the line, for -s */
};

static struct line *lines;
static size_t count, room;

static const char *skip_word(const char *s)
{
	if (separator >= 0) {
		s = strchrnul(s, separator);
		return *s ? s + 1 : s;
	}
	while (isspace((unsigned char)*s))
		s++;
	while (*s && !isspace((unsigned char)*s))
		s++;
	return s;
}

static const char *skip_blanks(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

static const char *key_begin(const struct key *k, const char *s)
{
	for (long i = 1; i < k->word; i++)
		s = skip_word(s);
	if (k->option['b'])
		s = skip_blanks(s);
	for (long i = 1; i < k->byte && *s; i++)
		s++;
	return s;
}

static const char *key_end(const struct key *k, const char *line)
{
	const char *s = line;

	if (!k->last_word)
		return line + strlen(line);
	for (long i = 1; i < k->last_word; i++)
		s = skip_word(s);
	if (!k->last_byte) {
		s = skip_word(s);
		return separator >= 0 && s > line && s[-1] == separator ? s - 1 : s;
	}
	if (k->option['b'])
		s = skip_blanks(s);
	for (long i = 0; i < k->last_byte && *s; i++)
		s++;
	return s;
}

/* Compares numbers of any length as text: first the sign, then how many digits, then the digits. */
static int compare_numbers(const char *a, const char *b)
{
	bool minus_a, minus_b;
	double x, y;

	a = skip_blanks(a);
	b = skip_blanks(b);
	minus_a = *a == '-';
	minus_b = *b == '-';
	x = isdigit((unsigned char)a[minus_a]) || a[minus_a] == '.' ? strtod(a + minus_a, NULL) : 0;
	y = isdigit((unsigned char)b[minus_b]) || b[minus_b] == '.' ? strtod(b + minus_b, NULL) : 0;
	x = minus_a ? -x : x;
	y = minus_b ? -y : y;
	return x < y ? -1 : x > y;
}

static int unit(const char *s)
{
	static const char units[] = "KMGTPE";
	const char *at;

	s += strspn(s, " \t-0123456789.");
	at = *s ? strchr(units, toupper((unsigned char)*s)) : NULL;
	return at ? (int)(at - units) + 1 : 0;
}

/* -V: compares texts in which runs of digits count as numbers. */
static int compare_versions(const char *a, const char *b)
{
	while (*a || *b) {
		size_t x, y;

		while ((*a && !isdigit((unsigned char)*a)) || (*b && !isdigit((unsigned char)*b))) {
			if (*a != *b)
				return (unsigned char)*a - (unsigned char)*b;
			a++;
			b++;
		}
		a += strspn(a, "0");
		b += strspn(b, "0");
		x = strspn(a, "0123456789");
		y = strspn(b, "0123456789");
		if (x != y)
			return x < y ? -1 : 1;
		if (memcmp(a, b, x))
			return memcmp(a, b, x);
		a += x;
		b += y;
	}
	return 0;
}

static int compare_texts(const struct key *k, const char *a, const char *b)
{
	if (k->option['b']) {
		a = skip_blanks(a);
		b = skip_blanks(b);
	}
	if (k->option['n'])
		return compare_numbers(a, b);
	if (k->option['h'])
		return unit(a) != unit(b) ? unit(a) - unit(b) : compare_numbers(a, b);
	if (k->option['V'])
		return compare_versions(a, b);
	return k->option['f'] ? strcasecmp(a, b) : strcmp(a, b);
}

static int compare_keys(const struct key *k, const char *a, const char *b)
{
	char *x, *y;
	const char *begin_a = key_begin(k, a), *begin_b = key_begin(k, b);
	const char *end_a = key_end(k, a), *end_b = key_end(k, b);
	int r;

	x = strndup(begin_a, end_a > begin_a ? end_a - begin_a : 0);
	y = strndup(begin_b, end_b > begin_b ? end_b - begin_b : 0);
	if (!x || !y)
		err(2, "memory exhausted");
	r = compare_texts(k, x, y);
	free(x);
	free(y);
	return k->option['r'] ? -r : r;
}

/* Compares two lines by the keys or, without keys, as a whole. */
static int order(const char *a, const char *b)
{
	static struct key whole;
	int r = 0;

	memcpy(whole.option, option, sizeof(option));
	for (int i = 0; i < nr_keys && !r; i++)
		r = compare_keys(&keys[i], a, b);
	if (nr_keys)
		return r;
	r = compare_texts(&whole, a, b);
	return option['r'] ? -r : r;
}

static int compare(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int r = order(x->text, y->text);

	if (!r && !option['s'] && !option['u']) {
		r = strcmp(x->text, y->text);
		r = option['r'] ? -r : r;
	}
	return r ? r : x->number < y->number ? -1
					     : 1;
}

static void take(FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		if (count == room) {
			room = room ? 2 * room : 64;
			lines = realloc(lines, room * sizeof(*lines));
			if (!lines)
				err(2, "memory exhausted");
		}
		lines[count] = (struct line){ .text = line, .number = count };
		count++;
		line = NULL;
		size = 0;
	}
	free(line);
}

static void take_file(const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
	struct stat st;

	if (!f)
		err(2, "cannot read: %s", path);
	if (!fstat(fileno(f), &st) && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		err(2, "read failed: %s", path);
	}
	take(f);
	if (f != stdin)
		fclose(f);
}

static const char *read_place(const char *s, long *word, long *byte, struct key *k)
{
	char *end;

	*word = strtol(s, &end, 10);
	if (*end == '.')
		*byte = strtol(end + 1, &end, 10);
	for (; *end && *end != ','; end++) {
		if (!strchr("bfhnrV", *end))
			errx(2, "stray character in field spec: invalid field specification '%s'",
			     optarg);
		k->option[(unsigned char)*end] = k->has_options = true;
	}
	return end;
}

static void add_key(const char *s)
{
	struct key *k = &keys[nr_keys];

	if (nr_keys == sizeof(keys) / sizeof(*keys))
		errx(2, "too many keys");
	nr_keys++;
	if (!isdigit((unsigned char)*s))
		errx(2, "invalid number at field start: invalid count at start of '%s'", s);
	s = read_place(s, &k->word, &k->byte, k);
	if (!k->word)
		errx(2, "-: invalid field specification '%s': field number is zero", optarg);
	if (*s == ',')
		read_place(s + 1, &k->last_word, &k->last_byte, k);
}

static int check(const char *name)
{
	for (size_t i = 1; i < count; i++) {
		int r = compare(&lines[i - 1], &lines[i]);

		if (r < 0 && !(option['u'] && !order(lines[i - 1].text, lines[i].text)))
			continue;
		fprintf(stderr, "sort: %s:%zu: disorder: %s\n", name, i + 1, lines[i].text);
		return 1;
	}
	return 0;
}

static const struct options options = {
	.letters = "bcfhnrsuVk:t:o:",
	.names = "b:ignore-leading-blanks c:check f:ignore-case h:human-numeric-sort "
		 "n:numeric-sort r:reverse s:stable u:unique V:version-sort k:key "
		 "t:field-separator o:output",
	.bad = 2,
};

int main(int argc, char **argv)
{
	const char *output = NULL;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		option[c] = true;
		if (c == 'k')
			add_key(optarg);
		else if (c == 't')
			separator = !strcmp(optarg, "\\0") ? 0 : (unsigned char)*optarg;
		else if (c == 'o')
			output = optarg;
	}
	for (int i = 0; i < nr_keys; i++)
		if (!keys[i].has_options)
			memcpy(keys[i].option, option, sizeof(option));
	if (optind == argc)
		take(stdin);
	for (int i = optind; i < argc; i++)
		take_file(argv[i]);
	if (option['c'])
		return check(optind < argc ? argv[optind] : "-");
	if (output && !freopen(output, "w", stdout))
		err(2, "open failed: %s", output);
	if (count)
		qsort(lines, count, sizeof(*lines), compare);
	for (size_t i = 0; i < count; i++)
		if (!option['u'] || i == 0 || order(lines[i - 1].text, lines[i].text))
			puts(lines[i].text);
	return fflush(stdout) ? 2 : 0;
}
