/*
 * Shared by all policies: choosing the policy, checking and setting parameters, reservations,
 * quanta, and the lists and trees of a queue.
 *
 * Pure logic, like the policies themselves: it also runs in the simulator.
 */
#include "sched/policy/policy.h"

#include "base/bootargs.h"
#include "base/panic.h"
#include "base/printf.h"
#include "base/string.h"
#include "errno.h"

/* The first is the default. */
static const struct sched_policy *const policies[] = {
	&sched_rr, &sched_prio, &sched_mlfq, &sched_edf, &sched_rm, &sched_fair, &sched_pct,
};

struct sched_policy policy;

u64 sched_quantum;
static u64 jitter;	/* seed; 0: slices keep their length [const after boot] */

static void choose_policy(void)
{
	const char *name = bootarg("sched");
	char allowed[80] = "";

	for (unsigned i = 0; i < ARRAY_SIZE(policies); i++) {
		size_t n = strlen(allowed);

		if (!name || strcmp(policies[i]->name, name) == 0) {
			policy = *policies[i];
			return;
		}
		snprintf(allowed + n, sizeof(allowed) - n, "%s%s",
			 i ? i + 1 < ARRAY_SIZE(policies) ? ", " : " or " : "", policies[i]->name);
	}
	bootarg_bad("sched", allowed);
}

void policy_init(void)
{
	choose_policy();
	sched_quantum = bootarg_number("quantum", 20 * NSEC_PER_MSEC, 10 * NSEC_PER_USEC,
				       10 * NSEC_PER_SEC);
	realtime_slice = 2 * sched_quantum;
	jitter = bootarg_number("jitter", 0, 1, ~0UL);
	if (policy.init)
		policy.init();
}

void policy_queue_init(struct policy_queue *q, unsigned cpu)
{
	*q = (struct policy_queue){ .cpu = cpu, .random = bootarg_number("seed", 0, 0, ~0UL) };
	q->random = (q->random ^ jitter) * MAX_CPUS + cpu;
	for (unsigned i = 0; i < LISTS; i++)
		list_init(&q->lists[i]);
	list_init(&q->reserved);
}

void policy_entity_init(struct sched_entity *e, u32 affinity, u64 now)
{
	/* its deadline is over, so edf starts a new period */
	*e = (struct sched_entity){ .affinity = affinity, .epoch = EPOCH_NEVER,
				     .deadline = now };
	list_init(&e->node);
	list_init(&e->reserved);
}

/*
 * --- Parameters ----------------------------------------------------------------------------------
 */

static bool reservation_is_valid(const struct sched_params *p)
{
	return p->runtime >= RESERVED_RUNTIME_MIN && p->runtime <= p->deadline &&
	       p->deadline <= p->period && p->period >= RESERVED_PERIOD_MIN &&
	       p->period <= RESERVED_PERIOD_MAX;
}

int policy_check(const struct sched_params *p)
{
	if (!policy_knows(p->class))
		return -EINVAL;
	if (!(BIT(p->class) & CLASSES_REAL_TIME) != !p->rt_priority ||
	    p->rt_priority > RT_PRIORITY_HIGHEST)
		return -EINVAL;
	if (p->nice < NICE_HIGHEST || p->nice > NICE_LOWEST)
		return -EINVAL;
	return p->class == SCHED_DEADLINE && !reservation_is_valid(p) ? -EINVAL : 0;
}

int policy_reserve(struct policy_queue *const queues[], unsigned nr, struct sched_entity *e,
		   u32 affinity, const struct sched_params *p)
{
	struct policy_queue *home = NULL;

	for (unsigned i = 0; p->class == SCHED_DEADLINE && !home; i++) {
		if (i == nr)
			return -EBUSY;
		if (affinity & BIT(i) && policy.fits(queues[i], e, p))
			home = queues[i];
	}
	list_remove(&e->reserved);
	e->home = home;
	if (home)
		list_push_back(&home->reserved, &e->reserved);
	return 0;
}

/* Sets @e's RT_* marks; its rank was @before until now (REALTIME1, REALTIME3). */
static void mark_rank(struct sched_entity *e, struct sched_rank before)
{
	struct sched_rank rank = entity_rank(e);

	e->rt &= RT_SIDE;
	if (rank.level >= LEVEL_REAL_TIME && rank.level < LEVEL_KEYED)
		e->rt |= RT_RANK | (rank_above(before, rank) ? RT_TO_FRONT : RT_TO_BACK);
}

void policy_set_params(struct sched_entity *e, const struct sched_params *p, u64 now)
{
	struct sched_rank before = entity_rank(e);
	bool was_real_time = is_real_time(&e->params);

	assert(!entity_queued(e));	/* POLICY3 */
	e->params = *p;
	e->slice_left = 0;
	if (is_real_time(p)) {
		e->base = (struct sched_rank){
			.level = LEVEL_REAL_TIME + p->rt_priority - RT_PRIORITY_LOWEST,
		};
	} else {
		if (was_real_time) {	/* to the policy it is a new entity */
			e->base = (struct sched_rank){ 0 };
			e->epoch = EPOCH_NEVER;
		}
		if (policy.start)
			policy.start(e, now);
	}
	mark_rank(e, before);
}

void policy_inherit(struct sched_entity *e, struct sched_rank rank)
{
	struct sched_rank before = entity_rank(e);

	e->inherited = rank;
	if (rank_above(before, entity_rank(e)) || rank_above(entity_rank(e), before))
		mark_rank(e, before);
}

int policy_params_of_child(struct sched_params *p)
{
	if (p->reset_on_fork && (is_real_time(p) || p->class == SCHED_DEADLINE))
		*p = (struct sched_params){ .class = SCHED_OTHER };
	else if (p->reset_on_fork)
		*p = (struct sched_params){ .class = p->class, .nice = MAX(p->nice, 0) };
	return p->class == SCHED_DEADLINE ? -EAGAIN : 0;
}

static enum sched_band band_of(const struct sched_params *p)
{
	if (is_real_time(p) || p->class == SCHED_DEADLINE || p->nice <= -15)
		return BAND_SYSTEM;
	if (p->class == SCHED_IDLE || p->nice >= 15)
		return BAND_IDLE;
	return p->nice <= -5 ? BAND_HIGH : p->nice < 5 ? BAND_NORMAL : BAND_LOW;
}

struct sched_params params_of_level(u32 level)
{
	struct sched_params p = { .class = SCHED_RR };

	assert(level < LEVELS);
	if (level >= LEVEL_REAL_TIME) {
		p.rt_priority = RT_PRIORITY_LOWEST + ((level - LEVEL_REAL_TIME) * 99 + 15) / 16;
		return p;
	}
	p.class = level ? SCHED_OTHER : SCHED_IDLE;
	p.nice = level ? NICE_LOWEST - (int)((level - 1) * 8 + 2) / 3 : NICE_LOWEST;
	return p;
}

u32 level_of_params(const struct sched_params *p)
{
	if (p->class == SCHED_IDLE)
		return 0;
	if (is_real_time(p))
		return LEVEL_REAL_TIME + (p->rt_priority - RT_PRIORITY_LOWEST) * 16 / 99;
	return 1 + (NICE_LOWEST - p->nice) * 15 / 40;
}

/*
 * --- Slices --------------------------------------------------------------------------------------
 */

u64 quantum_of(const struct sched_entity *e)
{
	static const u8 quarters[] = { 1, 2, 4, 6, 8 };		/* by band */

	return sched_quantum * quarters[band_of(&e->params)] / 4;
}

u64 policy_slice(struct policy_queue *q, struct sched_entity *e, u64 now)
{
	bool urgent = e->rt;		/* even if it changes sides at its next enqueue */
	u64 slice = urgent ? realtime_slice_of(q, e, now) : policy.slice(q, e);

	if (unlikely(q->urgent.root) && !urgent)	/* REALTIME4 */
		slice = MIN(slice, MAX(q->urgent_period + realtime_period - now, 1));
	return likely(!jitter) || slice >= SLICE_NEVER ? slice : 1 + queue_random(q) % slice;
}

u64 policy_interval(const struct sched_entity *e)
{
	if (e->params.class == SCHED_RR)
		return realtime_slice;
	if (e->params.class == SCHED_FIFO || e->params.class == SCHED_DEADLINE)
		return 0;
	return policy.interval ? policy.interval(e) : quantum_of(e);
}

u64 queue_random(struct policy_queue *q)
{
	u64 x = q->random += 0x9e3779b97f4a7c15UL;

	/* splitmix64 (Steele, Lea, Flood 2014) */
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebUL;
	return x ^ (x >> 31);
}

/*
 * --- Lists and trees -----------------------------------------------------------------------------
 */

struct sched_entity *level_find(struct policy_queue *q, unsigned cpu)
{
	for (u64 left = q->bitmap; left; left &= left - 1)
		list_for_each(e, &q->lists[LISTS - 1 - __builtin_ctzl(left)], struct sched_entity,
			      node)
			if (e->affinity & BIT(cpu))
				return e;
	return NULL;
}

void level_splice(struct policy_queue *q, unsigned from, unsigned to)
{
	if (!(q->bitmap & list_bit(from)))
		return;
	list_splice_back(&q->lists[to], &q->lists[from]);
	q->bitmap = (q->bitmap & ~list_bit(from)) | list_bit(to);
}

static struct sched_entity *entity_of(const struct rb_node *n)
{
	return n ? container_of(n, struct sched_entity, tree) : NULL;
}

static bool sooner(const struct rb_node *a, const struct rb_node *b)
{
	const struct sched_entity *x = entity_of(a), *y = entity_of(b);

	return x->key == y->key ? time_before(x->arrival, y->arrival) : time_before(x->key, y->key);
}

void tree_push(struct policy_queue *q, struct rb_tree *tree, struct sched_entity *e, u64 key,
	       bool keep)
{
	if (!keep)
		e->arrival = q->arrivals++;
	e->key = key;
	e->in = tree;
	rb_insert(tree, &e->tree, sooner);
}

void tree_remove(struct sched_entity *e)
{
	rb_remove(e->in, &e->tree);
}

struct sched_entity *tree_first(const struct rb_tree *tree)
{
	return entity_of(rb_first(tree));
}

struct sched_entity *tree_find(const struct rb_tree *tree, unsigned cpu)
{
	for (struct rb_node *n = rb_first(tree); n; n = rb_next(n))
		if (entity_of(n)->affinity & BIT(cpu))
			return entity_of(n);
	return NULL;
}
