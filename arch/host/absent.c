/*
 * The parts of the kernel that scenarios do without: page tables, files, the console.
 *
 * Those that do nothing when there is nothing to do, do nothing here; the others say that they were
 * called. The link finds the functions by name alone, so one shape serves all.
 */
#include "host.h"

#include <stdarg.h>
#include <stdio.h>

#define NOT_HERE(name)					\
	void name(void);				\
	void name(void)					\
	{						\
		explore_fail(#name "() was called");	\
	}

#define NOTHING(name)					\
	long name(void);				\
	long name(void)					\
	{						\
		return 0;				\
	}

NOT_HERE(console_exit_status)
NOT_HERE(cred_may_signal)
NOT_HERE(fdtable_put)
NOT_HERE(panic_stop_this_cpu)
NOT_HERE(panic_trap)
NOT_HERE(process_cred)
NOT_HERE(program_get)
NOT_HERE(program_put)
NOT_HERE(symbol_name)

NOTHING(arch_irq_unmask)
NOTHING(as_switch)
NOTHING(console_flush)
NOTHING(cred_put)
NOTHING(lockcheck_deadlock)
NOTHING(numa_node_of_cpu)
NOTHING(place_put)
NOTHING(process_check_cpu_limit)
NOTHING(process_uid)

_Noreturn void lab_todo(const char *what);
_Noreturn void panic(const char *format, ...);

void panic(const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	explore_fail("panic: %s", text);
}

void lab_todo(const char *what)
{
	explore_fail("not written yet: %s", what);
}
