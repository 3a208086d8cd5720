/* Finds the processes for pgrep, pkill and killall: by name, user, parent and so on. */
#pragma once

#include <err.h>
#include <pwd.h>
#include <regex.h>
#include <sys/stat.h>

#include "options.h"
#include "proc.h"

struct wish {
	regex_t *re; /* NULL: any name */
	bool exact, full, inverted; /* -x, -f, -v */
	int parent, group, session; /* -1: any */
	long uid;
};

static inline long owner_of(int pid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return stat(path, &st) ? -1 : (long)st.st_uid;
}

/* Gets the whole command line if @full and if there is one, else the name. */
static inline void command_of(const struct task *t, bool full, char *text, size_t size)
{
	char path[40];
	ssize_t n;

	snprintf(text, size, "%s", t->name);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", t->id);
	if (!full || (n = read_text(path, text, size)) <= 0) {
		snprintf(text, size, "%s", t->name);
		return;
	}
	for (ssize_t i = 0; i + 1 < n; i++)
		if (!text[i])
			text[i] = ' ';
}

static inline bool matches(const struct wish *w, const struct task *t)
{
	char text[512];
	regmatch_t m[1];
	bool yes;

	if (t->id == getpid())
		return false;
	command_of(t, w->full, text, sizeof(text));
	yes = !w->re || (!regexec(w->re, text, 1, m, 0) &&
			 (!w->exact || (m->rm_so == 0 && !text[m->rm_eo])));
	yes = yes && (w->parent < 0 || t->parent == w->parent) &&
	      (w->group < 0 || t->group == w->group) &&
	      (w->session < 0 || t->session == w->session) &&
	      (w->uid < 0 || owner_of(t->id) == w->uid);
	return yes != w->inverted;
}

static inline regex_t *compile_name(const char *text)
{
	static regex_t re;
	char message[80];
	int error = regcomp(&re, text, REG_EXTENDED);

	if (error) {
		regerror(error, &re, message, sizeof(message));
		errx(2, "%s", message);
	}
	return &re;
}

static inline long user_id(const char *text)
{
	struct passwd *pw = getpwnam(text);
	char *end;
	long n = strtol(text, &end, 10);

	if (!pw && (end == text || *end))
		errx(2, "invalid user name: %s", text);
	return pw ? (long)pw->pw_uid : n;
}

/* Takes one of the options that pgrep and pkill share. */
static inline void take_wish(struct wish *w, int c)
{
	switch (c) {
	case 'f':
		w->full = true;
		break;
	case 'x':
		w->exact = true;
		break;
	case 'v':
		w->inverted = true;
		break;
	case 'P':
		w->parent = atoi(optarg);
		break;
	case 'g':
		w->group = atoi(optarg);
		break;
	case 's':
		w->session = atoi(optarg);
		break;
	case 'u':
	case 'U':
		w->uid = user_id(optarg);
		break;
	}
}

static inline void finish_wish(struct wish *w, int argc, char **argv)
{
	bool any = w->parent < 0 && w->group < 0 && w->session < 0 && w->uid < 0;

	if (optind == argc && any) {
		warnx("no matching criteria specified");
		bad_usage(argv, 2);
	}
	if (argc - optind > 1) {
		warnx("only one pattern can be provided");
		bad_usage(argv, 2);
	}
	if (optind < argc)
		w->re = compile_name(argv[optind]);
}
