/*
 * File names from patterns: component by component, each matched against the entries of its folder.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sh.h"

static bool has_pattern(const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (strchr("*?[", *s))
			return true;
	}
	return false;
}

static char *without_backslashes(const char *s)
{
	struct text t = { 0 };

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		text_add(&t, *s);
	}
	return t.s ? t.s : arena_copy("", 0);
}

static char *join(const char *a, const char *b)
{
	struct text t = { 0 };

	text_add_string(&t, a);
	text_add_string(&t, b);
	return t.s ? t.s : arena_copy("", 0);
}

/* Adds the names that match @pattern below @prefix, which is "" or ends in a slash. */
static void match(const char *prefix, const char *pattern, struct fields *out)
{
	size_t len = strcspn(pattern, "/");
	const char *rest = pattern + len;
	char *part = arena_copy(pattern, len);
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (!has_pattern(part)) {
		char *path = join(prefix, without_backslashes(part));

		if (*rest)
			match(join(path, "/"), rest + 1, out);
		else if (!lstat(path, &st))
			fields_add(out, path);
		return;
	}
	d = opendir(*prefix ? prefix : ".");
	while (d && (e = readdir(d))) {
		if (fnmatch(part, e->d_name, FNM_PERIOD))
			continue;
		if (*rest)
			match(join(join(prefix, e->d_name), "/"), rest + 1, out);
		else
			fields_add(out, join(prefix, e->d_name));
	}
	if (d)
		closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the names that match; if there are none, the pattern stands for itself. */
void glob_add(char *pattern, struct fields *out)
{
	size_t before = out->n;

	if (has_pattern(pattern))
		match("", pattern, out);
	if (out->n == before)
		fields_add(out, without_backslashes(pattern));
	else
		qsort(out->v + before, out->n - before, sizeof(*out->v), by_name);
}
