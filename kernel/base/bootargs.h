/*
 * Boot arguments: words of the kernel command line, name=value or a bare name.
 *
 * A wrong value stops the boot with one line that names the argument, the value and what is
 * allowed; it is never silently replaced by a default. An unknown name stops the boot, too. Each
 * argument is read by the subsystem it concerns; docs/bootargs.md lists them.
 */
#pragma once

#include "types.h"

/* Returns the value of @name, "" for a bare word, NULL if it is absent. Stays valid. */
const char *bootarg(const char *name);

/*
 * Returns a number in [min, max], or @def if @name is absent. It may have a suffix: ns us ms s for
 * times, K M G for sizes.
 */
u64 bootarg_number(const char *name, u64 def, u64 min, u64 max);

/* Does the same, and returns 0 for "off". */
u64 bootarg_number_or_off(const char *name, u64 def, u64 min, u64 max);

/* Returns true for "on", false for "off", @def if @name is absent. */
bool bootarg_switch(const char *name, bool def);

/* Stops the machine with "name=value: must be <allowed>". */
noreturn void bootarg_bad(const char *name, const char *allowed);

/* Splits machine.cmdline into words, before anything else is initialized. */
void bootargs_init(void);

/* Stops the machine if a word is no argument of this kernel. Called once the console prints. */
void bootargs_check(void);
