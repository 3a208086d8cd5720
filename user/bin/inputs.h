/*
 * What filters read: every file that is named, or standard input if none is.
 */
#pragma once

#include <err.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * Calls @each for the inputs that @names names, NULL at its end, in order; name "" is standard
 * input. False if one could not be opened, about which it warns.
 */
static inline bool for_inputs(char **names, void (*each)(FILE *f, const char *name))
{
	bool all = true;

	if (!*names)
		each(stdin, "");
	for (; *names; names++) {
		FILE *f = fopen(*names, "r");

		if (!f) {
			warn("%s", *names);
			all = false;
			continue;
		}
		each(f, *names);
		fclose(f);
	}
	return all;
}
