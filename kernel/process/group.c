/*
 * Process groups: which exist, and which are orphaned.
 *
 * A group is orphaned when no member has a parent in another group of the same session: no shell
 * is left that could continue a stopped job. Init does not count as such a parent. When an exit
 * orphans a group with a stopped member, the whole group gets SIGHUP and SIGCONT, as POSIX demands.
 */
#include "process/process.h"
#include "process/signal.h"

struct group_search {
	pid_t pgid, sid;
	bool found;
};

static void match_group(struct process *p, void *arg)
{
	struct group_search *s = arg;

	s->found |= p->pgid == s->pgid && (s->sid == -1 || p->sid == s->sid);
}

bool process_group_exists(pid_t pgid, pid_t sid)
{
	struct group_search s = { .pgid = pgid, .sid = sid };

	process_for_each_locked(match_group, &s);
	return s.found;
}

struct group_state {
	pid_t pgid;
	const struct process *ending;	/* counts neither as a member nor as a parent; or NULL */
	bool guarded;			/* a member has a parent that could continue the group */
	bool stopped;			/* a member is stopped */
};

static void look_at_member(struct process *p, void *arg)
{
	struct group_state *g = arg;
	const struct process *parent = p->parent;

	if (p->pgid != g->pgid)
		return;
	g->stopped |= p->stopped && process_state(p) == PROCESS_ALIVE;
	if (p == g->ending || process_state(p) == PROCESS_ZOMBIE)
		return;
	g->guarded |= parent != g->ending && parent != init_process && parent->pgid != g->pgid &&
		      parent->sid == p->sid;
}

bool process_group_is_orphaned(pid_t pgid)
{
	struct group_state g = { .pgid = pgid };

	process_for_each_locked(look_at_member, &g);
	return !g.guarded;
}

/* Hangs up @p's group if it is orphaned as @ending, @p or its parent, ends. */
static void hang_up_if_orphaned(const struct process *p, const struct process *ending)
	HOLDS(tree_lock)
{
	struct group_state g = { .pgid = p->pgid, .ending = ending };

	if (p->parent->pgid == p->pgid || p->parent->sid != p->sid)
		return;
	process_for_each_locked(look_at_member, &g);
	if (g.guarded || !g.stopped)
		return;
	signal_send_group_locked(p->pgid, SIGHUP);
	signal_send_group_locked(p->pgid, SIGCONT);
}

void process_groups_orphan(struct process *p)
{
	assert_held(&tree_lock);
	hang_up_if_orphaned(p, p);
	list_for_each(c, &p->children, struct process, sibling)
		hang_up_if_orphaned(c, p);
}
