/*
 * Completion by Tab of the word before the cursor: where a command may stand, the names of
 * builtins, functions and programs; elsewhere, or if there is a slash in the word, paths.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edit.h"

/* Checks whether a command may follow @word, as after "if" or "do". */
static bool leads_to_command(const char *word, size_t len)
{
	static const char *const leaders[] = {
		"!", "{", "do", "elif", "else", "exec", "help", "if", "nice", "strace", "then",
		"time", "type", "until", "which", "while", "xargs",
	};

	for (size_t i = 0; i < sizeof(leaders) / sizeof(*leaders); i++)
		if (strlen(leaders[i]) == len && !memcmp(leaders[i], word, len))
			return true;
	return false;
}

/* Finds where the word that ends at @at begins, and whether a command may stand there. */
static size_t word_start(const char *line, size_t at, bool *command)
{
	size_t start = 0;

	*command = true;
	for (size_t i = 0; i < at; i++) {
		if (line[i] == '\\' && i + 1 < at) {
			i++;
			continue;
		}
		if (!strchr(" \t|&;(`<>='\"", line[i]))
			continue;
		if (strchr("|&;(`", line[i]))
			*command = true;
		else if (i > start || strchr("<>='\"", line[i]))
			*command = *command && leads_to_command(line + start, i - start);
		start = i + 1;
	}
	return start;
}

static bool begins_with(const char *name, const char *begin)
{
	return !strncmp(name, begin, strlen(begin));
}

/* Adds a name as a person would have to type it, with backslashes. */
static void add_protected(struct text *t, const char *s)
{
	for (; *s; s++) {
		if (strchr(" \t\n\\'\"`$&|;()<>*?[#!", *s))
			text_add(t, '\\');
		text_add(t, *s);
	}
}

static void add(struct fields *out, const char *folder, const char *name, const char *end)
{
	struct text t = { 0 };

	add_protected(&t, folder);
	add_protected(&t, name);
	text_add_string(&t, end);
	fields_add(out, t.s);
}

static void add_paths(const char *folder, const char *begin, struct fields *out)
{
	DIR *d = opendir(*folder ? folder : ".");
	char path[4096];
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d))) {
		if (!begins_with(e->d_name, begin) || !strcmp(e->d_name, ".") ||
		    !strcmp(e->d_name, "..") || (*e->d_name == '.' && *begin != '.'))
			continue;
		snprintf(path, sizeof(path), "%s%s", folder, e->d_name);
		add(out, folder, e->d_name, !stat(path, &st) && S_ISDIR(st.st_mode) ? "/" : "");
	}
	if (d)
		closedir(d);
}

static void add_programs(const char *begin, struct fields *out)
{
	const char *path = var_get("PATH"), *end;
	char program[4096];
	struct dirent *e;
	DIR *d;

	for (; path && *path; path = end + (*end == ':')) {
		const char *folder;

		end = strchrnul(path, ':');
		folder = arena_copy(path, end - path);
		d = opendir(folder);
		while (d && (e = readdir(d))) {
			snprintf(program, sizeof(program), "%s/%s", folder, e->d_name);
			if (begins_with(e->d_name, begin) && *e->d_name != '.' &&
			    !access(program, X_OK))
				add(out, "", e->d_name, "");
		}
		if (d)
			closedir(d);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t complete_word(const char *line, size_t at, struct fields *out)
{
	bool command;
	size_t start = word_start(line, at, &command), unique = 0;
	char *word = unquote_word(arena_copy(line + start, at - start));
	char *slash = strrchr(word, '/');

	if (command && !slash && *word) {
		add_own_commands(word, out);
		add_programs(word, out);
	} else if (slash) {
		add_paths(arena_copy(word, slash + 1 - word), slash + 1, out);
	} else {
		add_paths("", word, out);
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	for (size_t i = 0; i < out->n; i++)	/* a name may be in two folders, or a builtin too */
		if (!unique || strcmp(out->v[unique - 1], out->v[i]))
			out->v[unique++] = out->v[i];
	out->n = unique;
	return start;
}
