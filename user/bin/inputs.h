/*
 * The input of filters: every file that is named, or standard input if none is.
 */
#pragma once

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* How this tool says that it cannot open a file, and read a folder: formats for warn(), or NULL. */
static const char *cannot_open = "%s", *cannot_read = "%s";
static void (*each_folder)(const char *name); /* called for one before that is said, or NULL */

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
 * Calls @each for the inputs that @names names, NULL at its end, in order; name "" is standard
 * input, as is "-". False if one could not be read, about which it warns.
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

/* For head and tail: the name above what a file gives. */
static inline void input_title(const char *name)
{
	static bool second;

	if (titles)
		printf("%s==> %s <==\n", second ? "\n" : "", *name ? name : "standard input");
	second = true;
}
