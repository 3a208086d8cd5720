/*
 * The shell, as its parts see each other. A command line passes through them in this order:
 *
 *	source.c	characters, from a string, a file or a person, whose lines terminal.c reads
 *			(edit.c, history.c, complete.c)
 *	token.c		words, still as typed, quotes and all, and operators
 *	parse.c		a tree of commands
 *	exec.c		walks the tree: forks, pipes, waits (job.c, redir.c)
 *	expand.c	turns a word into fields when its command runs (arith.c, glob.c, vars.c)
 *	builtin.c	commands that must run in the shell itself (test.c, help.c)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* --- Memory (arena.c): given back in reverse order, all at once back to a mark --- */

size_t arena_mark(void);
void arena_release(size_t mark);
void arena_keep(void);			/* what is allocated now stays for good */
void *arena_alloc(size_t size);		/* zeroed */
void *need_memory(void *p);		/* returns p; ends the shell if it is NULL */
char *arena_copy(const char *s, size_t len);

struct text {				/* a string that grows */
	char *s;
	size_t len, room;
};

void text_add(struct text *t, char c);
void text_add_string(struct text *t, const char *s);

struct fields {				/* a list of strings, NULL at the end */
	char **v;
	size_t n, room;
};

void fields_add(struct fields *f, char *s);

/* --- Source --- */

struct source {
	const char *text;		/* what has been read; NULL at first */
	int fd;				/* more comes from here, line by line; -1: nothing does */
	bool interactive;
	bool last_words;		/* the process ends with this source */
	bool continued;			/* in the middle of a command: use the other prompt */
	bool cancelled;			/* by Ctrl-C: the command is dropped */
	struct source *outer;
};

void source_push(struct source *s);
void source_pop(void);
int source_peek(void);			/* '\0' at the end */
int source_next(void);
bool source_join_lines(void);
char *read_whole(int fd);		/* in the arena; NULL: error */
void source_discard_line(void);
bool source_at_end(void);		/* never asks for more input */
bool source_cancelled(void);

/*
 * Reads a line from a person at the terminal @fd, into the arena. NULL: the end of input; or
 * Ctrl-C, which sets *cancelled.
 */
char *terminal_read_line(int fd, const char *prompt, bool *cancelled);

/* --- Trees --- */

enum redir_kind { REDIR_IN, REDIR_OUT, REDIR_APPEND, REDIR_BOTH, REDIR_DUP, REDIR_HERE };

struct redir {
	enum redir_kind kind;
	int fd;
	char *word;			/* the file, the descriptor or "-", or the here-document */
	bool literal;			/* a here-document that is not expanded */
	struct redir *next;
};

enum node_kind {
	NODE_SIMPLE,			/* words: assignments, then command and arguments */
	NODE_PIPE,			/* left, right */
	NODE_AND,
	NODE_OR,
	NODE_THEN,
	NODE_NOT,			/* left */
	NODE_BACKGROUND,
	NODE_SUBSHELL,
	NODE_GROUP,
	NODE_IF,			/* left: condition; right: then; other: else */
	NODE_WHILE,			/* left: condition; right: body */
	NODE_UNTIL,
	NODE_FOR,			/* words: name and values; right: body */
	NODE_CASE,			/* words: subject; right: NODE_PATTERNs, by other */
	NODE_PATTERN,			/* words; left: body */
	NODE_FUNCTION,			/* words: name; left: body */
};

struct node {
	enum node_kind kind;
	struct node *left, *right, *other;
	struct fields words;
	struct redir *redirs;
};

/* Returns a job's name, in the arena: the words of @n's commands. */
const char *describe(const struct node *n);

/*
 * Parses one complete command; NULL: an empty line. After a mistake and its message, *error is set.
 */
struct node *parse_command(bool *error, bool *end);

/* --- Running --- */

enum unwind { UNWIND_NONE, UNWIND_BREAK, UNWIND_CONTINUE, UNWIND_RETURN, UNWIND_INTERRUPT };

extern struct shell {
	bool interactive, exit_on_error, trace;
	bool unset_is_error, pipe_fails; /* set -u, set -o pipefail */
	int status;			/* $? */
	int substituted;		/* of the last $(...): the status of a mere "a=$(b)" */
	pid_t last_background;		/* $! */
	enum unwind unwind;		/* what is being left: a loop, a function or all */
	int unwind_levels;		/* how many loops are still to be left */
	int loops;
	const struct node *typed;	/* the command line of the person at the terminal */
	const char *name;		/* $0 */
	char **params;			/* $1 ..., NULL at the end */
} shell;

int run_tree(struct node *n);
int run_source(struct source *s);
int run_string(const char *text);

bool redirect(struct redir *r);		/* for good; false after an error message */
struct saved_fds {			/* copies of 0 to 9; -1: untouched, -2: was closed */
	int fd[10];
};

bool redirect_saving(struct redir *r, struct saved_fds *saved);
void redirect_restore(struct saved_fds *saved);

pid_t job_fork(pid_t *group, bool foreground);	/* like fork(); *group 0: a new one */
int job_wait(pid_t pid);		/* an exit status */
bool job_interrupted(void);
void job_forget_key(void);		/* a key from before this line was not meant for it */
bool job_catches(int sig); /* for keys at a terminal; from now on again */
void trap_run(void); /* the commands for signals that have come */
bool trap_is_pending(void);
bool trap_is_set(void);
void trap_forget(void);
_Noreturn void shell_exit(int status);
int job_wait_all(pid_t group, const pid_t *pids, size_t n, const char *text);
void job_background(pid_t group, const char *text);
void job_foreground(pid_t group);	/* gives the terminal to @group; 0: back to the shell */
void job_reap(void);
int status_of(int wait_status);

/* --- Words --- */

void expand_words(const struct fields *words, size_t from, struct fields *out);
char *expand_one(const char *word);	/* without splitting and file names */
char *expand_pattern(const char *word);	/* the same for case: quoted * ? [ stay quoted */
char *expand_here(const char *text);
char *unquote_word(const char *word);	/* removes quotes, expands nothing */
void glob_add(char *pattern, struct fields *out);
long arith(const char *text);
char *command_output(const char *command);

const char *var_get(const char *name);	/* NULL: not set. Also $? and its like */
void var_set(const char *name, const char *value);
void var_export(const char *name);
void var_unset(const char *name);
void var_local(const char *name); /* until var_end_locals() of an earlier mark */
void *var_mark_locals(void);
void var_end_locals(void *mark);
char **var_environment(void);
size_t name_length(const char *s);	/* length of the variable name at @s; 0: there is none */

typedef int (*builtin_fn)(int argc, char **argv);
extern const struct builtin {
	const char *name;
	builtin_fn run;
	const char *args, *text;	/* for help */
} builtins[];				/* the last has no name */
const struct builtin *builtin_named(const char *name);
bool builtin_is_special(const struct builtin *b);
void note_folder(void);			/* puts the current folder into PWD */
char *find_program(const char *name);	/* its path by PATH, in the arena; NULL: there is none */
int builtin_test(int argc, char **argv);
int builtin_read(int argc, char **argv);
int builtin_trap(int argc, char **argv);
const char *field_separators(void); /* $IFS */
int builtin_fg(int argc, char **argv);
int builtin_help(int argc, char **argv);
int builtin_history(int argc, char **argv);
int builtin_jobs(int argc, char **argv);
int builtin_kill(int argc, char **argv);
struct node *find_function(const char *name);
/* Adds the builtins and functions whose names begin with @begin. */
void add_own_commands(const char *begin, struct fields *out);
void define_function(const char *name, struct node *body);

void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
