/*
 * Editing of one line, key by key. It does not know where keys come from or where the picture goes
 * to: edit.c runs in the shell, and in a test on any machine.
 */
#pragma once

#include "sh.h"

#define EDIT_MAX	4096

enum edit_result { EDIT_GOES_ON, EDIT_DONE, EDIT_CANCELLED, EDIT_END };

struct edit {
	const char *prompt;
	size_t columns;			/* of the screen */
	void (*write)(const char *s, size_t n);
	/*
	 * Adds the words that the text [result, @at) can be completed to; a folder ends in a slash.
	 */
	size_t (*complete)(const char *line, size_t at, struct fields *out);

	char text[EDIT_MAX + 1];	/* the line; not terminated while keys come */
	size_t len, at;			/* the cursor is before the byte at @at */
	char killed[EDIT_MAX];		/* by Ctrl-K, U or W, for Ctrl-Y */
	size_t killed_len;

	char sequence[8];		/* an escape sequence that is still incomplete */
	size_t sequence_len;
	bool quoting;			/* after Ctrl-V: the next key is an ordinary character */

	size_t place;			/* in the history; the history's count: the new line */
	char newest[EDIT_MAX];		/* the new line, while an older one is shown */
	size_t newest_len;

	bool searching;			/* Ctrl-R: the line shown holds @query */
	char query[64];
	size_t query_len;
};

void edit_begin(struct edit *e, const char *prompt);
enum edit_result edit_key(struct edit *e, char c);	/* EDIT_DONE: the line is a string */

/* --- The lines that were typed (history.c) --- */

void history_add(const char *line);		/* unless it is blank or the same as the last */
size_t history_count(void);
const char *history_line(size_t i);		/* 0: the oldest */
/* Returns the place of the newest line before @end that holds @text, or history_count(). */
size_t history_find(const char *text, size_t len, size_t end);

/* Completes a word for Tab (complete.c): to commands where one may stand, else to paths. */
size_t complete_word(const char *line, size_t at, struct fields *out);
