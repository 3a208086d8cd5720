/*
 * Runs a tree. Every node gives a status. `final` says that the process has nothing left to do
 * after the node: then a program replaces the process instead of running in yet another child.
 *
 * break, continue, return and a person's Ctrl-C unwind the tree: they set shell.unwind, and every
 * list and loop on the way up checks it.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

#define MAX_PIPELINE	64	/* at most so many parts are waited for */

static int tested;		/* in a condition: a failure does not end a "set -e" shell */

static int run(struct node *n, bool final);

static int run_tested(struct node *n)
{
	int status;

	tested++;
	status = run(n, false);
	tested--;
	return status;
}

/* Replaces this process, which is a child or has nothing else to do. */
static _Noreturn void exec_program(char **argv)
{
	int error;

	environ = var_environment();
	execvp(argv[0], argv);
	error = errno;
	if (error == ENOENT && !strchr(argv[0], '/'))
		complain("%s: not found", argv[0]);
	else
		complain("%s: %s", argv[0], strerror(error));
	exit(error == ENOENT ? 127 : 126);
}

static void assign(const struct fields *words, size_t n, bool export)
{
	for (size_t i = 0; i < n; i++) {
		char *name = words->v[i], *value = strchr(name, '=') + 1;

		var_set(name, expand_one(value));
		if (export)
			var_export(name);
	}
}

static int run_function(struct node *body, char **argv)
{
	char **params = shell.params;
	void *locals = var_mark_locals();
	int status, loops = shell.loops;

	shell.params = argv + 1;
	shell.loops = 0;
	status = run(body, false);
	var_end_locals(locals);
	shell.params = params;
	shell.loops = loops;
	if (shell.unwind == UNWIND_RETURN)
		shell.unwind = UNWIND_NONE;
	return status;
}

/* Runs assignments, builtins and functions in this process, and undoes their redirections. */
static int run_inside(struct node *n, size_t assignments, struct fields *f, bool plain)
{
	struct node *function = f->n && !plain ? find_function(f->v[0]) : NULL;
	const struct builtin *builtin = f->n ? builtin_named(f->v[0]) : NULL;
	bool own = function || (builtin && !builtin_is_special(builtin));
	struct saved_fds saved;
	void *locals;
	int status = shell.status;

	if (f->n && !strcmp(f->v[0], "exec")) {		/* its redirections stay */
		assign(&n->words, assignments, false);
		if (!redirect(n->redirs))
			return 1;
		if (f->n > 1)
			exec_program(f->v + 1);
		return 0;
	}
	if (!redirect_saving(n->redirs, &saved)) {
		redirect_restore(&saved);
		return 1;
	}
	locals = var_mark_locals();
	if (own)
		for (size_t i = 0; i < assignments; i++)
			var_local(n->words.v[i]);
	assign(&n->words, assignments, false);
	if (function)
		status = run_function(function, f->v);
	else if (builtin)
		status = builtin->run(f->n, f->v);
	else
		status = shell.substituted;
	if (own)
		var_end_locals(locals);
	redirect_restore(&saved);
	return status;
}

static int run_program(struct node *n, size_t assignments, struct fields *f, bool final)
{
	pid_t group = 0, pid = final && !trap_is_set() ? 0 : job_fork(&group, true);
	int status;

	if (pid < 0)
		return 126;
	if (pid == 0) {
		assign(&n->words, assignments, true);
		if (!redirect(n->redirs))
			exit(1);
		exec_program(f->v);
	}
	status = job_wait_all(group, &pid, 1, describe(n));
	job_foreground(0);
	return status;
}

static void trace(const struct fields *f)
{
	fputc('+', stderr);
	for (size_t i = 0; i < f->n; i++)
		fprintf(stderr, " %s", f->v[i]);
	fputc('\n', stderr);
}

static int run_simple(struct node *n, bool final)
{
	struct fields f = { 0 };
	size_t assignments = 0, len;
	bool plain = false; /* behind "command": functions are not looked for */
	const char *w;

	for (; assignments < n->words.n; assignments++) {
		w = n->words.v[assignments];
		len = name_length(w);
		if (!len || w[len] != '=')
			break;
	}
	shell.substituted = 0;
	expand_words(&n->words, assignments, &f);
	if (shell.trace && f.n)
		trace(&f);
	for (; f.n > 1 && !strcmp(f.v[0], "command") && *f.v[1] != '-'; plain = true) {
		f.v++;
		f.n--;
	}
	if (!f.n || builtin_named(f.v[0]) || (!plain && find_function(f.v[0])))
		return run_inside(n, assignments, &f, plain);
	return run_program(n, assignments, &f, final);
}

/* Moves @fd, if it is not -1, to the descriptor @to. */
static void move_fd(int fd, int to)
{
	if (fd < 0 || fd == to)
		return;
	dup2(fd, to);
	close(fd);
}

/* Starts @n with @in and @out as its standard input and output; -1: keep the shell's. */
static pid_t start_part(struct node *n, int in, int out, int unused, pid_t *group)
{
	pid_t pid = job_fork(group, true);

	if (pid == 0) {
		if (unused >= 0)
			close(unused);
		move_fd(in, 0);
		move_fd(out, 1);
		shell_exit(run(n, true));
	}
	return pid;
}

struct pids {
	pid_t v[MAX_PIPELINE];
	size_t n;
};

/* Notes a process that could be started. */
static void pids_add(struct pids *pids, pid_t pid)
{
	if (pid > 0 && pids->n < MAX_PIPELINE)
		pids->v[pids->n++] = pid;
}

/* Starts the parts of a pipeline from the first on; its tree leans to the left. */
static pid_t start_pipeline(struct node *n, int out, int unused, pid_t *group, struct pids *pids)
{
	int fds[2] = { -1, -1 };
	struct node *last = n;
	pid_t pid;

	if (n->kind == NODE_PIPE) {
		last = n->right;
		if (pipe(fds)) {
			complain("cannot make a pipe: %m");
			return -1;
		}
		pid = start_pipeline(n->left, fds[1], fds[0], group, pids);
		close(fds[1]);
		pids_add(pids, pid);
	}
	pid = start_part(last, fds[0], out, unused, group);
	if (fds[0] >= 0)
		close(fds[0]);
	return pid;
}

static int run_pipeline(struct node *n)
{
	struct pids pids = { 0 };
	pid_t group = 0, last = start_pipeline(n, -1, -1, &group, &pids);
	int status;

	pids_add(&pids, last);
	status = pids.n ? job_wait_all(group, pids.v, pids.n, describe(n)) : 126;
	job_foreground(0);
	return last > 0 ? status : 126;
}

static int run_background(struct node *n)
{
	pid_t group = 0, pid = job_fork(&group, false);

	if (pid == 0)
		shell_exit(run(n->left, true));
	if (pid < 0)
		return 126;
	shell.last_background = pid;
	if (shell.interactive)
		job_background(pid, describe(n->left));
	return 0;
}

static int run_subshell(struct node *n, bool final)
{
	pid_t group = 0, pid = final && !trap_is_set() ? 0 : job_fork(&group, true);
	int status;

	if (pid < 0)
		return 126;
	if (pid == 0) {
		shell.loops = 0;
		shell_exit(redirect(n->redirs) ? run(n->left, true) : 1);
	}
	status = job_wait_all(group, &pid, 1, describe(n));
	job_foreground(0);
	return status;
}

/* Checks after a loop's body whether the loop ends. */
static bool loop_ends(void)
{
	if (shell.unwind == UNWIND_NONE)
		return false;
	if (shell.unwind >= UNWIND_RETURN || --shell.unwind_levels > 0)
		return true;		/* to be handled by what is around the loop */
	if (shell.unwind == UNWIND_CONTINUE) {
		shell.unwind = UNWIND_NONE;
		return false;
	}
	shell.unwind = UNWIND_NONE;
	return true;
}

static int run_while(struct node *n)
{
	int status = 0;
	size_t mark;

	shell.loops++;
	for (;;) {
		mark = arena_mark();
		if ((run_tested(n->left) == 0) != (n->kind == NODE_WHILE) || loop_ends())
			break;
		status = run(n->right, false);
		arena_release(mark);
		if (loop_ends())
			break;
	}
	shell.loops--;
	return status;
}

static int run_for(struct node *n)
{
	struct fields values = { 0 };
	int status = 0;
	size_t mark;

	expand_words(&n->words, 1, &values);
	shell.loops++;
	for (size_t i = 0; i < values.n; i++) {
		mark = arena_mark();
		var_set(n->words.v[0], values.v[i]);
		status = run(n->right, false);
		arena_release(mark);
		if (loop_ends())
			break;
	}
	shell.loops--;
	return status;
}

static int run_case(struct node *n, bool final)
{
	char *subject = expand_one(n->words.v[0]);

	for (struct node *p = n->right; p; p = p->other)
		for (size_t i = 0; i < p->words.n; i++)
			if (!fnmatch(expand_pattern(p->words.v[i]), subject, 0))
				return p->left ? run(p->left, final) : 0;
	return 0;
}

static int run_if(struct node *n, bool final)
{
	int status = run_tested(n->left);

	if (shell.unwind)
		return status;
	if (status == 0)
		return run(n->right, final);
	return n->other ? run(n->other, final) : 0;
}

static int run_plain(struct node *n, bool final)
{
	int status;

	switch (n->kind) {
	case NODE_SIMPLE:
		return run_simple(n, final);
	case NODE_PIPE:
		return run_pipeline(n);
	case NODE_BACKGROUND:
		return run_background(n);
	case NODE_SUBSHELL:
		return run_subshell(n, final);
	case NODE_GROUP:
		return run(n->left, final);
	case NODE_IF:
		return run_if(n, final);
	case NODE_WHILE: case NODE_UNTIL:
		return run_while(n);
	case NODE_FOR:
		return run_for(n);
	case NODE_CASE:
		return run_case(n, final);
	case NODE_FUNCTION:
		define_function(n->words.v[0], n->left);
		return 0;
	case NODE_NOT:
		return !run_tested(n->left);
	case NODE_THEN:
		status = run(n->left, false);
		break;
	default:
		status = run_tested(n->left);
		if ((status == 0) != (n->kind == NODE_AND))
			return status;
	}
	return shell.unwind ? status : run(n->right, final);
}

/* Runs a compound command with redirections; simple commands handle their own. */
static int run_redirected(struct node *n)
{
	struct saved_fds saved;
	int status = redirect_saving(n->redirs, &saved) ? run_plain(n, false) : 1;

	redirect_restore(&saved);
	return status;
}

static int run(struct node *n, bool final)
{
	bool own = n->kind == NODE_SIMPLE || n->kind == NODE_SUBSHELL;
	bool can_fail = own || n->kind == NODE_PIPE;
	int status;

	if (job_interrupted())
		return shell.status;
	trap_run();
	if (shell.unwind)
		return shell.status;
	status = n->redirs && !own ? run_redirected(n) : run_plain(n, final);
	if (shell.unwind == UNWIND_INTERRUPT)
		return shell.status;
	shell.status = status;
	if (status && shell.exit_on_error && !tested && can_fail && !shell.unwind)
		shell_exit(status);
	return status;
}

int run_tree(struct node *n)
{
	return run(n, false);
}

/* Runs a source to its end. Returns the status of the last command. */
int run_source(struct source *s)
{
	bool error, end = false;
	struct node *n;
	int status = 0;
	size_t mark;

	source_push(s);
	while (!end && !shell.unwind) {
		mark = arena_mark();
		if (s->interactive)
			job_reap();
		s->continued = false;
		n = parse_command(&error, &end);
		if (s->cancelled) {
			s->cancelled = end = false;
			status = shell.status = 130;
		} else if (error) {
			source_discard_line();
			status = shell.status = 2;
		} else if (n) {
			if (s->interactive) {
				shell.typed = n;
				job_forget_key();
			}
			status = run(n, s->last_words && (end || source_at_end()));
		}
		if (s->interactive) {
			job_interrupted();	/* a key may have come after the last node */
			shell.unwind = UNWIND_NONE;
			if (!shell.interactive)
				exit(status);	/* the end of a copy that Ctrl-Z made */
		}
		arena_release(mark);
	}
	source_pop();
	return status;
}

/* Runs commands that are already in memory, for "eval" and for substitutions. */
int run_string(const char *text)
{
	struct source s = { .text = text, .fd = -1 };

	return run_source(&s);
}
