/*
 * Shared by sed's parts: script.c makes commands of the script's text, main.c obeys them for each
 * line that lines.c brings.
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
	regex_t *re; /* AT_MATCH; NULL: the one that was used last */
};

struct command {
	struct address first, last;
	bool negated; /* ! */
	bool inside; /* between first and last, right now ... */
	long end; /* ... and until this line, if it is known */
	char name;
	regex_t *re; /* s; NULL: the one that was used last */
	char *text; /* s: the replacement; a, i, c; labels, files; y: 256 bytes */
	bool global, print; /* s: flags g and p */
	int which; /* s: the match that counts; q: the status */
	size_t jump; /* b, t, T: to there. {: behind its } if it is not obeyed */
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
extern struct space queue; /* what a and r add behind the line */

extern struct lines {
	char **files; /* those still to be read, NULL at the end */
	bool in_place, separate; /* -i, -s */
	const char *suffix; /* -i's: of the files that are kept */
	FILE *out;
	long number; /* of the line in the pattern space */
	int status; /* sed's own */
} lines;

bool next_line(bool append); /* into the pattern space, or behind what is there */
bool is_last(void);
void write_line(const char *s, size_t len, bool end);
void write_text(const char *s, size_t len);
void print_pattern(void);
void flush_queue(void);
void end_lines(void);
