/* Processes that run one page of code, which knows what is in its registers. */
#pragma once

#include "registers.h"

#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define CODE		0x10000000UL
#define STACK		0x20000000UL
#define FRESH		0x30000000UL	/* mapped, and touched by the program first */
#define NOT_SET_UP	200		/* exit codes from here on */

/*
 * The first register's value. The user's frame pointer is an address in the thread's own trap
 * frame, above all of the kernel's frames: a chain that is not ended at user mode finds the user's
 * registers there.
 */
static inline u64 program_value(struct thread *t)
{
	return (u64)arch_trapframe(t) + test_forged_frame - test_frame_pointer;
}

static inline int program_map(vaddr_t addr, unsigned prot)
{
	struct map_request req = { .addr = addr, .size = PAGE_SIZE, .prot = prot, .fixed = true };
	vaddr_t at;

	return as_map(current_thread()->as, &req, &at);
}

/* Makes the current thread ready to run the program from @start on; else returns an exit code. */
static inline int program_load(const char *start)
{
	u64 args[2] = { program_value(current_thread()), FRESH };
	struct addr_space *as;

	if (as_create(&as))
		return NOT_SET_UP;
	process_set_as(as);
	if (program_map(CODE, VM_READ | VM_WRITE | VM_EXEC) ||
	    program_map(STACK, VM_READ | VM_WRITE) || program_map(FRESH, VM_READ | VM_WRITE) ||
	    copy_to_user(CODE, test_user, test_user_end - test_user) ||
	    copy_to_user(STACK + 1024, args, sizeof(args)))
		return NOT_SET_UP + 1;
	arch_user_init(current_thread(), CODE + (u64)(start - test_user), STACK + 1024);
	return 0;
}

/* A new process. On a CPU in @mask its thread calls @become(@arg), which loads the program. */
static inline pid_t program_start_among(u32 mask, thread_fn become, void *arg)
{
	struct process *p;
	struct thread *t;
	pid_t pid;

	REQUIRE(process_create(current_process(), &p) == 0, "P1.10", "no process was made");
	pid = p->pid;
	REQUIRE(thread_create_in(p, "user", become, arg, PRIORITY_DEFAULT, &t) == 0, "P1.10",
		"no thread was made");
	sched_set_affinity(t, mask);
	thread_resume(t);
	return pid;
}

static inline pid_t program_start(thread_fn become, void *arg)
{
	return program_start_among(~0u, become, arg);
}

/* Returns the status with which it ended. */
static inline int program_await(pid_t pid)
{
	struct wait_result res = { 0 };

	CHECK(process_wait(pid, WEXITED, &res) == 0 && res.pid == pid, "P1.10", "it did not end");
	return res.status;
}
