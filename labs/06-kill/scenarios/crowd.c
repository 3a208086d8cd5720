/*
 * Lab 06: a crowd of threads or children changes as soon as its lock lets anybody in.
 */
#include "explore/scenario.h"

#include "embryos.h"
#include "explore/tree.h"

static struct process *parent;
static struct process family[1100];
static bool gone[ARRAY_SIZE(family)];

static void make_family(void)
{
	spin_lock(&tree_lock);
	for (unsigned i = 0; i < ARRAY_SIZE(family); i++) {
		family[i].pid = 10000 + (pid_t)i;
		family[i].exit_signal = SIGCHLD;
		process_set_parent(&family[i], parent);
		list_push_back(&parent->children, &family[i].sibling);
	}
	spin_unlock(&tree_lock);
}

/*
 * Once the first child is not the parent's any more, all that still are leave the tree, as they do
 * when they end and nobody wants them. True if the family is as it was.
 */
static bool look_at_family(void)
{
	struct process *c;
	bool whole;

	spin_lock(&tree_lock);
	whole = list_first(&parent->children, struct process, sibling) == &family[0];
	expect(whole || process_state(parent) != PROCESS_ZOMBIE || list_empty(&parent->children),
	       "children are left with a zombie");
	while (!whole && (c = list_first(&parent->children, struct process, sibling))) {
		list_remove(&c->sibling);
		gone[c - family] = true;
	}
	spin_unlock(&tree_lock);
	return whole;
}

static bool is_inits(const struct process *c)
{
	return c->parent == init_process && c->ppid == init_process->pid &&
	       list_linked(&c->sibling);
}

static const char *each_in_its_place(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(family); i++) {
		if (gone[i] && list_linked(&family[i].sibling))
			return wrong("child %u had left the tree, and init got it", i);
		if (!gone[i] && !is_inits(&family[i]))
			return wrong("init did not get child %u", i);
	}
	return NULL;
}

SCENARIO(orphan_goes, "orphan.goes_meanwhile", "06.2", "P6.9", .cpus = 2, .sets_up = true,
	 .after = each_in_its_place, .keeps = true)
{
	struct thread *t;

	parent = make_leaver(&kernel_process, &t);
	make_family();
	adopt_orphans();
	expect(!sched_set_affinity(t, BIT(1)), "CPU 1 is not there");
	stay_on(0);
	explore_from_here();
	thread_resume(t);
	while (look_at_family())
		arch_spin_hint();
	end_here();
}

/* --- A crowd that leaves at once, when CPU 1 gets its lock ------------------------------------ */

static struct thread *first, crowd[300];
static bool freed[ARRAY_SIZE(crowd)];
static struct actor leavers;

/* As a signal does, which looks for a thread that takes it. */
static void walk_threads(void) HOLDS(parent->lock)
{
	unsigned found = 0;

	list_for_each(t, &parent->threads, struct thread, process_node) {
		bool is_one = t == first || (t >= crowd && t < crowd + ARRAY_SIZE(crowd));

		expect(is_one, "what a process's list of threads has in place %u is no thread",
		       found);
		found++;
	}
}

/* A thread to which the killer has a reference is not freed yet. */
static int crowd_leaves(void)
{
	spin_lock(&parent->lock);
	walk_threads();
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		list_remove(&crowd[i].process_node);
		freed[i] = crowd[i].refs == 1 && !thread_is_dying(&crowd[i]);
	}
	parent->nr_threads -= ARRAY_SIZE(crowd);
	spin_unlock(&parent->lock);
	return 0;
}

static const char *freed_left_alone(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++)
		if (freed[i] && thread_is_dying(&crowd[i]))
			return wrong("thread %u had left and was freed, and then was killed", i);
	return NULL;
}

/* A kill lets nobody in during its walk, or takes nothing for granted afterwards. */
SCENARIO(kill_goes, "kill.goes_meanwhile", "06.4", "P6.4", .cpus = 2, .sets_up = true,
	 .after = freed_left_alone, .keeps = true)
{
	parent = make_leaver(&kernel_process, &first);
	make_embryos(parent, crowd, ARRAY_SIZE(crowd));
	stay_on(0);
	act_on(1, &leavers, crowd_leaves);
	explore_from_here();
	expect(!process_kill(parent, KILLED), "the kill failed");
	end_here();
}

static int family_leaves(void)
{
	spin_lock(&tree_lock);
	for (unsigned i = 0; i < ARRAY_SIZE(family); i++)
		list_remove(&family[i].sibling);
	spin_unlock(&tree_lock);
	return 0;
}

/* The only zombie is the last child of its parent, which is the kernel's own process. */
SCENARIO(zombie_goes, "zombie.goes_meanwhile", "06.2", "P6.7", .cpus = 2, .sets_up = true,
	 .keeps = true)
{
	struct wait_result res = { 0 };
	struct thread *t;
	struct process *p;
	pid_t pid;
	int err;

	parent = &kernel_process;
	make_family();
	p = make_leaver(&kernel_process, &t);
	pid = p->pid;
	stay_on(0);
	thread_resume(t);
	while (process_state(p) != PROCESS_ZOMBIE)
		let_others_run();
	act_on(1, &leavers, family_leaves);
	explore_from_here();
	err = process_wait(-1, WEXITED, &res);
	expect(!err && res.pid == pid, "waiting for any child returned %d, process %d", err,
	       res.pid);
	end_here();
}
