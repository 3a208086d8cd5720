/*
 * The explorer: runs scenarios over the kernel's own functions under every interleaving of a few
 * virtual CPUs. docs/explorer.md explains the method; arch/host is the machine.
 *
 *	order.c		which accesses are ordered, and which words race
 *	access.c	the functions that the compiler calls at each access to memory
 *	step.c		lets one CPU run up to its next pause
 *	state.c		copies the state of the machine, compares it, restores it
 *	search.c	chooses the schedules that are run
 *	random.c	chooses them at random, where there are too many
 *	main.c		the command line, and the output
 *
 * A schedule is a list of choices: "at access 417 let CPU 1 go on". Between them all goes the usual
 * way: a CPU runs until it cannot go on, and then the next one that can.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

#define CPU_TIME	HOST_CPUS		/* not a CPU: the clock moves to the next timer */

/* --- access.c --------------------------------------------------------------------------------- */

#define ACCESSES_MAX	400000		/* of one execution: more have no end */
#define ACCESSES_OF_TURN	20000	/* without a pause; then another CPU gets its turn */
#define ENDLESS		"it does not end: the CPUs run on without progress"

enum kind { READ, WRITE, ACQUIRE, RELEASE, TRY };

struct access {
	enum kind kind;
	unsigned size;
	const void *address;
	const void *pc;
};

/* --- order.c ---------------------------------------------------------------------------------- */

/* For each CPU, how many of its releases are seen. */
struct clock {
	uint32_t of[HOST_CPUS];
};

extern struct clock clocks[HOST_CPUS];
extern unsigned nr_racing;		/* words known to race */

struct word;
struct word *find_word(const void *address);
bool is_racing(const struct word *w);
void order_init(void);

/* Notes an access. If it is unordered with an earlier one, the word is racing. */
void order_access(struct word *w, enum kind kind);

/* The current CPU sees what was released at @address; releases; stores without a release. */
void order_acquire(const void *address);
void order_release(const void *address, bool keeps);
void order_forget(const void *address);

/* Takes back all since the mark was set, which was at the latest state that is left. */
unsigned order_mark(void);
void order_go_back(unsigned mark);

/* --- step.c ----------------------------------------------------------------------------------- */

enum pause {
	PAUSE_ACCESS,		/* before an access to a racing word */
	PAUSE_LOCK,		/* before it takes a spin lock */
	PAUSE_IDLE,		/* it has nothing to do */
	PAUSE_SPIN,		/* it waits in a loop for a store of another CPU */
	PAUSE_TURN,		/* the same, and there was one since the CPU last waited */
	PAUSE_LOOP,		/* it computes for ever in user mode */
	PAUSE_FAILED		/* the execution has ended with a verdict */
};

#define HELD_MAX	8

/* The explorer's record of a CPU; part of the state of the machine. */
struct cpu_state {
	enum pause why;
	const void *pc;			/* where it paused */
	const void *sp;			/* of the kernel there */
	const uint32_t *lock;		/* PAUSE_LOCK */
	unsigned nr_held;
	const void *held[HELD_MAX];	/* spin locks, outermost first */
	bool fresh;			/* it has made no access since the pause where it began */
	bool finished;			/* its function of a bare scenario has returned */
};

extern struct cpu_state cpu_states[HOST_CPUS];

/* A part that decides nothing that the rest does not: no part of the hash. */
struct progress {
	uint64_t accesses;		/* of this execution, by all CPUs */
	uint64_t stores;		/* of these */
	uint64_t looked[HOST_CPUS];	/* the stores so far when it last was in PAUSE_SPIN */
	unsigned turn[HOST_CPUS];	/* accesses of the CPU since it paused */
};

extern struct progress progress;
extern bool booting;			/* no CPU runs yet, but the kernel's code does */
extern bool running;			/* a CPU runs, not the explorer */
extern char verdict[256];		/* after PAUSE_FAILED */

/* @bare: the function that each CPU runs instead of the kernel, or NULL. */
void step_init(void (*bare)(unsigned cpu));

/* Lets @cpu run until it pauses; a CPU that may not go on must not be asked to. */
void step(unsigned cpu);
unsigned who_can_go_on(void);		/* a bit for each CPU */

/* Called on a CPU: gives control back to the explorer. */
void pause_cpu(enum pause why, const void *pc);

/*
 * Where the execution is: twice the number of its accesses so far, the one that comes next
 * included; one more if a CPU has paused behind that access, to wait.
 */
uint64_t position(void);
extern uint64_t pause_at;		/* a position at which to pause, whatever the word */

/* If set, called for each access that is not to the own stack, before it is made. */
extern void (*on_access)(const struct access *a);

/* --- state.c ---------------------------------------------------------------------------------- */

struct snapshot {
	size_t size, room;
	char *bytes;
};

extern bool check_lines;		/* slowly: is every store known? */
void state_init(void);			/* after boot: the state now is the first */

void snapshot_take(struct snapshot *s);
void snapshot_restore(const struct snapshot *s);
uint64_t state_hash(void);		/* of all that matters to the future */

/* Which states were reached with which number of preemptions still to spend. */
void visited_clear(void);

enum visit { VISIT_NEW, VISIT_KNOWN, VISIT_CYCLE };
enum visit visit(uint64_t hash, unsigned budget);	/* VISIT_CYCLE: it is on this path */
void visit_finished(uint64_t hash);
extern uint64_t nr_states;

/* --- search.c --------------------------------------------------------------------------------- */

struct choice {
	uint64_t at;			/* position() */
	unsigned cpu;
};

#define CHOICES_MAX	4096

struct schedule {
	unsigned nr;
	struct choice choices[CHOICES_MAX];
};

struct figures {
	uint64_t executions;		/* that came to their end, or to a state known already */
	uint64_t steps;
	unsigned longest;		/* pauses in one execution */
	bool cut;			/* a schedule was left out because of the bound */
};

enum outcome { OUTCOME_RIGHT, OUTCOME_WRONG, OUTCOME_TOO_MANY };

#define BOUND_NONE	1000000		/* more preemptions than any schedule has */

extern bool merge_states;		/* a state that was reached before is not explored again */

/* Brings each CPU of a bare scenario to its beginning. */
void search_init(bool bare);

/* Runs every schedule with at most @bound preemptions, or until there were @most_steps. */
enum outcome search(unsigned bound, uint64_t most_steps, struct figures *f, struct schedule *wrong);

/* Runs one schedule; OUTCOME_WRONG with `verdict` set. */
enum outcome replay(const struct schedule *s);

/* Reports `verdict`, to which the boot came, and ends the program. */
_Noreturn void boot_failed(void);

/* For those who choose themselves: back to the beginning, with CPU 0 as `vcpu`. */
void search_begin(void);
unsigned ready_cpus(void);		/* a bit for each CPU that may go on; 0: it has ended */
unsigned usual_cpu(unsigned mask, unsigned *turn);	/* which goes on if nobody chooses */
bool ends_right(void);			/* nothing is left to do: is that right? */

/* --- random.c --------------------------------------------------------------------------------- */

#define DEPTH_OF_MISTAKE	3	/* so many events in one order are most mistakes */
#define DEPTH_OF_MISTAKE_MAX	16

/* Runs so many schedules at random; the same @seed makes the same ones everywhere. */
enum outcome search_at_random(uint64_t seed, uint64_t executions, unsigned depth,
			      struct figures *f, struct schedule *wrong);

/* --- main.c ----------------------------------------------------------------------------------- */

/* Called after each execution: may no more be run? Tells now and then how far it is. */
bool time_is_over(const struct figures *f);

/* NULL, or what is wrong when nothing is left to do. */
const char *check_end(void);
const char *wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
