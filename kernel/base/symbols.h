/*
 * The names of the kernel's functions, by address.
 */
#pragma once

#include "types.h"

/* The kernel's own symbols, sorted by address; tools/ksyms.py fills the table in. */
extern const u64 ksyms_count, ksyms_addr[];
extern const u32 ksyms_name[];		/* offsets into ksyms_names */
extern const char ksyms_names[];

/* Returns the name of the function at @pc ("?": none), and @pc's offset in it. See also %pS. */
const char *symbol_name(vaddr_t pc, u64 *offset);
