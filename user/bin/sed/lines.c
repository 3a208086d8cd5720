/*
 * sed's lines: from the named files, one after the other, into the pattern space, and out again.
 * One line is always read ahead, so that "$" is known.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sed.h"

struct space pattern, queue;
struct lines lines = { .suffix = "" };

static struct space ahead;
static bool have_ahead, no_newline; /* the line ahead has no newline at its end */
static bool ended; /* the line in the pattern space has none */
static bool unfinished; /* the output lacks a newline so far */
static char *file_name;
static FILE *in;

void set(struct space *to, const char *s, size_t len)
{
	if (len + 1 > to->room) {
		to->room = 2 * len + 64;
		to->s = realloc(to->s, to->room);
		if (!to->s)
			errx(4, "couldn't allocate memory");
	}
	memmove(to->s, s, len);
	to->len = len;
	to->s[len] = 0;
}

void add(struct space *to, const char *s, size_t len)
{
	if (to->len + len + 1 > to->room) {
		to->room = 2 * (to->len + len) + 64;
		to->s = realloc(to->s, to->room);
		if (!to->s)
			errx(4, "couldn't allocate memory");
	}
	memcpy(to->s + to->len, s, len);
	to->len += len;
	to->s[to->len] = 0;
}

/* --- Input and output --- */

/* Writes a line. If the last line of the input has no newline, it gets one only if more follows. */
void write_line(const char *s, size_t len, bool end)
{
	if (unfinished)
		putc('\n', lines.out);
	fwrite(s, 1, len, lines.out);
	unfinished = !end;
	if (end)
		putc('\n', lines.out);
}

void write_text(const char *s, size_t len)
{
	if (unfinished)
		putc('\n', lines.out);
	unfinished = false;
	fwrite(s, 1, len, lines.out);
}

void flush_queue(void)
{
	if (queue.len)
		write_text(queue.s, queue.len);
	queue.len = 0;
}

static void end_file(void)
{
	char temporary[4096], kept[4096];

	if (in != stdin)
		fclose(in);
	in = NULL;
	if (!lines.in_place)
		return;
	fclose(lines.out);
	lines.out = stdout;
	unfinished = false;
	snprintf(temporary, sizeof(temporary), "%s.sed", file_name);
	snprintf(kept, sizeof(kept), "%s%s", file_name, lines.suffix);
	if ((*lines.suffix && rename(file_name, kept)) || rename(temporary, file_name))
		err(4, "couldn't rename %s", file_name);
}

static bool begin_file(void)
{
	char temporary[4096];
	struct stat st;

	file_name = *lines.files++;
	in = strcmp(file_name, "-") || lines.in_place ? fopen(file_name, "r") : stdin;
	if (in && !fstat(fileno(in), &st) && S_ISDIR(st.st_mode)) {
		warnx(lines.in_place ? "couldn't edit %s: not a regular file"
				     : "read error on %s: Is a directory",
		      file_name);
		fclose(in);
		in = NULL;
		lines.status = 4;
		return false;
	}
	if (!in) {
		fprintf(stderr, "sed: can't read %s: %s\n", file_name, strerror(errno));
		lines.status = 2;
		return false;
	}
	if (lines.separate)
		lines.number = 0;
	if (lines.in_place) {
		snprintf(temporary, sizeof(temporary), "%s.sed", file_name);
		lines.out = fopen(temporary, "w");
		if (!lines.out)
			err(4, "couldn't open temporary file %s", temporary);
		chmod(temporary, st.st_mode & 07777);
	}
	return true;
}

static bool read_ahead(void)
{
	static char *line;
	static size_t size;
	ssize_t n = -1;

	while (!have_ahead && (in || *lines.files)) {
		if (!in && !begin_file())
			continue;
		n = getline(&line, &size, in);
		if (n > 0) {
			no_newline = line[n - 1] != '\n';
			set(&ahead, line, n - !no_newline);
			have_ahead = true;
		} else if (lines.separate) {
			return false;
		} else {
			end_file();
		}
	}
	return have_ahead;
}

bool is_last(void)
{
	return !have_ahead && !read_ahead();
}

/* Reads the next line into the pattern space, or appends it there. */
bool next_line(bool append)
{
	while (!have_ahead && !read_ahead()) {
		if (!lines.separate || !in)
			return false;
		end_file();
		if (!*lines.files)
			return false;
	}
	if (append)
		add(&pattern, "\n", 1);
	if (append)
		add(&pattern, ahead.s, ahead.len);
	else
		set(&pattern, ahead.s, ahead.len);
	ended = no_newline;
	have_ahead = false;
	lines.number++;
	return true;
}

void print_pattern(void)
{
	write_line(pattern.s, pattern.len, !ended);
}

/* After q: input that was read ahead is lost, as in GNU's. */
void end_lines(void)
{
	if (in)
		end_file();
}
