/*
 * Options as in GNU's tools: letters, long names for some of them, --help, and the same error
 * messages. The text of --help is the comment at the top of the program, which the build puts into
 * /etc/help.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *letters; /* as for getopt() */
	const char *names; /* "i:ignore-case n:line-number", or NULL */
	int bad; /* the exit status after an error */
};

static inline const char *program_name(char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	return slash ? slash + 1 : argv[0];
}

static inline _Noreturn void bad_usage(char **argv, int status)
{
	const char *name = program_name(argv);

	fprintf(stderr, "Try '%s --help' for more information.\n", name);
	exit(status);
}

/* Prints the paragraph of /etc/help that begins with the program's name. */
static inline _Noreturn void show_help(char **argv)
{
	const char *name = program_name(argv);
	FILE *f = fopen("/etc/help", "r");
	size_t len = strlen(name);
	bool first = true, on = false;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (first && !strncmp(line, name, len) && strchr(" :\n", line[len]))
			on = true;
		if (on && *line == '\n')
			break;
		if (on)
			printf("%s%s", first ? "Usage: " : "", line);
		first = *line == '\n';
	}
	if (!on)
		printf("Usage: %s\n", name);
	exit(fflush(stdout) ? 1 : 0);
}

/* Returns the letter for the long option @name, of @len bytes, or 0. */
static inline char letter_of(const char *names, const char *name, size_t len)
{
	for (const char *at = names; at && *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n - 2 == len && !strncmp(at + 2, name, len))
			return *at;
		at += n;
	}
	return 0;
}

static inline bool takes_argument(const char *letters, char letter)
{
	for (; *letters; letters++)
		if (*letters == letter)
			return letters[1] == ':';
	return false;
}

/* Turns long options into short ones: "--lines=3" becomes "-n3". */
static inline void shorten_options(int argc, char **argv, const struct options *o)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		const char *arg = argv[i], *value = strchrnul(arg, '=');
		char letter, *made;

		if (!strcmp(arg, "--help"))
			show_help(argv);
		if (arg[0] != '-' || !arg[1] || (*o->letters == '+' && arg[0] != '-')) {
			if (*o->letters == '+')
				return;
			continue;
		}
		if (arg[1] != '-') {
			if (!arg[2] && takes_argument(o->letters, arg[1]))
				i++;
			continue;
		}
		letter = letter_of(o->names, arg + 2, value - arg - 2);
		if (!letter) {
			fprintf(stderr, "%s: unrecognized option '%s'\n", program_name(argv), arg);
			bad_usage(argv, o->bad);
		}
		if (asprintf(&made, "-%c%s", letter, *value ? value + 1 : "") < 0)
			exit(o->bad);
		argv[i] = made;
	}
}

/* Returns the next option, or -1 after the last. An unknown option ends the program. */
static inline int next_option(int argc, char **argv, const struct options *o)
{
	static bool begun;
	int c;

	if (!begun)
		shorten_options(argc, argv, o);
	begun = true;
	c = getopt(argc, argv, o->letters);
	if (c == '?')
		bad_usage(argv, o->bad);
	return c;
}

/* Ends the program with an error if there is no operand. */
static inline void need_operand(int argc, char **argv, int status)
{
	if (optind < argc)
		return;
	fprintf(stderr, "%s: missing operand\n", program_name(argv));
	bad_usage(argv, status);
}
