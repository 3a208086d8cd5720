/* Variables and functions: two short lists. Only exported variables reach the programs we run. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

struct var {
	char *pair;			/* "NAME=value", or "NAME" if exported before it was set */
	bool exported;
	struct var *next;
};

struct function {
	char *name;
	struct node *body;
	struct function *next;
};

static struct var *vars;
static struct function *functions;

size_t name_length(const char *s)
{
	size_t n = 0;

	if (!isdigit((unsigned char)*s))
		while (isalnum((unsigned char)s[n]) || s[n] == '_')
			n++;
	return n;
}

static struct var *find(const char *name)
{
	size_t len = name_length(name);

	for (struct var *v = vars; v; v = v->next)
		if (name_length(v->pair) == len && !strncmp(v->pair, name, len))
			return v;
	return NULL;
}

static struct var *find_or_make(const char *name)
{
	struct var *v = find(name);

	if (!v) {
		v = need_memory(calloc(1, sizeof(*v)));
		v->pair = need_memory(strndup(name, name_length(name)));
		v->next = vars;
		vars = v;
	}
	return v;
}

static const char *number(long n)
{
	char buf[24];

	return arena_copy(buf, snprintf(buf, sizeof(buf), "%ld", n));
}

static const char *special(const char *name)
{
	static pid_t own;		/* a subshell's $$ is that of the shell */
	long n = 0;

	if (!own)
		own = getpid();
	switch (*name) {
	case '?':
		return number(shell.status);
	case '$':
		return number(own);
	case '!':
		return shell.last_background ? number(shell.last_background) : NULL;
	case '#':
		while (shell.params[n])
			n++;
		return number(n);
	case '0':
		if (!name[1])
			return shell.name;
	}
	for (long i = 1; i <= atol(name); i++)
		if (!shell.params[i - 1])
			return NULL;
	return shell.params[atol(name) - 1];
}

const char *var_get(const char *name)
{
	struct var *v;

	if (!name_length(name))
		return special(name);
	v = find(name);
	return v && strchr(v->pair, '=') ? strchr(v->pair, '=') + 1 : NULL;
}

void var_set(const char *name, const char *value)
{
	struct var *v = find_or_make(name);
	int len = name_length(name);

	free(v->pair);
	if (asprintf(&v->pair, "%.*s=%s", len, name, value) < 0)
		need_memory(NULL);
}

void var_export(const char *name)
{
	find_or_make(name)->exported = true;
}

void var_unset(const char *name)
{
	struct var *v = find(name), **link = &vars;

	if (!v)
		return;
	while (*link != v)
		link = &(*link)->next;
	*link = v->next;
	free(v->pair);
	free(v);
}

/* The variables that a function made local, as they were before: the newest first. */
static struct local {
	char *name, *pair; /* pair NULL: it was not set */
	bool exported;
	struct local *next;
} * locals;

void *var_mark_locals(void)
{
	return locals;
}

void var_local(const char *name)
{
	struct local *l = need_memory(calloc(1, sizeof(*l)));
	struct var *v = find(name);

	l->name = need_memory(strndup(name, name_length(name)));
	l->pair = v ? need_memory(strdup(v->pair)) : NULL;
	l->exported = v && v->exported;
	l->next = locals;
	locals = l;
}

void var_end_locals(void *mark)
{
	while (locals != mark) {
		struct local *l = locals;
		struct var *v;

		locals = l->next;
		var_unset(l->name);
		if (l->pair) {
			v = find_or_make(l->name);
			free(v->pair);
			v->pair = l->pair;
			v->exported = l->exported;
		}
		free(l->name);
		free(l);
	}
}

char **var_environment(void)
{
	struct fields env = { 0 };

	for (struct var *v = vars; v; v = v->next)
		if (v->exported && strchr(v->pair, '='))
			fields_add(&env, v->pair);
	return env.v ? env.v : arena_alloc(sizeof(char *));
}

struct node *find_function(const char *name)
{
	for (struct function *f = functions; f; f = f->next)
		if (!strcmp(f->name, name))
			return f->body;
	return NULL;
}

static void add_if_begins(const char *name, const char *begin, struct fields *out)
{
	if (!strncmp(name, begin, strlen(begin)))
		fields_add(out, arena_copy(name, strlen(name)));
}

void add_own_commands(const char *begin, struct fields *out)
{
	for (const struct builtin *b = builtins; b->name; b++)
		add_if_begins(b->name, begin, out);
	for (struct function *f = functions; f; f = f->next)
		add_if_begins(f->name, begin, out);
}

char *find_program(const char *name)
{
	const char *folder = var_get("PATH"), *end;

	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : arena_copy(name, strlen(name));
	for (; folder && *folder; folder = end + (*end == ':')) {
		struct text path = { 0 };

		end = strchrnul(folder, ':');
		text_add_string(&path, arena_copy(folder, end - folder));
		text_add_string(&path, end > folder ? "/" : "./");
		text_add_string(&path, name);
		if (!access(path.s, X_OK))
			return path.s;
	}
	return NULL;
}

/* A name's newest definition is found first. The tree must outlive the command that defined it. */
void define_function(const char *name, struct node *body)
{
	struct function *f = need_memory(malloc(sizeof(*f)));

	arena_keep();
	f->name = need_memory(strdup(name));
	f->body = body;
	f->next = functions;
	functions = f;
}
