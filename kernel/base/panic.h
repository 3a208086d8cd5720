/*
 * panic() and assert(): stopping the kernel when one of its own invariants is broken.
 *
 * User input, a full disk or exhausted memory must never lead to a panic. It stops the other CPUs,
 * prints the reason, registers, a backtrace with names and the last trace records, with interrupts
 * off and without taking any lock, and powers off with MACHINE_PANICKED. Asserts stay on in every
 * build.
 */
#pragma once

#include "types.h"

struct thread;
struct trapframe;

/* A hook, like the others of console/panic.c below. */
noreturn void panic(const char *fmt, ...) printf_like(1, 2);

/* Does the same for a trap taken in the kernel: prints the registers of @tf. */
noreturn void panic_trap(struct trapframe *tf, const char *fmt, ...) printf_like(2, 3);

/*
 * Prints @pc, unless it is 0, and the call chain from frame pointer @fp on, on the stack of @t: the
 * current thread, or one that has stopped. Never faults.
 */
void backtrace_print(const struct thread *t, u64 pc, u64 fp);

/*
 * Stores the return addresses of the call chain from frame pointer @fp on, @max at most, and
 * returns how many. @t as above. Never faults.
 */
unsigned backtrace_walk(const struct thread *t, u64 fp, u64 *pcs, unsigned max);

/* Stores the innermost @max return addresses of the caller's call chain; the rest are 0. */
void backtrace_collect(u64 *pcs, unsigned max);

/*
 * Stands in an unwritten lab function: prints its name and stops the machine. The staging tool puts
 * these in place of the solution.
 */
noreturn void lab_todo(const char *what);

/* Stops this CPU for good, because another one is reporting a panic. */
noreturn void panic_stop_this_cpu(void);

/* The frame pointers with which CPUs have stopped for a panic; 0: not stopped. */
extern u64 panic_stopped_at[MAX_CPUS];

#define assert(cond) \
	do { \
		if (unlikely(!(cond))) \
			panic("assertion failed: %s, %s:%d", #cond, __FILE__, __LINE__); \
	} while (0)
