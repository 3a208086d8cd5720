/*
 * Dumps for people: console keys, panics.
 */
#pragma once

#include "types.h"

struct thread;

/* A console key after the dump prefix: t threads, p processes, l locks, r run queues, h help. */
void debug_dump_key(char c);

/* For a panic: no locks are taken. */
void debug_print_held_locks(const struct thread *t);
void debug_print_currents(void);

/* This CPU never runs again: another one is reporting a panic. */
noreturn void panic_stop_this_cpu(void);
