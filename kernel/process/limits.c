/*
 * The limits on what processes use: kernel memory, tasks, CPU time.
 */
#include "errno.h"
#include "fs/fdtable.h"
#include "mm/vm.h"
#include "process/cred.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "thread/thread.h"

struct addr_space *process_get_as(struct process *p)
{
	struct addr_space *as;

	if (!process_hold(p))
		return NULL;
	spin_lock(&p->lock);
	as = p->as ? as_get(p->as) : NULL;
	spin_unlock(&p->lock);
	process_unhold(p);
	return as;
}

u64 process_kernel_bytes(struct process *p)
{
	struct addr_space *as = process_get_as(p);
	struct fdtable *fds = process_get_fds(p);
	u64 bytes = p->nr_threads * (u64)KSTACK_SIZE;

	if (as) {
		bytes += as_kernel_bytes(as);
		as_put(as);
	}
	if (fds) {
		bytes += fdtable_held(fds);
		fdtable_put(fds);
	}
	return bytes;
}

_Atomic pid_t terminal_session;

/* The system's limit leaves some tasks to init and the terminal's shell, to end a fork bomb. */
static u64 max_tasks(const struct process *p)
{
	bool at_terminal = p->sid && p->sid == atomic_load(&terminal_session);
	bool spared = p == init_process || (p->pid == p->sid && at_terminal);

	return threads_max - (spared ? 0 : THREADS_SPARED);
}

int task_begin(void)
{
	const struct process *p = current_process();
	struct user *u = current_cred()->user;
	u64 max = p->limits[RLIMIT_NPROC].cur, max_in_all = max_tasks(p);

	/* RLIMIT_NPROC counts the tasks of the real user, and does not hold for root. */
	if (!current_cred()->uid.real || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN))
		max = RLIM_INFINITY;
	if (likely(user_add_task(u, max, max_in_all)))
		return 0;
	reaper_drain();		/* dead tasks still count until they are freed */
	return user_add_task(u, max, max_in_all) ? 0 : -EAGAIN;
}

/*
 * RLIMIT_CPU: SIGXCPU at the soft limit and every second after it, SIGKILL at the hard limit.
 * Called from the timer interrupt, which comes when a slice ends or earlier.
 */
void process_check_cpu_limit(struct process *p)
{
	const struct rlimit *limit = &p->limits[RLIMIT_CPU];
	u64 seconds;

	if (likely(limit->cur == RLIM_INFINITY))
		return;
	seconds = process_usage(p).run_ns / NSEC_PER_SEC;
	if (seconds >= limit->max) {
		signal_send_kernel(p, SIGKILL);
	} else if (seconds >= MAX(limit->cur, p->cpu_warned)) {
		p->cpu_warned = seconds + 1;
		signal_send_kernel(p, SIGXCPU);
	}
}
