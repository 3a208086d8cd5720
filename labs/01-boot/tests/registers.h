/*
 * arch/<arch>/test_registers.S: code that has a value of its own in each register, and what it says
 * of them.
 */
#pragma once

#include "types.h"

struct trapframe;

/* A word of the trap frame, and where the value is that it must have. */
struct test_word {
	const char *name;
	u64 offset;
	const u64 *expected;
};

extern const struct test_word test_registers[], test_words[];
extern const char test_trap_resume[], test_trap_called_resume[];
extern const u64 test_frame_pointer;	/* the number of the register */
extern const u64 test_forged_frame;	/* place in the trap frame */

/* The program of user mode; a breakpoint in it, and the pc that its trap has. */
extern const char test_user[], test_user_end[];
extern const char test_user_break[], test_user_broken[];

void test_trap(u64 value, u64 *after);
void test_trap_called(void);
noreturn void test_trap_with_sp(u64 sp);
u64 test_flags(void);

/* Fills all registers and counts to @turns; 0: all kept. */
u64 test_registers_keep(u64 value, u64 turns);

static inline u64 *word_of(struct trapframe *tf, const struct test_word *w)
{
	return (u64 *)((u64)tf + w->offset);
}

static inline unsigned registers(void)
{
	unsigned n = 0;

	while (test_registers[n].name)
		n++;
	return n;
}
