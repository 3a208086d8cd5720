/*
 * Shared by the tests of inheritance: actors of different urgency, which lock and unlock one step
 * at a time, and a model that computes after each step which ranks and which orders are right.
 *
 * In steps 3 and 4 the actors' threads never run: the test enters their waits in the graph of pi.h
 * by hand (by_hand). In step 5 they run and lock mutexes (mutex_ranks.c). The model is the same.
 */
#pragma once

#include "sync/pi.h"
#include "types.h"

#define ACTORS	6
#define LOCKS	4
#define NOBODY	-1

struct ranks_actor {
	struct thread *thread;
	int base;			/* its own rank; 0: it is not urgent */
	int waits_for;			/* lock, NOBODY */
	unsigned since;			/* the step that gave it its place there */
	int placed_at;			/* its rank then */
};

/* How actors lock. All but `circle` follow the model: they are called only where it allows them. */
struct ranks_locks {
	void (*init)(unsigned lock);
	struct pi_queue *(*queue)(unsigned lock);
	struct thread *(*create)(int actor, int priority);
	void (*lock)(int actor, unsigned lock);		/* a lock that is free */
	void (*wait)(int actor, unsigned lock);		/* one that is not */
	void (*circle)(int actor, unsigned lock);	/* this would close a circle */
	void (*unlock)(int actor, unsigned lock, int next);
	void (*expire)(int actor, unsigned lock);
	void (*end)(int actor);
};

extern struct ranks_actor ranks_actors[ACTORS];
extern int ranks_holder[LOCKS];		/* actor, NOBODY */

extern const struct ranks_locks by_hand;
extern struct pi_waiter by_hand_waiters[ACTORS];

/* @actor waits for @lock by @w as well, which closes a circle; the model does not know of it. */
void by_hand_close(struct pi_waiter *w, int actor, unsigned lock);
void by_hand_open(struct pi_waiter *w);

/* The actors of the scenes: LOW is a normal thread, MID and MID2 are equals. */
enum { LOW, LOW2, MID, MID2, HIGH, HIGH2 };
extern const int ranks_scene[ACTORS];

void ranks_set_up(const struct ranks_locks *how, const int *priorities);
void ranks_wind_up(void);		/* unlocks all locks, and ends all actors */

/* The steps. Each checks all ranks and orders afterwards. */
void ranks_lock(int actor, unsigned lock);	/* which waits if the lock is taken */
void ranks_unlock(int actor, unsigned lock);
void ranks_expire(int actor);			/* its wait ends, as by its deadline */
void ranks_change(int actor, int priority);	/* of its own */
void ranks_left(int actor, const char *how);	/* its wait has ended in another way */
void ranks_random_step(void);
int ranks_random_priority(void);

/* Checks whether @actor, if it waited for @lock, would wait for itself. */
bool ranks_circle(int actor, unsigned lock);
int ranks_of(int actor);
