/*
 * Expansion of words. It goes once from left to right: removes quotes, replaces $name, ${name},
 * $(command), `command` and $((arithmetic)), splits what came from an unquoted replacement at $IFS,
 * and replaces a field with an unquoted * ? [ by the names of the files that match.
 *
 * Until a field is finished it is kept as a pattern: a character that must not act as * ? [ or \
 * has a backslash before it. So quoting survives until the field is matched.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sh.h"

struct builder {
	struct fields *out;		/* NULL: make one string, do not split */
	struct text field;
	bool begun;			/* there is a field, even if it is empty so far */
	bool spaced; /* a blank of $IFS ended the last field */
};

static void add_char(struct builder *b, char c, bool quoted)
{
	if (c == '\\' || (quoted && strchr("*?[", c)))
		text_add(&b->field, '\\');
	text_add(&b->field, c);
	b->begun = true;
	b->spaced = false;
}

static char *field_text(struct builder *b)
{
	return b->field.s ? b->field.s : arena_copy("", 0);
}

static void end_field(struct builder *b)
{
	if (b->begun)
		glob_add(field_text(b), b->out);
	b->field = (struct text){ 0 };
	b->begun = false;
}

/*
 * Ends a field: a run of blanks of $IFS does so once, each other byte of $IFS ends one, even an
 * empty one.
 */
static void separate(struct builder *b, bool blank)
{
	bool begun = b->begun, spaced = b->spaced;

	if (!blank)
		b->begun = begun || !spaced;
	end_field(b);
	b->spaced = blank && (begun || spaced);
}

/* Adds the result of a replacement. */
static void add_value(struct builder *b, const char *s, bool quoted)
{
	const char *ifs = field_separators();

	for (; s && *s; s++) {
		if (quoted || !b->out || !strchr(ifs, *s))
			add_char(b, *s, quoted);
		else
			separate(b, isspace((unsigned char)*s));
	}
}

/* Adds the parameters: "$@" makes a field of each, also of an empty one. */
static void add_params(struct builder *b, bool each, bool quoted)
{
	const char *between = each ? " " : field_separators();

	for (char **p = shell.params; *p; p++) {
		add_value(b, *p, quoted);
		b->begun |= quoted;
		if (!p[1])
			break;
		if (b->out && (each || !quoted))
			end_field(b);
		else if (*between)
			add_char(b, *between, quoted);
	}
}

/* Finds the end of a bracket or quote whose inside begins at @p, minding quotes and nesting. */
static const char *find_close(const char *p, char close)
{
	for (; *p && *p != close; p++) {
		if (*p == '\\' && close != '\'' && p[1])
			p++;
		else if (*p == '\'' && close == ')')
			p = find_close(p + 1, '\'');
		else if (*p == '"' && close != '`')
			p = find_close(p + 1, '"');
		else if (*p == '(' && close == ')')
			p = find_close(p + 1, ')');
		else if (*p == '{' && p[-1] == '$')
			p = find_close(p + 1, '}');
		if (!*p)
			break;
	}
	return p;
}

char *command_output(const char *command)
{
	struct source source = { .text = command, .fd = -1, .last_words = true };
	char *out = NULL;
	int fds[2], wait_status = 0;
	size_t len;
	pid_t pid;

	if (pipe(fds)) {
		complain("%m");
		return NULL;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (shell.interactive)
			signal(SIGTSTP, SIG_IGN);	/* we wait for it, and must not stop */
		shell.interactive = false;
		trap_forget();
		close(fds[0]);
		if (fds[1] != 1) {
			dup2(fds[1], 1);
			close(fds[1]);
		}
		shell_exit(run_source(&source));
	}
	close(fds[1]);
	if (pid > 0) {
		out = read_whole(fds[0]);
		waitpid(pid, &wait_status, 0);
		shell.status = shell.substituted = status_of(wait_status);
	} else {
		complain("%m");
	}
	close(fds[0]);
	for (len = out ? strlen(out) : 0; len && out[len - 1] == '\n';)
		out[--len] = 0;
	return out;
}

/*
 * ${name#pattern} and its like: removes the shortest or, doubled, the longest match from one end.
 */
static const char *trim(const char *value, char side, bool longest, const char *pattern)
{
	size_t len = strlen(value), cut;

	for (size_t i = 0; i <= len; i++) {
		cut = longest ? len - i : i;
		if (side == '#' && !fnmatch(pattern, arena_copy(value, cut), 0))
			return value + cut;
		if (side == '%' && !fnmatch(pattern, value + len - cut, 0))
			return arena_copy(value, len - cut);
	}
	return value;
}

/*
 * Applies the operator at @op, inside ${...} behind the name. Returns the value, or the word that
 * takes its place.
 */
static const char *with_operator(const char *name, const char *value, const char *op)
{
	bool colon = *op == ':', set = value && (!colon || *value);
	const char *word = op + colon + 1;

	switch (op[colon]) {
	case '-':
		return set ? value : expand_one(word);
	case '+':
		return set ? expand_one(word) : "";
	case '=':
		if (!set)
			var_set(name, expand_one(word));
		return var_get(name);
	case '?':
		if (set)
			return value;
		complain("%s: %s", name, *word ? expand_one(word) : "not set");
		exit(2);
	case '#': case '%':
		return trim(value ? value : "", *op, word[0] == *op,
			    expand_pattern(word + (word[0] == *op)));
	}
	complain("bad substitution: ${%s%s}", name, op);
	return "";
}

/* Returns the variable's value. With "set -u", an unset variable ends the shell. */
static const char *set_value(const char *name)
{
	const char *value = var_get(name);

	if (value || !shell.unset_is_error)
		return value;
	complain("%s: parameter not set", name);
	if (!shell.interactive)
		shell_exit(2);
	shell.unwind = UNWIND_INTERRUPT;
	shell.status = 2;
	return NULL;
}

static void add_braced(struct builder *b, const char *inside, bool quoted)
{
	bool length = *inside == '#' && inside[1];
	const char *start = inside + length, *value;
	size_t len = name_length(start);
	char *name, digits[24];

	if (!len)
		len = isdigit((unsigned char)*start) ? strspn(start, "0123456789") : 1;
	name = arena_copy(start, len);
	if ((*name == '@' || *name == '*') && !start[1]) {
		add_params(b, *name == '@', quoted);
		return;
	}
	if (start[len] && !length && strchr(":-+=?", start[len]))
		value = var_get(name);
	else
		value = set_value(name);
	if (length) {
		snprintf(digits, sizeof(digits), "%zu", value ? strlen(value) : 0);
		value = digits;
	} else if (start[len]) {
		value = with_operator(name, value, start + len);
	}
	add_value(b, value, quoted);
}

/* Expands what begins behind a '$'. Returns what follows. */
static const char *dollar(struct builder *b, const char *p, bool quoted)
{
	size_t len = name_length(p);
	const char *end;
	char number[24];

	if (p[0] == '(' && p[1] == '(') {
		end = find_close(p + 2, ')');
		snprintf(number, sizeof(number), "%ld",
			 arith(expand_one(arena_copy(p + 2, end - p - 2))));
		add_value(b, number, quoted);
		return end[0] && end[1] == ')' ? end + 2 : end + strlen(end);
	}
	if (*p == '(' || *p == '{') {
		end = find_close(p + 1, *p == '(' ? ')' : '}');
		if (*p == '(')
			add_value(b, command_output(arena_copy(p + 1, end - p - 1)), quoted);
		else
			add_braced(b, arena_copy(p + 1, end - p - 1), quoted);
		return *end ? end + 1 : end;
	}
	if (*p == '@' || *p == '*') {
		add_params(b, *p == '@', quoted);
		return p + 1;
	}
	if (!len && !(*p && strchr("?$!#0123456789", *p))) {
		add_char(b, '$', true);
		return p;
	}
	len = len ? len : 1;
	add_value(b, set_value(arena_copy(p, len)), quoted);
	return p + len;
}

/* Expands what begins behind a backquote. In it, a backslash protects only $, ` and itself. */
static const char *backquote(struct builder *b, const char *p, bool quoted)
{
	const char *end = find_close(p, '`');
	struct text command = { 0 };

	for (; p < end; p++) {
		if (*p == '\\' && strchr("$`\\", p[1]))
			p++;
		text_add(&command, *p);
	}
	if (command.s)
		add_value(b, command_output(command.s), quoted);
	return *end ? end + 1 : end;
}

/* Expands the inside of double quotes, up to their end; or a whole here-document. */
static const char *double_quoted(struct builder *b, const char *p, bool here)
{
	while (*p && (here || *p != '"')) {
		if (*p == '\\' && p[1] && strchr(here ? "$`\\\n" : "$`\"\\\n", p[1])) {
			if (p[1] != '\n')
				add_char(b, p[1], true);
			p += 2;
		} else if (*p == '$') {
			p = dollar(b, p + 1, true);
		} else if (*p == '`') {
			p = backquote(b, p + 1, true);
		} else {
			add_char(b, *p++, true);
		}
	}
	return *p ? p + 1 : p;
}

static void expand(struct builder *b, const char *p, bool here)
{
	if (here) {
		double_quoted(b, p, true);
		return;
	}
	while (*p) {
		if (*p == '\\' && p[1]) {
			add_char(b, p[1], true);
			p += 2;
		} else if (*p == '\'') {
			b->begun = true;
			for (p++; *p && *p != '\''; p++)
				add_char(b, *p, true);
			p += *p == '\'';
		} else if (*p == '"') {
			/* "$@" without parameters is no field at all. */
			b->begun |= strncmp(p, "\"$@\"", 4) != 0;
			p = double_quoted(b, p + 1, false);
		} else if (*p == '$') {
			p = dollar(b, p + 1, false);
		} else if (*p == '`') {
			p = backquote(b, p + 1, false);
		} else {
			add_char(b, *p++, false);
		}
	}
}

/* Removes the backslashes that protect characters. */
static char *plain(char *s)
{
	char *from = s, *to = s;

	while (*from) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from++;
	}
	*to = 0;
	return s;
}

/* ~ and ~/path: adds the home folder. Returns what follows. */
static const char *after_tilde(struct builder *b, const char *word)
{
	const char *home = var_get("HOME");

	if (word[0] != '~' || (word[1] && word[1] != '/') || !home)
		return word;
	for (; *home && strcmp(home, word[1] ? "/" : ""); home++)
		add_char(b, *home, true);
	return word + 1;
}

void expand_words(const struct fields *words, size_t from, struct fields *out)
{
	for (size_t i = from; i < words->n; i++) {
		struct builder b = { .out = out };

		expand(&b, after_tilde(&b, words->v[i]), false);
		end_field(&b);
	}
}

char *expand_pattern(const char *word)
{
	struct builder b = { 0 };

	expand(&b, word, false);
	return field_text(&b);
}

char *expand_one(const char *word)
{
	return plain(expand_pattern(word));
}

char *expand_here(const char *text)
{
	struct builder b = { 0 };

	expand(&b, text, true);
	return plain(field_text(&b));
}

char *unquote_word(const char *word)
{
	struct text t = { 0 };

	for (; *word; word++) {
		if (*word == '\\' && word[1])
			word++;
		else if (*word == '"' || *word == '\'')
			continue;
		text_add(&t, *word);
	}
	return t.s ? t.s : arena_copy("", 0);
}
