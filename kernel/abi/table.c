/*
 * The entry of all system calls: one constant table, made of abi/syscalls.def.
 *
 * This is the hottest path of the kernel. It only looks up the handler, calls it and stores the
 * result; tracing costs one load and one branch while it is off.
 */
#include "abi.h"
#include "abi/strace.h"
#include "arch.h"
#include "base/counters.h"
#include "base/trace.h"
#include "config.h"
#include "lock/lockcheck.h"
#include "sys.h"

/*
 * call_read(tf) and so on take a call's arguments out of the trap frame, give each the type of the
 * handler's parameter, and call the handler. An int is the low half of a register, as on Linux.
 */
#define ARG(i)			arch_syscall_arg(tf, i)
#define TYPED_ARG(kind, i)	(arg_##kind)ARG(i)
#define UNUSED			__attribute__((unused))

#define CALL(name, riscv, x86_64, ...) \
	static long call_##name(UNUSED const struct trapframe *tf) \
	{ \
		return sys_##name(EACH(, TYPED_ARG, ##__VA_ARGS__)); \
	}
#define CALL_AS(name, riscv, x86_64, call, ...) \
	static long call_##name(const struct trapframe *tf) \
	{ \
		UNUSED u64 a0 = ARG(0), a1 = ARG(1), a2 = ARG(2), a3 = ARG(3); \
		return sys_##call; \
	}
#include "abi/syscalls.def"

typedef long (*syscall_fn)(const struct trapframe *tf);

static const syscall_fn table[] = {
#define CALL(name, riscv, x86_64, ...) [SYSCALL_NUMBER(riscv, x86_64)] = call_##name,
#define CALL_AS CALL
#include "abi/syscalls.def"
};

static long unknown_call(const struct trapframe *tf)
{
	event_count(EVENT_ENOSYS);
	trace(TRACE_SYSCALL, TRACE_EV_ENOSYS, arch_syscall_number(tf), arch_trap_pc(tf));
	return -ENOSYS;
}

#define SLOW	(TRACE_SYSCALL | TRACE_RECORDED)

static noinline long traced_call(syscall_fn call, const struct trapframe *tf)
{
	u64 number = arch_syscall_number(tf);
	long result;

	trace(TRACE_SYSCALL, TRACE_EV_SYSCALL, number, ARG(0));
	strace_record(tf, number, true, 0);
	result = call(tf);
	strace_record(tf, number, false, result);
	trace(TRACE_SYSCALL, TRACE_EV_SYSRET, number, (u64)result);
	return result;
}

void syscall_entry(struct trapframe *tf)
{
	u64 number = arch_syscall_number(tf);
	syscall_fn call = number < ARRAY_SIZE(table) ? table[number] : NULL;
	long result;

	assert(!DEBUG_BUILD || !arch_irqs_enabled());	/* the way in must not lose its CPU */
	arch_irqs_enable();
	call = likely(call) ? call : unknown_call;
	result = unlikely(trace_mask & SLOW) ? traced_call(call, tf) : call(tf);
	if (unlikely(result < 0) && (result == -EINTR || result <= -ERESTARTNOHAND))
		result = signal_interrupted(tf, result);
	if (DEBUG_BUILD)
		lockcheck_none_held("returns to user mode");
	arch_irqs_disable();
	arch_syscall_result(tf, result);
}
