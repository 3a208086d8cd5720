/*
 * Regular expressions with back-references: does the text match? No quick way is known to find
 * out (the problem is NP-complete), so all ways are tried, one after the other, until one takes
 * the whole text; otherwise the longest match counts. The ways still to be tried are kept on a
 * stack of our own, because a line may be longer than the thread's stack is deep.
 */
#include <ctype.h>
#include <stdlib.h>

#include "automaton.h"

/*
 * A way still to be tried; or, with slot >= 0, the old value of a slot (the text's place in a loop
 * or a group), which is restored before the next way.
 */
struct choice {
	int pc, slot;
	size_t p;
};

struct trial {
	struct choice *v;
	size_t n, room;
	size_t *slot; /* two for each group, then one for each instruction */
};

#define NOWHERE ((size_t)-1)

static bool push(struct trial *t, int pc, int slot, size_t p)
{
	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct choice *v = realloc(t->v, room * sizeof(*v));

		if (!v)
			return false;
		t->v = v;
		t->room = room;
	}
	t->v[t->n++] = (struct choice){ .pc = pc, .slot = slot, .p = p };
	return true;
}

static bool set_slot(struct trial *t, int slot, size_t p)
{
	bool fine = push(t, 0, slot, t->slot[slot]);

	t->slot[slot] = p;
	return fine;
}

/* Returns where the text of @group ends if it comes again at @p, else NOWHERE. */
static size_t again(const struct machine *m, const struct trial *t, int group, size_t p)
{
	size_t from = t->slot[2 * group], to = t->slot[2 * group + 1];

	if (from == NOWHERE || to == NOWHERE || to - from > m->len - p)
		return NOWHERE;
	for (size_t i = from; i < to; i++, p++) {
		int a = m->text[i], b = m->text[p];

		if (m->re->flags & REG_ICASE ? tolower(a) != tolower(b) : a != b)
			return NOWHERE;
	}
	return p;
}

/*
 * Runs the program from @pc until it fails or the pattern ends. Returns where it ended, or NOWHERE.
 * *fine becomes false if memory is short.
 */
static size_t follow(struct machine *m, struct trial *t, int pc, size_t p, bool *fine)
{
	int loops = 2 * (m->re->groups + 1);

	while (*fine) {
		const struct re_inst *i = &m->re->code[FORWARDS][pc];

		switch (i->op) {
		case OP_END:
			return p;
		case OP_JUMP:
			pc = i->x;
			continue;
		case OP_LOOP:
			if (t->slot[loops + pc] == p) { /* an empty round changes nothing */
				pc = i->y;
				continue;
			}
			*fine = push(t, i->y, -1, p) && set_slot(t, loops + pc, p);
			pc = i->x;
			continue;
		case OP_SPLIT:
			*fine = push(t, i->y, -1, p);
			pc = i->x;
			continue;
		case OP_SAVE:
			*fine = set_slot(t, i->arg, p);
			break;
		case OP_ASSERT:
			if (!__regex_holds(m, i->arg, p))
				return NOWHERE;
			break;
		case OP_BACK:
			p = again(m, t, i->arg, p);
			if (p == NOWHERE)
				return NOWHERE;
			break;
		default:
			if (p == m->len || !__regex_takes(m, i, m->text[p++]))
				return NOWHERE;
		}
		pc++;
	}
	return NOWHERE;
}

/* Tries all ways from @start until one takes the whole text, and notes the longest. */
static bool try_from(struct machine *m, struct trial *t, size_t start, bool *fine)
{
	size_t longest = NOWHERE;

	*fine = push(t, 0, -1, start);
	while (*fine && t->n) {
		struct choice c = t->v[--t->n];
		size_t end;

		if (c.slot >= 0) {
			t->slot[c.slot] = c.p;
			continue;
		}
		end = follow(m, t, c.pc, c.p, fine);
		if (end == NOWHERE || (longest != NOWHERE && end <= longest))
			continue;
		longest = end;
		m->match[0] = (regmatch_t){ .rm_so = start, .rm_eo = end };
		for (int g = 1; g <= m->re->groups; g++)
			m->match[g] = (regmatch_t){ t->slot[2 * g], t->slot[2 * g + 1] };
		if (end == m->len)
			return true;
	}
	return longest != NOWHERE;
}

int __regex_try(struct machine *m)
{
	size_t slots = 2 * (m->re->groups + 1) + m->re->length;
	struct trial t = { .slot = malloc(slots * sizeof(size_t)) };
	bool found = false, fine = t.slot != NULL;

	for (size_t p = m->from; fine && !found && p <= m->len; p++) {
		p = __regex_skip(m, p);
		t.n = 0;
		for (size_t i = 0; i < slots; i++)
			t.slot[i] = NOWHERE;
		found = try_from(m, &t, p, &fine);
	}
	free(t.slot);
	free(t.v);
	return !fine ? REG_ESPACE : found ? 0
					  : REG_NOMATCH;
}
