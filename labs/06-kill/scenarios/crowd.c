/*
 * Lab 06: a crowd of orphans changes as soon as the tree lets anybody in.
 */
#include "explore/scenario.h"

#include "explore/tree.h"

static struct process *parent;
static struct process family[300];
static bool gone[ARRAY_SIZE(family)];

static void make_family(void)
{
	spin_lock(&tree_lock);
	for (unsigned i = 0; i < ARRAY_SIZE(family); i++) {
		family[i].pid = 10000 + (pid_t)i;
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
