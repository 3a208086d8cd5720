/*
 * Shared by the hidden test of this lab: a family of processes whose threads have roles, and the
 * model of each.
 */
#pragma once

#include "victims.h"

#define FAMILY	12
#define MEMBERS	6

/* A thread with a role before HOLDS_IT may be killed alone: it waits for no other to die. */
enum role { WAITS, WAITS_LONG, SLEEPS, STOPPED, HOLDS_IT, YIELDS, COLLECTS, STUCK, LEAVES, ROLES };

/* A process, and what the calls so far have made of it. */
struct subject {
	struct process *process;	/* with a reference; NULL: waited for */
	_Atomic pid_t pid;
	struct subject *parent;		/* NULL: init */
	struct thread *members[MEMBERS];
	enum role roles[MEMBERS];
	unsigned nr;
	bool mortal;			/* all its members leave when told */
	bool empty;			/* it lives, with a hold, but without threads */
	bool stuck;			/* a member waits for the gate, which no kill may end */
	bool ended, zombie;		/* it is to become a zombie; it is known to be one */
	int status, code;
	unsigned holds;			/* the test's */
	struct mutex gate, kept, busy;
	bool gate_shut;			/* the test has the gate */
	_Atomic unsigned in_hand, ran;
	_Atomic unsigned found;		/* times that its parent, another subject, has found it */
	_Atomic int found_status;
	_Atomic bool leaves;
};

extern struct subject family[FAMILY];

/* Makes a process with some threads, and starts them. Its parent lives; NULL: init. */
void family_begin(struct subject *s, struct subject *parent);

/* The same, but it is killed while all its threads are ready and have not run. */
void family_begin_in_vain(struct subject *s, struct subject *parent);

/* Adds a thread to @s, which lives. */
void family_add_member(struct subject *s);

/* Lets those of its threads go on that wait for the gate. */
void family_open_gate(struct subject *s);

static inline bool has_role(const struct subject *s, enum role role)
{
	for (unsigned i = 0; i < s->nr; i++)
		if (s->roles[i] == role)
			return true;
	return false;
}

/* Neither a hold nor a thread with work in hand keeps it from becoming a zombie. */
static inline bool is_free(const struct subject *s)
{
	return s->ended && !s->holds && !s->stuck;
}
