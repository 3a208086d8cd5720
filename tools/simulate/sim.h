/*
 * A discrete simulator of the scheduler: the kernel's own policy files, and a mechanism like the
 * kernel's around them in which switching takes no time.
 *
 * It allocates nothing and opens no files: the caller owns the tasks and fills in their [const]
 * fields. sim->changed() is called at every change of state.
 */
#pragma once

#include "sched/policy/policy.h"

#define SIM_TASKS	64
#define SIM_STEPS	16

enum sim_state { SIM_NEW, SIM_READY, SIM_RUNNING, SIM_SLEEPING, SIM_ENDED };

enum sim_action {
	SIM_RUN,	/* @ns of work */
	SIM_SLEEP,	/* for @ns */
	SIM_WAIT,	/* ends a job, waits for the next release, which may have passed */
	SIM_YIELD,
	SIM_BOOST,	/* inherits the rank of task number @ns; @ns >= SIM_TASKS: of none */
	SIM_REPEAT	/* goes back to the first step; without it, the task ends */
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
	bool look;			/* it must choose again, ... */
	bool expired;			/* ... as the slice is over and others wait */
	bool spent;			/* ... as the budget is spent */
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

/* Starts a simulation of @s->tasks at @start. A task that is refused (!admitted) never runs. */
void sim_begin(struct sim *s, u64 start);

/* Runs until @until. False: no task sleeps any more. */
bool sim_run(struct sim *s, u64 until);
