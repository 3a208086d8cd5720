/*
 * Commands that must run in the shell itself, because they change it; and a few more that scripts
 * use all the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int builtin_cd(int argc, char **argv)
{
	const char *to = argc > 1 ? argv[1] : var_get("HOME");

	if (!to)
		to = "/";
	if (!chdir(to))
		return 0;
	complain("cd: %s: %m", to);
	return 1;
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
	exit(argc > 1 ? atoi(argv[1]) : shell.status);
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

/* Options -e and -x, on with '-' and off with '+'; what follows them become the parameters. */
static int builtin_set(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1] != '-'; i++) {
		shell.exit_on_error |= strchr(argv[i], 'e') != NULL;
		shell.trace |= strchr(argv[i], 'x') != NULL;
		if (argv[i][0] == '+') {
			shell.exit_on_error &= !strchr(argv[i], 'e');
			shell.trace &= !strchr(argv[i], 'x');
		}
	}
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

/* ". file": runs it here, not in a shell of its own. */
static int builtin_dot(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	char *text = fd < 0 ? NULL : read_whole(fd);

	if (fd >= 0)
		close(fd);
	if (text)
		return run_string(text);
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

/* read [-r] name...: the last name takes the rest of the line. */
static int builtin_read(int argc, char **argv)
{
	struct text line = { 0 };
	ssize_t n;
	char c = 0, *p, *word;
	int i = argc > 1 && !strcmp(argv[1], "-r") ? 2 : 1;

	while ((n = read(0, &c, 1)) == 1 && c != '\n')
		text_add(&line, c);
	p = line.s ? line.s : arena_copy("", 0);
	for (; i < argc; i++) {
		word = p += strspn(p, " \t");
		p += i + 1 < argc ? strcspn(p, " \t") : strlen(p);
		if (i + 1 == argc)
			while (p > word && strchr(" \t", p[-1]))
				p--;
		var_set(argv[i], arena_copy(word, p - word));
	}
	return n == 1 || line.s ? 0 : 1;
}

static int builtin_wait(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		status = job_wait(atoi(argv[i]));
	if (argc == 1)
		while (wait(NULL) > 0 || errno == EINTR)
			;
	return status;
}

builtin_fn find_builtin(const char *name)
{
	static const struct { const char *name; builtin_fn fn; } builtins[] = {
		{ ":", builtin_true }, { "true", builtin_true }, { "false", builtin_false },
		{ ".", builtin_dot }, { "break", builtin_break }, { "cd", builtin_cd },
		{ "bg", builtin_fg }, { "continue", builtin_break }, { "echo", builtin_echo },
		{ "eval", builtin_eval },
		{ "exec", builtin_true }, { "exit", builtin_exit }, { "export", builtin_export },
		{ "fg", builtin_fg }, { "jobs", builtin_jobs }, { "kill", builtin_kill },
		{ "read", builtin_read }, { "return", builtin_return }, { "set", builtin_set },
		{ "shift", builtin_shift }, { "test", builtin_test }, { "[", builtin_test },
		{ "unset", builtin_unset }, { "wait", builtin_wait },
	};

	for (size_t i = 0; i < sizeof(builtins) / sizeof(*builtins); i++)
		if (!strcmp(name, builtins[i].name))
			return builtins[i].fn;
	return NULL;
}
