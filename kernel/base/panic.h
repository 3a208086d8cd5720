/*
 * The end of the world, and the asserts that call it early.
 *
 * panic() is for our own broken invariant, with its values: never for user input, a full disk or
 * exhausted memory. It stops the other CPUs, prints reason, registers, a symbolized backtrace and
 * the last trace records with interrupts off and without taking any lock, and powers off with
 * MACHINE_PANICKED. Asserts stay on in every build.
 */
#pragma once

#include "types.h"

struct trapframe;

/* A hook: console/panic.c. */
noreturn void panic(const char *fmt, ...) printf_like(1, 2);

/* Like panic(), for a trap the kernel took itself: registers come from @tf. */
noreturn void panic_trap(struct trapframe *tf, const char *fmt, ...) printf_like(2, 3);

/* Prints the call chain of the caller, or of a frame pointer and pc. Never faults, always ends. */
void backtrace_print(u64 pc, u64 fp);

/* The innermost @max return addresses of the caller's call chain; 0 behind the last one. */
void backtrace_collect(u64 *pcs, unsigned max);

/*
 * Stands in an unwritten lab function: says its name and stops the machine. The staging tool puts
 * these in place of the solution.
 */
noreturn void lab_todo(const char *what);

/* This CPU never runs again: another one is reporting a panic. */
noreturn void panic_stop_this_cpu(void);

#define assert(cond) \
	do { \
		if (unlikely(!(cond))) \
			panic("assertion failed: %s, %s:%d", #cond, __FILE__, __LINE__); \
	} while (0)
