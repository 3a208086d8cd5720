/*
 * All that a scheduling policy sees: a queue per CPU, entities in it, and a clock reading.
 *
 * No threads, no locks, no machine: the same policy files run in the kernel and in the simulator
 * (tools/simulate). The mechanism owns the CPU and calls the hooks of struct sched_policy, always
 * for one queue at a time, which it has locked; no hook blocks, allocates or switches. Between the
 * two is the class of real-time threads (realtime.c), which no policy ever sees but as q->current.
 *
 *	           enqueue                      pick
 *	blocked --------------> in the queue ---------> q->current
 *	   ^                     |  ^  dequeue             |  |
 *	   |                     v  |                      |  |
 *	   |               elsewhere|      enqueue         |  |
 *	   |                        +----------------------+  |
 *	   +--------------------------------------------------+
 *	                             leave
 *
 *  POLICY1  An entity is in at most one queue, and q->current is in none. When the CPU is taken
 *           from it the mechanism first charges it and sets q->current to NULL, then hands it back
 *           by enqueue() (preempted, expired, yields) or leave() (blocks, ends).
 *  POLICY2  Time is charged as measured, before whatever ends it: charge() comes before enqueue(),
 *           leave() and pick(). No policy looks at who runs when a tick comes.
 *  POLICY3  What orders an entity changes only while it is in no queue. A new parameter,
 *           inheritance or deadline means dequeue(), change, enqueue().
 *  POLICY4  q->nr counts what pick() could take now: not a throttled thread, which is in the queue.
 *  POLICY5  Bit LISTS - 1 - i of q->bitmap is set if and only if list i is not empty.
 */
#pragma once

#include "base/list.h"
#include "base/rbtree.h"
#include "sched/policy/rank.h"
#include "types.h"

/* Linux's scheduling classes (its "policies"); a policy of ours gives each its meaning. */
#define SCHED_OTHER		0
#define SCHED_FIFO		1
#define SCHED_RR		2
#define SCHED_BATCH		3
#define SCHED_IDLE		5
#define SCHED_DEADLINE		6

#define CLASSES_NORMAL		(BIT(SCHED_OTHER) | BIT(SCHED_BATCH) | BIT(SCHED_IDLE))
#define CLASSES_REAL_TIME	(BIT(SCHED_FIFO) | BIT(SCHED_RR))

#define NICE_LOWEST		19
#define NICE_HIGHEST		(-20)
#define RT_PRIORITY_LOWEST	1
#define RT_PRIORITY_HIGHEST	99

/* Linux's bounds for a reservation. No period reaches 2^32 ns, which the arithmetic relies on. */
#define RESERVED_PERIOD_MIN	100000UL
#define RESERVED_PERIOD_MAX	4194304000UL
#define RESERVED_RUNTIME_MIN	1024UL

/* Process priorities are names for ranges of nice values: one knob, not two that may disagree. */
enum sched_band { BAND_IDLE, BAND_LOW, BAND_NORMAL, BAND_HIGH, BAND_SYSTEM };

struct sched_params {
	u32 class;			/* SCHED_* */
	int nice;			/* of the normal classes, kept by the others */
	u32 rt_priority;		/* SCHED_FIFO and SCHED_RR: 1..99, higher first */
	bool reset_on_fork;
	u64 runtime, deadline, period;	/* ns; SCHED_DEADLINE */
};

#define LEVELS			32	/* LK's scale: params_of_level() */
#define LISTS			32	/* of a queue; which one is which level's is the policy's */

#define SLICE_NEVER		(1UL << 62)	/* a slice without an end; fits any comparison */

#define EPOCH_NEVER		1	/* no boost and no window has this number */

struct policy_queue;

struct sched_entity {
	/* In a list of levels, or in a tree, never both. */
	struct list_node node;
	struct rb_node tree;
	struct rb_tree *in;		/* the tree it was put in last */
	u64 key;			/* in the tree */
	u64 arrival;			/* among equal keys */

	struct sched_params params;	/* set by policy_set_params() */
	u32 affinity;			/* CPUs it may run on, bit per id */
	struct sched_rank base;		/* the policy's */
	struct sched_rank inherited;	/* the mechanism's; level 0 if nobody waits for it */
	u64 slice_left;			/* the mechanism's, ns; 0: the policy is asked */
	u8 rt;				/* RT_*: realtime.c */

	/* Kept by policies, each for itself. */
	u64 epoch;			/* prio, mlfq: when its level was last right */
	u64 used;			/* mlfq: of its allotment; prio: levels gained by waiting */
	u64 since;			/* mlfq: blocked since */
	s64 budget;			/* edf, rm: ns left; negative is debt */
	u64 deadline;			/* edf: absolute; fair: virtual */
	u64 replenish_at;		/* edf, rm: when a throttled one goes on */
	struct {
		s64 amount;
		u64 at;
	} refund[2];			/* rm: budget that comes back, in order of time */
	unsigned open;			/* rm: the refund that grows as it runs */
	u64 rest;			/* edf: of its share, during a test for admission */
	u64 vruntime;			/* fair: service received, virtual */
	s64 lag;			/* fair: service owed, virtual, while it is not runnable */
	u64 weight;			/* fair: as counted in q->weight; 0: not counted */
	struct policy_queue *home;	/* edf, rm: where its reservation is; NULL: it has none */
	struct list_node reserved;	/* in home->reserved */
};

struct policy_queue {			/* one per CPU */
	unsigned cpu;			/* [const] */
	struct sched_entity *current;	/* the mechanism's: on the CPU; NULL: idle */
	_Atomic unsigned nr;		/* POLICY4; anyone may read a hint */
	struct rb_tree urgent;		/* realtime.c, and all up to the blank line */
	_Atomic unsigned nr_urgent;	/* in it; anyone may read a hint */
	u64 fronts;			/* arrivals at the front, counted downwards */
	bool promised;			/* one came that was to have the CPU at the next pick */
	u64 urgent_since;		/* the current one, if urgent, is accounted up to here */
	u64 urgent_period, urgent_ran;	/* the throttle's period began; what they had since */

	u64 timer_at;			/* timer() wants to be called then, if timer_set */
	bool timer_set;

	u64 bitmap;			/* POLICY5; the lowest bit is that of the highest list */
	struct list_node lists[LISTS];
	struct rb_tree tree;		/* by key */
	struct rb_tree aside;		/* throttled (edf, rm) or not yet eligible (fair) */
	u64 arrivals;
	u64 epoch;			/* prio: rounds of aging; mlfq: the last boost */
	struct list_node reserved;	/* edf, rm: entities with a reservation here */
	u64 vzero;			/* fair: the virtual time is vzero + vsum / weight */
	s64 vsum;
	u64 weight;
	u64 random;			/* state of the queue's generator: jitter, pct */
};

enum enqueue_why {
	ENQUEUE_PREEMPTED,		/* was current, and had some of its slice left */
	ENQUEUE_WAKE,			/* was blocked, or is new */
	ENQUEUE_EXPIRED,		/* was current, its slice is over */
	ENQUEUE_YIELD,			/* was current, gave the CPU up */
	ENQUEUE_MIGRATED,		/* was in another queue */
	ENQUEUE_CHANGED			/* was in this queue; parameters or rank are new */
};

struct sched_policy {
	const char *name;
	u32 classes;			/* bit per SCHED_* it knows, beside the real-time ones */

	/* At boot: reads its boot arguments. May be NULL, as all that follow to the blank line. */
	void (*init)(void);
	/* Takes @e's new params; it is in no queue. */
	void (*start)(struct sched_entity *e, u64 now);
	/* May @e's reservation @p be promised beside those of @q? */
	bool (*fits)(struct policy_queue *q, const struct sched_entity *e,
		     const struct sched_params *p);
	/* @ran ns of CPU go on current's account. True: it gives way even if nobody waits. */
	bool (*charge)(struct policy_queue *q, struct sched_entity *e, u64 ran, u64 now);
	/* Current stops being runnable. */
	void (*leave)(struct policy_queue *q, struct sched_entity *e, u64 now);
	/* q->timer_at has come. True: preempt. Sets the next time. */
	bool (*timer)(struct policy_queue *q, u64 now);

	/* True: preempt, or the timer's time has become earlier: somebody must look. */
	bool (*enqueue)(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			u64 now);
	/* Takes a queued one out: killed, suspended, moved, about to change. */
	void (*dequeue)(struct policy_queue *q, struct sched_entity *e);
	/* Takes out who is to run next; NULL: the CPU may idle. */
	struct sched_entity *(*pick)(struct policy_queue *q, u64 now);
	/* A queued one that may run on @cpu, to be moved there; NULL if none may or should. */
	struct sched_entity *(*find)(struct policy_queue *q, unsigned cpu);
	/* A full slice, ns: at the latest then it is charged and must give way to equals. */
	u64 (*slice)(struct policy_queue *q, struct sched_entity *e);
	/* The usual one; NULL: quantum_of(). */
	u64 (*interval)(const struct sched_entity *e);
};

/*
 * --- For the mechanism (policy.c) -------------------------------------------------------------
 */

extern struct sched_policy policy;	/* the one that runs, a copy. [const after boot] */
extern const struct sched_policy sched_rr, sched_prio, sched_mlfq, sched_edf, sched_rm, sched_fair,
	sched_pct;

static inline bool policy_is(const struct sched_policy *p)
{
	return policy.name == p->name;
}

/* Reads sched=, quantum=, jitter= and the policy's own; a wrong one stops the boot in one line. */
void policy_init(void);
void policy_queue_init(struct policy_queue *q, unsigned cpu);
void policy_entity_init(struct sched_entity *e, u32 affinity, u64 now);

/*
 * Are @p values that Linux takes, of a class that the policy knows? -EINVAL. @e keeps what it has.
 */
int policy_check(const struct sched_params *p);

/*
 * Finds room for @e's reservation under @p, first fit over the @nr queues that @affinity allows,
 * and takes it in place of the one it has; any other class gives that back. -EBUSY: no room, and
 * nothing has changed. The caller keeps all reservations still; they need no queue's lock.
 */
int policy_reserve(struct policy_queue *const queues[], unsigned nr, struct sched_entity *e,
		   u32 affinity, const struct sched_params *p);

/* @e, in no queue, has parameters @p from now on; they have been checked and reserved. */
void policy_set_params(struct sched_entity *e, const struct sched_params *p, u64 now);

/* Makes a creator's parameters its child's. -EAGAIN: a reservation is not inherited. */
int policy_params_of_child(struct sched_params *p);

/* Another thread's urgency is @e's too, from its next enqueue() on; it is in no queue. */
void policy_inherit(struct sched_entity *e, struct sched_rank rank);

/* How long @e, which has no slice left, may run from now: its class's slice, jittered. */
u64 policy_slice(struct policy_queue *q, struct sched_entity *e, u64 now);

/* The slice that @e always gets, for sched_rr_get_interval(); 0: it has none. */
u64 policy_interval(const struct sched_entity *e);

static inline bool policy_knows(u32 class)
{
	return class < 32 && (policy.classes | CLASSES_REAL_TIME) & BIT(class);
}

/*
 * --- The hooks as the mechanism calls them: real-time threads first, then the policy -------------
 */

#define RT_RANK		1u		/* REALTIME1, in realtime.c */
#define RT_SIDE		2u
#define RT_TO_FRONT	4u		/* REALTIME3 */
#define RT_TO_BACK	8u

/* Of SCHED_RR, and REALTIME4, in ns; no limit is SLICE_NEVER. Read and written without a lock. */
extern u64 realtime_slice, realtime_limit, realtime_period;
int realtime_set_limit(u64 limit, u64 period);

bool realtime_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
		      u64 now);
void realtime_leave(struct policy_queue *q, struct sched_entity *e, u64 now);
void realtime_dequeue(struct policy_queue *q, struct sched_entity *e);
struct sched_entity *realtime_pick(struct policy_queue *q, u64 now);
u64 realtime_slice_of(struct policy_queue *q, struct sched_entity *e, u64 now);

static inline bool queue_enqueue(struct policy_queue *q, struct sched_entity *e,
				 enum enqueue_why why, u64 now)
{
	if (unlikely(e->rt))
		return realtime_enqueue(q, e, why, now);
	return policy.enqueue(q, e, why, now);
}

static inline void queue_leave(struct policy_queue *q, struct sched_entity *e, u64 now)
{
	if (unlikely(e->rt))
		realtime_leave(q, e, now);
	else if (policy.leave)
		policy.leave(q, e, now);
}

static inline void queue_dequeue(struct policy_queue *q, struct sched_entity *e)
{
	if (unlikely(e->rt & RT_SIDE))
		realtime_dequeue(q, e);
	else
		policy.dequeue(q, e);
}

static inline struct sched_entity *queue_pick(struct policy_queue *q, u64 now)
{
	return unlikely(q->urgent.root) ? realtime_pick(q, now) : policy.pick(q, now);
}

struct sched_entity *tree_find(const struct rb_tree *tree, unsigned cpu);

/* A queued one that may run on @cpu, the most urgent if there are such; NULL. */
static inline struct sched_entity *queue_find(struct policy_queue *q, unsigned cpu)
{
	struct sched_entity *e = unlikely(q->urgent.root) ? tree_find(&q->urgent, cpu) : NULL;

	return e ? e : policy.find(q, cpu);
}

/* True: current gives way even if nobody waits. */
static inline bool queue_charge(struct policy_queue *q, struct sched_entity *e, u64 ran, u64 now)
{
	return policy.charge && !e->rt && policy.charge(q, e, ran, now);
}

/* LK's scale 0..31 to parameters and back: 16 and more are real time, round robin. */
struct sched_params params_of_level(u32 level);
u32 level_of_params(const struct sched_params *p);

/*
 * --- For policies --------------------------------------------------------------------------------
 */

extern u64 sched_quantum;	/* quantum=, ns, of normal priority. [const after boot] */

/* Of a class that has priorities: policy_check() refuses others with one, and these without. */
static inline bool is_real_time(const struct sched_params *p)
{
	return p->rt_priority;
}

/* Quanta of 40, 30, 20, 10, 5 ms by band; quantum= scales them by what it says for normal ones. */
u64 quantum_of(const struct sched_entity *e);

u64 queue_random(struct policy_queue *q);

/* Its own rank, or that of what it holds up. */
static inline struct sched_rank entity_rank(const struct sched_entity *e)
{
	return rank_above(e->inherited, e->base) ? e->inherited : e->base;
}

static inline bool entity_queued(const struct sched_entity *e)
{
	return list_linked(&e->node) || e->tree.linked;
}

static inline void queue_count(struct policy_queue *q, int by)
{
	atomic_fetch_add_explicit(&q->nr, by, memory_order_relaxed);
}

static inline u64 list_bit(unsigned i)
{
	return 1UL << (LISTS - 1 - i);
}

static inline void level_push(struct policy_queue *q, struct sched_entity *e, unsigned i,
			      bool front)
{
	if (front)
		list_push_front(&q->lists[i], &e->node);
	else
		list_push_back(&q->lists[i], &e->node);
	q->bitmap |= list_bit(i);
	queue_count(q, 1);
}

/* @e is in list @i. */
static inline void level_remove(struct policy_queue *q, struct sched_entity *e, unsigned i)
{
	list_remove(&e->node);
	if (list_empty(&q->lists[i]))
		q->bitmap &= ~list_bit(i);
	queue_count(q, -1);
}

/* The first to come of the highest list; NULL. */
static inline struct sched_entity *level_first(struct policy_queue *q)
{
	unsigned i = LISTS - 1;

	if (!q->bitmap)
		return NULL;
	i -= __builtin_ctzl(q->bitmap);
	return list_entry(q->lists[i].next, struct sched_entity, node);
}

/* The highest that may run on @cpu; NULL. */
struct sched_entity *level_find(struct policy_queue *q, unsigned cpu);

/* Moves all of list @from to the end of list @to. */
void level_splice(struct policy_queue *q, unsigned from, unsigned to);

/* In order of key; who has come at the same key before @keep its place. */
void tree_push(struct policy_queue *q, struct rb_tree *tree, struct sched_entity *e, u64 key,
	       bool keep);
void tree_remove(struct sched_entity *e);
struct sched_entity *tree_first(const struct rb_tree *tree);

static inline void queue_timer(struct policy_queue *q, u64 at)
{
	q->timer_at = at;
	q->timer_set = true;
}
