/*
 * find [path...] [condition | action]...: walks through folders and prints the paths that fulfil
 * all conditions: -name, -iname and -path with a pattern, -type f|d|l|c|b|p, -size, -mtime, -links
 * with N, +N or -N (-size: blocks, or with c, k, M), -empty, -newer file, -maxdepth N, -mindepth N;
 * ! negates, -o means or, ( ) group. Actions: -print, -print0, -delete, -exec command {} ; and
 * -prune.
 */
#include <dirent.h>
#include <err.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **condition;		/* all conditions and actions; NULL at the end */
static char **at;			/* the one being read */
static long max_depth = 1L << 30, min_depth;
static bool has_action, depth_first, pruned;
static int status;

struct place {
	const char *path;
	struct stat st;
};

static bool either(const struct place *p, bool asked);

/* Compares @n with N, +N (more than N) or -N (less). */
static bool compare(long n, const char *text)
{
	long wanted = strtol(text + (*text == '+' || *text == '-'), NULL, 10);

	return *text == '+' ? n > wanted : *text == '-' ? n < wanted : n == wanted;
}

static bool of_size(const struct place *p, const char *text)
{
	const char unit = text[strlen(text) - 1];
	long size = unit == 'c' ? 1 : unit == 'k' ? 1024 : unit == 'M' ? 1024 * 1024 : 512;

	return compare((p->st.st_size + size - 1) / size, text);
}

static bool is_type(mode_t mode, char type)
{
	static const char types[] = "?pc?d?b?f?l?s???";

	return types[mode >> 12 & 15] == type;
}

static bool is_empty(const struct place *p)
{
	struct dirent *e;
	bool empty = true;
	DIR *d;

	if (!S_ISDIR(p->st.st_mode))
		return S_ISREG(p->st.st_mode) && p->st.st_size == 0;
	d = opendir(p->path);
	while (d && (e = readdir(d)))
		empty &= !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	if (d)
		closedir(d);
	return d && empty;
}

static bool is_newer(const struct place *p, const char *than)
{
	struct stat st;

	if (stat(than, &st))
		err(1, "'%s'", than);
	return p->st.st_mtim.tv_sec > st.st_mtim.tv_sec ||
	       (p->st.st_mtim.tv_sec == st.st_mtim.tv_sec &&
		p->st.st_mtim.tv_nsec > st.st_mtim.tv_nsec);
}

/* -exec: runs the command up to the ";", with the path in place of each {}. */
static bool run_command(const struct place *p, bool asked)
{
	char *words[256];
	int n = 0, result = 0;
	pid_t pid;

	for (; *at && strcmp(*at, ";") && n < 255; at++)
		words[n++] = strcmp(*at, "{}") ? *at : (char *)p->path;
	words[n] = NULL;
	if (!n || !*at)
		errx(1, "missing argument to '-exec'");
	at++;
	if (!asked)
		return false;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execvp(words[0], words);
		err(127, "'%s'", words[0]);
	}
	if (pid > 0)
		waitpid(pid, &result, 0);
	return pid > 0 && result == 0;
}

static bool delete(const struct place *p)
{
	if (!strcmp(p->path, ".") || !(S_ISDIR(p->st.st_mode) ? rmdir : unlink)(p->path))
		return true;
	warn("cannot delete '%s'", p->path);
	status = 1;
	return false;
}

static const char *argument(const char *of)
{
	if (!*at)
		errx(1, "missing argument to '%s'", of);
	return *at++;
}

/* Evaluates one condition or action. If not @asked, only skips its words. */
static bool one(const struct place *p, bool asked)
{
	const char *word = *at++, *arg, *base = strrchr(p->path, '/');
	bool r;

	if (!strcmp(word, "!") || !strcmp(word, "-not"))
		return *at ? !one(p, asked) : false;
	if (!strcmp(word, "(")) {
		r = either(p, asked);
		if (!*at || strcmp(*at++, ")"))
			errx(1, "'(' without ')'");
		return r;
	}
	if (!strcmp(word, "-exec"))
		return run_command(p, asked);
	if (!strcmp(word, "-empty"))
		return asked && is_empty(p);
	if (!strcmp(word, "-prune"))
		return asked && (pruned = true);
	if (!strcmp(word, "-delete"))
		return asked && delete(p);
	if (!strcmp(word, "-print") || !strcmp(word, "-print0")) {
		if (asked)
			printf("%s%c", p->path, word[6] ? 0 : '\n');
		return asked;
	}
	arg = argument(word);
	base = base && base[1] ? base + 1 : p->path;
	if (!strcmp(word, "-name"))
		return !fnmatch(arg, base, 0);
	if (!strcmp(word, "-iname"))
		return !fnmatch(arg, base, FNM_CASEFOLD);
	if (!strcmp(word, "-path"))
		return !fnmatch(arg, p->path, 0);
	if (!strcmp(word, "-type"))
		return is_type(p->st.st_mode, *arg);
	if (!strcmp(word, "-size"))
		return of_size(p, arg);
	if (!strcmp(word, "-links"))
		return compare(p->st.st_nlink, arg);
	if (!strcmp(word, "-mtime"))
		return compare((time(NULL) - p->st.st_mtime) / 86400, arg);
	if (!strcmp(word, "-newer"))
		return asked && is_newer(p, arg);
	if (!strcmp(word, "-maxdepth") || !strcmp(word, "-mindepth"))
		return true;
	errx(1, "unknown predicate '%s'", word);
}

static bool every(const struct place *p, bool asked)
{
	bool r = asked;

	while (*at && strcmp(*at, "-o") && strcmp(*at, ")"))
		if (!strcmp(*at, "-a"))
			at++;
		else
			r = one(p, r) && r;
	return r;
}

static bool either(const struct place *p, bool asked)
{
	bool r = every(p, asked);

	while (*at && !strcmp(*at, "-o")) {
		at++;
		r = every(p, asked && !r) || r;
	}
	return r;
}

static void judge(const struct place *p, long depth)
{
	at = condition;
	if (depth < min_depth)
		return;
	if (either(p, true) && !has_action)
		puts(p->path);
	if (*at)
		errx(1, "unexpected '%s'", *at);
}

static void walk(const char *path, long depth)
{
	struct place p = { .path = path };
	struct dirent *e;
	char entry[4096];
	DIR *d = NULL;

	if (lstat(path, &p.st)) {
		warn("'%s'", path);
		status = 1;
		return;
	}
	pruned = false;
	if (!depth_first)
		judge(&p, depth);
	if (S_ISDIR(p.st.st_mode) && depth < max_depth && !pruned && !(d = opendir(path))) {
		warn("'%s'", path);
		status = 1;
	}
	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(entry, sizeof(entry), "%s%s%s", path,
			 path[strlen(path) - 1] == '/' ? "" : "/", e->d_name);
		walk(entry, depth + 1);
	}
	if (d)
		closedir(d);
	if (depth_first)
		judge(&p, depth);
}

int main(int argc, char **argv)
{
	int paths = 1;

	while (paths < argc && *argv[paths] != '-' && strcmp(argv[paths], "!") &&
	       strcmp(argv[paths], "("))
		paths++;
	condition = argv + paths;
	for (char **word = condition; *word; word++) {
		bool action = !strncmp(*word, "-print", 6) || !strcmp(*word, "-exec") ||
			      !strcmp(*word, "-delete");

		has_action |= action;
		depth_first |= !strcmp(*word, "-delete") || !strcmp(*word, "-depth");
		if (word[1] && !strcmp(*word, "-maxdepth"))
			max_depth = atol(word[1]);
		if (word[1] && !strcmp(*word, "-mindepth"))
			min_depth = atol(word[1]);
	}
	if (paths == 1)
		walk(".", 0);
	for (int i = 1; i < paths; i++)
		walk(argv[i], 0);
	return status;
}
