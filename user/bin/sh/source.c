/*
 * Where commands come from: a string, a file, or a person at a terminal. Sources nest, because
 * "eval" and "." run one inside another.
 *
 * A descriptor is read line by line and not a byte further, because the commands we run may read
 * from the same one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

static struct source *current;

void source_push(struct source *s)
{
	s->outer = current;
	current = s;
}

void source_pop(void)
{
	current = current->outer;
}

/* Reads the next line into the arena; NULL at the end. */
static char *read_line(int fd)
{
	struct text line = { 0 };
	ssize_t n;
	char c;

	do {
		n = read(fd, &c, 1);
		if (n > 0)
			text_add(&line, c);
	} while (n > 0 ? c != '\n' : n < 0 && errno == EINTR);
	return line.s;
}

/* Returns the prompt, PS1 or PS2, with parameters expanded as in POSIX. */
static const char *prompt(const struct source *s)
{
	const char *text = var_get(s->continued ? "PS2" : "PS1");

	return expand_here(text ? text : s->continued ? "> " : "$PWD \\$ ");
}

int source_peek(void)
{
	struct source *s = current;

	if ((!s->text || !*s->text) && s->fd >= 0) {
		if (s->cancelled)
			return 0;
		s->text = s->interactive ? terminal_read_line(s->fd, prompt(s), &s->cancelled)
					 : read_line(s->fd);
		if (!s->text && !s->cancelled)
			s->fd = -1;
	}
	return s->text ? (unsigned char)*s->text : 0;
}

int source_next(void)
{
	struct source *s = current;
	int c = source_peek();

	if (c)
		s->text++;
	if (c == '\n')
		s->continued = true;
	if (s->fd >= 0 && s->text && !*s->text)
		s->text = NULL;		/* its memory went with the command that it belonged to */
	return c;
}

/* Joins a line to the next if it ends in a backslash. */
bool source_join_lines(void)
{
	if (source_peek() != '\\' || current->text[1] != '\n')
		return false;
	source_next();
	source_next();
	return true;
}

bool source_cancelled(void)
{
	return current->cancelled;
}

bool source_at_end(void)
{
	const char *text = current->text;

	return current->fd < 0 && (!text || !text[strspn(text, " \t\n")]);
}

/* After a mistake, drops a person's line; the rest of a script is not run at all. */
void source_discard_line(void)
{
	if (current->interactive)
		current->text = NULL;
	else
		current->text = "", current->fd = -1;
}

char *read_whole(int fd)
{
	struct text all = { 0 };
	char buf[512];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
		for (ssize_t i = 0; i < n; i++)
			if (buf[i])
				text_add(&all, buf[i]);
	return n < 0 ? NULL : all.s ? all.s : arena_copy("", 0);
}
