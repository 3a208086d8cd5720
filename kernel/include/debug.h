/*
 * For people: names of places in the kernel, dumps by console keys, panics.
 */
#pragma once

#include "types.h"

struct thread;

/* The kernel's own symbols, sorted by address; tools/ksyms.py makes the table. */
extern const u64 ksyms_count, ksyms_addr[];
extern const u32 ksyms_name[];		/* offsets into ksyms_names */
extern const char ksyms_names[];

/* The function at @pc and how far into it that is; "?" if unknown. printf()'s %pS shows both. */
const char *symbol_name(vaddr_t pc, u64 *offset);

/* A console key after the dump prefix: t threads, p processes, l locks, r run queues, h help. */
void debug_dump_key(char c);

/* For a panic: no locks are taken. */
void debug_print_currents(void);

/* This CPU never runs again: another one is reporting a panic. */
noreturn void panic_stop_this_cpu(void);
