/*
 * The way in: one constant table, built from syscalls.def (numbers, the port's) and
 * syscall_handlers.def (parameters, everybody's).
 *
 * This is the hottest path of the kernel. It does no more than look up, call and store the result;
 * tracing costs one load and one branch while it is off.
 */
#include "syscall.h"

#include "arch.h"
#include "config.h"
#include "counters.h"
#include "errno.h"
#include "lockcheck.h"
#include "trace.h"

/*
 * call_read(tf) and so on: takes a call's arguments out of the trap frame, each as the type that
 * the handler wants, and calls it. An int parameter gets the low half of a register, as on Linux.
 */
#define ARG(i)			arch_syscall_arg(tf, i)
#define ARGS_0(a)
#define ARGS_1(a)		(a)ARG(0)
#define ARGS_2(a, b)		ARGS_1(a), (b)ARG(1)
#define ARGS_3(a, b, c)		ARGS_2(a, b), (c)ARG(2)
#define ARGS_4(a, b, c, d)	ARGS_3(a, b, c), (d)ARG(3)
#define ARGS_5(a, b, c, d, e)	ARGS_4(a, b, c, d), (e)ARG(4)
#define ARGS_6(a, b, c, d, e, f) ARGS_5(a, b, c, d, e), (f)ARG(5)

#define UNUSED			__attribute__((unused))

#define HANDLER(name, n, ...) \
	UNUSED static long call_##name(UNUSED const struct trapframe *tf) \
	{ \
		return sys_##name(ARGS_##n(__VA_ARGS__)); \
	}
#include "syscall_handlers.def"
#undef HANDLER

typedef long (*syscall_fn)(const struct trapframe *tf);

static const syscall_fn table[] = {
#define SYSCALL(number, name) [number] = call_##name,
#include "syscalls.def"
#undef SYSCALL
};

static long unknown_call(const struct trapframe *tf, u64 number)
{
	event_count(EVENT_ENOSYS);
	trace(TRACE_SYSCALL, TRACE_EV_ENOSYS, number, arch_trap_pc(tf));
	return -ENOSYS;
}

void syscall_entry(struct trapframe *tf)
{
	u64 number = arch_syscall_number(tf);
	long result;

	arch_irqs_enable();
	trace(TRACE_SYSCALL, TRACE_EV_SYSCALL, number, ARG(0));
	if (likely(number < ARRAY_SIZE(table) && table[number]))
		result = table[number](tf);
	else
		result = unknown_call(tf, number);
	trace(TRACE_SYSCALL, TRACE_EV_SYSRET, number, (u64)result);
	if (DEBUG_BUILD)
		lockcheck_none_held("returns to user mode");
	arch_irqs_disable();
	arch_syscall_result(tf, result);
}
