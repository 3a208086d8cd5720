/* ls [-al] [path...]: what is in folders; -a: names that begin with a dot too; -l: with details. */
#include <dirent.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool all, details;

struct entry {
	char *name;
	struct stat st;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* Like "drwxr-xr-x". */
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

static void show(const char *folder, const struct entry *e)
{
	char mode[11], date[20], path[4096], target[4096];
	const struct stat *st = &e->st;
	ssize_t n;

	if (!details) {
		puts(e->name);
		return;
	}
	mode_text(st->st_mode, mode);
	strftime(date, sizeof(date), "%F %R", gmtime(&st->st_mtime));
	printf("%s %2lu %4u %4u ", mode, (unsigned long)st->st_nlink, st->st_uid, st->st_gid);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		printf("%4lu, %3lu", st->st_rdev >> 8 & 0xfff, st->st_rdev & 0xff);
	else
		printf("%9ld", st->st_size);
	printf(" %s %s", date, e->name);
	if (S_ISLNK(st->st_mode)) {
		snprintf(path, sizeof(path), "%s%s%s", folder, *folder ? "/" : "", e->name);
		n = readlink(path, target, sizeof(target));
		if (n > 0)
			printf(" -> %.*s", (int)n, target);
	}
	putchar('\n');
}

static int list_folder(const char *path)
{
	struct entry *entries = NULL;
	size_t n = 0, room = 0;
	struct dirent *e;
	char full[4096];
	DIR *d = opendir(path);

	if (!d) {
		warn("%s", path);
		return 1;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' && !all)
			continue;
		if (n == room) {
			room = room ? 2 * room : 32;
			entries = realloc(entries, room * sizeof(*entries));
			if (!entries)
				err(1, "%s", path);
		}
		snprintf(full, sizeof(full), "%s/%s", path, e->d_name);
		if (details && lstat(full, &entries[n].st))
			continue;	/* it went away this moment */
		entries[n++].name = strdup(e->d_name);
	}
	closedir(d);
	if (n)
		qsort(entries, n, sizeof(*entries), by_name);
	for (size_t i = 0; i < n; i++) {
		show(path, &entries[i]);
		free(entries[i].name);
	}
	free(entries);
	return 0;
}

static int list(char *path, bool with_name)
{
	static bool second;
	struct entry e = { .name = path };

	if (details ? lstat(path, &e.st) : stat(path, &e.st)) {
		warn("%s", path);
		return 1;
	}
	if (!S_ISDIR(e.st.st_mode)) {
		show("", &e);
		return 0;
	}
	if (with_name)
		printf("%s%s:\n", second ? "\n" : "", path);
	second = true;
	return list_folder(path);
}

int main(int argc, char **argv)
{
	int status = 0, c;
	bool many;

	while ((c = getopt(argc, argv, "al")) != -1) {
		if (c == '?')
			return 2;
		all |= c == 'a';
		details |= c == 'l';
	}
	if (optind == argc)
		return list_folder(".");
	many = argc - optind > 1;
	for (; optind < argc; optind++)
		status |= list(argv[optind], many);
	return status;
}
