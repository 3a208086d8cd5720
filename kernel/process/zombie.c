/*
 * From the exit of the last thread to the parent's wait: teardown, orphans, zombies, reaping.
 *
 *	process_teardown()	runs when the last hold is gone: nobody uses what it destroys
 *	become_zombie()		children move to init, the process is reapable, the parent is told:
 *				all of it under the tree lock, so no child is ever left with a
 *				parent that can vanish (PROCESS3)
 *	process_wait()		finds a zombie child and takes it out of the tree, exactly once; or
 *				finds a child that was stopped or continued since the last wait
 *
 * The tree lock guards parent, children and the change to ZOMBIE. A zombie does not change until it
 * is reaped (PROCESS4).
 */
#include "base/trace.h"
#include "console/console.h"
#include "errno.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "mm/vm.h"
#include "process/cred.h"
#include "process/process.h"
#include "process/signal.h"
#include "process/timers.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sync/sync.h"

void vfork_release(struct process *p)
{
	spin_lock(&p->lock);
	if (p->vfork_done)
		complete(p->vfork_done);
	p->vfork_done = NULL;
	spin_unlock(&p->lock);
}

static void release_resources(struct process *p)
{
	struct addr_space *as;
	struct fdtable *fds;
	struct place *place;

	process_timers_end(p);
	spin_lock(&p->lock);		/* others read them: oom.c, /proc */
	process_keep_resident(p);
	as = p->as;
	p->as = NULL;
	fds = p->fds;
	p->fds = NULL;
	place = p->place;
	p->place = NULL;
	spin_unlock(&p->lock);
	/* No CPU has the address space loaded any more: see futex_thread_exit(). */
	if (as)
		as_put(as);
	if (fds)
		fdtable_put(fds);
	place_put(place);
	if (p->exe)
		program_put(p->exe);
	p->exe = NULL;
	vfork_release(p);
}

/* Wakes @parent's process_wait(): a child has become a zombie, or was stopped or continued. */
static void tell_parent(struct process *parent) HOLDS(tree_lock)
{
	spin_lock(&parent->child_wait.lock);
	parent->child_events++;
	wait_wake_all_locked(&parent->child_wait, 0);
	spin_unlock(&parent->child_wait.lock);
}

static void reparent_children(struct process *p) HOLDS(tree_lock)
{
	bool zombies = false;

	/* LAB 06-kill: give the children to init, and tell it of those that are zombies */
	list_for_each_safe(c, &p->children, struct process, sibling) {
		process_set_parent(c, init_process);
		list_remove(&c->sibling);
		list_push_back(&init_process->children, &c->sibling);
		zombies |= process_state(c) == PROCESS_ZOMBIE;
	}
	if (zombies)
		tell_parent(init_process);
	/* END LAB */
}

/*
 * A parent that ignores SIGCHLD never waits: its children are reaped as they die (POSIX, wait()).
 */
static bool is_unwanted(struct process *p, struct process *parent) HOLDS(tree_lock)
{
	const struct sigaction_slot *action = &parent->sigactions[SIGCHLD - 1];

	return p->exit_signal == SIGCHLD &&
	       (action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT));
}

/* Signals the zombie's @parent, or the one that is about to get it; reaps it if it is unwanted. */
static void report_zombie(struct process *p, struct process *parent) HOLDS(tree_lock)
{
	int status = LIFE_STATUS(atomic_load(&p->life)), sig = status & 0x7f;

	signal_child(p, parent, sig ? CLD_KILLED : CLD_EXITED, sig ? sig : status >> 8);
	if (!is_unwanted(p, parent))
		return;
	list_remove(&p->sibling);
	process_unlist(p);
	process_put(p);
}

/* Returns the nearest ancestor that asked for orphans; NULL: init gets them. */
static struct process *find_subreaper(const struct process *p) HOLDS(tree_lock)
{
	for (p = p->parent; p != &kernel_process && p != init_process; p = p->parent)
		if (p->subreaper && process_state(p) == PROCESS_ALIVE)
			return (struct process *)p;
	return NULL;
}

/* Signals the children of @p, which ends, as they asked, and moves them to a subreaper if any. */
static void prepare_orphans(struct process *p) HOLDS(tree_lock)
{
	struct process *reaper = find_subreaper(p);

	list_for_each_safe(c, &p->children, struct process, sibling) {
		c->exit_signal = SIGCHLD;
		if (c->parent_death_signal)
			signal_send_process_locked(c, c->parent_death_signal);
		if (reaper) {
			process_set_parent(c, reaper);
			list_remove(&c->sibling);
			list_push_back(&reaper->children, &c->sibling);
			tell_parent(reaper);	/* in case it is a zombie */
		}
		if (process_state(c) == PROCESS_ZOMBIE)
			report_zombie(c, reaper ? reaper : init_process);
	}
}

/* Records what has become of @p, and children that still have it as their parent. */
static void trace_zombie(struct process *p) HOLDS(tree_lock)
{
	u64 life = atomic_load(&p->life);

	if (LIFE_STATE(life) == PROCESS_ZOMBIE)
		trace(TRACE_LIFE, TRACE_EV_ZOMBIE, p->pid, LIFE_STATUS(life));
	list_for_each(c, &p->children, struct process, sibling)
		trace(TRACE_LIFE, TRACE_EV_LEFT_BEHIND, c->pid, p->pid);
}

static void become_zombie(struct process *p)
{
	int status = LIFE_STATUS(atomic_load(&p->life));

	spin_lock(&tree_lock);
	process_groups_orphan(p);
	prepare_orphans(p);
	/* LAB 06-kill: make it a zombie that its parent can find, in safe order */
	reparent_children(p);
	atomic_store(&p->life, LIFE(PROCESS_ZOMBIE, status));
	tell_parent(p->parent);
	/* END LAB */
	trace_zombie(p);
	wait_wake_all(&p->thread_gone, 0);	/* a pidfd of it may be polled */
	report_zombie(p, p->parent);
	spin_unlock(&tree_lock);
}

/* Turns the machine off: init has ended. */
static noreturn void machine_ends(int status)
{
	console_exit_status(status & 0x7f ? 128 + (status & 0x7f) : status >> 8);
	console_flush();
	arch_machine_end(MACHINE_OFF);
}

void process_teardown(struct process *p)
{
	assert_may_block();
	/* If every thread exited by itself, the process's status is the first one's code. */
	process_kill(p, STATUS_EXIT(p->leader->exit_code));
	trace(TRACE_LIFE, TRACE_EV_TEARDOWN, p->pid, 0);
	release_resources(p);
	if (p == init_process)
		machine_ends(LIFE_STATUS(atomic_load(&p->life)));
	become_zombie(p);
}

static bool matches(const struct process *c, pid_t which)
{
	u32 kinds = current_thread()->wait_kinds;

	if (!(kinds & WALL) && (c->exit_signal != SIGCHLD) != !!(kinds & WCLONE))
		return false;
	if (which > 0)
		return c->pid == which;
	if (which == -1 && !(kinds & WGROUP))
		return true;
	return c->pgid == (which ? -which : current_process()->pgid);
}

/*
 * Looks for a zombie child, and takes it out of the tree unless @options has WNOWAIT. NULL: there
 * is none. *any is set if there are children to wait for.
 */
static struct process *collect_zombie(struct process *p, pid_t which, unsigned options, bool *any)
	HOLDS(tree_lock)
{
	/* LAB 06-kill: find a zombie among the children that match; collect it exactly once */
	list_for_each(c, &p->children, struct process, sibling) {
		if (!matches(c, which))
			continue;
		*any = true;
		if (process_state(c) != PROCESS_ZOMBIE)
			continue;
		if (!(options & WNOWAIT))
			list_remove(&c->sibling);
		return c;
	}
	return NULL;
	/* END LAB */
}

static void fill_result(struct process *c, int status, struct wait_result *res) HOLDS(tree_lock)
{
	*res = (struct wait_result){ .pid = c->pid, .uid = process_uid(c), .status = status,
				     .used = process_usage(c) };
	usage_add(&res->used, &c->children_used);
}

/* Fills *res for a zombie, and without WNOWAIT takes the zombie out of the tables. */
static void take_result(struct process *p, struct process *c, unsigned options,
			struct wait_result *res) HOLDS(tree_lock)
{
	fill_result(c, LIFE_STATUS(atomic_load(&c->life)), res);
	if (options & WNOWAIT)
		return;
	usage_add(&p->children_used, &res->used);
	process_unlist(c);
	trace(TRACE_LIFE, TRACE_EV_REAPED, c->pid, res->status);
}

void process_tell_parent(struct process *p)
{
	tell_parent(p->parent);
}

/* Looks for a child that was stopped or continued, as @options ask: true with *res filled. */
static bool collect_stop(struct process *p, pid_t which, unsigned options, struct wait_result *res,
			 bool *any) HOLDS(tree_lock)
{
	list_for_each(c, &p->children, struct process, sibling) {
		unsigned kind = c->stop_report == STATUS_CONTINUED ? WCONTINUED : WUNTRACED;

		if (!matches(c, which) || process_state(c) == PROCESS_ZOMBIE)
			continue;
		*any = true;
		if (!c->stop_report || !(options & kind))
			continue;
		fill_result(c, c->stop_report, res);
		if (!(options & WNOWAIT))
			c->stop_report = 0;
		return true;
	}
	return false;
}

int process_wait(pid_t which, unsigned options, struct wait_result *res)
{
	struct process *p = current_process(), *child;
	bool any, stopped;
	int err = 0;

	current_thread()->wait_kinds = options;
	for (;;) {
		/* Read before the search: a child that ends after the search changes the count. */
		u32 seen = atomic_load(&p->child_events);

		any = false;
		res->pid = 0;
		spin_lock(&tree_lock);
		child = options & WEXITED ? collect_zombie(p, which, options, &any) : NULL;
		if (child)
			take_result(p, child, options, res);
		stopped = !child && collect_stop(p, which, options, res, &any);
		spin_unlock(&tree_lock);
		if (stopped)
			return 0;
		if (child) {
			if (!(options & WNOWAIT))
				process_put(child);
			return 0;
		}
		if (!any)
			return -ECHILD;
		if (options & WNOHANG)
			return 0;
		spin_lock(&p->child_wait.lock);
		while (atomic_load(&p->child_events) == seen && !err)
			err = wait_block_locked(&p->child_wait, DEADLINE_NEVER, 0);
		spin_unlock(&p->child_wait.lock);
		if (err)
			return err;
	}
}
