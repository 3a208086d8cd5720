/*
 * All that a scheduling policy sees: a queue per CPU, entities in it, and a clock reading.
 *
 * No threads, no locks, no machine: the same policy files run in the kernel and in the simulator
 * (tools/simulate). The mechanism owns the CPU and calls the hooks of struct sched_policy, always
 * for one queue at a time, which it has locked; no hook blocks, allocates or switches. Between
 * mechanism and policy is the class of real-time threads (realtime.c). A policy never sees those,
 * except as q->current.
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
 *  POLICY1  An entity is in at most one queue, and q->current is in none. To take the CPU away from
 *           current, the mechanism charges it, sets q->current to NULL, and hands it back by
 *           enqueue() (preempted, expired, yields) or leave() (blocks, ends, must go elsewhere). Of
 *           a thread that is suspended or ends as it waits, it calls dequeue() and then leave().
 *  POLICY2  Time is charged as measured, before the event that ends it: charge() comes before
 *           enqueue(), leave() and pick(). No policy charges a tick to the thread it interrupts.
 *  POLICY3  The keys that order an entity change only while it is in no queue. A new parameter,
 *           inheritance or deadline means dequeue(), change, enqueue().
 *  POLICY4  q->nr counts the entities that pick() could take now. A throttled entity is in the
 *           queue but is not counted.
 *  POLICY5  Bit LISTS - 1 - i of q->bitmap is set if and only if list i is not empty.
 */
#pragma once

#include "base/list.h"
#include "base/rbtree.h"
#include "sched/policy/rank.h"
#include "types.h"

/* Linux's scheduling classes (its "policies"); each policy of ours gives them a meaning. */
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

/* Process priorities are names for ranges of nice values, so the two cannot disagree. */
enum sched_band { BAND_IDLE, BAND_LOW, BAND_NORMAL, BAND_HIGH, BAND_SYSTEM };

struct sched_params {
	u32 class;			/* SCHED_* */
	int nice;			/* used by the normal classes, kept by the others */
	u32 rt_priority;		/* SCHED_FIFO and SCHED_RR: 1..99, higher first */
	bool reset_on_fork;
	u64 runtime, deadline, period;	/* ns; SCHED_DEADLINE */
};

#define LEVELS			32	/* LK's scale: params_of_level() */
#define LISTS			32	/* of a queue; the policy maps levels to lists */

#define SLICE_NEVER		(1UL << 62)	/* a slice without an end; compares right */

#define EPOCH_NEVER		1	/* no boost and no window has this number */

struct policy_queue;

struct sched_entity {
	/* In a list of levels, or in a tree, never both. */
	struct list_node node;
	struct rb_node tree;
	struct rb_tree *in;		/* the tree that it was last put in */
	u64 key;			/* its place in the tree */
	u64 arrival;			/* its place among equal keys */

	struct sched_params params;	/* set by policy_set_params() */
	u32 affinity;			/* CPUs it may run on, bit per id */
	struct sched_rank base;		/* its own rank, from the policy */
	struct sched_rank inherited;	/* from the mechanism; level 0: no thread waits for it */
	u64 slice_left;			/* ns, kept by the mechanism; 0: asks the policy */
	u8 rt;				/* RT_*: realtime.c */

	/* Kept by the policy that is named. */
	u64 epoch;			/* prio, mlfq: q->epoch when last updated; pct: window */
	u64 used;			/* mlfq: ns of its allotment; prio: levels it has gained */
	u64 since;			/* mlfq: when it blocked, also if it was urgent */
	s64 budget;			/* edf, rm: ns left; negative is debt */
	u64 deadline;			/* edf: absolute; fair: virtual */
	u64 replenish_at;		/* edf, rm: when a throttled one goes on */
	struct {
		s64 amount;
		u64 at;
	} refund[2];			/* rm: budget that will come back, in order of time */
	unsigned open;			/* rm: the refund that grows as it runs */
	u64 rest;			/* edf: scratch of an admission test */
	u64 vruntime;			/* fair: service received, virtual */
	s64 lag;			/* fair: service owed, virtual, while it is not runnable */
	u64 weight;			/* fair: what it adds to q->weight; 0: not counted */
	/* edf, rm: where its reservation is, or NULL; a hint without its run queue's lock */
	struct policy_queue *_Atomic home;
	struct list_node reserved;	/* in home->reserved */
};

struct policy_queue {			/* one per CPU */
	unsigned cpu;			/* [const] */
	struct sched_entity *current;	/* on the CPU, set by the mechanism; NULL: idle */
	_Atomic unsigned nr;		/* POLICY4; a hint without the lock */
	struct rb_tree urgent;		/* realtime.c's, as all up to the blank line */
	_Atomic unsigned nr_urgent;	/* entities in it; a hint without the lock */
	u64 fronts;			/* arrivals at the front, counted downwards */
	bool promised;			/* an entity came that is to get the CPU at the next pick */
	u64 urgent_since;		/* current, if urgent, is accounted for up to this time */
	u64 urgent_period, urgent_ran;	/* throttle: start of the period, ns that urgent ones ran */

	u64 timer_at;			/* when to call timer(), if timer_set */
	bool timer_set;

	u64 bitmap;			/* POLICY5; the lowest bit is the highest list's */
	struct list_node lists[LISTS];
	struct rb_tree tree;		/* in order of key */
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
	ENQUEUE_PREEMPTED,		/* was current, and has some of its slice left */
	ENQUEUE_WAKE,			/* was blocked, or is new */
	ENQUEUE_EXPIRED,		/* was current: slice over, or new parameters or rank */
	ENQUEUE_YIELD,			/* was current, and gave up the CPU */
	ENQUEUE_MIGRATED,		/* was in another queue */
	ENQUEUE_CHANGED			/* was in this queue, and has new parameters or rank */
};

struct sched_policy {
	const char *name;
	u32 classes;			/* bit per SCHED_* it knows, not counting real-time ones */

	/* Reads its boot arguments. May be NULL, as may all hooks up to the blank line. */
	void (*init)(void);
	/* @e, in no queue, has new params. */
	void (*start)(struct sched_entity *e, u64 now);
	/* Checks whether @e's reservation @p can be promised beside those of @q. */
	bool (*fits)(struct policy_queue *q, const struct sched_entity *e,
		     const struct sched_params *p);
	/* Charges @ran ns to current, @e. True: it must give way even if no other waits. */
	bool (*charge)(struct policy_queue *q, struct sched_entity *e, u64 ran, u64 now);
	/* @e, which was current or dequeued, is not runnable any more, or not on this CPU. */
	void (*leave)(struct policy_queue *q, struct sched_entity *e, u64 now);
	/* Called when q->timer_at has come; sets the next time. True: preempt current. */
	bool (*timer)(struct policy_queue *q, u64 now);

	/* True: the CPU must look: preempt current, or the timer's time is earlier now. */
	bool (*enqueue)(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			u64 now);
	/* Takes a queued entity out: it is killed, suspended, moved or about to change. */
	void (*dequeue)(struct policy_queue *q, struct sched_entity *e);
	/* Takes out the entity to run next; NULL: the CPU may idle. */
	struct sched_entity *(*pick)(struct policy_queue *q, u64 now);
	/* Finds a queued entity that may run on @cpu, to be moved there, or NULL. */
	struct sched_entity *(*find)(struct policy_queue *q, unsigned cpu);
	/* Returns a full slice, ns: after that @e is charged and gives way to its equals. */
	u64 (*slice)(struct policy_queue *q, struct sched_entity *e);
	/* Returns @e's usual slice; if NULL, that is quantum_of(). */
	u64 (*interval)(const struct sched_entity *e);
};

/*
 * --- For the mechanism (policy.c) -------------------------------------------------------------
 */

extern struct sched_policy policy;	/* a copy of the one that runs [const after boot] */
extern const struct sched_policy sched_rr, sched_prio, sched_mlfq, sched_edf, sched_rm, sched_fair,
	sched_pct;

static inline bool policy_is(const struct sched_policy *p)
{
	return policy.name == p->name;
}

/* Reads sched=, quantum=, jitter= and the policy's own arguments. A wrong one stops the boot. */
void policy_init(void);
void policy_queue_init(struct policy_queue *q, unsigned cpu);
void policy_entity_init(struct sched_entity *e, u32 affinity, u64 now);

/* Returns 0 if Linux would take @p's values and the policy knows the class, else -EINVAL. */
int policy_check(const struct sched_params *p);

/*
 * Reserves what @p asks for on the first of the @nr queues that @affinity allows and that has room,
 * in place of the reservation that @e has; another class than SCHED_DEADLINE only gives that back.
 * Returns -EBUSY if there is no room; then nothing has changed. The caller makes sure that no
 * other reservation changes meanwhile, and holds the lock of @e's queue, not of all @queues.
 */
int policy_reserve(struct policy_queue *const queues[], unsigned nr, struct sched_entity *e,
		   u32 affinity, const struct sched_params *p);

/* Gives @e, which is in no queue, the parameters @p, which have been checked and reserved. */
void policy_set_params(struct sched_entity *e, const struct sched_params *p, u64 now);

/* Turns a creator's parameters into its child's. -EAGAIN: reservations are not inherited. */
int policy_params_of_child(struct sched_params *p);

/* Makes @e, which is in no queue, inherit @rank, from its next enqueue() on. */
void policy_inherit(struct sched_entity *e, struct sched_rank rank);

/* Returns a new slice for @e, which has none left: its class's slice, with jitter=. */
u64 policy_slice(struct policy_queue *q, struct sched_entity *e, u64 now);

/* Returns the slice that @e usually gets, for sched_rr_get_interval(); 0: it has none. */
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

/* SCHED_RR's slice, and REALTIME4 in ns, SLICE_NEVER: no limit. Accessed without a lock. */
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

/* Finds a queued entity that may run on @cpu, the most urgent real-time one first, or NULL. */
static inline struct sched_entity *queue_find(struct policy_queue *q, unsigned cpu)
{
	struct sched_entity *e = unlikely(q->urgent.root) ? tree_find(&q->urgent, cpu) : NULL;

	return e ? e : policy.find(q, cpu);
}

/* Charges @ran ns to current, @e. True: it must give way even if no other waits. */
static inline bool queue_charge(struct policy_queue *q, struct sched_entity *e, u64 ran, u64 now)
{
	return policy.charge && !e->rt && policy.charge(q, e, ran, now);
}

/* Convert LK's levels 0..31 to parameters and back; 16 and more are SCHED_RR. */
struct sched_params params_of_level(u32 level);
u32 level_of_params(const struct sched_params *p);

/*
 * --- For policies --------------------------------------------------------------------------------
 */

extern u64 sched_quantum;	/* quantum=, ns, of normal priority [const after boot] */

/* Only real-time classes have a priority, and always do: policy_check() sees to that. */
static inline bool is_real_time(const struct sched_params *p)
{
	return p->rt_priority;
}

/* Returns @e's quantum: 40, 30, 20, 10, 5 ms by band; quantum= sets the middle, scaling all. */
u64 quantum_of(const struct sched_entity *e);

u64 queue_random(struct policy_queue *q);

/* Returns @e's rank: its own, or that of a more urgent thread that waits for it. */
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

/* Takes @e out of list @i. */
static inline void level_remove(struct policy_queue *q, struct sched_entity *e, unsigned i)
{
	list_remove(&e->node);
	if (list_empty(&q->lists[i]))
		q->bitmap &= ~list_bit(i);
	queue_count(q, -1);
}

/* Returns the first entity of the highest list that is not empty, or NULL. */
static inline struct sched_entity *level_first(struct policy_queue *q)
{
	unsigned i = LISTS - 1;

	if (!q->bitmap)
		return NULL;
	i -= __builtin_ctzl(q->bitmap);
	return list_entry(q->lists[i].next, struct sched_entity, node);
}

/* Returns the first entity, by list, that may run on @cpu, or NULL. */
struct sched_entity *level_find(struct policy_queue *q, unsigned cpu);

/* Moves all of list @from to the end of list @to. */
void level_splice(struct policy_queue *q, unsigned from, unsigned to);

/* Puts @e into @tree, behind equal keys; with @keep, where its last arrival puts it. */
void tree_push(struct policy_queue *q, struct rb_tree *tree, struct sched_entity *e, u64 key,
	       bool keep);
void tree_remove(struct sched_entity *e);
struct sched_entity *tree_first(const struct rb_tree *tree);

static inline void queue_timer(struct policy_queue *q, u64 at)
{
	q->timer_at = at;
	q->timer_set = true;
}
