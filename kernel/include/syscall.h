/*
 * System calls: Linux's numbers, structures and error numbers, for each architecture.
 *
 * A handler is plain C with named, typed parameters: long sys_read(int fd, vaddr_t buf, size_t
 * count). Its result, or a negative errno, is what the user gets. syscall_handlers.def lists every
 * handler with the types of its parameters; the port's syscalls.def pairs numbers with names; and
 * kernel/sys/table.c makes one constant table of the two, with a small function per call that takes
 * the arguments out of the trap frame. A number without a handler is -ENOSYS, counted and traced.
 *
 * A handler that needs the caller's registers has arch_trapframe(current_thread()).
 */
#pragma once

#include "types.h"

struct exec_args;
struct process;

#define HANDLER(name, n, ...) long sys_##name(__VA_ARGS__);
#include "syscall_handlers.def"
#undef HANDLER

/*
 * Replaces the current process's program by the one at @path, with the strings of @args. 0: the
 * thread's user registers are the new program's, and the way back to user mode starts it. An error
 * leaves everything as it was, except that with -EINTR, when the caller is dying itself, the other
 * threads may be gone.
 */
int exec_path(const char *path, struct exec_args *args);

/*
 * The first user program: opens the console as descriptors 0 to 2 and becomes /init (or init=).
 * Runs in the first thread of process 1. Without such a program it says so and ends the machine.
 */
noreturn void init_start(void);

/* A thread of a vfork() child no longer uses its parent's memory: the parent goes on. */
void vfork_release(struct process *p);
