/*
 * Processes: creation, the tree, the id table.
 *
 * Ids are shared by processes, threads, groups and sessions; a number is given out when no one of
 * them has it. A process's id is that of its first thread. The tree lock guards both tables.
 */
#include "process.h"

#include "bootargs.h"
#include "counters.h"
#include "cred.h"
#include "cpu.h"
#include "errno.h"
#include "mm.h"
#include "signal.h"
#include "string.h"
#include "trace.h"
#include "vfs.h"
#include "vm.h"

#define ID_BUCKETS	256

struct spinlock tree_lock = SPINLOCK_INIT(LOCK_TREE);

struct process kernel_process = {
	.life = LIFE(PROCESS_ALIVE, 0),
	.refs = 1,
	.holds = 1,
	.name = "kernel",
	.children = LIST_INIT(kernel_process.children),
	.sibling = LIST_INIT(kernel_process.sibling),
	.pid_node = LIST_INIT(kernel_process.pid_node),
	.child_wait = WAIT_QUEUE_INIT(kernel_process.child_wait),
	.lock = SPINLOCK_INIT(LOCK_PROCESS),
	.threads = LIST_INIT(kernel_process.threads),
	.cpu_timers = LIST_INIT(kernel_process.cpu_timers),
	.thread_gone = WAIT_QUEUE_INIT(kernel_process.thread_gone),
	.signalled = WAIT_QUEUE_INIT(kernel_process.signalled),
	.cred = &kernel_cred,
	.place = &kernel_place,
};

struct process *init_process;
unsigned threads_max;

static struct kmem_cache *process_cache;
static struct list_node process_ids[ID_BUCKETS];	/* [tree_lock] */
static struct list_node thread_ids[ID_BUCKETS];		/* [tree_lock] */
static struct list_node all_threads = LIST_INIT(all_threads);	/* [tree_lock] */
static pid_t last_id = 1;				/* [tree_lock] 1 is kept for init */

/* At most a sixth of the memory becomes kernel stacks: a process without much needs thrice that. */
static unsigned default_threads_max(void)
{
	u64 stacks = page_total() / (KSTACK_SIZE / PAGE_SIZE);

	return MAX(4u * THREADS_SPARED, MIN(stacks / 6, ID_MAX - 2u));
}

void process_init(void)
{
	threads_max = bootarg_number("threads", default_threads_max(), 2 * THREADS_SPARED,
				     ID_MAX - 2);
	process_cache = kmem_cache_create("process", sizeof(struct process), 0);
	signal_init();
	for (unsigned i = 0; i < ID_BUCKETS; i++) {
		list_init(&process_ids[i]);
		list_init(&thread_ids[i]);
	}
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

pid_t process_last_id(void)
{
	return last_id;
}

static struct process *find_process(pid_t pid)
{
	list_for_each(p, &process_ids[(u32)pid % ID_BUCKETS], struct process, pid_node)
		if (p->pid == pid)
			return p;
	return NULL;
}

static struct thread *find_thread(tid_t tid)
{
	list_for_each(t, &thread_ids[(u32)tid % ID_BUCKETS], struct thread, id_node)
		if (t->tid == tid)
			return t;
	return NULL;
}

static bool id_names_a_group(pid_t id)
{
	for (unsigned i = 0; i < ID_BUCKETS; i++)
		list_for_each(p, &process_ids[i], struct process, pid_node)
			if (p->pgid == id || p->sid == id)
				return true;
	return false;
}

/*
 * An id nobody has; 0 if all are taken. Groups outlive their leaders, but only after a wrap can
 * theirs come up.
 */
static pid_t id_alloc(void)
{
	static bool wrapped;	/* [tree_lock] */

	for (int tries = 0; tries < ID_MAX; tries++) {
		if (++last_id >= ID_MAX) {
			last_id = 2;
			wrapped = true;
		}
		if (find_process(last_id) || find_thread(last_id))
			continue;
		if (wrapped && id_names_a_group(last_id))
			continue;
		return last_id;
	}
	return 0;
}

struct process *process_find(pid_t pid)
{
	struct process *p;

	spin_lock(&tree_lock);
	p = find_process(pid);
	if (p)
		process_get(p);
	spin_unlock(&tree_lock);
	return p;
}

struct process *process_find_by_task(pid_t id)
{
	struct process *p;
	struct thread *t;

	spin_lock(&tree_lock);
	p = find_process(id);
	t = p ? NULL : find_thread(id);
	if (t && t->process != &kernel_process)
		p = t->process;
	if (p)
		process_get(p);
	spin_unlock(&tree_lock);
	return p;
}

/* The lookup takes the reference only if there is one left: a thread being freed is not revived. */
struct thread *thread_find(tid_t tid)
{
	struct thread *t;

	spin_lock(&tree_lock);
	t = find_thread(tid);
	if (t)
		thread_get(t);
	spin_unlock(&tree_lock);
	return t;
}

int thread_list_add(struct thread *t)
{
	int err = 0;

	spin_lock(&tree_lock);
	if (!t->tid)
		t->tid = id_alloc();
	if (t->tid) {
		list_push_back(&thread_ids[(u32)t->tid % ID_BUCKETS], &t->id_node);
		list_push_back(&all_threads, &t->all_node);
	} else {
		err = -EAGAIN;
	}
	spin_unlock(&tree_lock);
	return err;
}

/* The leader, which may have exited long ago, is not found any more. tree_lock held. */
static void forget_leader(struct process *p)
{
	if (!p->leader)
		return;
	list_remove(&p->leader->id_node);
	thread_put(p->leader);
	p->leader = NULL;
}

void thread_take_id(struct thread *t)
{
	struct process *p = t->process;
	struct cred *old;

	if (t == p->leader)
		return;
	spin_lock(&tree_lock);
	forget_leader(p);
	list_remove(&t->id_node);
	t->tid = p->pid;
	p->leader = thread_get(t);
	spin_lock(&p->lock);
	old = p->cred;
	p->cred = cred_get(t->cred);		/* CRED2, and its task is the process's (CRED3) */
	spin_unlock(&p->lock);
	user_end_task(old->user);
	list_push_back(&thread_ids[(u32)t->tid % ID_BUCKETS], &t->id_node);
	spin_unlock(&tree_lock);
	cred_put(old);
}

void thread_forget_id(struct thread *t)
{
	spin_lock(&tree_lock);
	list_remove(&t->id_node);
	spin_unlock(&tree_lock);
}

void thread_list_remove(struct thread *t)
{
	spin_lock(&tree_lock);
	if (t != t->process->leader)
		list_remove(&t->id_node);
	list_remove(&t->all_node);
	spin_unlock(&tree_lock);
}

void thread_for_each(void (*fn)(struct thread *t, void *arg), void *arg)
{
	spin_lock(&tree_lock);
	list_for_each(t, &all_threads, struct thread, all_node)
		fn(t, arg);
	spin_unlock(&tree_lock);
}

void thread_for_each_id(void (*fn)(struct thread *t, void *arg), void *arg)
{
	spin_lock(&tree_lock);
	for (unsigned i = 0; i < ID_BUCKETS; i++)
		list_for_each(t, &thread_ids[i], struct thread, id_node)
			fn(t, arg);
	spin_unlock(&tree_lock);
}

void process_for_each_locked(void (*fn)(struct process *p, void *arg), void *arg)
{
	assert_held(&tree_lock);
	for (unsigned i = 0; i < ID_BUCKETS; i++)
		list_for_each(p, &process_ids[i], struct process, pid_node)
			fn(p, arg);
}

void process_for_each(void (*fn)(struct process *p, void *arg), void *arg)
{
	spin_lock(&tree_lock);
	process_for_each_locked(fn, arg);
	spin_unlock(&tree_lock);
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

/* Of a process that never ran. */
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
	/* a parent told to die with its group gets no children any more: they would be missed */
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
	list_push_back(&process_ids[(u32)p->pid % ID_BUCKETS], &p->pid_node);
	list_push_back(&parent->children, &p->sibling);
	spin_unlock(&tree_lock);
	trace(TRACE_LIFE, TRACE_EV_PROCESS, p->pid, parent->pid);
	*out = p;
	return 0;
}

bool process_is_listed(struct process *p)
{
	bool listed;

	spin_lock(&tree_lock);
	listed = list_linked(&p->pid_node);
	spin_unlock(&tree_lock);
	return listed;
}

void process_make_sibling(struct process *p)
{
	struct process *parent;

	spin_lock(&tree_lock);
	parent = current_process()->parent;
	process_set_parent(p, parent);
	list_remove(&p->sibling);
	list_push_back(&parent->children, &p->sibling);
	spin_unlock(&tree_lock);
}

void process_unlist(struct process *p)
{
	assert_held(&tree_lock);
	list_remove(&p->pid_node);
	list_remove(&p->action_mates);
	user_end_task(p->cred->user);
	forget_leader(p);
}

void process_abandon(struct process *p)
{
	assert(list_empty(&p->threads));
	spin_lock(&tree_lock);
	list_remove(&p->sibling);
	process_unlist(p);
	spin_unlock(&tree_lock);
	drop_resources(p);
	process_put(p);
}

/* The last reference may go where nothing may block: what blocks is gone since teardown. */
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
	/* against who reads it from outside, and the switch wants no interrupt */
	spin_lock(&t->process->lock);
	process_keep_resident(t->process);
	t->process->as = as;
	t->as = as;
	as_switch(as);
	spin_unlock(&t->process->lock);
	return old;
}
