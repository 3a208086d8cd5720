/*
 * Threads: structures, creation, references. States are in state.c, the ends of a thread in exit.c.
 *
 * A thread is created SUSPENDED with one reference, its table entry's, which goes when it is freed.
 * Creation either has full effect or none.
 */
#include "thread.h"

#include "config.h"
#include "counters.h"
#include "cpu.h"
#include "cred.h"
#include "errno.h"
#include "mm.h"
#include "process.h"
#include "sched.h"
#include "string.h"
#include "trace.h"

static struct kmem_cache *thread_cache;

void thread_init(void)
{
	thread_cache = kmem_cache_create("thread", sizeof(struct thread), ARCH_CACHE_LINE);
}

static void init_fields(struct thread *t, const char *name, thread_fn entry, void *arg,
			struct sched_params p)
{
	bool own_struct = t->own_struct;

	*t = (struct thread){
		.magic = THREAD_MAGIC,
		.refs = 1,
		.affinity = ~0u,
		.entry = entry,
		.arg = arg,
		.own_struct = own_struct,
		.unwound = true,
		.irq_depth = 1,		/* a first dispatch leaves the scheduler like any other */
		.irqs_were_on = true,
	};
	atomic_init(&t->state, THREAD_SUSPENDED);
	strlcpy(t->name, name, sizeof(t->name));
	policy_entity_init(&t->se, ~0u, time_now());
	policy_set_params(&t->se, &p, time_now());
	list_init(&t->contended);
	list_init(&t->process_node);
	list_init(&t->reaper_node);
	list_init(&t->all_node);
	list_init(&t->id_node);
	list_init(&t->siginfos);
	wait_queue_init(&t->joiners);
}

void thread_init_idle(struct thread *t, struct cpu *c, void *stack, size_t stack_size)
{
	init_fields(t, "idle", NULL, NULL, params_of_level(PRIORITY_IDLE));
	t->process = &kernel_process;
	t->cred = &kernel_cred;
	t->stack = stack;
	t->stack_size = stack_size;
	*(u64 *)stack = STACK_CANARY;
	t->cpu = c;
	t->irq_depth = 0;
	t->unwound = false;
	t->affinity = BIT(c->id);
	t->se.affinity = BIT(c->id);
	atomic_init(&t->state, THREAD_RUNNING);
}

/*
 * A stack is painted when a thread gets it, so that one can see how deep it ever was (debug
 * builds), and ends in a canary: an array that overflows on it need not touch the guard page.
 */
static void paint_stack(struct thread *t)
{
	u64 *word = t->stack, n = DEBUG_BUILD ? t->stack_size / sizeof(u64) : 1;

	while (n-- > 0)
		*word++ = STACK_CANARY;
}

/* A thread has its stack as long as it is among all threads. */
size_t thread_stack_used(const struct thread *t)
{
	u64 used = 0;

	spin_lock(&tree_lock);
	if (DEBUG_BUILD && list_linked(&t->all_node)) {
		const u64 *word = t->stack;

		used = t->stack_size;
		for (; used && *word == STACK_CANARY; word++)
			used -= sizeof(*word);
	}
	spin_unlock(&tree_lock);
	return used;
}

noreturn void thread_corrupt(const struct thread *t)
{
	if (t->magic != THREAD_MAGIC)
		panic("thread %p is none: magic %x", t, t->magic);
	panic("thread %d (%s): the end of its stack was overwritten", t->tid, t->name);
}

static int take_stack(struct thread *t, void *stack, size_t size)
{
	t->own_stack = !stack;
	t->stack = stack ? stack : kstack_alloc();
	t->stack_size = stack ? size : KSTACK_SIZE;
	if (!t->stack)
		return -ENOMEM;
	paint_stack(t);
	return 0;
}

/* Enters @p's list, which is a hold, if @p takes threads (P2). */
static int join_process(struct thread *t, struct process *p)
{
	int err = -ESRCH;

	spin_lock(&p->lock);
	if (process_state(p) == PROCESS_ALIVE && !p->execing) {
		list_push_back(&p->threads, &t->process_node);
		p->nr_threads++;
		atomic_fetch_add(&p->holds, 1);
		if (!p->leader && p != &kernel_process)
			p->leader = thread_get(t);	/* nobody else looks before it runs */
		err = 0;
	}
	spin_unlock(&p->lock);
	return err;
}

/* Right after CREATE it is the new thread's, otherwise the current one's. */
static void trace_name(const struct thread *t)
{
	u64 name[2];

	static_assert(sizeof(name) == THREAD_NAME_MAX, "a name fits a record");
	memcpy(name, t->name, sizeof(name));
	trace(TRACE_LIFE, TRACE_EV_NAME, name[0], name[1]);
}

/*
 * Everything but memory for the structure itself, whose reference goes on failure: somebody may
 * have found the thread by its id in the meantime and hold another.
 */
static int setup(struct thread *t, struct process *p, void *stack, size_t stack_size)
{
	int err;

	t->process = process_get(p);
	t->cred = cred_get(p == &kernel_process ? &kernel_cred : current_thread()->cred);
	t->as = p->as;
	t->cpu = thread_cpu(current_thread());
	counter_add(COUNT_THREADS, 1);
	err = take_stack(t, stack, stack_size);
	if (err)
		goto out_put;
	arch_thread_frame(t);
	err = thread_list_add(t);
	if (err)
		goto out_stack;
	err = join_process(t, p);
	if (err)
		goto out_list;
	event_count(EVENT_THREADS);
	trace(TRACE_LIFE, TRACE_EV_CREATE, t->tid, p->pid);
	trace_name(t);
	return 0;

out_list:
	thread_list_remove(t);
out_stack:
	if (t->own_stack)
		kstack_free(t->stack);
out_put:
	thread_put(t);
	return err;
}

/* Is thread @tid a task of its own? The leader is its process's, which is counted (CRED3). */
static bool is_counted(const struct process *p, tid_t tid)
{
	return p != &kernel_process && tid != p->pid;
}

int thread_create_in(struct process *p, const char *name, thread_fn entry, void *arg, int priority,
		     struct thread **out)
{
	tid_t tid = p->leader ? 0 : p->pid;
	int err = is_counted(p, tid) ? task_begin() : 0;
	struct thread *t;

	if (err)
		return err;
	t = kmem_cache_alloc(thread_cache);
	if (!t) {
		if (is_counted(p, tid))
			user_end_task(current_cred()->user);
		return -ENOMEM;
	}
	t->own_struct = true;
	init_fields(t, name, entry, arg, params_of_level(priority));
	t->tid = tid;
	t->detached = p != &kernel_process;	/* user threads are joined in user space */
	t->embryo = t->detached;		/* and have registers to be set first */
	err = setup(t, p, NULL, 0);
	if (!err)
		*out = t;
	return err;
}

struct thread *thread_create_etc(struct thread *t, const char *name, thread_fn entry, void *arg,
				 int priority, void *stack, size_t stack_size)
{
	bool own_struct = !t;

	assert(priority >= PRIORITY_LOWEST && priority <= PRIORITY_HIGHEST);
	assert(!stack || stack_size >= PAGE_SIZE);
	if (own_struct)
		t = kmem_cache_alloc(thread_cache);
	if (!t)
		return NULL;
	t->own_struct = own_struct;
	init_fields(t, name, entry, arg, params_of_level(priority));
	return setup(t, &kernel_process, stack, stack_size) == 0 ? t : NULL;
}

struct thread *thread_create(const char *name, thread_fn entry, void *arg, int priority)
{
	return thread_create_etc(NULL, name, entry, arg, priority, NULL, 0);
}

struct thread *thread_get(struct thread *t)
{
	u32 before = atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);

	assert(before > 0 && t->magic == THREAD_MAGIC);
	return t;
}

void thread_put(struct thread *t)
{
	u32 before = atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel);

	assert(before > 0);
	if (before > 1)
		return;
	t->magic = 0;
	signal_drop_infos(&t->siginfos, ~0UL);
	if (is_counted(t->process, t->tid))
		user_end_task(t->cred->user);
	cred_put(t->cred);
	/* now: who found the thread by id may ask for its process */
	process_put(t->process);
	counter_add(COUNT_THREADS, -1);
	if (t->own_struct)
		kmem_cache_free(thread_cache, t);
}

void thread_free(struct thread *t)
{
	assert(thread_state(t) == THREAD_DEAD && t != current_thread());
	sched_release(t);
	trace(TRACE_LIFE, TRACE_EV_FREE, t->tid, (u64)t->stack);
	thread_list_remove(t);
	if (t->own_stack)
		kstack_free(t->stack);
	t->stack = NULL;
	thread_put(t);
}

void thread_set_name(struct thread *t, const char *name)
{
	struct process *p = t->process;

	strlcpy(t->name, name, sizeof(t->name));
	if (t == current_thread())	/* a record does not tell of whom it is */
		trace_name(t);
	if (t->tid != p->pid)
		return;
	spin_lock(&p->lock);		/* a process is called what its first thread is */
	strlcpy(p->name, name, sizeof(p->name));
	spin_unlock(&p->lock);
}

void thread_yield(void)
{
	assert_may_block();
	if (unlikely(atomic_load(&current_thread()->work) & WORK_SUSPEND))
		sched_suspend_self();
	sched_yield();
}
