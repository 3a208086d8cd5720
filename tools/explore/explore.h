/*
 * The explorer: runs scenarios over the kernel's own functions under every interleaving of a few
 * virtual CPUs. docs/explorer.md explains the method; arch/host is the machine.
 *
 *	order.c		which accesses are ordered, and which race
 *	words.c		the words of memory that were accessed
 *	races.c		the data races that were seen
 *	handed.c	words without a lock: what CPUs know of them is a part of the state
 *	weak.c		loads that read older stores
 *	access.c	the functions that the compiler calls at each access to memory
 *	step.c		lets one CPU run up to its next pause
 *	state.c		copies the state of the machine, compares it, restores it
 *	turns.c		whose turn it is if nobody chooses, and whether all has come to its end
 *	search.c	chooses the schedules that are run
 *	random.c	chooses them at random, where there are too many
 *	records.c	what a replay tells of each access
 *	covers.c	which code a search ran
 *	main.c		the command line, and the output
 *
 * A schedule is a list of choices: "at access 417 let CPU 1 go on". Between them all goes the usual
 * way: a CPU runs until it cannot go on, and then the next one that can.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

#define CPU_TIME	HOST_CPUS		/* not a CPU: the clock moves to the next timer */

/* --- access.c --------------------------------------------------------------------------------- */

#define ACCESSES_MAX	1000000		/* of one execution: more have no end */
#define ACCESSES_OF_TURN	20000	/* without a pause; then another CPU gets its turn */
#define ENDLESS		"it does not end: the CPUs run on without progress"

enum kind { READ, WRITE, ACQUIRE, RELEASE, TRY };

/* Memory orders, by the numbers that the compiler has for them. */
enum { RELAXED, CONSUME, ACQUIRES, RELEASES, BOTH, SEQUENTIAL };

/* Without a hole: it lies on the stack of a CPU that pauses, so it is a part of the state. */
struct access {
	enum kind kind;
	bool plain;			/* not atomic */
	bool may_fail;			/* a weak compare-and-exchange */
	uint16_t unused;
	unsigned order;			/* of an atomic load */
	unsigned size;
	const void *address;
	const void *pc;
};

static_assert(sizeof(struct access) == 4 * sizeof(unsigned) + 2 * sizeof(void *), "a hole");

/* --- order.c ---------------------------------------------------------------------------------- */

/* For each CPU, how many of its releases are seen. */
struct clock {
	uint32_t of[HOST_CPUS];
};

#define LOCATIONS_MAX	64

/* All that came before: the releases, and for each location (weak.c) the store that is seen. */
struct known {
	struct clock clock;
	uint16_t stores[LOCATIONS_MAX];
};

struct cpu_known {
	struct known now;
	struct known read;		/* what an acquire fence would add to that */
	struct known fenced;		/* at the last release fence */
};

extern struct cpu_known known[HOST_CPUS];
extern unsigned nr_learned;		/* grows whenever the next search will be sharper */

struct word;
struct words {
	unsigned nr;
	struct word *of[16];
};

void order_init(void);
void order_begin(void);			/* a search begins: uses what the last one has learned */

/* The words that an access of @size bytes touches; they change when the next search begins. */
void find_words(const void *address, unsigned size, struct words *found);
bool is_racing(const struct words *w);
bool order_is_coarse(const void *address);	/* the next search has smaller words there */

/* Notes an access. If it is unordered with an earlier one, the word is racing. */
void order_access(const struct words *w, const struct access *a);

/*
 * An atomic access of the current CPU. A load has found @latest in memory; returns what it reads.
 * A store has not been made yet; @keeps: it is a part of a read-modify-write, which goes on with
 * what was released before.
 */
uint64_t order_load(const void *address, unsigned size, uint64_t latest, int order);
void order_store(const void *address, unsigned size, int order, bool keeps);
void order_plain_store(const struct access *a);		/* only if loads may read older ones */
void order_fence(int order);

/* Calls @f for what is released at each word that had a release. */
void order_each_release(void (*f)(uintptr_t at, const struct known *released, void *arg),
			void *arg);

void order_frees(const void *start, size_t size);	/* the memory is given back */
void order_race(const void *address);	/* from now on the word at @address races */

/* The location of the word at @address, or NULL; makes one if it races and is of @size. */
struct location *order_location(const void *address, unsigned size);

/* Makes one of each word that is known to need it. */
void order_make_locations(void);

/* Takes back all since the mark was set, which was at the latest state that is left. */
struct order_mark {
	unsigned changes, releases;
};

struct order_mark order_mark(void);
void order_go_back(struct order_mark mark);

/*
 * The part of a step that other CPUs could notice: accesses to racing words and to locks, a bit for
 * each, and interrupts sent, a bit for each CPU that gets one. Words may share a bit.
 */
struct effects {
	uint64_t loads, stores;
	unsigned interrupts;
};

/* For `sequential`, which such accesses only use and fences also change; shared like any bit. */
#define SEQUENCE	1ull

extern struct effects effects;		/* of the current step */
uint64_t lock_bit(const void *lock);
uint64_t lock_wanted(unsigned cpu);	/* the bit of the lock before which it has paused, or 0 */

/* --- handed.c --------------------------------------------------------------------------------- */

uint64_t handed_hash(void);	/* of what CPUs know of words that they hand over without a lock */

/* --- weak.c ----------------------------------------------------------------------------------- */

extern bool weak;			/* loads may read older stores */

/* A store that a load may still read although there was a later one. */
struct old_store {
	uint64_t value;
	struct known released;
};

#define OLD_MAX	3
#define FAILS	(OLD_MAX + 1)		/* in place of a number of stores */

/* A word that atomic accesses race for. */
struct location {
	uint16_t nr;			/* stores since the beginning */
	uint16_t kept;
	struct old_store old[OLD_MAX];	/* the ones before the last, the latest of them first */
};

extern struct location locations[LOCATIONS_MAX];
extern unsigned nr_locations;
extern bool locations_full;		/* a word is none: there are too many */

struct location *location_create(void);	/* NULL: there are too many */
void location_load(struct location *l, unsigned older);
void location_store(struct location *l, uint64_t old, const struct known *released, int order);
void known_join(struct known *to, const struct known *from);
void weak_sequential_fence(void);

/* How many older stores the load may read before which @cpu has paused. */
unsigned weak_older(unsigned cpu);

/* Whether @cpu has paused before a weak compare-and-exchange, which may fail for no reason. */
bool weak_may_fail(unsigned cpu);

/* Makes that load's word a location; false: it is one, or cannot be one in this execution. */
bool weak_learn(unsigned cpu);

uint64_t weak_hash(void);		/* of all that older stores mean for the future */

/*
 * The stores before which no sequentially consistent access or fence may go back: those that one of
 * them made, or that were known where there was such a fence.
 */
extern struct known sequential;

/* --- races.c ---------------------------------------------------------------------------------- */

/* Two accesses that nothing orders, one of them a store, one of them (at least) not atomic. */
struct data_race {
	struct access second;		/* of the two, in the execution that showed them */
	uintptr_t first;		/* the code of the other one */
	struct schedule *schedule;	/* of that execution */
};

#define DATA_RACES_MAX	16
extern struct data_race data_races[DATA_RACES_MAX];	/* each pair once */
extern unsigned nr_data_races;

void note_data_race(const struct access *second, uintptr_t first);
void forget_data_races(void);

/* Forgets those that may be accesses to two neighbours, if there was no search to find that out. */
void forget_coarse_data_races(void);

/* --- step.c ----------------------------------------------------------------------------------- */

enum pause {
	PAUSE_ACCESS,		/* before an access to a racing word */
	PAUSE_LOCK,		/* before it takes a spin lock */
	PAUSE_IDLE,		/* it has nothing to do */
	PAUSE_SPIN,		/* it waits in a loop for a store of another CPU */
	PAUSE_TURN,		/* the same, and there was one since the CPU last waited */
	PAUSE_LOOP,		/* it computes for ever in user mode */
	PAUSE_MASK,		/* before it turns interrupts off */
	PAUSE_FAILED,		/* the execution has ended with a verdict */
	PAUSE_NONE		/* it goes on */
};

#define HELD_MAX	8

/* The explorer's record of a CPU; part of the state of the machine. */
struct cpu_state {
	enum pause why;
	const void *pc;			/* where it paused */
	const void *sp;			/* of the kernel there */
	const uint32_t *lock;		/* PAUSE_LOCK */
	const void *load;		/* PAUSE_ACCESS before an atomic load: of this */
	bool may_fail;			/* PAUSE_ACCESS before a weak compare-and-exchange ... */
	bool unraced;			/* ... of a word for which no other CPU competes */
	unsigned load_size, load_order;
	unsigned older;			/* for that load: so many stores before the last; FAILS */
	unsigned nr_held;
	const void *held[HELD_MAX];	/* spin locks, outermost first */
	bool fresh;			/* it has made no access since the pause where it began */
	bool asked;			/* its thread has read which CPU this is, since the pause */
	bool finished;			/* its function of a bare scenario has returned */
};

extern struct cpu_state cpu_states[HOST_CPUS];

#define HANDED_MAX	256		/* words of handed.c; of any more, equal memory is enough */

/* A part that decides nothing that the rest does not: no part of the hash. */
struct progress {
	uint64_t accesses;		/* of this execution, by all CPUs */
	uint64_t stores;		/* of these */
	uint64_t looked[HOST_CPUS];	/* the stores so far when it last was in PAUSE_SPIN */
	uint64_t vain_since;		/* the stores when only a loop that waits could go on */
	unsigned rounds;		/* of such loops since then */
	bool older[HOST_CPUS];		/* it has read an older store: it must look again */
	uint64_t locks[HOST_CPUS];	/* that it holds: a bit for each, as in effects */
	unsigned turn[HOST_CPUS];	/* accesses of the CPU since it paused */
	uint64_t settled[HANDED_MAX / 64];	/* words of handed.c of which all CPUs know all */
};

extern struct progress progress;
extern bool booting;			/* no CPU runs yet, but the kernel's code does */
extern bool running;			/* a CPU runs, not the explorer */
extern char verdict[256];		/* after PAUSE_FAILED */
extern struct place {
	const char *file;		/* NULL: no check of the scenario failed */
	unsigned line;
} failed_at;
void explore_check_at(const char *file, unsigned line);	/* for scenarios: see scenario.h */

/* @bare: the function that each CPU runs instead of the kernel, or NULL. */
void step_init(void (*bare)(unsigned cpu));

/* Lets @cpu run until it pauses; a CPU that may not go on must not be asked to. */
void step(unsigned cpu);
unsigned who_can_go_on(void);		/* a bit for each CPU */

/* Called on a CPU: gives control back to the explorer. */
void pause_cpu(enum pause why, const void *pc);

/*
 * Calls f(a, b, c, d) on the explorer's stack, from a CPU's. A CPU's stack is a part of the state,
 * so it must be the same however the explorer was compiled, and whatever it has seen before. @f
 * must not pause, but it may fail.
 */
#define ASIDE(f, a, b, c, d) \
	host_call_on(explorer_sp, (void (*)(void))(f), (uint64_t)(a), (uint64_t)(b), \
		     (uint64_t)(c), (uint64_t)(d))
extern void *explorer_sp;

/*
 * Where the execution is: twice the number of its accesses so far, the one that comes next
 * included; one more if a CPU has paused behind that access, to wait or to turn interrupts off.
 */
uint64_t position(void);
extern uint64_t pause_at;		/* a position at which to pause, whatever the word */

/* If set, called for each access that is not to the own stack, before it is made. */
extern void (*on_access)(const struct access *a);
extern void (*on_older_load)(uint64_t value);		/* the last of these has read @value */

/* --- state.c ---------------------------------------------------------------------------------- */

struct snapshot {
	size_t size, room;
	char *bytes;
};

/*
 * Before the first allocation. Snapshots and what is known of the states are hundreds of pages, and
 * a short search would spend a quarter of its time on faults, one for each page.
 */
void explore_use_large_pages(void);

extern bool check_lines;		/* slowly: is every store known? */
void state_init(void);			/* after boot: the state now is the first */
void state_stored(const void *start, size_t size);

void snapshot_take(struct snapshot *s);
void snapshot_restore(const struct snapshot *s);
uint64_t state_hash(void);		/* of all that matters to the future */

/* Which states were reached with which number of preemptions still to spend. */
void visited_clear(void);

enum visit { VISIT_NEW, VISIT_KNOWN, VISIT_CYCLE };
enum visit visit(uint64_t hash, unsigned budget);	/* VISIT_CYCLE: it is on this path */

/* @by_others: for each CPU, what the others may do from the state on until that one runs again. */
void visit_finished(uint64_t hash, const struct effects *by_others);
const struct effects *visit_meanwhile(uint64_t hash);		/* of a known state */
extern uint64_t nr_states;

/* --- search.c --------------------------------------------------------------------------------- */

struct choice {
	uint64_t at;			/* position() */
	unsigned cpu;
	unsigned older;			/* its load: so many stores before the last; FAILS */
};

#define CHOICES_MAX	4096

struct schedule {
	unsigned nr;
	struct choice choices[CHOICES_MAX];
};

struct figures {
	uint64_t executions;		/* that came to their end, or to a state known already */
	uint64_t steps;
	uint64_t accesses;		/* of executions at random */
	unsigned longest;		/* pauses in one execution */
	bool cut;			/* a schedule was left out because of the bound */
};

enum outcome { OUTCOME_RIGHT, OUTCOME_WRONG, OUTCOME_TOO_MANY };

#define BOUND_NONE	1000000		/* more preemptions than any schedule has */

extern bool reduces;			/* preemptions that make no difference are left out */
extern bool merge_states;		/* a state that was reached before is not explored again */

/* The schedule of the execution that runs now; NULL: its data races are not to be told. */
const struct schedule *search_path(void);

/* Brings each CPU of a bare scenario to its beginning. */
void search_init(bool bare);

/* Runs every schedule with at most @bound preemptions, or until there were @most_steps. */
enum outcome search(unsigned bound, uint64_t most_steps, struct figures *f, struct schedule *wrong);

/* Runs one schedule; OUTCOME_WRONG with `verdict` set. */
enum outcome replay(const struct schedule *s);
enum outcome replay_and_tell(const struct schedule *s);	/* ... and notes its data races */

/* Reports `verdict`, to which the boot came, and ends the program. */
_Noreturn void boot_failed(void);

/* For those who choose themselves: back to the beginning, with CPU 0 as `vcpu`. */
void search_begin(void);

/* --- turns.c ---------------------------------------------------------------------------------- */

unsigned ready_cpus(void);		/* a bit for each CPU that may go on; 0: it has ended */
unsigned usual_cpu(unsigned mask, unsigned *turn);	/* which goes on if nobody chooses */
void follow(const struct choice *c);
bool ends_right(void);			/* nothing is left to do: is that right? */

/* --- random.c --------------------------------------------------------------------------------- */

#define DEPTH_OF_MISTAKE	3	/* so many events in one order are most mistakes */
#define DEPTH_OF_MISTAKE_MAX	16

/* Runs so many schedules at random; the same @seed makes the same ones everywhere. */
enum outcome search_at_random(uint64_t seed, uint64_t executions, unsigned depth,
			      struct figures *f, struct schedule *wrong);

/* --- records.c -------------------------------------------------------------------------------- */

void records_begin(void);		/* from now on every access is recorded */
void records_print(void);

/* --- covers.c --------------------------------------------------------------------------------- */

extern bool covers;			/* the code that runs is noted */
void cover(const void *pc, bool raced);
void covers_print(void);

/* --- main.c ----------------------------------------------------------------------------------- */

/* Called after each execution: may no more be run? Tells now and then how far it is. */
bool time_is_over(const struct figures *f);

void print_text(const char *s);		/* as a string of JSON */

/* NULL, or what is wrong when nothing is left to do. */
const char *check_end(void);
const char *wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
