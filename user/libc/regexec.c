/*
 * Regular expressions, third part: does the text match, and where?
 *
 * The machine goes through the text once and keeps the set of all states that it could be in (Ken
 * Thompson, 1968). No state is twice in the set, so a byte of text costs at most one step for each
 * instruction, whatever the pattern: (a*)*b takes no longer than a*b. A matcher that tries one way
 * after the other, as backtracking does, can take 2^n steps for n bytes.
 *
 * POSIX asks for the leftmost match and, of those, for the longest. Each state carries the place
 * where its match began. The set is kept in the order of these places, so when two ways reach the
 * same state, the one with the earlier start stays.
 *
 * Then the groups. The place of the whole match is known, and each part of the tree is given its
 * own place from the top down: of a sequence AB at [i,j), A takes as much as it can. A's program
 * run forwards from i finds the ends that A can have, B's run backwards from j finds where B can
 * begin; the last place in both lists is where they meet. So no guess is ever taken back.
 *
 * Back-references are the exception: no quick way is known (the problem is NP-complete). Patterns
 * that have any, and only those, are matched by backtracking, in regtry.c.
 */
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "automaton.h"

static bool machine_init(struct machine *m)
{
	size_t n = m->re->length;

	m->now.pc = calloc(n, sizeof(int));
	m->next.pc = calloc(n, sizeof(int));
	m->now.start = calloc(n, sizeof(size_t));
	m->next.start = calloc(n, sizeof(size_t));
	m->added = calloc(n, sizeof(unsigned));
	m->stack = calloc(2 * n, sizeof(int));
	m->match = calloc(m->re->groups + 1, sizeof(*m->match));
	return m->now.pc && m->next.pc && m->now.start && m->next.start && m->added && m->stack &&
	       m->match;
}

static void machine_free(struct machine *m)
{
	free(m->now.pc);
	free(m->next.pc);
	free(m->now.start);
	free(m->next.start);
	free(m->added);
	free(m->stack);
	free(m->match);
}

static bool word_at(const struct machine *m, size_t p)
{
	return p < m->len && (isalnum(m->text[p]) || m->text[p] == '_');
}

bool __regex_holds(const struct machine *m, enum re_assert what, size_t p)
{
	bool before = p > 0 && word_at(m, p - 1), after = word_at(m, p);
	bool lines = m->re->flags & REG_NEWLINE;

	switch (what) {
	case AT_LINE_START:
		return (p == 0 && !(m->flags & REG_NOTBOL)) ||
		       (lines && p > 0 && m->text[p - 1] == '\n');
	case AT_LINE_END:
		return (p == m->len && !(m->flags & REG_NOTEOL)) ||
		       (lines && p < m->len && m->text[p] == '\n');
	case AT_TEXT_START:
		return p == 0;
	case AT_TEXT_END:
		return p == m->len;
	case AT_WORD_START:
		return !before && after;
	case AT_WORD_END:
		return before && !after;
	case AT_WORD_EDGE:
		return before != after;
	case INSIDE:
		return before == after;
	}
	return false;
}

bool __regex_takes(const struct machine *m, const struct re_inst *i, unsigned char c)
{
	if (i->op == OP_CHAR)
		return i->arg == c;
	return i->op == OP_SET && set_has(&m->re->sets[i->arg], c);
}

/*
 * Adds to @set the states that can be reached from @pc at place @p without a byte: those that take
 * a byte, and @end. Stops at @end and at states that are in the set already.
 */
static void add_states(struct machine *m, enum direction d, struct states *set, int pc, int end,
		       size_t p, size_t start)
{
	const struct re_inst *code = m->re->code[d];
	int n = 0;

	m->stack[n++] = pc;
	while (n) {
		const struct re_inst *i = &code[pc = m->stack[--n]];

		if (m->added[pc] == m->round)
			continue;
		m->added[pc] = m->round;
		if (pc == end || i->op == OP_CHAR || i->op == OP_SET) {
			set->pc[set->n] = pc;
			set->start[set->n++] = start;
		} else if (i->op == OP_SPLIT || i->op == OP_LOOP) {
			m->stack[n++] = i->y;
			m->stack[n++] = i->x;
		} else if (i->op == OP_JUMP) {
			m->stack[n++] = i->x;
		} else if (i->op == OP_SAVE ||
			   (i->op == OP_ASSERT && __regex_holds(m, i->arg, p))) {
			m->stack[n++] = pc + 1;
		}
	}
}

/* Ends a round: the states that were added in it replace the old ones. */
static void turn(struct machine *m)
{
	struct states done = m->now;

	m->now = m->next;
	m->next = done;
	m->next.n = 0;
}

/* --- The whole match --- */

/*
 * Notes a match if the whole pattern has matched at @p, and drops the states that began further
 * right.
 */
static bool note_match(struct machine *m, size_t p, bool found)
{
	regmatch_t *whole = &m->match[0];
	size_t kept = 0;

	for (size_t i = 0; i < m->now.n; i++) {
		if (m->now.pc[i] != m->re->length - 1)
			continue;
		whole->rm_so = m->now.start[i];
		whole->rm_eo = p;
		found = true;
	}
	for (size_t i = 0; found && i < m->now.n; i++) {
		if ((regoff_t)m->now.start[i] > whole->rm_so)
			continue;
		m->now.pc[kept] = m->now.pc[i];
		m->now.start[kept++] = m->now.start[i];
	}
	if (found)
		m->now.n = kept;
	return found;
}

/* Returns the next place at which a match can begin. */
size_t __regex_skip(const struct machine *m, size_t p)
{
	if (m->re->first_known)
		while (p < m->len && !set_has(&m->re->first, m->text[p]))
			p++;
	return p;
}

static bool search(struct machine *m)
{
	int end = m->re->length - 1;
	bool found = false;

	m->round = 1;
	for (size_t p = m->from;; p++) {
		if (!found && !m->now.n)
			p = __regex_skip(m, p);
		if (!found)
			add_states(m, FORWARDS, &m->now, 0, end, p, p);
		found = note_match(m, p, found);
		if (p == m->len || (found && !m->now.n))
			return found;
		m->round++;
		for (size_t i = 0; i < m->now.n; i++)
			if (__regex_takes(m, &m->re->code[FORWARDS][m->now.pc[i]], m->text[p]))
				add_states(m, FORWARDS, &m->next, m->now.pc[i] + 1, end, p + 1,
					   m->now.start[i]);
		turn(m);
	}
}

/* --- The groups --- */

/*
 * Marks in @reached, which is for [i,j], where @node can end if it begins at i. If @d is BACKWARDS,
 * marks where it can begin if it ends at j.
 */
static void run_part(struct machine *m, const struct re_node *node, enum direction d, size_t i,
		     size_t j, bool *reached)
{
	size_t p = d == FORWARDS ? i : j, last = d == FORWARDS ? j : i;

	m->now.n = m->next.n = 0;
	m->round++;
	add_states(m, d, &m->now, node->start[d], node->end[d], p, 0);
	for (;; d == FORWARDS ? p++ : p--) {
		unsigned char c;

		for (size_t k = 0; k < m->now.n; k++)
			if (m->now.pc[k] == node->end[d])
				reached[p - i] = true;
		if (p == last || !m->now.n)
			return;
		c = m->text[d == FORWARDS ? p : p - 1];
		m->round++;
		for (size_t k = 0; k < m->now.n; k++)
			if (m->now.pc[k] != node->end[d] &&
			    __regex_takes(m, &m->re->code[d][m->now.pc[k]], c))
				add_states(m, d, &m->next, m->now.pc[k] + 1, node->end[d],
					   d == FORWARDS ? p + 1 : p - 1, 0);
		turn(m);
	}
}

static bool can_be(struct machine *m, const struct re_node *node, size_t i, size_t j, bool *reached)
{
	memset(reached, 0, j - i + 1);
	run_part(m, node, FORWARDS, i, j, reached);
	return reached[j - i];
}

static bool place(struct machine *m, int n, size_t i, size_t j);

/* Places @left, which begins at i, and @right, which ends at j; left takes as much as it can. */
static bool place_sequence(struct machine *m, const struct re_node *node, size_t i, size_t j)
{
	const struct re_node *nodes = m->re->nodes;
	bool *ends = calloc(2, j - i + 1), *begins = ends + (j - i + 1);
	size_t k = j - i;

	if (!ends)
		return false;
	run_part(m, &nodes[node->left], FORWARDS, i, j, ends);
	run_part(m, &nodes[node->right], BACKWARDS, i, j, begins);
	while (k > 0 && !(ends[k] && begins[k]))
		k--;
	free(ends);
	return place(m, node->left, i, i + k) && place(m, node->right, i + k, j);
}

/*
 * Places one round after the other, each as long as it can be if the rest is to be rounds as well.
 */
static bool place_repetition(struct machine *m, const struct re_node *node, size_t i, size_t j)
{
	const struct re_node *body = &m->re->nodes[node->left];
	bool *begins = calloc(2, j - i + 1), *ends = begins + (j - i + 1), fine = true;
	size_t at = i, k;

	if (!begins)
		return false;
	if (i == j) { /* one empty round, if the body can be empty */
		fine = !can_be(m, body, i, j, ends) || place(m, node->left, i, j);
	} else {
		run_part(m, node, BACKWARDS, i, j, begins);
		begins[j - i] = true;
	}
	while (fine && at < j) {
		memset(ends, 0, j - at + 1);
		run_part(m, body, FORWARDS, at, j, ends);
		for (k = j - at; k > 1 && !(ends[k] && begins[at - i + k]); k--)
			;
		fine = place(m, node->left, at, at + k);
		at += k;
	}
	free(begins);
	return fine;
}

static bool place_alternative(struct machine *m, const struct re_node *node, size_t i, size_t j)
{
	bool *reached = malloc(j - i + 1), left;

	if (!reached)
		return false;
	left = can_be(m, &m->re->nodes[node->left], i, j, reached);
	free(reached);
	if (!left && node->kind == RE_OPTION)
		return true;
	return place(m, left ? node->left : node->right, i, j);
}

/*
 * Gives the groups in @n, which is known to match [i,j), their places. Returns false if memory is
 * short.
 */
static bool place(struct machine *m, int n, size_t i, size_t j)
{
	const struct re_node *node = &m->re->nodes[n];

	if (!node->has_groups)
		return true;
	switch (node->kind) {
	case RE_GROUP:
		m->match[node->arg] = (regmatch_t){ .rm_so = i, .rm_eo = j };
		return place(m, node->left, i, j);
	case RE_CAT:
		return place_sequence(m, node, i, j);
	case RE_STAR:
	case RE_PLUS:
		return place_repetition(m, node, i, j);
	default:
		return place_alternative(m, node, i, j);
	}
}

/* --- The interface --- */

static int run(struct machine *m, bool want_groups)
{
	const regmatch_t *whole = &m->match[0];

	for (int g = 1; g <= m->re->groups; g++)
		m->match[g] = (regmatch_t){ .rm_so = -1, .rm_eo = -1 };
	if (m->re->highest_back)
		return __regex_try(m);
	if (!search(m))
		return REG_NOMATCH;
	if (want_groups && !place(m, m->re->root, whole->rm_so, whole->rm_eo))
		return REG_ESPACE;
	return 0;
}

int regexec(const regex_t *re, const char *text, size_t n, regmatch_t match[], int flags)
{
	struct machine m = { .re = re->__regex, .flags = flags };
	bool part = flags & REG_STARTEND;
	int error = REG_ESPACE;

	m.text = (const unsigned char *)text;
	m.from = part ? match[0].rm_so : 0;
	m.len = part ? (size_t)match[0].rm_eo : strlen(text);
	if (m.re->flags & REG_NOSUB)
		n = 0;
	if (machine_init(&m))
		error = run(&m, n > 1);
	for (size_t i = 0; !error && i < n; i++) {
		match[i] = (regmatch_t){ .rm_so = -1, .rm_eo = -1 };
		if ((int)i <= m.re->groups)
			match[i] = m.match[i];
	}
	machine_free(&m);
	return error;
}
