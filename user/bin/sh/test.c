/*
 * test, also written [ ... ]: conditions on strings, numbers and files, with ! and ( ) and, of
 * lowest rank, -a and -o.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sh.h"

static char **at;			/* the arguments left, NULL at the end */

static bool any(void);

static bool about_file(char what, const char *path)
{
	struct stat st;

	switch (what) {
	case 'r':	return !access(path, R_OK);
	case 'w':	return !access(path, W_OK);
	case 'x':	return !access(path, X_OK);
	}
	if (what == 'h' || what == 'L')
		return !lstat(path, &st) && S_ISLNK(st.st_mode);
	if (stat(path, &st))
		return false;
	switch (what) {
	case 'b':	return S_ISBLK(st.st_mode);
	case 'c':	return S_ISCHR(st.st_mode);
	case 'd':	return S_ISDIR(st.st_mode);
	case 'f':	return S_ISREG(st.st_mode);
	case 'p':	return S_ISFIFO(st.st_mode);
	case 's':	return st.st_size > 0;
	default:	return true;	/* -e */
	}
}

static bool about_one(char what, const char *arg)
{
	switch (what) {
	case 'n':	return *arg;
	case 'z':	return !*arg;
	case 't':	return isatty(atoi(arg));
	default:	return about_file(what, arg);
	}
}

/* -nt, -ot, -ef: newer, older, the same; a file is newer than a missing one (POSIX.1-2024). */
static int compare_files(char how, const char *a, const char *b)
{
	struct stat x, y;
	bool no_x = stat(a, &x), no_y = stat(b, &y);
	long order;

	if (how == 'e')
		return !no_x && !no_y && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
	if (no_x || no_y)
		return how == 'n' ? !no_x : !no_y;
	order = x.st_mtim.tv_sec - y.st_mtim.tv_sec;
	order = order ? order : x.st_mtim.tv_nsec - y.st_mtim.tv_nsec;
	return how == 'n' ? order > 0 : order < 0;
}

/* Returns 1 or 0, or -1 if @op is no operator. */
static int about_two(const char *a, const char *op, const char *b)
{
	static const char names[] = "-eq-ne-lt-le-gt-ge";
	const char *found;
	long x, y;

	if (!strcmp(op, "=") || !strcmp(op, "=="))
		return !strcmp(a, b);
	if (!strcmp(op, "!="))
		return strcmp(a, b) != 0;
	if (!strcmp(op, "<") || !strcmp(op, ">"))
		return *op == '<' ? strcmp(a, b) < 0 : strcmp(a, b) > 0;
	if (!strcmp(op, "-nt") || !strcmp(op, "-ot") || !strcmp(op, "-ef"))
		return compare_files(op[1], a, b);
	found = strlen(op) == 3 ? strstr(names, op) : NULL;
	if (!found)
		return -1;
	x = strtol(a, NULL, 10);
	y = strtol(b, NULL, 10);
	switch ((found - names) / 3) {
	case 0:		return x == y;
	case 1:		return x != y;
	case 2:		return x < y;
	case 3:		return x <= y;
	case 4:		return x > y;
	default:	return x >= y;
	}
}

static bool one(void)
{
	char *arg = *at;
	bool r;
	int two;

	if (!arg)
		return false;
	two = at[1] && at[2] ? about_two(arg, at[1], at[2]) : -1;
	if (two >= 0) {
		at += 3;
		return two;
	}
	at++;
	if (!strcmp(arg, "!") && *at)
		return !one();
	if (!strcmp(arg, "(") && *at) {
		r = any();
		at += *at != NULL;
		return r;
	}
	if (arg[0] == '-' && arg[1] && !arg[2] && strchr("bcdefhLnprstwxz", arg[1]) && *at)
		return about_one(arg[1], *at++);
	return *arg;
}

static bool all(void)
{
	bool r = one();

	while (*at && !strcmp(*at, "-a")) {
		at++;
		r &= one();
	}
	return r;
}

static bool any(void)
{
	bool r = all();

	while (*at && !strcmp(*at, "-o")) {
		at++;
		r |= all();
	}
	return r;
}

int builtin_test(int argc, char **argv)
{
	bool r;

	if (!strcmp(argv[0], "[")) {
		if (strcmp(argv[argc - 1], "]")) {
			complain("[: no closing ]");
			return 2;
		}
		argv[argc - 1] = NULL;
	}
	at = argv + 1;
	r = any();
	if (*at) {
		complain("test: what is '%s'?", *at);
		return 2;
	}
	return !r;
}
