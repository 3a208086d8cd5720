/*
 * The way in: one constant table, built from syscalls.def (numbers, the port's) and
 * syscall_handlers.def (parameters, everybody's).
 *
 * This is the hottest path of the kernel. It does no more than look up, call and store the result;
 * tracing costs one load and one branch while it is off.
 */
#include "arch.h"
#include "config.h"
#include "counters.h"
#include "lockcheck.h"
#include "signal.h"
#include "sys.h"
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

/* The same for a call that is another one with some arguments fixed; a0 to a3 are the user's. */
#define SYSCALL(number, name)
#define SYSCALL_AS(number, call) \
	static long call_##number(const struct trapframe *tf) \
	{ \
		UNUSED u64 a0 = ARG(0), a1 = ARG(1), a2 = ARG(2), a3 = ARG(3); \
		return sys_##call; \
	}
#include "syscalls.def"
#undef SYSCALL
#undef SYSCALL_AS

typedef long (*syscall_fn)(const struct trapframe *tf);

static const syscall_fn table[] = {
#define SYSCALL(number, name) [number] = call_##name,
#define SYSCALL_AS(number, call) [number] = call_##number,
#include "syscalls.def"
#undef SYSCALL
#undef SYSCALL_AS
};

static long unknown_call(const struct trapframe *tf)
{
	event_count(EVENT_ENOSYS);
	trace(TRACE_SYSCALL, TRACE_EV_ENOSYS, arch_syscall_number(tf), arch_trap_pc(tf));
	return -ENOSYS;
}

static noinline long traced_call(syscall_fn call, const struct trapframe *tf)
{
	u64 number = arch_syscall_number(tf);
	long result;

	trace(TRACE_SYSCALL, TRACE_EV_SYSCALL, number, ARG(0));
	result = call(tf);
	trace(TRACE_SYSCALL, TRACE_EV_SYSRET, number, (u64)result);
	return result;
}

void syscall_entry(struct trapframe *tf)
{
	u64 number = arch_syscall_number(tf);
	syscall_fn call = number < ARRAY_SIZE(table) ? table[number] : NULL;
	long result;

	arch_irqs_enable();
	if (unlikely(!call))
		call = unknown_call;
	result = unlikely(trace_mask & TRACE_SYSCALL) ? traced_call(call, tf) : call(tf);
	if (unlikely(result < 0) && (result == -EINTR || result == -ERESTARTNOHAND))
		result = signal_interrupted(tf, result);
	if (DEBUG_BUILD)
		lockcheck_none_held("returns to user mode");
	arch_irqs_disable();
	arch_syscall_result(tf, result);
}
