/*
 * Resources that threads and processes have used up to now, and the limits on it; the load average.
 *
 * A thread's figures are its run queue's to guard; those of threads that are gone were added to
 * their process's as they left.
 */
#include "cpu.h"
#include "cred.h"
#include "dev.h"
#include "errno.h"
#include "process.h"
#include "sched.h"
#include "signal.h"
#include "thread.h"
#include "time.h"
#include "vfs.h"
#include "vm.h"

void thread_add_usage(struct thread *t, struct usage *u)
{
	struct runq *rq = thread_runq_lock(t);
	u64 ran = t->stats.run_ns;

	if (rq->current == t)
		ran += time_now() - rq->charged_at;
	u->run_ns += ran;
	u->user_ns += t->stats.user_ns;
	u->system_ns += t->stats.run_ns - t->stats.user_ns;
	u->switches += t->stats.switches_in;
	u->preempted += t->stats.preempted - t->stats.picked_again;
	runq_unlock(rq);
}

void usage_add(struct usage *sum, const struct usage *u)
{
	sum->run_ns += u->run_ns;
	sum->user_ns += u->user_ns;
	sum->system_ns += u->system_ns;
	sum->switches += u->switches;
	sum->preempted += u->preempted;
	sum->minor_faults += u->minor_faults;
	sum->max_resident = MAX(sum->max_resident, u->max_resident);
}

void process_keep_resident(struct process *p)
{
	if (p->as)
		p->max_resident = MAX(p->max_resident, p->as->peak);
}

struct usage process_usage(struct process *p)
{
	struct usage u;

	spin_lock(&p->lock);
	process_keep_resident(p);
	u = (struct usage){
		.run_ns = atomic_load(&p->dead_run_ns),
		.user_ns = atomic_load(&p->dead_user_ns),
		.system_ns = atomic_load(&p->dead_run_ns) - atomic_load(&p->dead_user_ns),
		.switches = p->dead_switches,
		.preempted = p->dead_preempted,
		.minor_faults = atomic_load(&p->minor_faults),
		.max_resident = p->max_resident,
	};
	list_for_each(t, &p->threads, struct thread, process_node)
		thread_add_usage(t, &u);
	spin_unlock(&p->lock);
	return u;
}

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

/* The system's limit leaves some for init and the shell at the terminal, to end a bomb. */
static u64 max_tasks(const struct process *p)
{
	bool spared = p == init_process || (p->pid == p->sid && tty_group_of(p->sid) >= 0);

	return threads_max - (spared ? 0 : THREADS_SPARED);
}

/* RLIMIT_NPROC counts the tasks of the real user, and does not hold root. */
static u64 max_tasks_of_user(const struct process *p)
{
	if (!current_cred()->uid.real || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN))
		return RLIM_INFINITY;
	return p->limits[RLIMIT_NPROC].cur;
}

int task_begin(void)
{
	const struct process *p = current_process();
	struct user *u = current_cred()->user;
	u64 max = max_tasks_of_user(p), max_in_all = max_tasks(p);

	if (likely(user_add_task(u, max, max_in_all)))
		return 0;
	reaper_drain();		/* the dead that nobody has freed yet are no reason to refuse */
	return user_add_task(u, max, max_in_all) ? 0 : -EAGAIN;
}

/*
 * RLIMIT_CPU: SIGXCPU at the soft limit and every second after it, SIGKILL at the hard one. Called
 * from the timer interrupt, which comes at the latest when a slice ends.
 */
void process_check_cpu_limit(struct process *p)
{
	const struct rlimit *limit = &p->limits[RLIMIT_CPU];
	u64 seconds;

	if (likely(limit->cur == RLIM_INFINITY))
		return;
	seconds = process_usage(p).run_ns / NSEC_PER_SEC;
	if (seconds >= limit->max) {
		signal_send_process(p, SIGKILL);
	} else if (seconds >= MAX(limit->cur, p->cpu_warned)) {
		p->cpu_warned = seconds + 1;
		signal_send_process(p, SIGXCPU);
	}
}

/* --- Load: runnable threads, averaged over 1, 5 and 15 minutes, as Linux computes it. --------- */

#define LOAD_PERIOD	(5 * NSEC_PER_SEC)

static const u64 load_decay[LOADS] = { 1884, 2014, 2037 };	/* of LOAD_ONE, in one period */
static _Atomic u64 load_sampled;	/* when the last sample was taken, since boot */
static _Atomic u64 loads[LOADS];	/* in 1/LOAD_ONE; written by the CPU that has the sample */

static void load_add(u64 runnable)
{
	for (unsigned i = 0; i < LOADS; i++)
		loads[i] = loads[i] * load_decay[i] / LOAD_ONE +
			   runnable * (LOAD_ONE - load_decay[i]);
}

/*
 * While a thread runs there are timer interrupts, so a period without a sample was an idle one. A
 * thousand of them leave nothing.
 */
void load_sample(u64 now)
{
	u64 last = atomic_load_explicit(&load_sampled, memory_order_relaxed);
	u64 runnable = 0;

	now -= clock_start;
	/* another CPU may have read the clock after us and taken its sample before */
	if (likely(time_before(now, last + LOAD_PERIOD)) ||
	    !atomic_compare_exchange_strong(&load_sampled, &last, now))
		return;
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct runq *rq = &cpus[i].runq;

		runnable += atomic_load(&rq->q.nr) + (rq->current != &cpus[i].idle);
	}
	for (u64 periods = MIN((now - last) / LOAD_PERIOD, 1000u); periods > 1; periods--)
		load_add(0);
	load_add(runnable);
}

u64 load_average(unsigned i)
{
	load_sample(time_now());
	return loads[i];
}
