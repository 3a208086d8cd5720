/*
 * Shared by regparse.c, regcomp.c and regexec.c: a pattern as a tree, and the tree as a program.
 *
 * The program is a nondeterministic automaton: an instruction is a state, and the machine is in
 * any number of them at once. CHAR and SET take a byte and go on to the next instruction. The
 * others take none: SPLIT and LOOP go two ways, JUMP goes elsewhere, ASSERT goes on where its
 * condition holds, SAVE notes where a group begins or ends.
 *
 * There are two programs of each pattern, one that reads the text forwards and one backwards. Each
 * node of the tree knows its part of both, so that any part of the pattern can be run alone.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum re_kind {
	RE_EMPTY,
	RE_CHAR, /* arg: the byte */
	RE_SET, /* arg: which of the sets */
	RE_ASSERT, /* arg: enum re_assert */
	RE_BACK, /* arg: the group whose text must come again */
	RE_GROUP, /* left; arg: its number */
	RE_CAT, /* left, then right */
	RE_ALT, /* left or right */
	RE_STAR, /* left, any number of times */
	RE_PLUS, /* at least once */
	RE_OPTION, /* at most once */
};

enum re_assert {
	AT_LINE_START,
	AT_LINE_END,
	AT_TEXT_START,
	AT_TEXT_END,
	AT_WORD_START,
	AT_WORD_END,
	AT_WORD_EDGE,
	INSIDE, /* of a word, or between words */
};

enum direction { FORWARDS,
		 BACKWARDS };

struct re_node {
	enum re_kind kind;
	int arg;
	int left, right; /* indexes of nodes; -1: none */
	bool has_groups; /* it or something below is a group */
	int start[2], end[2]; /* its part of the program in each direction */
};

enum re_op { OP_CHAR,
	     OP_SET,
	     OP_ASSERT,
	     OP_BACK,
	     OP_SAVE,
	     OP_SPLIT,
	     OP_LOOP,
	     OP_JUMP,
	     OP_END };

struct re_inst {
	enum re_op op;
	int arg;
	int x, y; /* where SPLIT, LOOP (again, out) and JUMP (x) go */
};

struct re_set {
	uint64_t bits[4];
};

struct __regex {
	int flags;
	int groups;
	int highest_back; /* the highest group that a back-reference names; 0: none */
	struct re_node *nodes;
	int nr_nodes, room_nodes, root;
	struct re_set *sets;
	int nr_sets;
	struct re_inst *code[2];
	int length; /* of each of the two programs */
	struct re_set first; /* the bytes that a match can begin with; */
	bool first_known; /* false: a match may begin without a byte */
};

/*
 * A longer program is refused: a short pattern such as a{200}{200}{200} would need millions of
 * nodes.
 */
#define RE_MAX_NODES 20000

static inline bool set_has(const struct re_set *s, unsigned char c)
{
	return s->bits[c / 64] >> c % 64 & 1;
}

static inline void set_add(struct re_set *s, unsigned char c)
{
	s->bits[c / 64] |= 1ul << c % 64;
}

/* Builds the tree of @pattern in @re. Returns 0 or an error of <regex.h>. */
int __regex_parse(struct __regex *re, const char *pattern);

/* --- Running (regexec.c, regtry.c) --- */

struct states { /* a set of states, in the order in which they were added */
	size_t n;
	int *pc;
	size_t *start; /* where the match of each began */
};

struct machine {
	const struct __regex *re;
	const unsigned char *text;
	size_t from, len; /* the search begins at from; the text ends at len */
	int flags;
	regmatch_t *match; /* of all groups */
	struct states now, next;
	unsigned *added, round; /* round in which a state came into the set */
	int *stack;
};

bool __regex_holds(const struct machine *m, enum re_assert what, size_t p);
bool __regex_takes(const struct machine *m, const struct re_inst *i, unsigned char c);
size_t __regex_skip(const struct machine *m, size_t p); /* where a match can begin, from @p on */

/* Finds the match and its groups by backtracking. Returns 0, REG_NOMATCH or REG_ESPACE. */
int __regex_try(struct machine *m);
