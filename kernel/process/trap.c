/*
 * Faults of user code, as the port's trap handler passes them on.
 *
 * kernel/mm maps the page if the access is allowed. Otherwise the process gets a signal from here;
 * if memory has run out, a process is chosen and killed (oom.c).
 */
#include "base/printf.h"
#include "errno.h"
#include "lock/lockcheck.h"
#include "mm/vm.h"
#include "process/oom.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"

static void fault_signal(struct trapframe *tf, vaddr_t addr, unsigned access, int err)
{
	struct addr_space *as = current_thread()->as;
	char what[96];
	bool mapped;

	snprintf(what, sizeof(what), "page fault: %s 0x%lx (%s)", fault_access_name(access), addr,
		 fault_reason(as, addr, err, &mapped));
	if (err == -EIO)
		signal_fault(tf, SIGBUS, BUS_ADRERR, addr, what);
	else
		signal_fault(tf, SIGSEGV, mapped ? SEGV_ACCERR : SEGV_MAPERR, addr, what);
}

void fault_user(struct trapframe *tf, vaddr_t addr, unsigned access)
{
	int err = fault_handle(addr, access);

	if (DEBUG_BUILD)
		lockcheck_none_held("returns to user mode");
	if (err == -ENOMEM)
		oom_kill();	/* the access repeats, unless this process was killed */
	else if (err)
		fault_signal(tf, addr, access, err);
}

/* @code is what Linux says there; it tells no address with SI_KERNEL. */
void exception_user(struct trapframe *tf, int sig, int code, const char *what)
{
	signal_fault(tf, sig, code, code == SI_KERNEL ? 0 : arch_trap_pc(tf), what);
}
