/*
 * What filters read: every file that is named, or standard input if none is.
 */
#pragma once

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

		if (f && !fstat(fileno(f), &st) && S_ISDIR(st.st_mode)) {
			fclose(f);
			f = NULL;
			errno = EISDIR;
		}
		if (!f) {
			warn("%s", *names);
			all = false;
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
