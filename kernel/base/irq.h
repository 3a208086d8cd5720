/*
 * Interrupts: handlers of devices' lines, and interrupts from one CPU to another.
 *
 * A line has one handler, registered once at boot, so dispatching takes no lock. A handler runs
 * with interrupts off, between irq_enter() and irq_exit() (sched/cpu.h), on one CPU at a time.
 */
#pragma once

#include "types.h"

struct cpu;

typedef void (*irq_handler_fn)(void *arg);

/* Unmasks line @irq, whose interrupts call @fn from now on. At boot; panics if it is taken. */
void irq_register(unsigned irq, irq_handler_fn fn, void *arg);

/* Calls the handler of line @irq. Called by the port's interrupt entry, interrupts off. */
void irq_dispatch(unsigned irq);

/* Sends @reason (IPI_*) to @c, unless @c has yet to take an earlier one. Any context. */
void ipi_send(struct cpu *c, u32 reason);
