/*
 * Lab 03: the states in which a call may find the thread that runs: its class, when its quantum is
 * over, for whom it is to give way, what is noted already. They are set by hand.
 */
#pragma once

#include "explore/scenario.h"

#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/internal.h"
#include "sched/time.h"

static const struct {
	const char *name;
	struct sched_params params;
} classes[] = {
	{ "normal", { .class = SCHED_OTHER } },
	{ "normal, nice -20", { .class = SCHED_OTHER, .nice = NICE_HIGHEST } },
	{ "SCHED_BATCH", { .class = SCHED_BATCH } },
	{ "SCHED_IDLE", { .class = SCHED_IDLE } },
	{ "SCHED_FIFO", { .class = SCHED_FIFO, .rt_priority = 10 } },
	{ "SCHED_RR", { .class = SCHED_RR, .rt_priority = 10 } },
	{ "normal, on a real-time thread's rank", { .class = SCHED_OTHER } },
};

/* The last one has inherited the rank of REAL_TIME_PARAMS. */
#define LENT_RANK		(ARRAY_SIZE(classes) - 1)

#define NORMAL_PARAMS		(&classes[0].params)
#define REAL_TIME_PARAMS	(&classes[4].params)

/* When the quantum is over, from now. */
static const s64 ends[] = {
	1, NSEC_PER_MSEC, 5 * (s64)NSEC_PER_SEC, 0, -1, -(s64)NSEC_PER_MSEC,
	-5 * (s64)NSEC_PER_SEC,
};

enum waits { NONE, NORMAL, REAL_TIME, ALL_WAITS };

static const char *const waits_names[] = {
	"none waits", "a normal one waits", "a real-time one waits",
};

static struct state {
	unsigned class, end;			/* places in classes[] and ends[] */
	enum waits waits;
	u32 expired;				/* what rq->expired says */
	u32 work;				/* notes, the mark among them */
	unsigned beside;			/* how many more are counted as waiting */
	bool in_call;				/* see play() */
} s;

#define EXPECT(cond, text, ...)								\
	expect(cond,									\
	       "%s%s, its quantum ends in %ld ns, %s, %u beside it, expired %u, notes %u: " text, \
	       classes[s.class].name, s.in_call ? ", in a call" : "", ends[s.end],	\
	       waits_names[s.waits], s.beside, s.expired, s.work, ##__VA_ARGS__)

static struct runq *rq;				/* of CPU 0, the only one */
static struct thread *self;

/* Takes the next digit of @number, which has @base values. */
static inline unsigned digit(unsigned *number, unsigned base)
{
	unsigned d = *number % base;

	*number /= base;
	return d;
}

static inline bool is_over(void)
{
	return ends[s.end] <= 0;
}

static inline bool runs_real_time(void)
{
	return classes[s.class].params.rt_priority || s.class == LENT_RANK;
}

static inline void begin(void)
{
	rq = &cpus[0].runq;
	self = current_thread();
}

/* All notes are taken back, as nobody else has left them. */
static inline void set_notes(u32 expired, u32 work)
{
	rq->expired = expired;
	atomic_store(&self->work, work);
}

/* Begins or ends to be a process's thread in a system call, with a lock for which others wait. */
static inline void play(bool begins)
{
	static struct process process;
	static struct addr_space space;
	static struct list_node held;

	if (!s.in_call)
		return;
	self->process = begins ? &process : &kernel_process;
	self->as = begins ? &space : NULL;
	self->detached = begins;
	self->stop_pending = begins;
	self->sigmask = begins ? ~0UL : 0;
	self->sigpending = begins ? ~0UL : 0;
	if (begins)
		list_push_back(&self->contended, &held);
	else
		list_remove(&held);
}

/* If another waits, so many more are counted that a narrow count of all would be 0. */
static inline void choose_crowd(unsigned i)
{
	static const unsigned crowds[] = { 0, 255, 65535 };

	s.beside = s.waits ? crowds[i % ARRAY_SIZE(crowds)] : 0;
}

static inline void end(void)
{
	rq->q.timer_set = false;
	end_here();
}

/* Gives the thread that runs the class at @place, and the rank that goes with it. */
static inline void set_class(unsigned place, u64 now)
{
	struct sched_rank rank = { .level = 0 };

	if (place == LENT_RANK)
		rank.level = LEVEL_REAL_TIME + REAL_TIME_PARAMS->rt_priority - RT_PRIORITY_LOWEST;
	policy_inherit(&self->se, rank);
	policy_set_params(&self->se, &classes[place].params, now);
}

/* The same while none waits, as if it had just woken. */
static inline void become(unsigned place, u64 now)
{
	queue_leave(&rq->q, &self->se, now);
	set_class(place, now);
	rq->q.current = NULL;
	queue_enqueue(&rq->q, &self->se, ENQUEUE_WAKE, now);
	rq->q.current = queue_pick(&rq->q, now);
	EXPECT(rq->q.current == &self->se, "it was put into an empty queue, and is not picked");
}

static inline void set_state(u64 now)
{
	rq->slice_end = now + (u64)ends[s.end];
	set_notes(s.expired, s.work);
}
