/*
 * Lab 06, challenge: a process is killed with all that descend from it, while they go on forking.
 */
#include "victims.h"

#define CHAIN		400u	/* more than a kernel stack has room for, with a call for each */
#define WIDTH		20u
#define MADE		8u	/* processes of a family that forks */
#define SWEEP_STRIDE	32u
#define SWEEP		30000u
#define ROUNDS		40u	/* on several CPUs */

int process_kill_tree(struct process *p, int status);

/* For a kernel whose author has not written it. */
__attribute__((weak)) int process_kill_tree(struct process *p, int status)
{
	(void)p;
	(void)status;
	return -ENOSYS;
}

static int kill_tree(struct process *p, int status)
{
	int err = process_kill_tree(p, status);

	REQUIRE(err != -ENOSYS, ktest_property(), "kill.c has no process_kill_tree()");
	return err;
}

static struct wait_queue never = WAIT_QUEUE_INIT(never);

static int wait_for_ever(void *arg)
{
	(void)arg;
	return wait_block(&never, DEADLINE_NEVER);
}

/* Creates a child of @parent that waits. The caller has a reference to it. */
static struct process *waiting(struct process *parent)
{
	struct thread *t;
	struct process *p = process_get(victim_of(parent, wait_for_ever, NULL, &t));

	thread_resume(t);
	return p;
}

static void reap_all(void)
{
	struct wait_result res;

	while (process_wait(-1, WEXITED, &res) == 0)
		;
}

static void expect_killed(struct process *p, const char *which)
{
	CHECK(process_state(p) != PROCESS_ALIVE, "C6.1", "%s is alive", which);
	process_kill(p, STATUS_SIGNAL(SIGTERM));
	process_put(p);
}

static void expect_alive(struct process *p, const char *which)
{
	CHECK(process_state(p) == PROCESS_ALIVE, "C6.1", "%s was killed", which);
	process_kill(p, STATUS_SIGNAL(SIGTERM));
	process_put(p);
}

KTEST(challenge_tree, "challenge.tree", "06.c", "C6.1")
{
	static struct process *chain[CHAIN], *wide[WIDTH];
	struct process *sister = waiting(current_process()), *niece = waiting(sister);
	struct process *dying, *grandchild;
	int err;

	for (unsigned i = 0; i < CHAIN; i++)
		chain[i] = waiting(i ? chain[i - 1] : current_process());
	for (unsigned i = 0; i < WIDTH; i++)
		wide[i] = waiting(chain[i % 2]);
	dying = waiting(chain[1]);
	grandchild = waiting(dying);
	REQUIRE(process_hold(dying), "C6.1", "a process could not be held");
	process_kill(dying, STATUS_SIGNAL(SIGTERM)); /* it keeps its children until it is let go */

	err = kill_tree(chain[0], STATUS_SIGNAL(SIGKILL));
	CHECK(err == 0, "C6.1", "process_kill_tree() returned %d", err);
	err = kill_tree(chain[0], STATUS_SIGNAL(SIGTERM));
	CHECK(err == -EALREADY, "C6.1", "the second process_kill_tree() returned %d", err);
	CHECK(status_of(chain[0]->pid, "C6.1") == STATUS_SIGNAL(SIGKILL), "C6.1",
	      "its status is not that of the first");
	expect_killed(grandchild, "a child of a descendant that was dying already");
	for (unsigned i = 0; i < CHAIN; i++)
		expect_killed(chain[i], "a descendant");
	for (unsigned i = 0; i < WIDTH; i++)
		expect_killed(wide[i], "one of many children");
	process_unhold(dying);
	process_put(dying);
	expect_alive(niece, "a child of its sister");
	expect_alive(sister, "its sister");
	reap_all();
}

/* --- A family that forks: each member makes children until it is killed ---------------------- */

static struct process *made[MADE];
static _Atomic unsigned nr_made;
static _Atomic bool stop;

static bool must_end(void)
{
	return stop || atomic_load(&current_thread()->work) & WORK_KILL;
}

static int fork_on(void *arg)
{
	while (!must_end()) {
		struct process *child;
		struct thread *t;
		unsigned i;

		thread_yield();
		if (nr_made >= MADE || process_create(current_process(), &child))
			continue;
		i = atomic_fetch_add(&nr_made, 1);
		if (i >= MADE || thread_create_in(child, "member", fork_on, arg, PRIORITY_DEFAULT,
						  &t)) {
			process_abandon(child);
			continue;
		}
		made[i] = process_get(child);
		thread_resume(t);
	}
	return 0;
}

/* Lets it fork, kills all, and counts those that are alive soon afterwards. */
static unsigned escaped(unsigned first_made, unsigned step, bool *hit)
{
	struct thread *t;
	struct process *root;
	u64 end;
	unsigned alive = 0;
	int err;

	stop = false;
	nr_made = 0;
	for (unsigned i = 0; i < MADE; i++)
		made[i] = NULL;
	root = process_get(victim(fork_on, NULL, &t));
	thread_resume(t);
	while (nr_made < first_made)
		thread_yield();
	if (nr_cpus == 1)
		REQUIRE(sweep_arm("process_kill_tree", current_thread(), step) == 0, "C6.2",
			"no process_kill_tree()");
	err = kill_tree(root, STATUS_SIGNAL(SIGKILL));
	*hit = nr_cpus == 1 && sweep_hit();
	CHECK(err == 0, "C6.2", "process_kill_tree() returned %d", err);
	for (end = time_now() + SOON; time_before(time_now(), end);)
		thread_yield();
	for (unsigned i = 0; i < MADE; i++)
		alive += made[i] && process_state(made[i]) == PROCESS_ALIVE;
	stop = true;
	process_kill(root, STATUS_SIGNAL(SIGKILL));
	reap_all();
	for (unsigned i = 0; i < MADE; i++)
		if (made[i])
			process_put(made[i]);
	process_put(root);
	return alive;
}

KTEST(challenge_escape, "challenge.escape", "06.c", "C6.2")
{
	unsigned first_made = 1, step = ktest_seed() % SWEEP_STRIDE, alive = 0;
	bool hit = true;

	for (unsigned n = 0; !alive && (nr_cpus == 1 ? hit && step < SWEEP : n < ROUNDS); n++) {
		first_made = 1 + n % (MADE - 1);
		alive = escaped(first_made, step, &hit);
		step += SWEEP_STRIDE;
	}
	CHECK(alive == 0, "C6.2",
	      "%u processes of a tree that forked during the call are alive; it began with %u",
	      alive, first_made + 1);
}
