/*
 * Processes: creation, and their place in the tree. Ids are in thread/ids.c, the end of a process
 * is in zombie.c.
 */
#include "process/process.h"

#include "base/bootargs.h"
#include "base/counters.h"
#include "base/string.h"
#include "base/trace.h"
#include "errno.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "process/cred.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "sync/sync.h"

struct process *init_process;
unsigned threads_max;

static struct kmem_cache *process_cache;

void process_init(void)
{
	/*
	 * At most a sixth of the memory becomes kernel stacks: a small process needs three times as
	 * much memory for other things.
	 */
	u64 stacks = page_total() / (KSTACK_SIZE / PAGE_SIZE) / 6;

	threads_max = bootarg_number("threads", MAX(4u * THREADS_SPARED, MIN(stacks, ID_MAX - 2u)),
				     2 * THREADS_SPARED, ID_MAX - 2);
	process_cache = kmem_cache_create("process", sizeof(struct process), 0);
	kernel_process.cred = &kernel_cred;
	kernel_process.place = &kernel_place;
	for (unsigned i = 0; i < nr_cpus; i++)
		cpus[i].idle.cred = &kernel_cred;
	signal_init();
	for (unsigned i = 0; i < RLIMIT_COUNT; i++)
		kernel_process.limits[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	kernel_process.limits[RLIMIT_MSGQUEUE] = (struct rlimit){ 819200, 819200 };
	kernel_process.limits[RLIMIT_NICE] = (struct rlimit){ 0, 0 };
	kernel_process.limits[RLIMIT_RTPRIO] = (struct rlimit){ 0, 0 };
	kernel_process.limits[RLIMIT_STACK].cur = 8UL << 20;
	kernel_process.limits[RLIMIT_SIGPENDING].cur = page_total() / 8;
	kernel_process.limits[RLIMIT_SIGPENDING].max = page_total() / 8;
	kernel_process.limits[RLIMIT_CORE].cur = 0;
	kernel_process.limits[RLIMIT_MEMLOCK] = (struct rlimit){ 8UL << 20, 8UL << 20 };
	kernel_process.limits[RLIMIT_NOFILE] = (struct rlimit){ 1024, FD_MAX };
}

void process_forget_leader(struct process *p)
{
	if (!p->leader)
		return;
	list_remove(&p->leader->id_node);
	thread_put(p->leader);
	p->leader = NULL;
}

static void init_fields(struct process *p, struct process *parent)
{
	*p = (struct process){
		.life = LIFE(PROCESS_ALIVE, 0),
		.refs = 1,
		.parent = parent,
		.ppid = parent->pid,
		.lock = SPINLOCK_INIT(LOCK_PROCESS),
		.start_ns = time_now(),
		.personality = parent->personality,
		.dumpable = parent->dumpable,
		.exit_signal = SIGCHLD,
		.cred = cred_get(current_thread()->cred),
	};
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->threads);
	list_init(&p->reaper_node);
	list_init(&p->siginfos);
	list_init(&p->action_mates);
	list_init(&p->posix_timers);
	list_init(&p->cpu_timers);
	wait_queue_init(&p->child_wait);
	wait_queue_init(&p->thread_gone);
	wait_queue_init(&p->signalled);
	spin_lock(&parent->lock);
	strlcpy(p->name, parent->name, sizeof(p->name));
	memcpy(p->limits, parent->limits, sizeof(p->limits));
	memcpy(p->sigactions, parent->sigactions, sizeof(p->sigactions));
	if (parent->exe)
		p->exe = program_get(parent->exe);
	spin_unlock(&parent->lock);
}

/* Frees the resources of a process that never ran. */
static void drop_resources(struct process *p)
{
	if (p->as)
		as_put(p->as);
	if (p->fds)
		fdtable_put(p->fds);
	if (p->place)
		place_put(p->place);
	if (p->exe)
		program_put(p->exe);
	p->as = NULL;
	p->fds = NULL;
	p->place = NULL;
	p->exe = NULL;
}

int process_create(struct process *parent, struct process **out)
{
	struct process *p;
	int err = task_begin();
	bool first;

	if (err)
		return err;
	p = kmem_cache_alloc(process_cache);
	if (!p) {
		user_end_task(current_cred()->user);
		return -ENOMEM;
	}
	init_fields(p, parent);
	p->place = place_copy(parent->place);
	counter_add(COUNT_PROCESSES, 1);
	spin_lock(&tree_lock);
	/* A dying process must not fork: a kill of its whole group would miss the child. */
	if (process_state(parent) != PROCESS_ALIVE)
		err = -EINTR;
	else if (!p->place)
		err = -ENOMEM;
	else if (!(p->pid = init_process ? id_alloc() : 1))
		err = -EAGAIN;
	if (err) {
		spin_unlock(&tree_lock);
		user_end_task(p->cred->user);
		drop_resources(p);
		process_put(p);
		return err;
	}
	first = !init_process;
	if (first)
		init_process = p;
	p->pgid = first ? p->pid : parent->pgid;
	p->sid = first ? p->pid : parent->sid;
	process_list_add(p);
	list_push_back(&parent->children, &p->sibling);
	spin_unlock(&tree_lock);
	trace(TRACE_LIFE, TRACE_EV_PROCESS, p->pid, parent->pid);
	*out = p;
	return 0;
}

void process_set_parent(struct process *p, struct process *parent)
{
	trace(TRACE_LIFE, TRACE_EV_REPARENT, p->pid, parent->pid);
	p->parent = parent;
	atomic_store_explicit(&p->ppid, parent->pid, memory_order_relaxed);
}

void process_make_sibling(struct process *p)
{
	struct process *parent;

	spin_lock(&tree_lock);
	parent = current_process()->parent;
	process_tell_parent(p);
	process_set_parent(p, parent);
	list_remove(&p->sibling);
	list_push_back(&parent->children, &p->sibling);
	spin_unlock(&tree_lock);
}

void vfork_wait(struct process *child, struct completion *done)
{
	int err = completion_wait(done, DEADLINE_NEVER, WAIT_KILL_ONLY);

	if (!err)
		return;
	spin_lock(&child->lock);	/* after this nothing completes @done any more */
	child->vfork_done = NULL;
	spin_unlock(&child->lock);
}

void process_unlist(struct process *p)
{
	assert_held(&tree_lock);
	list_remove(&p->pid_node);
	list_remove(&p->action_mates);
	user_end_task(p->cred->user);
	process_forget_leader(p);
}

void process_abandon(struct process *p)
{
	assert(list_empty(&p->threads));
	spin_lock(&tree_lock);
	process_tell_parent(p);
	list_remove(&p->sibling);
	process_unlist(p);
	spin_unlock(&tree_lock);
	drop_resources(p);
	process_put(p);
}

/* Never blocks: teardown has already freed everything whose freeing may block. */
void process_put(struct process *p)
{
	u32 before = atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel);

	assert(before > 0);
	if (before > 1)
		return;
	assert(list_empty(&p->children) && list_empty(&p->threads));
	assert(!p->as && !p->place && !p->exe && !p->leader);
	signal_drop_infos(&p->siginfos, ~0UL);
	cred_put(p->cred);
	counter_add(COUNT_PROCESSES, -1);
	kmem_cache_free(process_cache, p);
}

struct addr_space *process_set_as(struct addr_space *as)
{
	struct thread *t = current_thread();
	struct addr_space *old = t->process->as;

	assert(t->process->nr_threads == 1);
	/* The lock is for readers from outside; it also keeps interrupts off for the switch. */
	spin_lock(&t->process->lock);
	process_keep_resident(t->process);
	t->process->as = as;
	t->as = as;
	as_switch(as);
	spin_unlock(&t->process->lock);
	return old;
}
