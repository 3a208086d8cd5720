/*
 * A discrete simulator of the scheduler: the kernel's own policy files, and a mechanism like the
 * kernel's around them in which switching takes no time.
 *
 * No allocation, no files: the caller owns the tasks, fills in what is const, and is told of every
 * change by sim->changed().
 */
#pragma once

#include "sched/policy/policy.h"

#define SIM_TASKS	64
#define SIM_STEPS	16

enum sim_state { SIM_NEW, SIM_READY, SIM_RUNNING, SIM_SLEEPING, SIM_ENDED };

enum sim_action {
	SIM_RUN,	/* @ns of work */
	SIM_SLEEP,	/* for @ns */
	SIM_WAIT,	/* ends a job; until the next release, at once if that has passed */
	SIM_YIELD,
	SIM_BOOST,	/* inherits the rank of task number @ns; @ns >= SIM_TASKS: of nobody */
	SIM_REPEAT	/* from the first step; the task ends where the steps end */
};

struct sim_step {
	enum sim_action action;
	u64 ns;
};

struct sim_task {
	/* [const] */
	const char *name;
	struct sched_params params;
	u32 affinity;
	u64 arrival;			/* absolute, as are all times below unless said otherwise */
	u64 period;			/* ns between releases; 0: no jobs */
	u64 relative_deadline;		/* ns from release */
	struct sim_step steps[SIM_STEPS];
	unsigned nr_steps;

	struct sched_entity e;
	enum sim_state state;
	unsigned cpu;			/* where it runs, is queued, or was last */
	unsigned step;
	u64 left;			/* of the current SIM_RUN, ns */
	u64 wake_at;
	bool admitted;

	/* The outcome */
	u64 ran;			/* ns on a CPU */
	u64 ready_since, worst_wait;	/* ns from ready to running */
	u64 released;			/* of the current job */
	u64 worst_response;		/* ns from release to end of job */
	unsigned jobs, missed, dispatched, preempted;
};

struct sim_cpu {
	struct policy_queue q;
	struct sim_task *current;
	u64 charged_at;
	u64 slice_end;
	bool look;			/* somebody must choose again */
	bool expired;			/* because the slice is over, and others wait */
	bool spent;			/* because the budget is */
};

struct sim {
	/* [const] */
	unsigned nr_cpus, nr_tasks;
	struct sim_task *tasks;
	void (*changed)(struct sim *s, struct sim_task *t, enum sim_state from);
	void (*finished)(struct sim *s, struct sim_task *t); /* the job released at t->released */
	void *arg;

	u64 now;
	struct sim_cpu cpus[MAX_CPUS];
	u64 steps;			/* events so far */
};

/* The policy takes over @s->tasks at @start. A refused one (admitted is false) never comes. */
void sim_begin(struct sim *s, u64 start);

/* Goes on until @until. False: nothing will happen any more. */
bool sim_run(struct sim *s, u64 until);
