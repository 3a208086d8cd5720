/*
 * Interrupts: handlers of devices' lines, and interrupts from one CPU to another.
 *
 * A line has one handler, registered once at boot, so dispatching takes no lock. Handlers run
 * with interrupts off, between irq_enter() and irq_exit() (sched/cpu.h), and never twice at once.
 */
#pragma once

#include "types.h"

struct cpu;

typedef void (*irq_handler_fn)(void *arg);

/* Unmasks line @irq, whose interrupts call @fn from now on. At boot; panics if it is taken. */
void irq_register(unsigned irq, irq_handler_fn fn, void *arg);

/* The port's interrupt for line @irq calls this; interrupts off. */
void irq_dispatch(unsigned irq);

/* Sends @reason (IPI_*) to @c, once until it has been taken. Any context. */
void ipi_send(struct cpu *c, u32 reason);
