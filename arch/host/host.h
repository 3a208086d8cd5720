/*
 * Between the host port and the explorer.
 *
 * The port offers a machine of a few virtual CPUs whose whole state can be copied and compared. The
 * explorer (tools/explore) decides which CPU runs, and is told whenever one cannot go on. Neither
 * includes the other's headers: the explorer is written with the C library, the port with the
 * kernel's headers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_CPUS	4

extern unsigned nr_vcpus;
extern unsigned vcpu;			/* which runs now */
extern bool scenario_quiet;		/* no interrupt comes */
extern bool scenario_sets_up;		/* it has not come to explore_from_here() yet */
extern bool host_costume;		/* set before the boot: costume.c */
/* A word that other CPUs change before each of the next @left exchanges: host_contend(). */
extern struct host_contention {
	void *word;
	unsigned left;
	uint64_t toggles;		/* the bits of a word of 64; 0: one of 32, which counts */
} host_contention;
void host_contend(_Atomic uint32_t *word, unsigned pairs);
void host_contend_with(_Atomic uint64_t *word, uint64_t other, unsigned pairs);
void host_contention_step(void);		/* the next change of the word */
extern bool scenario_over;		/* its own thread and its actors (scenario.h) have ended */

/*
 * --- The port's, for the explorer ----------------------------------------------------------------
 */

/*
 * Boots @cpus CPUs as far as a kernel thread that will run @body; without one if that is NULL.
 * @bootargs, if not NULL, is the kernel's command line.
 */
void host_boot(unsigned cpus, const char *bootargs, void (*body)(void));

_Noreturn void host_start_cpu(void);	/* the idle loop of `vcpu`, on the caller's stack */

bool host_interrupt_waits(unsigned cpu);	/* there is one that this CPU could be given */
bool host_irqs_enabled(void);
bool host_takes_interrupts(unsigned cpu);	/* ... and it has interrupts on */
void host_take_interrupts(void);		/* the current CPU takes all that wait */

/* The thread reads at @address which CPU it is on, and may be moved to another one meanwhile. */
bool host_asks_for_cpu(const void *address);

/* With the store to @address the thread turns preemption off: it stays on its CPU. */
bool host_stays_from(const void *address);

void host_interrupt_for_shootdown(unsigned cpu);	/* tlb.c */

/* Moves the clock to the next timer of a CPU that is idle or has interrupts on; false: none. */
bool host_advance(void);
bool host_can_advance(void);

/*
 * A CPU that idles while a thread waits in its queue has missed a wake-up, which its next timer
 * would hide. To be asked when no CPU can go on; NULL: there is none.
 */
const char *host_idles(void);

void host_use_time(void);	/* moves it by a quantum: a CPU runs on and on */
void host_clock_to(uint64_t now);

/*
 * The state of the machine. Its regions are large, and most of their lines of 64 bytes never
 * change: every store to one is reported by explore_stored(), or made by the kernel's code, which
 * the explorer sees anyway. `unimportant` is NULL, or for each word the bits that make no
 * difference to the kernel's behaviour, as in statistics. The pieces are small, and different at
 * each moment.
 */
struct host_region {
	char *start;
	size_t size;
	const uint64_t *unimportant;
};

struct piece {
	void *start;
	size_t size;
};

#define HOST_REGIONS	5
#define HOST_PIECES_MAX	48

void host_regions(struct host_region regions[HOST_REGIONS]);
unsigned host_pieces(struct piece *pieces);	/* returns how many */

/* The kernel stack that @address is on, from 0; HOST_STACKS + c for the stack CPU c booted on. */
#define HOST_STACKS	24
#define HOST_NO_STACK	~0u
unsigned host_stack_of(const void *address);
bool host_stack_is_free(unsigned stack);

struct thread;

/* Says that @t runs on its stack from now on: where it is stopped, t->arch.sp points there. */
void host_stack_belongs_to(const struct thread *t);

/* Where the thread whose stack that is has stopped; NULL: it never ran. */
const void *host_saved_sp(unsigned stack);

/* Whether @address was freed; the name of what was there. */
const char *host_freed(const void *address);
bool host_is_statistics(const void *address);

const char *host_thread_name(unsigned cpu);	/* of the thread that runs on @cpu */

/* NULL, or what was not given back since the scenario began. */
const char *host_leak(void);

/* Counts the threads whose end the scenario waits for. */
void host_thread_begins(void);
void host_thread_ends(void);

/* NULL, or that a deadline of a wait is left in a sleep queue. */
const char *host_armed(void);

/* A CPU's boot stack, and where its stack pointer was when it last stopped. */
extern char host_entry_stacks[HOST_CPUS][64 << 10];
extern void *host_cpu_sp[HOST_CPUS];

/* Saves the registers that a call preserves and the stack pointer in *save; continues at @load. */
void host_switch_stack(void **save, void *load);
void *host_first_frame(void *stack_top, void (*function)(void));

/* Calls f(a, b, c, d), a function of integers or pointers, on the stack below @sp. */
uint64_t host_call_on(void *sp, void (*f)(void), uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/*
 * --- The explorer's, for the port ----------------------------------------------------------------
 */

/* The scenario is set up: from now on, all schedules. */
void explore_from_here(void);

/* This CPU waits: for an interrupt; for a store of another CPU. */
void explore_idle(void);
void explore_spin(void);

/* This CPU turns interrupts off now: one that comes just before may switch threads. */
void explore_masks(void);

/* Another CPU may go on here, or an interrupt come, although there is no access to memory. */
void explore_point(void);

/* This CPU is in user mode, and does nothing else any more. */
void explore_user_loop(void);
bool explore_loops(unsigned cpu);

/* All that was done before explore_sends(p) comes before what is done after explore_gets(p). */
void explore_sends(const void *p);
void explore_gets(const void *p);

/* [start, start + size) is given back: an access not ordered with this may come after it. */
void explore_frees(const void *start, size_t size);

/* Memory of @size bytes at @at; ends the program if there is something already. */
void explore_memory_at(void *at, size_t size);

/* @cpu is sent an interrupt. */
void explore_interrupts(unsigned cpu);

/* The port itself, or a function of the kernel that copies, has stored at [start, start + size). */
void explore_stored(const void *start, size_t size);

/* The execution ends here, with a verdict. */
_Noreturn void explore_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
