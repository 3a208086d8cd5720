/*
 * The ids of threads and processes, and lookups by id.
 *
 * Processes, threads, groups and sessions share one range of ids: a number is given out only if
 * none of them has it. A process's id is that of its first thread. tree_lock guards both tables,
 * and the list of all threads.
 */
#include "thread/ids.h"

#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "thread/thread.h"

#define ID_BUCKETS	256

struct spinlock tree_lock = SPINLOCK_INIT(LOCK_TREE);

static struct list_node process_ids[ID_BUCKETS];	/* [tree_lock] */
static struct list_node thread_ids[ID_BUCKETS];		/* [tree_lock] */
static struct list_node all_threads = LIST_INIT(all_threads);	/* [tree_lock] */
static pid_t last_id = 1;				/* [tree_lock] 1 is init's */

void ids_init(void)
{
	for (unsigned i = 0; i < ID_BUCKETS; i++) {
		list_init(&process_ids[i]);
		list_init(&thread_ids[i]);
	}
}

static struct list_node *thread_bucket(tid_t tid)
{
	return &thread_ids[(u32)tid % ID_BUCKETS];
}

static struct list_node *process_bucket(pid_t pid)
{
	return &process_ids[(u32)pid % ID_BUCKETS];
}

pid_t process_last_id(void)
{
	return last_id;
}

static struct process *find_process(pid_t pid) HOLDS(tree_lock)
{
	list_for_each(p, process_bucket(pid), struct process, pid_node)
		if (p->pid == pid)
			return p;
	return NULL;
}

static struct thread *find_thread(tid_t tid) HOLDS(tree_lock)
{
	list_for_each(t, thread_bucket(tid), struct thread, id_node)
		if (t->tid == tid)
			return t;
	return NULL;
}

static bool id_names_a_group(pid_t id) HOLDS(tree_lock)
{
	for (unsigned i = 0; i < ID_BUCKETS; i++)
		list_for_each(p, &process_ids[i], struct process, pid_node)
			if (p->pgid == id || p->sid == id)
				return true;
	return false;
}

/*
 * A group may outlive the process that it is named after, but its id cannot come up again before
 * the numbers have wrapped.
 */
pid_t id_alloc(void)
{
	static bool wrapped;	/* [tree_lock] */

	assert_held(&tree_lock);
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
	struct process *p = NULL;
	struct thread *t;

	spin_lock(&tree_lock);
	t = find_thread(id);	/* a leader's id finds it for as long as its process is listed */
	if (t && t->process != &kernel_process)
		p = process_get(t->process);
	spin_unlock(&tree_lock);
	return p;
}

/* A thread in the table is referenced, so thread_get() never revives one that is being freed. */
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
		list_push_back(thread_bucket(t->tid), &t->id_node);
		list_push_back(&all_threads, &t->all_node);
	} else {
		err = -EAGAIN;
	}
	spin_unlock(&tree_lock);
	return err;
}

void thread_list_remove(struct thread *t)
{
	spin_lock(&tree_lock);
	if (t != t->process->leader)
		list_remove(&t->id_node);
	list_remove(&t->all_node);
	spin_unlock(&tree_lock);
}

void thread_forget_id(struct thread *t)
{
	spin_lock(&tree_lock);
	list_remove(&t->id_node);
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

bool process_is_listed(struct process *p)
{
	bool listed;

	spin_lock(&tree_lock);
	listed = list_linked(&p->pid_node);
	spin_unlock(&tree_lock);
	return listed;
}

void process_list_add(struct process *p)
{
	assert_held(&tree_lock);
	list_push_back(process_bucket(p->pid), &p->pid_node);
}

void thread_change_id(struct thread *t, tid_t tid)
{
	assert_held(&tree_lock);
	list_remove(&t->id_node);
	t->tid = tid;
	list_push_back(thread_bucket(tid), &t->id_node);
}
