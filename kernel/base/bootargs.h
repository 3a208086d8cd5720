/*
 * Boot arguments: words of the kernel command line, name=value or a bare name.
 *
 * A wrong value stops the boot with one line that names the argument, the value and what is
 * allowed; it never becomes a default in silence. So does a name that nobody reads. Each argument
 * is read by the subsystem it concerns; docs/bootargs.md lists them.
 */
#pragma once

#include "types.h"

/* The value of @name, "" for a bare word, NULL if absent. Valid for ever. */
const char *bootarg(const char *name);

/* A number in [min, max] with an optional suffix: ns us ms s for times, K M G for sizes. */
u64 bootarg_number(const char *name, u64 def, u64 min, u64 max);

/* The same, or 0 for "off". */
u64 bootarg_number_or_off(const char *name, u64 def, u64 min, u64 max);

/* on or off. */
bool bootarg_switch(const char *name, bool def);

/* Stops the machine with "name=value: must be <allowed>". */
noreturn void bootarg_bad(const char *name, const char *allowed);

/* Splits machine.cmdline. Called once, first of all. */
void bootargs_init(void);

/* Stops the machine if a word is no argument of this kernel. Called when the console prints. */
void bootargs_check(void);
