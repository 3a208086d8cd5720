/*
 * Lab 05, step 5: any steps in any order on the graph of waits, against a model of it. The threads
 * never run. The scenario's generator is its own, so the steps are the same in every run.
 */
#include "graph.h"

#define STEPS	3000
#define NONE	99u

static struct {
	unsigned lock;			/* that it waits for, or NONE */
	bool ended;			/* its wait is over, and it has not left yet */
	bool offered;			/* it was told to look, and may go on waiting */
	bool cyclic;
} m[THREADS];

static unsigned owner[LOCKS];		/* NONE: nobody */
static unsigned line[LOCKS][THREADS], length[LOCKS];
static unsigned lent[THREADS];		/* what each waiter lent after the last step */
static unsigned step;
static u64 state = 1;

static unsigned chance(unsigned n)
{
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned)(state >> 33) % n;
}

/* --- The model -------------------------------------------------------------------------------- */

static unsigned own_rank(unsigned t)
{
	return threads[t]->se.base.level;
}

static unsigned lends(unsigned t, const unsigned *ranks)
{
	return m[t].cyclic ? own_rank(t) : ranks[t];
}

/*
 * The highest of each thread's own and of those that the waiters for its locks lend. One that is to
 * leave lends nothing any more, or does until it has left: @all.
 */
static void compute(unsigned *ranks, bool all)
{
	bool changed = true;

	for (unsigned t = 0; t < THREADS; t++)
		ranks[t] = own_rank(t);
	while (changed) {
		changed = false;
		for (unsigned t = 0; t < THREADS; t++) {
			unsigned to = m[t].lock == NONE ? NONE : owner[m[t].lock];

			if (m[t].ended && !m[t].offered && !all)
				continue;
			if (to == NONE || lends(t, ranks) <= ranks[to])
				continue;
			ranks[to] = lends(t, ranks);
			changed = true;
		}
	}
}

/* Whether the path of waits from @from leads to @t; @ended: also through waits that are over. */
static bool leads_to(unsigned from, unsigned t, bool ended)
{
	while (from != NONE && from != t) {
		if (m[from].lock == NONE || m[from].cyclic || (m[from].ended && !ended))
			return false;
		from = owner[m[from].lock];
	}
	return from == t;
}

/* --- What the graph has become ---------------------------------------------------------------- */

static unsigned number_of(const struct thread *thread)
{
	unsigned t = 0;

	while (t < THREADS && threads[t] != thread)
		t++;
	return t;
}

/* Equal ones keep their order; one that comes or whose rank has changed goes behind them. */
static void check_order(unsigned q, const unsigned *now)
{
	unsigned place[THREADS], found[THREADS], n = 0;

	for (unsigned i = 0; i < length[q]; i++)
		place[line[q][i]] = i;
	list_for_each(w, &queues[q].waiters, struct pi_waiter, node) {
		unsigned t = number_of(w->waiter.thread);

		expect(n < THREADS && t < THREADS && m[t].lock == q,
		       "step %u: a thread is among the waiters for lock %u, and waits for none",
		       step, q);
		found[n++] = t;
	}
	expect(n == length[q], "step %u: %u threads wait for lock %u, not %u", step, n, q,
	       length[q]);
	for (unsigned i = 1; i < n; i++) {
		unsigned a = found[i - 1], b = found[i];
		bool a_moved = now[a] != lent[a], b_moved = now[b] != lent[b];

		expect(now[a] >= now[b], "step %u: at lock %u %u is before %u, which lends more",
		       step, q, a, b);
		expect(now[a] > now[b] || (a_moved ? b_moved : b_moved || place[a] < place[b]),
		       "step %u: at lock %u %u is before its equal %u, which was there first",
		       step, q, a, b);
	}
	for (unsigned i = 0; i < n; i++)
		line[q][i] = found[i];
}

static void check_graph(void)
{
	unsigned least[THREADS], most[THREADS], ranks[THREADS], now[THREADS];

	compute(least, false);
	compute(most, true);
	for (unsigned t = 0; t < THREADS; t++) {
		ranks[t] = thread_rank(threads[t]).level;
		expect(ranks[t] >= least[t] && ranks[t] <= most[t],
		       "step %u: thread %u has rank %u, due is %u", step, t, ranks[t], least[t]);
		now[t] = lends(t, ranks);
	}
	for (unsigned q = 0; q < LOCKS; q++)
		check_order(q, now);
	for (unsigned t = 0; t < THREADS; t++)
		lent[t] = now[t];
	for (unsigned from = 0; from < THREADS && m[step % THREADS].lock == NONE; from++)
		expect_circle(step % THREADS, from, leads_to(from, step % THREADS, false),
			      "any steps");
}

/* --- Steps ------------------------------------------------------------------------------------ */

static void begin_wait(unsigned t, unsigned q)
{
	if (m[t].lock != NONE || owner[q] == t)
		return;
	if (owner[q] == NONE && !length[q]) {
		owner[q] = t;		/* it is free */
		return;
	}
	m[t].cyclic = leads_to(owner[q], t, false);
	if (!m[t].cyclic && leads_to(owner[q], t, true))
		return;			/* a circle that is about to open */
	m[t].lock = q;
	m[t].ended = m[t].offered = false;
	lent[t] = 0;			/* it comes: behind its equals */
	line[q][length[q]++] = t;
	waiter_init(&waiters[t].waiter, 0);
	waiters[t].waiter.thread = threads[t];
	waiters[t].cyclic = m[t].cyclic;
	pi_wait(&queues[q], owner[q] == NONE ? NULL : threads[owner[q]], &waiters[t]);
}

static void no_longer_waits(unsigned t)
{
	unsigned q = m[t].lock, i = 0;

	while (line[q][i] != t)
		i++;
	for (length[q]--; i < length[q]; i++)
		line[q][i] = line[q][i + 1];
	m[t].lock = NONE;
	m[t].cyclic = false;
}

static bool may_end(unsigned t)
{
	return m[t].lock != NONE && !m[t].ended;
}

static void end_wait(unsigned t)
{
	static const enum wait_why whys[] = { WAIT_TIMEOUT, WAIT_KILLED, WAIT_SIGNAL };

	if (!may_end(t))
		return;
	m[t].ended = true;
	waiter_swap(&waiters[t].waiter, whys[chance(ARRAY_SIZE(whys))], 0);
}

static void leave(unsigned t)
{
	if (m[t].lock == NONE || !m[t].ended)
		return;
	no_longer_waits(t);
	expect(pi_leave(&waiters[t]), "step %u: thread %u is in no list", step, t);
}

static void becomes_owner(unsigned t)
{
	unsigned q = m[t].lock;

	no_longer_waits(t);
	owner[q] = t;
}

static void pass(unsigned t)
{
	if (!may_end(t))
		return;
	becomes_owner(t);
	waiter_swap(&waiters[t].waiter, WAIT_EVENT, 0);
	pi_pass(&waiters[t]);
}

/* The first waiter whose wait goes on; NONE: there is none. */
static unsigned first_of(unsigned q)
{
	for (unsigned i = 0; i < length[q]; i++)
		if (!m[line[q][i]].ended)
			return line[q][i];
	return NONE;
}

static void unlock(unsigned q)
{
	unsigned first = first_of(q);
	struct thread *next;

	if (owner[q] == NONE || !length[q]) {
		owner[q] = NONE;
		return;
	}
	if (first == NONE)
		owner[q] = NONE;
	else
		becomes_owner(first);
	next = pi_hand_over(&queues[q]);
	expect(next == (first == NONE ? NULL : threads[first]),
	       "step %u: lock %u is handed to thread %u, not to %u", step, q, number_of(next),
	       first);
}

/* Its owner dies: the first waiter is to look at it. */
static void abandon(unsigned q)
{
	unsigned first = first_of(q);

	owner[q] = NONE;
	if (!length[q])
		return;
	if (first != NONE)
		m[first].ended = m[first].offered = true;
	pi_abandon(&queues[q]);
	expect(first == NONE || atomic_load(&waiters[first].waiter.why) == WAIT_EVENT,
	       "step %u: the owner of lock %u is gone, and thread %u is not told", step, q, first);
}

static void take(unsigned t)
{
	if (m[t].lock == NONE || !m[t].ended || owner[m[t].lock] != NONE)
		return;
	becomes_owner(t);
	pi_take(&waiters[t]);
}

static void take_a_step(void)
{
	unsigned t = chance(THREADS), q = chance(LOCKS);

	switch (chance(16)) {
	case 0:
		end_wait(t);
		break;
	case 1:
		leave(t);
		break;
	case 3:
		pass(t);
		break;
	case 4:
		unlock(q);
		break;
	case 5:
		abandon(q);
		break;
	case 6:
		take(t);
		break;
	default:
		begin_wait(t, q);
	}
}

static void change_rank(unsigned t)
{
	static const u32 levels[] = { 8, 17, 18, 18, 20, 24 };
	struct sched_params p = params_of_level(levels[chance(ARRAY_SIZE(levels))]);

	expect(!sched_set_params(threads[t], &p), "its parameters are refused");
}

SCENARIO(any, "graph.model", "05.5", "P5.6", .cpus = 1, .quiet = true, .keeps = true,
	 .no_costume = true)
{
	static const u8 levels[THREADS] = { 8, 17, 18, 18, 20, 24 };

	make_threads(levels);
	for (unsigned t = 0; t < THREADS; t++)
		m[t].lock = NONE;
	for (unsigned q = 0; q < LOCKS; q++)
		owner[q] = NONE;
	for (step = 0; step < STEPS; step++) {
		if (chance(12)) {
			spin_lock(&pi_lock);
			take_a_step();
			spin_unlock(&pi_lock);
		} else {
			change_rank(chance(THREADS));
		}
		check_graph();
	}
	end_here();
}
