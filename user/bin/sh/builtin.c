/*
 * Commands that must run in the shell itself because they change it, and a few more that scripts
 * use all the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sh.h"

void complain(const char *fmt, ...)
{
	int error = errno;
	va_list ap;

	fputs("sh: ", stderr);
	errno = error;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int builtin_true(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 0;
}

static int builtin_false(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 1;
}

void note_folder(void)
{
	char path[4096];

	if (getcwd(path, sizeof(path)))
		var_set("PWD", path);
}

static int builtin_cd(int argc, char **argv)
{
	const char *to = argc > 1 ? argv[1] : var_get("HOME"), *old = var_get("PWD");
	bool back = to && !strcmp(to, "-");

	if (back)
		to = var_get("OLDPWD");
	if (!to && back) {
		complain("cd: there is no folder to go back to");
		return 1;
	}
	if (chdir(to ? to : "/")) {
		complain("cd: %s: %m", to);
		return 1;
	}
	if (old)
		var_set("OLDPWD", arena_copy(old, strlen(old)));
	note_folder();
	if (back)
		puts(var_get("PWD"));
	return fflush(stdout) ? 1 : 0;
}

static int builtin_echo(int argc, char **argv)
{
	bool newline = argc < 2 || strcmp(argv[1], "-n");

	for (int i = newline ? 1 : 2; i < argc; i++)
		printf("%s%s", argv[i], i + 1 < argc ? " " : "");
	if (newline)
		putchar('\n');
	return fflush(stdout) ? 1 : 0;
}

static int builtin_exit(int argc, char **argv)
{
	shell_exit(argc > 1 ? atoi(argv[1]) : shell.status);
}

static int builtin_export(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		if (equals)
			var_set(argv[i], equals + 1);
		var_export(argv[i]);
	}
	return 0;
}

static int builtin_unset(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		var_unset(argv[i]);
	return 0;
}

/* Sets an option, -e, -u, -x or -o pipefail: on with '-' and off with '+'. */
static int set_option(const char *word, const char *name)
{
	bool on = *word == '-';

	for (word++; *word; word++) {
		if (*word == 'e')
			shell.exit_on_error = on;
		else if (*word == 'u')
			shell.unset_is_error = on;
		else if (*word == 'x')
			shell.trace = on;
		else if (*word == 'o' && name && !strcmp(name, "pipefail"))
			shell.pipe_fails = on;
	}
	return word[-1] == 'o' && name;
}

/* Sets options; the words behind them become the parameters. */
static int builtin_set(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1] != '-'; i++)
		i += set_option(argv[i], argv[i + 1]);
	if (i == argc)
		return 0;
	i += !strcmp(argv[i], "--");
	shell.params = need_memory(calloc(argc - i + 1, sizeof(char *)));
	for (int k = 0; i < argc; i++, k++)
		shell.params[k] = need_memory(strdup(argv[i]));
	return 0;
}

static int builtin_shift(int argc, char **argv)
{
	for (int n = argc > 1 ? atoi(argv[1]) : 1; n > 0; n--) {
		if (!*shell.params)
			return 1;
		shell.params++;
	}
	return 0;
}

static int builtin_eval(int argc, char **argv)
{
	struct text t = { 0 };

	for (int i = 1; i < argc; i++) {
		text_add_string(&t, argv[i]);
		text_add(&t, ' ');
	}
	return t.s ? run_string(t.s) : 0;
}

/* ". file": runs the file in this shell, not in one of its own. */
static int builtin_dot(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	char *text = fd < 0 ? NULL : read_whole(fd);
	int status;

	if (fd >= 0)
		close(fd);
	if (text) {
		status = run_string(text);
		if (shell.unwind == UNWIND_RETURN)
			shell.unwind = UNWIND_NONE;
		return status;
	}
	complain(".: %s: %m", argc > 1 ? argv[1] : "no file");
	return 1;
}

static int unwind(enum unwind how, int levels)
{
	shell.unwind = how;
	shell.unwind_levels = levels;
	return 0;
}

static int builtin_break(int argc, char **argv)
{
	int levels = argc > 1 ? atoi(argv[1]) : 1;

	if (!shell.loops)
		return 0;
	return unwind(*argv[0] == 'b' ? UNWIND_BREAK : UNWIND_CONTINUE,
		      levels > shell.loops ? shell.loops : levels);
}

static int builtin_return(int argc, char **argv)
{
	int status = argc > 1 ? atoi(argv[1]) : shell.status;

	unwind(UNWIND_RETURN, 0);
	return status;
}

/* local name[=value]...: when the function returns, the variable gets its old value back. */
static int builtin_local(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		var_local(argv[i]);
		if (equals)
			var_set(argv[i], equals + 1);
	}
	return 0;
}

/* command -v name: says what the shell would run; exec.c runs "command program". */
static int builtin_command(int argc, char **argv)
{
	const char *name = argc > 2 && !strcmp(argv[1], "-v") ? argv[2] : NULL, *program;

	if (!name)
		return 0;
	program = find_function(name) || builtin_named(name) ? name : find_program(name);
	if (!program)
		return 127;
	puts(program);
	return fflush(stdout) ? 1 : 0;
}

static int builtin_wait(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		status = job_wait(atoi(argv[i]));
	if (argc == 1)
		while (wait(NULL) > 0 ||
		       (errno == EINTR && !job_interrupted() && !trap_is_pending()))
			;
	return status;
}

/* type name...: says what kind of command the shell takes it for. */
static int builtin_type(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++) {
		char *program = find_program(argv[i]);

		if (find_function(argv[i]))
			printf("%s is a function\n", argv[i]);
		else if (builtin_named(argv[i]))
			printf("%s is a shell builtin\n", argv[i]);
		else if (program)
			printf("%s is %s\n", argv[i], program);
		else
			complain("type: %s: not found", argv[i]);
		status |= !program && !find_function(argv[i]) && !builtin_named(argv[i]);
	}
	return fflush(stdout) ? 1 : status;
}

static int builtin_umask(int argc, char **argv)
{
	mode_t mask = argc > 1 ? strtoul(argv[1], NULL, 8) : umask(0);

	umask(mask);
	if (argc == 1)
		printf("%04o\n", mask);
	return fflush(stdout) ? 1 : 0;
}

const struct builtin builtins[] = {
	{ ".", builtin_dot, "file", "runs the file's commands here, not in a shell of their own" },
	{ ":", builtin_true, "", "does nothing, with success" },
	{ "[", builtin_test, "expression ]", "the same as test" },
	{ "bg", builtin_fg, "[%job]", "lets a stopped job go on in the background" },
	{ "break", builtin_break, "[levels]", "leaves a loop" },
	{ "cd", builtin_cd, "[folder | -]", "goes to a folder; -: to the one before" },
	{ "command", builtin_command, "[-v] name...", "runs no function; -v: says what it is" },
	{ "continue", builtin_break, "[levels]", "goes on with a loop's next round" },
	{ "echo", builtin_echo, "[-n] [word...]", "writes words; -n: without an end of line" },
	{ "eval", builtin_eval, "word...", "runs the words as a command line" },
	{ "exec", builtin_true, "program [argument...]", "runs a program in the shell's place" },
	{ "exit", builtin_exit, "[status]", "ends the shell" },
	{ "export", builtin_export, "name[=value]...", "hands variables to programs" },
	{ "false", builtin_false, "", "fails" },
	{ "fg", builtin_fg, "[%job]", "lets a job go on in the foreground" },
	{ "help", builtin_help, "[name...]", "tells what commands there are and do" },
	{ "history", builtin_history, "[-c] [n]", "the lines typed so far; -c: forgets them" },
	{ "jobs", builtin_jobs, "", "lists the jobs that run or are stopped" },
	{ "kill", builtin_kill, "[-signal] pid|%job...", "sends a signal; -l: their names" },
	{ "local", builtin_local, "name[=value]...", "variables of this function alone" },
	{ "man", builtin_help, "name...", "the same as help" },
	{ "read", builtin_read, "[-r] [-p prompt] name...", "takes a line apart into variables" },
	{ "return", builtin_return, "[status]", "leaves a function" },
	{ "set", builtin_set, "[-eux] [word...]", "-e: errors end it; -u: unset ones; -x: shows" },
	{ "shift", builtin_shift, "[n]", "drops the first parameters" },
	{ "test", builtin_test, "expression", "compares strings and numbers, looks at files" },
	{ "trap", builtin_trap, "[action] signal...", "commands for a signal, or EXIT" },
	{ "true", builtin_true, "", "succeeds" },
	{ "type", builtin_type, "name...", "says whether it is builtin, function or program" },
	{ "umask", builtin_umask, "[mode]", "permissions that new files do not get" },
	{ "unset", builtin_unset, "name...", "forgets variables" },
	{ "wait", builtin_wait, "[pid...]", "waits for children to end" },
	{ NULL, NULL, NULL, NULL },
};

const struct builtin *builtin_named(const char *name)
{
	for (const struct builtin *b = builtins; b->name; b++)
		if (!strcmp(name, b->name))
			return b;
	return NULL;
}

/*
 * An assignment before a special builtin stays; before another builtin it holds only for that
 * command.
 */
bool builtin_is_special(const struct builtin *b)
{
	static const char *const names[] = { ".", ":", "break", "continue", "eval",
					     "exec", "exit", "export", "local", "return",
					     "set", "shift", "trap", "unset" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(b->name, names[i]))
			return true;
	return false;
}
