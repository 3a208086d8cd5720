/*
 * Lab 06, step 6: a wait of each kind beside two children in each pair of states, against the rule
 * in a few words: it finds a zombie that it is for, else it waits for those that it is for, and if
 * there are none it fails.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "explore/tree.h"
#include "process/process.h"

#define KILLED	STATUS_SIGNAL(SIGKILL)

enum state { ALIVE, DYING, ZOMBIE, NR_STATES };

static struct process *child[2];
static struct thread *first_of[2];
static enum state is[2];

/* Makes the child, with a group of its own. A hold keeps the dying one from its end. */
static void make(unsigned i, enum state state)
{
	struct process *p = make_leaver(&kernel_process, &first_of[i]);

	child[i] = p;
	is[i] = state;
	process_get(p);
	spin_lock(&tree_lock);
	p->pgid = p->pid;
	spin_unlock(&tree_lock);
	if (state == DYING) {
		expect(process_hold(p), "the hold of a child that lives failed");
		process_kill(p, KILLED);
		thread_resume(first_of[i]);
		while (p->nr_threads)
			let_others_run();
	} else if (state == ZOMBIE) {
		thread_resume(first_of[i]);
		while (process_state(p) != PROCESS_ZOMBIE)
			let_others_run();
	}
}

static bool is_for(pid_t which, unsigned options, const struct process *p)
{
	if ((options & WCLONE) && !(options & WALL))
		return false;
	return which == -1 || which == p->pid || which == -p->pgid;
}

static void look(pid_t which, unsigned options)
{
	struct wait_result res = { 0 };
	int wanted = -ECHILD;
	bool found = false, right = false;
	int err;

	for (unsigned i = 0; i < 2; i++) {
		if (!is_for(which, options, child[i]))
			continue;
		wanted = 0;
		found |= is[i] == ZOMBIE;
	}
	err = process_wait(which, WEXITED | WNOHANG | WNOWAIT | options, &res);
	for (unsigned i = 0; i < 2; i++)
		right |= res.pid == child[i]->pid && is[i] == ZOMBIE &&
			 is_for(which, options, child[i]);
	expect(err == wanted && (err || (found ? right : !res.pid)),
	       "children in states %d and %d: a wait for %d, options 0x%x, returned %d, process %d",
	       is[0], is[1], which, options, err, res.pid);
}

/* Lets it end, and collects it. */
static void collect(unsigned i)
{
	int wanted = is[i] == DYING ? KILLED : STATUS_EXIT(3), err;
	struct wait_result res = { 0 };
	pid_t pid = child[i]->pid;

	if (is[i] == ALIVE)
		thread_resume(first_of[i]);
	else if (is[i] == DYING)
		process_unhold(child[i]);
	process_put(child[i]);
	err = process_wait(pid, WEXITED, &res);
	expect(!err && res.pid == pid && res.status == wanted,
	       "a wait for the end of %d returned %d, process %d, status 0x%x", pid, err, res.pid,
	       res.status);
}

SCENARIO(waits, "zombie.by_state", "06.6", "P6.7", .cpus = 1, .sets_up = true)
{
	static const unsigned options[] = { 0, WUNTRACED, WCLONE, WALL, WALL | WCLONE };

	for (unsigned n = 0; n < NR_STATES * NR_STATES; n++) {
		make(0, n / NR_STATES);
		make(1, n % NR_STATES);
		for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
			pid_t a = child[0]->pid, b = child[1]->pid;
			const pid_t which[] = { -1, 0, a, -a, b, -b, b + 1, -b - 1 };

			for (unsigned k = 0; k < ARRAY_SIZE(which); k++)
				look(which[k], options[i]);
		}
		collect(n % 2);
		collect(!(n % 2));
	}
	explore_from_here();
}
