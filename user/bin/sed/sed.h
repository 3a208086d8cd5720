/*
 * Shared by sed's parts: script.c turns the script's text into commands, and main.c runs them for
 * each line that lines.c reads.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum address_kind { NO_ADDRESS,
		    AT_LINE,
		    AT_LAST,
		    AT_MATCH,
		    EVERY,
		    PLUS_LINES,
		    FROM_ZERO };

struct address {
	enum address_kind kind;
	long n, step; /* AT_LINE, PLUS_LINES: n; EVERY: n, n + step, ... */
	regex_t *re; /* AT_MATCH; NULL: the one used last */
};

struct command {
	struct address first, last;
	bool negated; /* behind "!" */
	bool inside; /* between first and last, at present */
	long end; /* the range ends at this line, if that is known */
	char name;
	regex_t *re; /* s; NULL: the one used last */
	char *text; /* s: the replacement; a, i, c; labels, files; y: 256 bytes */
	bool global, print; /* s: flags g and p */
	int which; /* s: which match is replaced; q: the status */
	size_t jump; /* b, t, T: the target. {: behind its }, if it is not run */
};

extern struct command *commands;
extern size_t nr_commands;
extern bool extended; /* -E */

void compile_script(const char *text, int number, const char *file);
void compile_end(void);

struct space { /* a string that grows; it may hold zero bytes */
	char *s;
	size_t len, room;
};

void set(struct space *to, const char *s, size_t len);
void add(struct space *to, const char *s, size_t len);

extern struct space pattern;
extern struct space queue; /* the text that a and r add after the line */

extern struct lines {
	char **files; /* the files still to be read, NULL at the end */
	bool in_place, separate; /* -i, -s */
	const char *suffix; /* of -i: the end of the old files' names */
	FILE *out;
	long number; /* of the line in the pattern space */
	int status; /* sed's own */
} lines;

bool next_line(bool append); /* into the pattern space, or behind its text */
bool is_last(void);
void write_line(const char *s, size_t len, bool end);
void write_text(const char *s, size_t len);
void print_pattern(void);
void flush_queue(void);
void end_lines(void);
