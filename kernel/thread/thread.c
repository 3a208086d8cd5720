/*
 * Threads: structures and creation. States and references are in sched/state.c, the two ends of a
 * thread in exit.c.
 *
 * A thread is created SUSPENDED with one reference, its table entry's, which goes when it is freed.
 * Creation either has full effect or none.
 */
#include "thread/thread.h"

#include "base/counters.h"
#include "base/string.h"
#include "base/trace.h"
#include "config.h"
#include "errno.h"
#include "mm/mm.h"
#include "mm/numa.h"
#include "process/cred.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/internal.h"
#include "sched/sched.h"

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
};

static struct kmem_cache *thread_cache;

void thread_init(void)
{
	thread_cache = kmem_cache_create("thread", sizeof(struct thread), ARCH_CACHE_LINE);
	ids_init();
}

static void init_fields(struct thread *t, const char *name, thread_fn entry, void *arg,
			struct sched_params p)
{
	*t = (struct thread){
		.magic = THREAD_MAGIC,
		.refs = 1,
		.affinity = ~0u,
		.timer_slack = TIMER_SLACK, .timer_slack_default = TIMER_SLACK,
		.entry = entry,
		.arg = arg,
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

static void init_idle(struct thread *t, struct cpu *c, void *stack, size_t stack_size)
{
	init_fields(t, "idle", NULL, NULL, params_of_level(PRIORITY_IDLE));
	t->process = &kernel_process;
	t->cred = kernel_process.cred;	/* the boot CPU's is still NULL: process_init() sets it */
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

int cpu_prepare(unsigned id, u64 hwid, void *stack, size_t stack_size)
{
	struct cpu *c = &cpus[id];

	assert(id < MAX_CPUS);
	if (!stack) {
		stack = kstack_alloc();
		stack_size = KSTACK_SIZE;
	}
	if (!stack)
		return -ENOMEM;
	c->id = id;
	c->hwid = hwid;
	c->node = numa_node_of_cpu(hwid);
	init_idle(&c->idle, c, stack, stack_size);
	runq_init(c);
	sleepq_init(&c->sleepq);
	return 0;
}

/* tree_lock keeps the stack alive: thread_free() unlists the thread before it frees the stack. */
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

/*
 * The stack ends in a canary, since an array that overflows need not touch the guard page. Debug
 * builds fill all of the stack with it, which shows later how deep the stack ever was.
 */
static int take_stack(struct thread *t, void *stack, size_t size)
{
	u64 *words, n;

	t->own_stack = !stack;
	t->stack = stack ? stack : kstack_alloc();
	t->stack_size = stack ? size : KSTACK_SIZE;
	if (!t->stack)
		return -ENOMEM;
	words = t->stack;
	n = DEBUG_BUILD ? t->stack_size / sizeof(u64) : 1;
	while (n-- > 0)
		*words++ = STACK_CANARY;
	return 0;
}

/* Right after a CREATE record the name is the new thread's, otherwise the current thread's. */
static void trace_name(const struct thread *t)
{
	u64 name[2];

	static_assert(sizeof(name) == THREAD_NAME_MAX, "a name fits a record");
	memcpy(name, t->name, sizeof(name));
	trace(TRACE_LIFE, TRACE_EV_NAME, name[0], name[1]);
}

/*
 * On failure the structure's reference is put rather than its memory freed: another thread may have
 * found @t by its id meanwhile, and hold a reference.
 */
int thread_setup(struct thread *t, struct process *p, void *stack, size_t stack_size)
{
	int err;

	t->process = process_get(p);
	t->cred = cred_get(p == &kernel_process ? p->cred : current_thread()->cred);
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
	err = process_adopt(t);
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

struct thread *thread_alloc(const char *name, thread_fn entry, void *arg, int priority)
{
	struct thread *t = kmem_cache_alloc(thread_cache);

	if (!t)
		return NULL;
	init_fields(t, name, entry, arg, params_of_level(priority));
	t->own_struct = true;
	return t;
}

void thread_free_struct(struct thread *t)
{
	counter_add(COUNT_THREADS, -1);
	if (t->own_struct)
		kmem_cache_free(thread_cache, t);
}

struct thread *thread_create_etc(struct thread *t, const char *name, thread_fn entry, void *arg,
				 int priority, void *stack, size_t stack_size)
{
	assert(priority >= PRIORITY_LOWEST && priority <= PRIORITY_HIGHEST);
	assert(!stack || stack_size >= PAGE_SIZE);
	if (t)
		init_fields(t, name, entry, arg, params_of_level(priority));
	else
		t = thread_alloc(name, entry, arg, priority);
	if (!t)
		return NULL;
	return thread_setup(t, &kernel_process, stack, stack_size) == 0 ? t : NULL;
}

struct thread *thread_create(const char *name, thread_fn entry, void *arg, int priority)
{
	return thread_create_etc(NULL, name, entry, arg, priority, NULL, 0);
}

void thread_free(struct thread *t)
{
	assert_may_block();
	assert(thread_state(t) == THREAD_DEAD && t != current_thread());
	assert(!list_linked(&t->process_node));	/* it has left its process */
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
	if (t == current_thread())	/* a name record belongs to the current thread */
		trace_name(t);
	if (t->tid != p->pid)
		return;
	spin_lock(&p->lock);		/* a process has the name of its first thread */
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
