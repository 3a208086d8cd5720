/*
 * xargs [-r] [-n most] [command [argument...]]: runs the command with the words of standard input
 * as further arguments, at most so many at a time with -n; -r: not if there are none.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"

#define MAX_WORDS 1024

static char *words[MAX_WORDS + 1];
static int fixed, count;

/* Runs the command. Returns 0, or 123 if it fails, as in POSIX and GNU's. */
static int run(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		words[count] = NULL;
		execvp(words[0], words);
		err(127, "%s", words[0]);
	}
	waitpid(pid, &status, 0);
	while (count > fixed)
		free(words[--count]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		exit(127);
	return status ? 123 : 0;
}

static const struct options options = {
	.letters = "+n:r",
	.names = "n:max-args r:no-run-if-empty",
	.bad = 1,
};

int main(int argc, char **argv)
{
	static char echo[] = "echo";
	int most = MAX_WORDS, status = 0, ran = 0, c;
	char *line = NULL, *word, *rest;
	size_t size = 0;

	while ((c = next_option(argc, argv, &options)) != -1) {
		if (c == 'n' && atoi(optarg) < 1)
			return 1;
		if (c == 'n')
			most = atoi(optarg);
		ran |= c == 'r';
	}
	words[count++] = optind < argc ? argv[optind++] : echo;
	while (optind < argc && count < MAX_WORDS / 2)
		words[count++] = argv[optind++];
	fixed = count;
	while (getline(&line, &size, stdin) > 0) {
		for (word = strtok_r(line, " \t\n", &rest); word;
		     word = strtok_r(NULL, " \t\n", &rest)) {
			words[count++] = strdup(word);
			if (count - fixed == most || count == MAX_WORDS) {
				status |= run();
				ran = 1;
			}
		}
	}
	if (count > fixed || !ran)
		status |= run();
	return status;
}
