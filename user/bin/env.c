/*
 * env [-i] [-u name] [NAME=value...] [command [argument...]]: runs the command with these
 * variables, or prints all variables. -i: start without any; -u: without this one.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const struct options options = {
	.letters = "+iu:",
	.names = "i:ignore-environment u:unset",
	.bad = 125,
};

int main(int argc, char **argv)
{
	int i, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		if (c == 'i')
			clearenv();
		else
			unsetenv(optarg);
	}
	i = optind;
	if (i < argc && !strcmp(argv[i], "-")) {
		clearenv();
		i++;
	}
	for (; i < argc && strchr(argv[i], '='); i++)
		putenv(argv[i]);
	if (i < argc) {
		execvp(argv[i], argv + i);
		warn("'%s'", argv[i]);
		return errno == ENOENT ? 127 : 126;
	}
	for (char **e = environ; e && *e; e++)
		puts(*e);
	return 0;
}
