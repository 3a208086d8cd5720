/*
 * ls [-1AadFhilRrSt] [path...]: lists folders. -a: names that begin with a dot, too; -A: the same
 * without . and ..; -l: with details, -h: sizes for people; -i: with inode numbers; -d: folders
 * themselves; -F: with a mark for the type; -R: folders in folders, too; -t: the newest first, -S:
 * the largest first, -r: in reverse; -1: one name a line, as it is when the output is no terminal.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "human.h"
#include "options.h"

static bool option[128];

struct entry {
	char *name;
	struct stat st;
};

struct list {
	struct entry *v;
	size_t n, room;
};

static void list_add(struct list *l, const char *name, const struct stat *st)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 32;
		l->v = realloc(l->v, l->room * sizeof(*l->v));
		if (!l->v)
			err(2, "%zu entries", l->room);
	}
	l->v[l->n].name = strdup(name);
	l->v[l->n++].st = *st;
}

static void list_free(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
}

static int by_option(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	long order = 0;

	if (option['S'])
		order = x->st.st_size < y->st.st_size ? 1 : x->st.st_size > y->st.st_size ? -1
											  : 0;
	else if (option['t'])
		order = y->st.st_mtim.tv_sec != x->st.st_mtim.tv_sec
				? y->st.st_mtim.tv_sec - x->st.st_mtim.tv_sec
				: y->st.st_mtim.tv_nsec - x->st.st_mtim.tv_nsec;
	if (!order)
		order = strcmp(x->name, y->name);
	order = order < 0 ? -1 : order > 0;
	return option['r'] ? -order : order;
}

/* Writes the mode as "drwxr-xr-x". */
static void mode_text(mode_t mode, char *text)
{
	static const char types[] = "?pc?d?b?-?l?s???";
	static const char bits[] = "rwxrwxrwx";

	text[0] = types[mode >> 12 & 15];
	for (int i = 0; i < 9; i++)
		text[i + 1] = mode >> (8 - i) & 1 ? bits[i] : '-';
	if (mode & S_ISUID)
		text[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = mode & S_IXOTH ? 't' : 'T';
	text[10] = 0;
}

/* Remembers the last names, because all files of a folder are mostly one user's. */
static void show_owner(const struct stat *st)
{
	static char user[32], group[32];
	static uid_t uid = -1;
	static gid_t gid = -1;
	struct passwd *pw;
	struct group *gr;

	if (st->st_uid != uid) {
		snprintf(user, sizeof(user), "%u", uid = st->st_uid);
		pw = getpwuid(uid);
		if (pw)
			snprintf(user, sizeof(user), "%s", pw->pw_name);
	}
	if (st->st_gid != gid) {
		snprintf(group, sizeof(group), "%u", gid = st->st_gid);
		gr = getgrgid(gid);
		if (gr)
			snprintf(group, sizeof(group), "%s", gr->gr_name);
	}
	printf("%-7s %-7s ", user, group);
}

static void show_details(const struct stat *st)
{
	char mode[11], date[20], size[24];

	mode_text(st->st_mode, mode);
	strftime(date, sizeof(date), "%F %R", gmtime(&st->st_mtime));
	printf("%s %2lu ", mode, (unsigned long)st->st_nlink);
	show_owner(st);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		printf("%4lu, %3lu", st->st_rdev >> 8 & 0xfff, st->st_rdev & 0xff);
	else if (option['h'])
		printf("%9s", human(st->st_size, size));
	else
		printf("%9ld", st->st_size);
	printf(" %s ", date);
}

static const char *mark(const struct stat *st)
{
	if (!option['F'])
		return "";
	if (S_ISDIR(st->st_mode))
		return "/";
	if (S_ISLNK(st->st_mode))
		return "@";
	return S_ISFIFO(st->st_mode) ? "|" : st->st_mode & 0111 ? "*"
								: "";
}

static void show(const char *folder, const struct entry *e)
{
	char path[4096], target[4096];
	ssize_t n;

	if (option['i'])
		printf("%7lu ", (unsigned long)e->st.st_ino);
	if (!option['l']) {
		printf("%s%s\n", e->name, mark(&e->st));
		return;
	}
	show_details(&e->st);
	printf("%s%s", e->name, S_ISLNK(e->st.st_mode) ? "" : mark(&e->st));
	if (S_ISLNK(e->st.st_mode)) {
		snprintf(path, sizeof(path), "%s%s%s", folder, *folder ? "/" : "", e->name);
		n = readlink(path, target, sizeof(target));
		if (n > 0)
			printf(" -> %.*s", (int)n, target);
	}
	putchar('\n');
}

/* For a terminal: prints as many columns as fit, filled from the top. */
static void show_columns(const struct list *l)
{
	struct winsize screen;
	size_t width = 0, columns, rows;
	int columns_known = !ioctl(1, TIOCGWINSZ, &screen) && screen.ws_col;

	for (size_t i = 0; i < l->n; i++) {
		size_t len = strlen(l->v[i].name) + strlen(mark(&l->v[i].st)) + 2;

		width = len > width ? len : width;
	}
	columns = width ? (columns_known ? screen.ws_col : 80) / width : 1;
	columns = columns ? columns : 1;
	rows = (l->n + columns - 1) / columns;
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < l->n; i += rows) {
			int n = printf("%s%s", l->v[i].name, mark(&l->v[i].st));

			if (i + rows < l->n)
				printf("%*s", (int)width - n, "");
		}
		putchar('\n');
	}
}

static void show_list(const char *folder, struct list *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_option);
	if (!option['l'] && !option['1'] && !option['i'] && isatty(1)) {
		show_columns(l);
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		show(folder, &l->v[i]);
}

static bool hidden(const char *name)
{
	if (*name != '.' || option['a'])
		return false;
	return !option['A'] || !strcmp(name, ".") || !strcmp(name, "..");
}

static int list_folder(const char *path, bool with_name)
{
	static bool second;
	struct list l = { 0 };
	struct dirent *e;
	struct stat st;
	unsigned long blocks = 0;
	char full[4096];
	int status = 0;
	DIR *d = opendir(path);

	if (!d) {
		warn("cannot open directory '%s'", path);
		return 2;
	}
	while ((e = readdir(d))) {
		snprintf(full, sizeof(full), "%s/%s", strcmp(path, "/") ? path : "", e->d_name);
		if (hidden(e->d_name) || lstat(full, &st))
			continue; /* or it was removed just now */
		list_add(&l, e->d_name, &st);
		blocks += st.st_blocks;
	}
	closedir(d);
	if (with_name)
		printf("%s%s:\n", second ? "\n" : "", path);
	second = true;
	if (option['l'])
		printf("total %lu\n", blocks / 2);
	show_list(path, &l);
	for (size_t i = 0; option['R'] && i < l.n; i++) {
		if (!S_ISDIR(l.v[i].st.st_mode) || !strcmp(l.v[i].name, ".") ||
		    !strcmp(l.v[i].name, ".."))
			continue;
		snprintf(full, sizeof(full), "%s/%s", strcmp(path, "/") ? path : "", l.v[i].name);
		status |= list_folder(full, true);
	}
	list_free(&l);
	return status;
}

static const struct options options = {
	.letters = "1AadFhilnRrSt",
	.names = "a:all A:almost-all d:directory F:classify h:human-readable i:inode "
		 "R:recursive r:reverse",
	.bad = 2,
};

int main(int argc, char **argv)
{
	struct list files = { 0 }, folders = { 0 };
	static char *here[] = { ".", NULL };
	struct stat st;
	int status = 0, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		option[c] = true;
	}
	argv = argv[optind] ? argv + optind : here;
	for (; *argv; argv++) {
		bool as_link = option['l'] || option['d'];

		if (as_link ? lstat(*argv, &st)
			    : stat(*argv, &st) && (errno != ENOENT || lstat(*argv, &st))) {
			warn("cannot access '%s'", *argv);
			status = 2;
			continue;
		}
		list_add(S_ISDIR(st.st_mode) && !option['d'] ? &folders : &files, *argv, &st);
	}
	show_list("", &files);
	if (files.n && folders.n)
		putchar('\n');
	if (folders.n)
		qsort(folders.v, folders.n, sizeof(*folders.v), by_option);
	for (size_t i = 0; i < folders.n; i++)
		status |= list_folder(folders.v[i].name,
				      option['R'] || status || files.n + folders.n > 1);
	list_free(&files);
	list_free(&folders);
	return status;
}
