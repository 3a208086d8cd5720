/* Shared by chown, chgrp and chmod: names of users and groups, and walking through folders. */
#pragma once

#include <dirent.h>
#include <err.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"

static const char *changed = "ownership"; /* what the tool changes, for error messages */

static inline unsigned number_of(const char *what, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end)
		errx(1, "invalid %s: '%s'", what, text);
	return n;
}

static inline uid_t user_of(const char *text)
{
	struct passwd *pw = getpwnam(text);

	return pw ? pw->pw_uid : number_of("user", text);
}

static inline gid_t group_of(const char *text)
{
	struct group *gr = getgrnam(text);

	return gr ? gr->gr_gid : number_of("group", text);
}

/* Ends the program unless there is both a new value and a file. */
static inline void need_two(int argc, char **argv)
{
	need_operand(argc, argv, 1);
	if (argc - optind > 1)
		return;
	warnx("missing operand after '%s'", argv[optind]);
	bad_usage(argv, 1);
}

/* Calls @change for @path and, if @below, for everything in it. Returns 0, or 1 after a failure. */
static int for_tree(const char *path, bool below, int (*change)(const char *path))
{
	struct dirent *e;
	struct stat st;
	char inner[4096];
	int status = 0;
	DIR *d;

	if (lstat(path, &st)) {
		warn("cannot access '%s'", path);
		return 1;
	}
	if (change(path)) {
		warn("changing %s of '%s'", changed, path);
		status = 1;
	}
	if (!below || lstat(path, &st) || !S_ISDIR(st.st_mode))
		return status;
	d = opendir(path);
	if (!d) {
		warn("cannot read directory '%s'", path);
		return 1;
	}
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		status |= for_tree(inner, below, change);
	}
	closedir(d);
	return status;
}
