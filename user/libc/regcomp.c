/*
 * Regular expressions, second part: from the tree (regparse.c) to two programs (automaton.h),
 * which regexec.c runs. regfree() and regerror() are here too.
 *
 * The program that reads backwards is that of the mirrored pattern: it differs only in the order of
 * RE_CAT. Each node's part of a program is left only at its end, so a part can be run alone:
 * reaching the state behind it means that the part has matched.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "automaton.h"

static int emit(struct __regex *re, enum direction d, enum re_op op, int arg)
{
	if (re->code[d])
		re->code[d][re->length] = (struct re_inst){ .op = op, .arg = arg };
	return re->length++;
}

static void set_targets(struct __regex *re, enum direction d, int at, int x, int y)
{
	if (re->code[d]) {
		re->code[d][at].x = x;
		re->code[d][at].y = y;
	}
}

static void compile(struct __regex *re, enum direction d, int n);

/*
 * An alternative:  SPLIT L, R;  L: left;  JUMP out;  R: right;  out:
 * a star:          again: LOOP body, out;  body: ...;  JUMP again;  out:
 * a plus:          body: ...;  LOOP body, out;  out:
 */
static void compile_choice(struct __regex *re, enum direction d, const struct re_node *node)
{
	enum re_op op = node->kind == RE_STAR ? OP_LOOP : OP_SPLIT;
	int choice = emit(re, d, op, 0), jump, body = re->length;

	compile(re, d, node->left);
	if (node->kind == RE_OPTION) {
		set_targets(re, d, choice, body, re->length);
		return;
	}
	jump = emit(re, d, OP_JUMP, 0);
	set_targets(re, d, choice, body, re->length);
	if (node->kind == RE_STAR) {
		set_targets(re, d, jump, choice, 0);
		return;
	}
	compile(re, d, node->right);
	set_targets(re, d, jump, re->length, 0);
}

static void compile(struct __regex *re, enum direction d, int n)
{
	static const enum re_op simple[] = { [RE_CHAR] = OP_CHAR,
					     [RE_SET] = OP_SET,
					     [RE_ASSERT] = OP_ASSERT,
					     [RE_BACK] = OP_BACK };
	struct re_node *node = &re->nodes[n];
	int loop;

	node->start[d] = re->length;
	switch (node->kind) {
	case RE_EMPTY:
		break;
	case RE_CAT:
		compile(re, d, d == FORWARDS ? node->left : node->right);
		compile(re, d, d == FORWARDS ? node->right : node->left);
		break;
	case RE_GROUP:
		emit(re, d, OP_SAVE, 2 * node->arg);
		compile(re, d, node->left);
		emit(re, d, OP_SAVE, 2 * node->arg + 1);
		break;
	case RE_ALT:
	case RE_STAR:
	case RE_OPTION:
		compile_choice(re, d, node);
		break;
	case RE_PLUS:
		compile(re, d, node->left);
		loop = emit(re, d, OP_LOOP, 0);
		set_targets(re, d, loop, node->start[d], re->length);
		break;
	default:
		emit(re, d, simple[node->kind], node->arg);
	}
	node->end[d] = re->length;
}

/* Compiles the tree twice: first only to count the instructions, then to write them. */
static int make_program(struct __regex *re, enum direction d)
{
	for (int pass = 0; pass < 2; pass++) {
		re->length = 0;
		compile(re, d, re->root);
		emit(re, d, OP_END, 0);
		if (pass == 0)
			re->code[d] = calloc(re->length, sizeof(struct re_inst));
		if (!re->code[d])
			return REG_ESPACE;
	}
	return 0;
}

/*
 * Collects the bytes that a match can begin with, so that a search skips all others: those that
 * some state takes that is reached from the start without a byte. Returns false if a match may
 * begin without one.
 */
static bool find_first(struct __regex *re, int pc, bool *seen)
{
	const struct re_inst *i = &re->code[FORWARDS][pc];

	if (seen[pc])
		return true;
	seen[pc] = true;
	switch (i->op) {
	case OP_CHAR:
		set_add(&re->first, i->arg);
		return true;
	case OP_SET:
		for (int k = 0; k < 4; k++)
			re->first.bits[k] |= re->sets[i->arg].bits[k];
		return true;
	case OP_SPLIT:
	case OP_LOOP:
		return find_first(re, i->x, seen) && find_first(re, i->y, seen);
	case OP_JUMP:
		return find_first(re, i->x, seen);
	case OP_SAVE:
	case OP_ASSERT:
		return find_first(re, pc + 1, seen);
	default:
		return false;
	}
}

static int build(struct __regex *re, const char *pattern)
{
	int error = __regex_parse(re, pattern);
	bool *seen;

	if (!error)
		error = make_program(re, BACKWARDS);
	if (!error)
		error = make_program(re, FORWARDS);
	if (error)
		return error;
	seen = calloc(re->length, sizeof(*seen));
	if (!seen)
		return REG_ESPACE;
	re->first_known = find_first(re, 0, seen);
	free(seen);
	return 0;
}

int regcomp(regex_t *out, const char *pattern, int flags)
{
	struct __regex *re = calloc(1, sizeof(*re));
	int error;

	if (!re)
		return REG_ESPACE;
	re->flags = flags;
	out->__regex = re;
	error = build(re, pattern);
	if (error)
		regfree(out);
	else
		out->re_nsub = re->groups;
	return error;
}

void regfree(regex_t *out)
{
	struct __regex *re = out->__regex;

	out->__regex = NULL;
	if (!re)
		return;
	free(re->nodes);
	free(re->sets);
	free(re->code[FORWARDS]);
	free(re->code[BACKWARDS]);
	free(re);
}

size_t regerror(int error, const regex_t *re, char *text, size_t size)
{
	static const char *const messages[] = {
		[REG_NOERROR] = "Success",
		[REG_NOMATCH] = "No match",
		[REG_BADPAT] = "Invalid regular expression",
		[REG_ECOLLATE] = "Invalid collation character",
		[REG_ECTYPE] = "Invalid character class name",
		[REG_EESCAPE] = "Trailing backslash",
		[REG_ESUBREG] = "Invalid back reference",
		[REG_EBRACK] = "Unmatched [, [^, [:, [., or [=",
		[REG_EPAREN] = "Unmatched ( or \\(",
		[REG_EBRACE] = "Unmatched \\{",
		[REG_BADBR] = "Invalid content of \\{\\}",
		[REG_ERANGE] = "Invalid range end",
		[REG_ESPACE] = "Memory exhausted",
		[REG_BADRPT] = "Invalid preceding regular expression",
		[REG_EEND] = "Premature end of regular expression",
		[REG_ESIZE] = "Regular expression too big",
		[REG_ERPAREN] = "Unmatched ) or \\)",
	};
	bool known = error >= 0 && error < (int)(sizeof(messages) / sizeof(*messages));
	const char *message = known ? messages[error] : "Unknown error";

	(void)re;
	if (size)
		snprintf(text, size, "%s", message);
	return strlen(message) + 1;
}
