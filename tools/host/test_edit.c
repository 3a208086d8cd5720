/*
 * The shell's line editor, history and completion, key by key: user/bin/sh/edit.c, history.c and
 * complete.c as a program for this machine.
 *
 * A small terminal of one row takes in what the editor writes, so that a test can say what a person
 * would see.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edit.h"

static struct edit e;
static char screen[256], folder[] = "/tmp/trellis-edit-XXXXXX";
static size_t column, width;
static bool good;

static void check(bool ok, const char *what, int line)
{
	if (!ok)
		printf("  line %d: %s; text '%.*s', screen '%s', column %zu\n", line, what,
		       (int)e.len, e.text, screen, column);
	good = good && ok;
}
#define CHECK(condition)	check(condition, #condition, __LINE__)

/* The rest of the shell's part. */
const char *var_get(const char *name)
{
	return strcmp(name, "PATH") ? NULL : folder;
}

void add_own_commands(const char *begin, struct fields *out)
{
	if (!strncmp("history", begin, strlen(begin)))
		fields_add(out, "history");
}

char *unquote_word(const char *word)
{
	struct text t = { 0 };

	for (; *word; word++)
		if (*word != '\\' || !*++word || true)
			text_add(&t, *word);
	return t.s ? t.s : arena_copy("", 0);
}

/* The terminal: \r, \n, ESC [ n D, ESC [ K, ESC [ J, ESC [ H and characters. */
static void show(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\r' || s[i] == '\n') {
			column = 0;
			if (s[i] == '\n')
				memset(screen, 0, sizeof(screen));
		} else if (s[i] == 0x1b) {
			char *end, letter;
			long by = strtol(s + i + 2, &end, 10);

			letter = *end;
			i = end - s;
			if (letter == 'D')
				column -= by;
			else if (letter == 'K')
				memset(screen + column, 0, sizeof(screen) - column);
			else if (letter == 'H')
				column = 0;
		} else {
			screen[column++] = s[i];
		}
	}
	if (column > width)
		width = column;
}

static enum edit_result keys(const char *s)
{
	enum edit_result r = EDIT_GOES_ON;

	while (*s && r == EDIT_GOES_ON)
		r = edit_key(&e, *s++);
	return r;
}

static void begin(void)
{
	memset(screen, 0, sizeof(screen));
	column = width = 0;
	edit_begin(&e, "$ ");
}

/* Returns the line after the keys @s, typed into an empty line. */
static const char *line_of(const char *s)
{
	begin();
	keys(s);
	e.text[e.len] = 0;
	return e.text;
}

static void test_moves(void)
{
	CHECK(!strcmp(line_of("abc\x1b[D\x1b[DX"), "aXbc"));
	CHECK(!strcmp(screen, "$ aXbc") && column == 4);
	CHECK(!strcmp(line_of("abc\x01" "1\x05" "2"), "1abc2"));
	CHECK(!strcmp(line_of("abc\x1b[H1\x1b[F2\x1bOH3\x1b[4~4\x1b[1~5"), "531abc24"));
	CHECK(!strcmp(line_of("one two\x1b[1;5DX\x1b" "bY\x1b" "fZ"), "one YXtwoZ"));
	CHECK(!strcmp(line_of("ab\x02\x02\x02\x06X\x06\x06Y"), "aXbY"));
	CHECK(!strcmp(line_of("ab\x1b[5~\x1b[99~c"), "abc"));
}

static void test_cuts(void)
{
	CHECK(!strcmp(line_of("abcd\x7f\x08"), "ab"));
	CHECK(!strcmp(line_of("\x7f\x7f" "a"), "a"));
	CHECK(!strcmp(line_of("abcd\x01\x04\x1b[3~"), "cd"));
	CHECK(!strcmp(line_of("abcd\x02\x02\x0b"), "ab"));
	CHECK(!strcmp(line_of("abcd\x02\x02\x15"), "cd"));
	CHECK(!strcmp(screen, "$ cd") && column == 2);
	CHECK(!strcmp(line_of("one two  \x17"), "one "));
	CHECK(!strcmp(line_of("one two\x17\x01\x19"), "twoone "));
	CHECK(!strcmp(line_of("ab\x0c"), "ab") && !strcmp(screen, "$ ab"));
}

static void test_characters(void)
{
	CHECK(!strcmp(line_of("a\xc3\xa4o\x1b[D\x1b[DX"), "aX\xc3\xa4o"));
	CHECK(!strcmp(line_of("a\xc3\xa4\x7f" "b"), "ab"));
	CHECK(!strcmp(line_of("a\x16\x03" "b"), "a\x03" "b") && !strcmp(screen, "$ a^Cb"));
	CHECK(!strcmp(line_of("a\x1d\x1a\x1c" "b"), "ab"));
}

static void test_ends(void)
{
	begin();
	CHECK(keys("abc\x02\n") == EDIT_DONE && !strcmp(e.text, "abc"));
	begin();
	CHECK(keys("abc\x03") == EDIT_CANCELLED);
	begin();
	CHECK(keys("\x04") == EDIT_END);
	begin();
	CHECK(keys("a\x04") == EDIT_GOES_ON);
	for (int i = 0; i < EDIT_MAX + 10; i++)
		edit_key(&e, 'x');
	CHECK(e.len == EDIT_MAX && keys("\r") == EDIT_DONE && strlen(e.text) == EDIT_MAX);
}

/* A line that is wider than the screen is shown around the cursor, in one row. */
static void test_long_line(void)
{
	begin();
	for (int i = 0; i < 200; i++)
		edit_key(&e, '0' + i % 10);
	CHECK(width <= 40 && !strncmp(screen, "$ 3456", 6) && column == 39);
	keys("\x01");
	CHECK(width <= 40 && !strncmp(screen, "$ 0123", 6) && column == 2);
	keys("\x06\x06X");
	CHECK(!strncmp(screen, "$ 01X23", 7) && column == 5);
}

static void test_history(void)
{
	history_add("first");
	history_add("  ");
	history_add("second");
	history_add("second");
	CHECK(history_count() == 2);
	CHECK(!strcmp(line_of("\x1b[A"), "second"));
	CHECK(!strcmp(line_of("\x1b[A\x1b[A\x1b[A"), "first"));
	CHECK(!strcmp(line_of("new\x10\x10\x0e\x0e\x0e"), "new"));
	CHECK(!strcmp(line_of("\x10x\x10"), "first"));
	CHECK(!strcmp(line_of("\x12" "fi"), "first") && !strcmp(screen, "(search) fi: first"));
	CHECK(!strcmp(line_of("\x12s\x12"), "first"));
	CHECK(!strcmp(line_of("\x12sec\x7f\x7f\x7f" "fir"), "first"));
	CHECK(!strcmp(line_of("new\x12sec\x07"), "new") && !strcmp(screen, "$ new"));
	CHECK(!strcmp(line_of("\x12zzz"), ""));
	CHECK(!strcmp(line_of("\x12" "fi\x05!"), "first!"));
	begin();
	CHECK(keys("\x12sec\n") == EDIT_DONE && !strcmp(e.text, "second"));
	for (int i = 0; i < 2000; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %d", i);
		history_add(line);
	}
	CHECK(history_count() < 2000);
	CHECK(!strcmp(line_of("\x1b[A"), "line 1999"));
}

static void make_file(const char *name, mode_t mode)
{
	FILE *f = fopen(name, "w");

	fclose(f);
	chmod(name, mode);
}

static void test_completion(void)
{
	CHECK(!strcmp(line_of("pro\t"), "program "));
	CHECK(!strcmp(line_of("hist\t"), "history "));
	CHECK(!strcmp(line_of("ls; hist\t"), "ls; history "));
	CHECK(!strcmp(line_of("if pro\t"), "if program "));
	CHECK(!strcmp(line_of("cat pro\t"), "cat program "));
	CHECK(!strcmp(line_of("cat  text\t"), "cat  text"));
	CHECK(!strcmp(line_of("cat te\t1\t"), "cat text1 "));
	CHECK(!strcmp(line_of("text\t"), "text"));		/* no program */
	CHECK(!strcmp(line_of("cat >te\t"), "cat >text"));
	CHECK(!strcmp(line_of("cd fol\tin\t"), "cd folder/inside "));
	CHECK(!strcmp(line_of("cat .h\t"), "cat .hidden "));
	CHECK(!strcmp(line_of("cat with\t"), "cat with\\ blank "));
	CHECK(!strcmp(line_of("cat with\\ b\t"), "cat with\\ blank "));
	CHECK(!strcmp(line_of("cat nothing\t"), "cat nothing"));
	CHECK(!strcmp(line_of("cat te x\x1b[D\x1b[D\t"), "cat text x"));
	CHECK(!strcmp(line_of("cat text\t"), "cat text") && !strcmp(screen, "$ cat text"));
	CHECK(!strcmp(line_of("\t"), ""));
}

int main(void)
{
	static const struct { const char *name; void (*run)(void); } tests[] = {
		{ "moves", test_moves }, { "cuts", test_cuts }, { "characters", test_characters },
		{ "ends", test_ends }, { "long_line", test_long_line }, { "history", test_history },
		{ "completion", test_completion },
	};

	if (!mkdtemp(folder) || chdir(folder))
		return 2;
	make_file("program", 0755);
	make_file("text1", 0644);
	make_file("text2", 0644);
	make_file(".hidden", 0644);
	make_file("with blank", 0644);
	mkdir("folder", 0755);
	make_file("folder/inside", 0644);
	e = (struct edit){ .write = show, .complete = complete_word, .columns = 40 };
	setlinebuf(stdout);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		good = true;
		tests[i].run();
		printf("%s edit.%s\n", good ? "ok" : "FAIL", tests[i].name);
	}
	return chdir("/") || execlp("rm", "rm", "-r", folder, NULL);
}
