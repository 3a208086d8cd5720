/*
 * grep [-EFcHhilLnoqrsvwx] [-A n] [-B n] [-C n] [-m n] [-e pattern]... [-f file] [pattern]
 * [file...]: prints the lines that match a regular expression. -E: an extended one, with + ? | ( )
 * { }; -F: plain text; -f: patterns from a file, one a line; -i: ignore case; -v: the lines that do
 * not match; -w: match whole words; -x: whole lines; -c: print only how many; -l, -L: only the
 * names of files that have or lack a match; -o: only the text that matched; -n: line numbers; -H,
 * -h: with or without file names; -q: print nothing; -r: search files in folders, too; -s: no
 * messages about files that cannot be read; -A, -B, -C: n lines after, before or around each match;
 * -m: at most n lines of each file. Status 0: there are matches; 1: there are none; 2: an error.
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <regex.h>
#include <sys/stat.h>

#include "options.h"

#define PEEK 32768 /* how many bytes are searched to tell a binary file from a text */

static bool option[128];
static bool named, failed, any;
static long most = -1, before, behind;
static regex_t *patterns;
static size_t nr_patterns;

/* --- Patterns --- */

/* Makes a basic expression that matches exactly the text @s. */
static char *quoted(const char *s, size_t len)
{
	char *q = malloc(2 * len + 1), *to = q;

	if (!q)
		err(2, "pattern");
	for (size_t i = 0; i < len; i++) {
		if (strchr("\\.[*^$", s[i]))
			*to++ = '\\';
		*to++ = s[i];
	}
	*to = 0;
	return q;
}

static void add_pattern(const char *s, size_t len)
{
	int flags = (option['E'] ? REG_EXTENDED : 0) | (option['i'] ? REG_ICASE : 0), error;
	char *text = option['F'] ? quoted(s, len) : strndup(s, len), message[80];

	patterns = realloc(patterns, (nr_patterns + 1) * sizeof(*patterns));
	if (!text || !patterns)
		err(2, "pattern");
	error = regcomp(&patterns[nr_patterns], text, flags);
	if (error) {
		regerror(error, NULL, message, sizeof(message));
		errx(2, "%s", message);
	}
	nr_patterns++;
	free(text);
}

/* Adds the patterns in @s, one a line. */
static void add_patterns(const char *s)
{
	for (;; s++) {
		size_t len = strcspn(s, "\n");

		add_pattern(s, len);
		s += len;
		if (!*s)
			return;
	}
}

static void add_patterns_of(const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!f)
		err(2, "%s", path);
	while ((n = getline(&line, &size, f)) > 0)
		add_pattern(line, n - (line[n - 1] == '\n'));
	free(line);
	if (f != stdin)
		fclose(f);
}

/* --- Lines --- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool search_part(const regex_t *re, const char *line, regmatch_t *m)
{
	int error = regexec(re, line, 1, m, REG_STARTEND);

	if (error > REG_NOMATCH)
		errx(2, "memory exhausted");
	return !error;
}

/*
 * Finds a match with no word byte on either side; a shorter match from the same place may be one.
 */
static bool search_word(const regex_t *re, const char *line, regoff_t len, regmatch_t *m)
{
	for (regoff_t from = m->rm_so; from <= len; from++) {
		regmatch_t found = { .rm_so = from, .rm_eo = len };

		while (search_part(re, line, &found)) {
			from = found.rm_so;
			if ((!from || !is_word(line[from - 1])) &&
			    (found.rm_eo == len || !is_word(line[found.rm_eo]))) {
				*m = found;
				return true;
			}
			if (found.rm_eo <= from)
				break;
			found.rm_eo--;
			found.rm_so = from;
		}
	}
	return false;
}

/* Finds the pattern's first match in [m->rm_so, len). It is the longest, so -x needs no other. */
static bool search_one(const regex_t *re, const char *line, regoff_t len, regmatch_t *m)
{
	if (option['w'] && !option['x'])
		return search_word(re, line, len, m);
	m->rm_eo = len;
	return search_part(re, line, m) && (!option['x'] || (m->rm_so == 0 && m->rm_eo == len));
}

/* Finds the first match of any pattern from @from on, and among those the longest. */
static bool search(const char *line, regoff_t len, regoff_t from, regmatch_t *best)
{
	bool found = false;

	for (size_t i = 0; i < nr_patterns; i++) {
		regmatch_t m = { .rm_so = from };

		if (!search_one(&patterns[i], line, len, &m))
			continue;
		if (!found || m.rm_so < best->rm_so ||
		    (m.rm_so == best->rm_so && m.rm_eo > best->rm_eo))
			*best = m;
		found = true;
	}
	return found;
}

/* --- Files --- */

struct input {
	const char *name;
	FILE *f;
	long number, shown; /* of this line; of the last line that was printed */
	long found, left_behind;
	char **kept; /* a ring of the lines before this one, for -B */
};

static void show_prefix(const struct input *in, long number, char mark)
{
	if (named)
		printf("%s%c", in->name, mark);
	if (option['n'])
		printf("%ld%c", number, mark);
}

static void show_line(struct input *in, long number, char mark, const char *line, size_t len)
{
	static bool gap_is_due;

	if ((before || behind) && gap_is_due && in->shown != number - 1)
		puts("--");
	gap_is_due = true;
	show_prefix(in, number, mark);
	fwrite(line, 1, len, stdout);
	putchar('\n');
	in->shown = number;
}

static void show_parts(struct input *in, const char *line, regoff_t len)
{
	regmatch_t m;

	for (regoff_t from = 0; from <= len && search(line, len, from, &m);) {
		if (m.rm_eo > m.rm_so) {
			show_prefix(in, in->number, ':');
			printf("%.*s\n", (int)(m.rm_eo - m.rm_so), line + m.rm_so);
		}
		from = m.rm_eo > m.rm_so ? m.rm_eo : m.rm_eo + 1;
	}
}

static void show_before(struct input *in)
{
	long first = in->number - before;

	first = first <= in->shown ? in->shown + 1 : first;
	for (long n = first > 0 ? first : 1; n < in->number; n++)
		show_line(in, n, '-', in->kept[n % before], strlen(in->kept[n % before]));
}

static void keep(struct input *in, const char *line, size_t len)
{
	char **slot = before ? &in->kept[in->number % before] : NULL;

	if (!slot)
		return;
	free(*slot);
	*slot = strndup(line, len);
}

static bool is_binary(FILE *f)
{
	static char start[PEEK];
	ssize_t n = pread(fileno(f), start, sizeof(start), 0);

	return n > 0 && memchr(start, 0, n);
}

static void take_line(struct input *in, const char *line, regoff_t len)
{
	bool silent = option['c'] || option['l'] || option['L'] || option['q'];
	regmatch_t m;

	in->number++;
	if (search(line, len, 0, &m) != option['v']) {
		in->found++;
		in->left_behind = behind;
		if (!silent && option['o']) {
			if (!option['v'])
				show_parts(in, line, len);
		} else if (!silent) {
			show_before(in);
			show_line(in, in->number, ':', line, len);
		}
	} else if (in->left_behind > 0 && !silent && !option['o']) {
		in->left_behind--;
		show_line(in, in->number, '-', line, len);
	}
	keep(in, line, len);
}

static void take_lines(struct input *in)
{
	bool binary = is_binary(in->f);
	bool first_is_enough = binary || option['l'] || option['L'] || option['q'];
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (binary && !option['c'] && !option['l'] && !option['L'] && !option['q']) {
		option['q'] = true;
		while (!in->found && (n = getline(&line, &size, in->f)) > 0)
			take_line(in, line, n - (line[n - 1] == '\n'));
		option['q'] = false;
		if (in->found)
			warnx("%s: binary file matches", in->name);
		free(line);
		return;
	}
	while ((most < 0 || in->found < most || in->left_behind > 0) &&
	       !(first_is_enough && in->found && !option['c'])) {
		n = getline(&line, &size, in->f);
		if (n <= 0)
			break;
		n -= line[n - 1] == '\n';
		if (most >= 0 && in->found >= most) { /* -m: only lines after the last match */
			in->number++;
			in->left_behind--;
			show_line(in, in->number, '-', line, n);
			continue;
		}
		take_line(in, line, n);
	}
	free(line);
}

static void grep_stream(FILE *f, const char *name)
{
	struct input in = { .f = f, .name = name };

	in.kept = before ? calloc(before, sizeof(char *)) : NULL;
	if (before && !in.kept)
		err(2, "%ld lines", before);
	take_lines(&in);
	for (long i = 0; i < before; i++)
		free(in.kept[i]);
	free(in.kept);
	any |= option['L'] ? !in.found : in.found > 0;
	if (option['q'])
		return;
	if (option['l'] || option['L']) {
		if (option['L'] == !in.found)
			puts(name);
	} else if (option['c']) {
		printf(named ? "%s:%ld\n" : "%.0s%ld\n", name, in.found);
	}
}

static void complain(const char *name)
{
	failed = true;
	fflush(stdout);
	if (!option['s'])
		warn("%s", name);
}

static void grep_path(const char *path, bool typed);

static void grep_folder(const char *path, bool typed)
{
	struct dirent *e;
	char inner[4096];
	DIR *d;

	if (!option['r']) {
		errno = EISDIR;
		return complain(path);
	}
	d = opendir(path);
	if (!d)
		return complain(path);
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s", typed && !*path ? "" : path,
			 *path && path[strlen(path) - 1] != '/' ? "/" : "", e->d_name);
		grep_path(inner, false);
	}
	closedir(d);
}

/* A link is followed if a person typed it, but not if it was found in a folder. */
static void grep_path(const char *path, bool typed)
{
	struct stat st;
	FILE *f;

	if (typed ? stat(path, &st) : lstat(path, &st))
		return complain(path);
	if (S_ISDIR(st.st_mode))
		return grep_folder(path, typed);
	if (!typed && !S_ISREG(st.st_mode))
		return;
	f = fopen(path, "r");
	if (!f)
		return complain(path);
	grep_stream(f, path);
	fclose(f);
}

static void grep_here(void)
{
	struct dirent *e;
	DIR *d = opendir(".");

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			grep_path(e->d_name, false);
	if (d)
		closedir(d);
}

static long number(const char *text, const char *what)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0)
		errx(2, "%s: invalid %s", text, what);
	return n;
}

static const struct options options = {
	.letters = "A:B:C:EFGHLRce:f:hilm:noqrsvwxy",
	.names = "E:extended-regexp F:fixed-strings G:basic-regexp i:ignore-case v:invert-match "
		 "c:count n:line-number l:files-with-matches L:files-without-match q:quiet "
		 "q:silent w:word-regexp x:line-regexp o:only-matching r:recursive e:regexp f:file "
		 "H:with-filename h:no-filename s:no-messages m:max-count A:after-context "
		 "B:before-context C:context",
	.bad = 2,
};

int main(int argc, char **argv)
{
	const char *typed[32];
	const char *file = NULL;
	int nr_typed = 0, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		option[c] = true;
		if (c == 'E' || c == 'F' || c == 'G')
			option['E'] = c == 'E', option['F'] = c == 'F';
		else if (c == 'H' || c == 'h')
			option['H'] = c == 'H', option['h'] = c == 'h';
		else if (c == 'R' || c == 'y')
			option[c == 'R' ? 'r' : 'i'] = true;
		else if (c == 'm')
			most = number(optarg, "max count");
		else if (c == 'e' && nr_typed < 32)
			typed[nr_typed++] = optarg;
		else if (c == 'f')
			file = optarg;
		if (c == 'A' || c == 'C')
			behind = number(optarg, "context length argument");
		if (c == 'B' || c == 'C')
			before = number(optarg, "context length argument");
	}
	if (!nr_typed && !file && optind == argc) {
		fputs("Usage: grep [OPTION]... PATTERNS [FILE]...\n", stderr);
		bad_usage(argv, 2);
	}
	if (!nr_typed && !file)
		typed[nr_typed++] = argv[optind++];
	for (int i = 0; i < nr_typed; i++)
		add_patterns(typed[i]);
	if (file)
		add_patterns_of(file);
	named = option['H'] || (!option['h'] && (argc - optind > 1 || option['r']));
	if (optind == argc && option['r'])
		grep_here();
	else if (optind == argc)
		grep_stream(stdin, "(standard input)");
	for (; optind < argc; optind++)
		if (strcmp(argv[optind], "-"))
			grep_path(argv[optind], true);
		else
			grep_stream(stdin, "(standard input)");
	return failed && !(option['q'] && any) ? 2 : any ? 0
							 : 1;
}
