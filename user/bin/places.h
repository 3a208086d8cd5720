/* Where cp, mv and ln put things: at the last operand, or in it if it is a folder. */
#pragma once

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "options.h"

/* Adds the last part of @path, without slashes behind it. */
static inline void add_base(char *to, size_t room, const char *path)
{
	size_t end = strlen(path), begin;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (begin = end; begin > 0 && path[begin - 1] != '/'; begin--)
		;
	snprintf(to, room, "%.*s", (int)(end - begin), path + begin);
}

/*
 * Calls @put for each operand from @argv[optind] on except the last, with its place. The last
 * operand is the target, unless @folder is not NULL (-t): then that is. Ends the program if there
 * are too few operands. Returns the status.
 */
static inline int for_places(int argc, char **argv, const char *folder,
			     int (*put)(const char *from, const char *to))
{
	const char *to = folder ? folder : argv[argc - 1];
	int last = folder ? argc : argc - 1, status = 0;
	char path[4096];
	struct stat st;
	bool into;

	if (optind == argc) {
		warnx("missing file operand");
		bad_usage(argv, 1);
	}
	if (last - optind < 1) {
		warnx("missing destination file operand after '%s'", argv[optind]);
		bad_usage(argv, 1);
	}
	into = !stat(to, &st) && S_ISDIR(st.st_mode);
	if (!into && (last - optind > 1 || folder)) {
		errno = stat(to, &st) ? errno : ENOTDIR;
		if (errno == ENOTDIR)
			errx(1, "target '%s' is not a directory", to);
		err(1, "target '%s'", to);
	}
	for (; optind < last; optind++) {
		size_t n = into ? (size_t)snprintf(path, sizeof(path), "%s%s", to,
						   to[strlen(to) - 1] == '/' ? "" : "/")
				: 0;

		if (into)
			add_base(path + n, sizeof(path) - n, argv[optind]);
		status |= put(argv[optind], into ? path : to);
	}
	return status;
}
