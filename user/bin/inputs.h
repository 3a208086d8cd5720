/* The input of filters: every file that is named, or standard input if there is none. */
#pragma once

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Formats for warn() that say that a file cannot be opened, or a folder not read; NULL: the tool
 * has its own.
 */
static const char *cannot_open = "%s", *cannot_read = "%s";
static void (*each_folder)(const char *name); /* called for a folder before the message, or NULL */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static inline void complain_of(const char *format, const char *name)
{
	int error = errno;

	fflush(stdout);
	errno = error;
	warn(format, name);
}
#pragma GCC diagnostic pop

/*
 * Calls @each for the inputs in @names, which ends with NULL, in order. "-" is standard input,
 * whose name is given as "". Warns about an input that cannot be read, and then returns false.
 */
static inline bool for_inputs(char **names, void (*each)(FILE *f, const char *name))
{
	bool all = true;
	struct stat st;

	if (!*names)
		each(stdin, "");
	for (; *names; names++) {
		FILE *f = strcmp(*names, "-") ? fopen(*names, "r") : stdin;

		if (!f) {
			complain_of(cannot_open, *names);
			all = false;
			continue;
		}
		if (!fstat(fileno(f), &st) && S_ISDIR(st.st_mode)) {
			if (each_folder)
				each_folder(*names);
			errno = EISDIR;
			if (cannot_read)
				complain_of(cannot_read, *names);
			all = false;
			fclose(f);
			continue;
		}
		each(f, f == stdin ? "" : *names);
		if (f != stdin)
			fclose(f);
	}
	return all;
}

static bool titles;

static inline void input_titles(bool wanted)
{
	titles = wanted;
}

/* Prints the name above the contents of a file, for head and tail. */
static inline void input_title(const char *name)
{
	static bool second;

	if (titles)
		printf("%s==> %s <==\n", second ? "\n" : "", *name ? name : "standard input");
	second = true;
}
