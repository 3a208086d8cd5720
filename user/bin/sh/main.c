/*
 * sh: the shell. It runs the text of -c, a script, or commands from standard input, with a prompt
 * if that is a terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

struct shell shell;

static void import_environment(void)
{
	char parent[24];

	for (char **e = environ; *e; e++) {
		if (!strchr(*e, '='))
			continue;
		var_set(*e, strchr(*e, '=') + 1);
		var_export(*e);
	}
	snprintf(parent, sizeof(parent), "%d", getppid());
	var_set("PPID", parent);
	var_set("IFS", " \t\n");
	var_get("$"); /* sets it now: a subshell's $$ is ours */
	if (!var_get("PATH"))
		var_set("PATH", "/bin:/tests");
}

static int run_script(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct source s = { .fd = -1, .last_words = true };

	s.text = fd < 0 ? NULL : read_whole(fd);
	if (!s.text) {
		complain("%s: %m", path);
		return 127;
	}
	close(fd);
	return run_source(&s);
}

static int run_input(void)
{
	struct source s = { .fd = 0 };

	s.interactive = shell.interactive = isatty(0) && isatty(2);
	job_foreground(0);
	return run_source(&s);
}

int main(int argc, char **argv)
{
	const char *command = NULL;
	int c;

	while ((c = getopt(argc, argv, "+exuc:")) != -1) {
		switch (c) {
		case 'e':
			shell.exit_on_error = true;
			break;
		case 'x':
			shell.trace = true;
			break;
		case 'u':
			shell.unset_is_error = true;
			break;
		case 'c':
			command = optarg;
			break;
		default:
			fputs("usage: sh [-eux] [-c command [name [argument...]] | script "
			      "[argument...]]\n", stderr);
			return 2;
		}
	}
	import_environment();
	note_folder();
	shell.name = argv[0];
	shell.params = argv + optind;
	if (*shell.params)
		shell.name = *shell.params++;
	if (command) {
		struct source s = { .text = command, .fd = -1, .last_words = true };

		shell_exit(run_source(&s));
	}
	shell_exit(optind < argc ? run_script(argv[optind]) : run_input());
}
