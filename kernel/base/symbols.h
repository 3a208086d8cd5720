/*
 * The names of places in the kernel.
 */
#pragma once

#include "types.h"

/* The kernel's own symbols, sorted by address; tools/ksyms.py makes the table. */
extern const u64 ksyms_count, ksyms_addr[];
extern const u32 ksyms_name[];		/* offsets into ksyms_names */
extern const char ksyms_names[];

/* The function at @pc and how far into it that is; "?" if unknown. printf()'s %pS shows both. */
const char *symbol_name(vaddr_t pc, u64 *offset);
