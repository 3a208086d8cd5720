/*
 * Shared by the tests of this folder and of lab 05: properties that all primitives to wait with
 * have, each checked on one kind of object. Checks count for the property of the running test.
 */
#pragma once

#include "sched/wait.h"
#include "types.h"

/* One kind of object, made so that a wait blocks until pass(). */
struct kind {
	const char *name;
	void (*init)(void);
	int (*wait)(struct deadline d);
	void (*leave)(void);		/* after a successful wait; NULL: nothing to give back */
	void (*pass)(void);		/* lets one waiter pass, or all of them if `all` is set */
	void (*destroy)(void);
	struct wait_queue *queue;	/* where its waiters are; NULL: in a struct pi_queue */
	bool all;
	bool polls_without_yielding;
};

void waits_deadline(const struct kind *k);	/* a deadline ends the wait, not before its time */
void waits_poll(const struct kind *k);		/* a poll fails, and does not block */
void waits_killed(const struct kind *k);	/* a kill ends the wait, and uses no pass */
void waits_destroyed(const struct kind *k);	/* -EIDRM, during the wait and afterwards */
void waits_order(const struct kind *k);		/* the first that came passes first */
/* A deadline, a kill or a signal ends the first wait, whose thread runs only after a pass: */
void waits_not_eaten(const struct kind *k);	/* the next waiter gets the pass */
void waits_behind_many(const struct kind *k);	/* over a crowd of them, too */
void waits_not_lost(const struct kind *k);	/* there is none: it gets it */
void waits_given(const struct kind *k);		/* the pass was first: the wait has passed */
void waits_removed(const struct kind *k);	/* ended by a destruction, it leaves the pass */
void waits_not_stolen(const struct kind *k);	/* a thread that comes later cannot have it */
void waits_conserved(const struct kind *k);	/* every pass ends a wait, or is left: a storm */

/* A deadline for storms: one in four is a poll, the others are soon. */
struct deadline waits_some_deadline(void);
