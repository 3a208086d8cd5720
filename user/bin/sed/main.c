/*
 * sed [-nEsi] [-e script]... [-f file]... [script] [file...]: runs the script for each line, and
 * prints the line. -n: print only what p says; -E: extended expressions; -i: change the files
 * themselves (-iX: and keep the old ones as FILEX); -s: each file has its own line numbers.
 * Commands: s/PATTERN/TEXT/[gpiN] d p q n N D P g G h H x y/ab/cd/ a i c r w = { } : b t T l.
 * Before a command: N, $, /PATTERN/, FIRST~STEP, two of these, or N,+M; then ! to negate.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../options.h"
#include "sed.h"

static struct space hold;
static bool quiet, replaced, quit;
static regex_t *last_regex;

/* --- Addresses --- */

static bool matches(regex_t *re, size_t from, regmatch_t *m)
{
	int error;

	last_regex = re ? re : last_regex;
	if (!last_regex)
		errx(1, "-e expression #1, char 0: no previous regular expression");
	m[0].rm_so = from;
	m[0].rm_eo = pattern.len;
	error = regexec(last_regex, pattern.s, 10, m, REG_STARTEND);
	if (error > REG_NOMATCH)
		errx(4, "couldn't allocate memory");
	return !error;
}

static bool is_at(const struct address *a)
{
	regmatch_t m[10];

	switch (a->kind) {
	case AT_LINE:
		return lines.number == a->n;
	case AT_LAST:
		return is_last();
	case AT_MATCH:
		return matches(a->re, 0, m);
	case EVERY:
		return a->step > 0 ? lines.number >= a->n && (lines.number - a->n) % a->step == 0
				   : lines.number == a->n;
	default:
		return true;
	}
}

static bool in_range(struct command *c)
{
	if (c->first.kind == FROM_ZERO && lines.number == 1 && !c->inside && !c->end) {
		c->inside = true;
		c->end = 1;
	} else if (!c->inside) {
		if (c->first.kind == FROM_ZERO || !is_at(&c->first))
			return false;
		c->end = c->last.kind == PLUS_LINES ? lines.number + c->last.n : c->last.n;
		c->inside = (c->last.kind != AT_LINE && c->last.kind != PLUS_LINES) ||
			    lines.number < c->end;
		if (c->last.kind == AT_LAST)
			c->inside = !is_last();
		return true;
	}
	if (c->last.kind == AT_LINE && lines.number > c->end) {
		c->inside = false;
		return is_at(&c->first);
	}
	if (c->last.kind == AT_LINE || c->last.kind == PLUS_LINES)
		c->inside = lines.number < c->end;
	else
		c->inside = !is_at(&c->last);
	return true;
}

static bool selected(struct command *c)
{
	bool yes = c->last.kind ? in_range(c) : is_at(&c->first);

	return yes != c->negated;
}

/* --- Commands --- */

static void add_replacement(struct space *to, const char *text, const regmatch_t *m)
{
	for (; *text; text++) {
		int group = *text == '&' ? 0 : -1;

		if (*text == '\\' && text[1]) {
			text++;
			if (isdigit((unsigned char)*text))
				group = *text - '0';
			else if (*text == 'n')
				add(to, "\n", 1);
			else
				add(to, *text == 't' ? "\t" : text, 1);
		} else if (group < 0) {
			add(to, text, 1);
		}
		if (group >= 0 && m[group].rm_so >= 0)
			add(to, pattern.s + m[group].rm_so, m[group].rm_eo - m[group].rm_so);
	}
}

static void substitute(const struct command *c)
{
	struct space result = { 0 };
	regmatch_t m[10];
	size_t from = 0, copied = 0;
	long previous_end = -1;
	int count = 0;
	bool done = false;

	while (from <= pattern.len && matches(c->re, from, m)) {
		bool again = m[0].rm_so == m[0].rm_eo && m[0].rm_so == previous_end;

		count += !again;
		if (!again && (count == c->which || !c->which || (c->global && count > c->which))) {
			add(&result, pattern.s + copied, m[0].rm_so - copied);
			add_replacement(&result, c->text, m);
			copied = m[0].rm_eo;
			done = true;
			if (!c->global)
				break;
		}
		previous_end = m[0].rm_eo;
		from = m[0].rm_eo > m[0].rm_so ? m[0].rm_eo : m[0].rm_eo + 1;
	}
	if (!done)
		return;
	add(&result, pattern.s + copied, pattern.len - copied);
	free(pattern.s);
	pattern = result;
	replaced = true;
	if (c->print)
		print_pattern();
}

/* l: prints invisible bytes as escapes, and breaks lines at 70 columns. */
static void list_pattern(void)
{
	static const char names[] = "\a\b\f\n\r\t\v\\", letters[] = "abfnrtv\\";
	int column = 0, len;
	char text[8];

	for (size_t i = 0; i < pattern.len; i++) {
		unsigned char c = pattern.s[i];

		if (c && strchr(names, c))
			len = sprintf(text, "\\%c", letters[strchr(names, c) - names]);
		else
			len = sprintf(text, isprint(c) ? "%c" : "\\%03o", c);
		if (column + len > 69) {
			write_text("\\\n", 2);
			column = 0;
		}
		write_text(text, len);
		column += len;
	}
	write_text("$\n", 2);
}

static void queue_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char buf[512];
	size_t n;

	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		add(&queue, buf, n);
	if (f)
		fclose(f);
}

static void write_to(const char *path)
{
	static struct {
		const char *path;
		FILE *f;
	} open_files[16];
	size_t i = 0;

	while (i < 15 && open_files[i].f && strcmp(open_files[i].path, path))
		i++;
	if (!open_files[i].f) {
		open_files[i].path = path;
		open_files[i].f = strcmp(path, "/dev/stdout") ? fopen(path, "w") : stdout;
	}
	if (!open_files[i].f)
		err(4, "couldn't open file %s", path);
	fprintf(open_files[i].f, "%s\n", pattern.s);
	fflush(open_files[i].f);
}

static void exchange(void)
{
	struct space was = pattern;

	pattern = hold;
	hold = was;
	if (!pattern.s)
		set(&pattern, "", 0);
}

static size_t first_line(void)
{
	const char *end = memchr(pattern.s, '\n', pattern.len);

	return end ? (size_t)(end - pattern.s) : pattern.len;
}

enum what_next { GO_ON,
		 JUMP,
		 END_CYCLE,
		 DROP_LINE,
		 AGAIN };

static enum what_next delete_first_line(void)
{
	size_t len = first_line();

	if (len == pattern.len)
		return DROP_LINE;
	set(&pattern, pattern.s + len + 1, pattern.len - len - 1);
	return AGAIN;
}

/* n and N: without a next line, GNU's sed prints this one and ends. */
static enum what_next take_next(bool append)
{
	if (is_last() && (!lines.separate || !*lines.files)) {
		quit = true;
		return END_CYCLE;
	}
	if (!append && !quiet)
		print_pattern();
	flush_queue();
	return next_line(append) ? GO_ON : END_CYCLE;
}

static enum what_next change(const struct command *c)
{
	if (!c->last.kind || c->negated || !c->inside)
		write_text(c->text, strlen(c->text));
	return DROP_LINE;
}

static enum what_next obey(struct command *c)
{
	char number[24];
	bool was;

	switch (c->name) {
	case 's':
		substitute(c);
		return GO_ON;
	case 'd':
		return DROP_LINE;
	case 'D':
		return delete_first_line();
	case 'p':
		print_pattern();
		return GO_ON;
	case 'P':
		write_line(pattern.s, first_line(), true);
		return GO_ON;
	case 'n':
	case 'N':
		return take_next(c->name == 'N');
	case 'g':
		set(&pattern, hold.s ? hold.s : "", hold.len);
		return GO_ON;
	case 'G':
		add(&pattern, "\n", 1);
		add(&pattern, hold.s ? hold.s : "", hold.len);
		return GO_ON;
	case 'h':
		set(&hold, pattern.s, pattern.len);
		return GO_ON;
	case 'H':
		add(&hold, "\n", 1);
		add(&hold, pattern.s, pattern.len);
		return GO_ON;
	case 'x':
		exchange();
		return GO_ON;
	case 'y':
		for (size_t i = 0; i < pattern.len; i++)
			pattern.s[i] = c->text[(unsigned char)pattern.s[i]];
		return GO_ON;
	case 'a':
		add(&queue, c->text, strlen(c->text));
		return GO_ON;
	case 'i':
		write_text(c->text, strlen(c->text));
		return GO_ON;
	case 'c':
		return change(c);
	case 'r':
		queue_file(c->text);
		return GO_ON;
	case 'w':
		write_to(c->text);
		return GO_ON;
	case 'l':
		list_pattern();
		return GO_ON;
	case '=':
		write_text(number, sprintf(number, "%ld\n", lines.number));
		return GO_ON;
	case 'b':
		return JUMP;
	case 't':
	case 'T':
		was = replaced;
		replaced = false;
		return was == (c->name == 't') ? JUMP : GO_ON;
	case 'q':
	case 'Q':
		quit = true;
		lines.status = c->which;
		return c->name == 'q' ? END_CYCLE : DROP_LINE;
	}
	return GO_ON;
}

/* Runs the script once, for the line in the pattern space. */
static enum what_next run_script(void)
{
	for (size_t i = 0; i < nr_commands;) {
		struct command *c = &commands[i];
		enum what_next next = GO_ON;
		bool yes = selected(c);

		if (yes)
			next = obey(c);
		if (next > JUMP)
			return next;
		i = next == JUMP || (!yes && c->name == '{') ? c->jump : i + 1;
	}
	return END_CYCLE;
}

static void run(void)
{
	enum what_next next = END_CYCLE;

	while (!quit && (next == AGAIN || next_line(false))) {
		if (next != AGAIN)
			replaced = false;
		next = run_script();
		if (next == END_CYCLE && !quiet)
			print_pattern();
		flush_queue();
	}
	end_lines();
}

static char *read_script(const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
	struct space text = { 0 };
	char buf[512];
	size_t n;

	if (!f)
		err(1, "couldn't open file %s", path);
	add(&text, "", 0);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		add(&text, buf, n);
	return text.s;
}

static const struct options options = {
	.letters = "nEre:f:i::su",
	.names = "n:quiet n:silent E:regexp-extended e:expression f:file i:in-place s:separate",
	.bad = 1,
};

int main(int argc, char **argv)
{
	static char *standard_input[] = { "-", NULL };
	int n = 0, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		quiet |= c == 'n';
		extended |= c == 'E' || c == 'r';
		lines.in_place |= c == 'i';
		lines.separate |= c == 'i' || c == 's';
		if (c == 'i' && optarg)
			lines.suffix = optarg;
		if (c == 'e')
			compile_script(optarg, ++n, NULL);
		if (c == 'f')
			compile_script(read_script(optarg), 1, optarg), n++;
	}
	if (!n && optind == argc) {
		fputs("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n",
		      stderr);
		bad_usage(argv, 1);
	}
	if (!n)
		compile_script(argv[optind++], 1, NULL);
	compile_end();
	lines.out = stdout;
	lines.files = optind < argc ? argv + optind : standard_input;
	set(&pattern, "", 0);
	run();
	return fflush(stdout) ? 4 : lines.status;
}
