/*
 * System calls: Linux's numbers, structures and error numbers, for each architecture.
 *
 * A handler is plain C with named, typed parameters: long sys_read(int fd, vaddr_t buf, size_t
 * count). It returns the user's result or a negative errno. abi/syscalls.def lists every call with
 * its numbers and the kinds of its arguments; kernel/abi/table.c makes one constant table of it,
 * with a small function per call that takes the arguments out of the trap frame. A number without a
 * handler is -ENOSYS, counted and traced.
 *
 * A handler that needs the caller's registers has arch_trapframe(current_thread()).
 */
#pragma once

#include "abi/kinds.h"
#include "types.h"

struct exec_args;
struct process;

/* The C type of each kind of argument. A user address is a vaddr_t: C cannot dereference it. */
typedef int arg_fd, arg_dirfd, arg_whence, arg_prot, arg_mapflags;
typedef int arg_sig, arg_clock, arg_futexop, arg_int;
typedef u32 arg_openflags, arg_atflags, arg_mode, arg_access, arg_flags, arg_id, arg_uint;
typedef u64 arg_length, arg_cloneflags, arg_long;
typedef vaddr_t arg_path, arg_in, arg_out, arg_iov, arg_ptr, arg_addr, arg_time;
typedef size_t arg_size;
typedef off_t arg_off;
typedef pid_t arg_pid;

#define ARG_TYPE(kind, i)	arg_##kind
#define CALL(name, riscv, x86_64, ...) \
	long sys_##name(EACH(void, ARG_TYPE, ##__VA_ARGS__));
#define X86_CALL(name, x86_64, ...) CALL(name, x86_64, x86_64, ##__VA_ARGS__)
#define X86_CALL_AS(...)
#include "abi/syscalls.def"

/*
 * Replaces the current process's program by the one at @path, with the strings of @args. After 0
 * the thread's user registers are the new program's, and the return to user mode starts it. An
 * error leaves everything as it was, except that -EINTR, when the caller itself is being killed,
 * may come after the other threads have gone.
 */
int exec_path(const char *path, struct exec_args *args);

/*
 * Starts the first user program, in the first thread of process 1: opens the console as descriptors
 * 0 to 2 and becomes /init (or init=). If there is no such program, says so and ends the machine.
 */
noreturn void init_start(void);
