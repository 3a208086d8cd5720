/*
 * Lab 06, hidden: a family of processes that are killed, held, looked at and waited for in any
 * order, against a model. Its members do nothing of their own accord that others could see, so the
 * test knows the answer of each call; where two meet, one of two answers.
 */
#include "hidden_family.h"

#include "base/irq.h"
#include "sched/sched.h"

#define ROUNDS	2000

/* --- Ends ------------------------------------------------------------------------------------- */

static void forget(struct subject *s)
{
	process_put(s->process);
	s->pid = 0;
	s->process = NULL;
}

static void settle(struct subject *s);

/* @s is one of its parent's finds, which were to be as the model says. */
static void forget_found(struct subject *s)
{
	REQUIRE(is_free(s), "P6.7", "a parent's wait found a process that is not to end yet");
	CHECK(s->found == 1, "P6.7", "a zombie was waited for %u times", s->found);
	CHECK(s->found_status == s->status, "P6.7", "a parent saw status 0x%x instead of 0x%x",
	      s->found_status, s->status);
	settle(s);
	forget(s);
}

/* The parent of @s is a zombie: it has found @s, or @s is init's. */
static void inherit(struct subject *s)
{
	const struct process *parent;

	s->parent = NULL;
	if (s->found) {
		forget_found(s);
		return;
	}
	spin_lock(&tree_lock);
	parent = s->process->parent;
	spin_unlock(&tree_lock);
	CHECK(parent == init_process, "P6.9", "the parent of an orphan is process %d", parent->pid);
}

/* Waits until @s, which is free to end, is a zombie. */
static void settle(struct subject *s)
{
	if (s->zombie)
		return;
	while (process_state(s->process) != PROCESS_ZOMBIE)
		thread_yield();
	s->zombie = true;
	CHECK(s->in_hand == 0, "P6.6", "%u threads died with work in hand", s->in_hand);
	CHECK(s->ran == 0, "P6.4", "%u threads that had not run before the kill ran after it",
	      s->ran);
	for (unsigned i = 0; i < FAMILY; i++)
		if (family[i].process && family[i].parent == s)
			inherit(&family[i]);
}

static void end_with(struct subject *s, int status)
{
	s->ended = true;
	s->empty = false;
	s->status = status;
}

static struct subject *find(pid_t pid)
{
	for (unsigned i = 0; i < FAMILY; i++)
		if (family[i].process && family[i].pid == pid)
			return &family[i];
	return NULL;
}

/* Waits as init for @which; @z is a zombie that the wait matches. */
static void wait_for(pid_t which, const struct subject *z)
{
	struct wait_result res = { 0 }, again;
	int err = process_wait(which, WEXITED | WNOHANG, &res);
	struct subject *s = find(res.pid);

	REQUIRE(!err && s && is_free(s) && (which <= 0 || s == z), "P6.7",
		"zombie %d: a wait for %d returned %d, process %d", z->pid, which, err, res.pid);
	CHECK(res.status == s->status, "P6.7", "its status was 0x%x instead of 0x%x", res.status,
	      s->status);
	CHECK(!s->found, "P6.7", "its parent and init have waited for the same zombie");
	settle(s);
	err = process_wait(s->pid, WEXITED | WNOHANG, &again);
	CHECK(err == -ECHILD, "P6.7", "a second wait for a zombie returned %d", err);
	forget(s);
}

static void expect_dead(struct subject *s)
{
	int err = process_kill(s->process, STATUS_SIGNAL(SIGKILL));

	CHECK(err == -EALREADY, "P6.7", "killing a zombie returned %d", err);
	CHECK(!process_hold(s->process), "P6.8", "a zombie could be held");
}

/* @s is not init's child, and its parent lives or is not to end yet. */
static void leave_to_parent(struct subject *s)
{
	struct wait_result res;
	int err = process_wait(s->pid, WEXITED | WNOHANG, &res);

	CHECK(err == -ECHILD, "P6.7", "init's wait for another's child returned %d", err);
	if (s->parent->ended || !has_role(s->parent, COLLECTS))
		return;
	while (!s->found)
		thread_yield();
	forget_found(s);
}

/* Waits for @s, which is free to end, if that is init's to do. */
static void reap(struct subject *s)
{
	static const pid_t any[] = { -1, 0 };
	struct wait_result res = { 0 };
	u64 how = test_random() % 3;
	int err;

	settle(s);
	if (s->parent && is_free(s->parent))
		settle(s->parent);
	if (!s->process)
		return;
	expect_dead(s);
	if (s->parent) {
		leave_to_parent(s);
		return;
	}
	err = process_wait(s->pid, WEXITED | WNOHANG | WNOWAIT, &res);
	CHECK(!err && res.pid == s->pid && res.status == s->status, "P6.7",
	      "a look at zombie %d returned %d, process %d, status 0x%x", s->pid, err, res.pid,
	      res.status);
	wait_for(how < 2 ? any[how] : s->pid, s);
}

/* Leaves no zombie to init, and nobody who is about to become one. */
static void reap_all(void)
{
	for (unsigned i = 0; i < FAMILY; i++)
		if (family[i].process && is_free(&family[i]))
			settle(&family[i]);
	for (unsigned i = 0; i < FAMILY; i++) {
		struct subject *s = &family[i];

		if (!s->process || !is_free(s) || s->parent)
			continue;
		reap(s);
		i = -1u;	/* it may have been another one that was waited for */
	}
}

/* --- What happens to a process ---------------------------------------------------------------- */

static int any_status(void)
{
	u64 n = test_random();

	return n % 2 ? STATUS_EXIT(n >> 8) : STATUS_SIGNAL(1 + (n >> 8) % 31);
}

static void kill(struct subject *s)
{
	int status = any_status(), err = process_kill(s->process, status);

	CHECK(err == (s->ended ? -EALREADY : 0), "P6.1", "a kill of a process that %s returned %d",
	      s->ended ? "is dying" : "lives", err);
	if (!s->ended)
		end_with(s, status);
}

struct rival {
	struct process *process;
	int status;
	struct thread *thread;
};

static int kill_it(void *arg)
{
	struct rival *r = arg;

	return process_kill(r->process, r->status);
}

static int hold_it_for_a_while(void *arg)
{
	struct rival *r = arg;

	if (!process_hold(r->process))
		return 0;
	thread_yield();
	CHECK(process_state(r->process) != PROCESS_ZOMBIE, "P6.8", "a held process was torn down");
	process_unhold(r->process);
	return 0;
}

/* Two kill it at once; a third may hold it, and perhaps a thread of its own ends it. */
static void duel(struct subject *s)
{
	struct rival r[3];
	int err[3], winners = 0, status = STATUS_EXIT(s->code);
	bool leaves = !s->mortal && has_role(s, LEAVES) && test_random() % 2;

	for (unsigned i = 0; i < 3; i++) {
		r[i] = (struct rival){ .process = s->process, .status = any_status() };
		r[i].thread = thread_create("rival", i < 2 ? kill_it : hold_it_for_a_while, &r[i],
					    PRIORITY_DEFAULT);
		REQUIRE(r[i].thread, "P6.1", "no thread was made");
	}
	if (leaves)
		s->leaves = true;
	for (unsigned i = 0; i < 3; i++)
		thread_resume(r[i].thread);
	for (unsigned i = 0; i < 3; i++)
		thread_join(r[i].thread, &err[i], DEADLINE_NEVER);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(err[i] == 0 || err[i] == -EALREADY, "P6.1", "a kill returned %d", err[i]);
		if (err[i] == 0)
			status = r[i].status;
		winners += err[i] == 0;
	}
	CHECK(s->ended ? !winners : winners == 1 || (leaves && !winners), "P6.1",
	      "of two kills of a process that %s %d returned 0", s->ended ? "is dying" : "lived",
	      winners);
	if (!s->ended)
		end_with(s, status);
}

static void hold(struct subject *s)
{
	bool held = process_hold(s->process);

	CHECK(held == !s->ended, "P6.8", "a process that %s could %sbe held",
	      s->ended ? "is dying" : "lives", held ? "" : "not ");
	s->holds += held;
}

static void unhold(struct subject *s)
{
	bool locked = test_random() % 2;

	if (!s->holds)
		return;
	if (locked)
		spin_lock(&s->process->lock);
	process_unhold(s->process);
	if (locked)
		spin_unlock(&s->process->lock);
	s->holds--;
	if (s->empty && !s->holds) {
		end_with(s, STATUS_EXIT(s->code));
		settle(s);
	}
}

static void add_member(struct subject *s)
{
	if (s->ended || s->empty || s->nr == MEMBERS)
		return;
	family_add_member(s);
}

/* Kills one thread; its process lives on, with the others. */
static void kill_member(struct subject *s)
{
	unsigned i = 1 + test_random() % MEMBERS;

	if (s->ended || i >= s->nr || s->roles[i] >= HOLDS_IT)
		return;
	thread_kill(s->members[i]);
	s->nr--;
	s->members[i] = s->members[s->nr];
	s->roles[i] = s->roles[s->nr];
	while (s->process->nr_threads > s->nr)
		thread_yield();
	CHECK(process_state(s->process) == PROCESS_ALIVE, "P6.8",
	      "a process has ended before its last thread");
}

/* Members leave of their own accord. */
static void let_leave(struct subject *s)
{
	if (s->ended || s->empty || !has_role(s, LEAVES))
		return;
	s->leaves = true;
	while (s->mortal ? s->process->nr_threads > 0
			 : process_state(s->process) == PROCESS_ALIVE)
		thread_yield();
	s->empty = s->mortal && s->holds;
	if (s->empty)
		return;
	end_with(s, STATUS_EXIT(s->code));
	if (is_free(s))
		settle(s);
}

/* @s is dying, but a hold or a thread with work in hand keeps it. */
static void expect_kept(struct subject *s)
{
	const char *property = s->holds ? "P6.8" : "P6.6";
	struct wait_result res = { 0 };
	struct thread *t;
	int err;

	if (s->parent && is_free(s->parent))
		settle(s->parent);
	CHECK(process_state(s->process) == PROCESS_DYING, property,
	      "a process that is %s has been torn down", s->holds ? "held" : "at work");
	err = process_wait(s->pid, WEXITED | WNOHANG | WNOWAIT, &res);
	CHECK(err == (s->parent ? -ECHILD : 0) && !res.pid, property,
	      "waiting for it returned %d, process %d", err, res.pid);
	err = thread_create_in(s->process, "late", kill_it, NULL, PRIORITY_DEFAULT, &t);
	CHECK(err == -ESRCH, "P6.2", "creating a thread in a dying process returned %d", err);
}

/* --- Init learns of a zombie that it inherits ------------------------------------------------- */

static struct wait_result told;
static int told_err;
static _Atomic bool is_told;

static int wait_to_be_told(void *unused)
{
	(void)unused;
	told_err = process_wait(-1, WEXITED, &told);
	is_told = true;
	return 0;
}

static struct subject *unused(void)
{
	for (unsigned i = 0; i < FAMILY; i++)
		if (!family[i].process)
			return &family[i];
	return NULL;
}

/*
 * @s, its child and that one's child: the last ends, another thread of init waits for any child,
 * and the one in the middle ends. Nothing but what is left of the last can tell init.
 */
static void announce(struct subject *s)
{
	struct subject *parent, *last;
	struct thread *t;

	reap_all();
	if (s->ended || !(parent = unused()))
		return;
	family_begin(parent, s);
	if (has_role(parent, COLLECTS) || !(last = unused()))
		return;
	family_begin(last, parent);
	family_open_gate(parent);
	family_open_gate(last);
	kill(last);
	settle(last);
	reap_all();
	is_told = false;
	REQUIRE(thread_create_in(current_process(), "init", wait_to_be_told, NULL,
				 PRIORITY_DEFAULT, &t) == 0,
		"P6.9", "no thread was made");
	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
	kill(parent);
	while (!is_told)
		thread_yield();
	REQUIRE(!told_err && told.pid == last->pid, "P6.9",
		"init's wait returned %d, process %d instead of %d", told_err, told.pid, last->pid);
	CHECK(told.status == last->status, "P6.7", "its status was 0x%x instead of 0x%x",
	      told.status, last->status);
	forget(last);
}

/* --- All of it, in any order ------------------------------------------------------------------ */

static void act_on(struct subject *s)
{
	static void (*const acts[])(struct subject *s) = {
		kill, duel, hold, hold, unhold, unhold, family_open_gate, add_member, kill_member,
		let_leave, announce,
	};
	u64 n = test_random() % (ARRAY_SIZE(acts) + 4);

	if (n < ARRAY_SIZE(acts))
		acts[n](s);
	else if (is_free(s))
		reap(s);
	else if (s->ended)
		expect_kept(s);
}

/* Returns one that can have children, or NULL: init. */
static struct subject *any_living(void)
{
	struct subject *s = &family[test_random() % FAMILY];

	return s->process && !s->ended ? s : NULL;
}

static void end_all(void)
{
	struct wait_result res;

	for (unsigned i = 0; i < FAMILY; i++) {
		struct subject *s = &family[i];

		if (!s->process)
			continue;
		family_open_gate(s);
		kill(s);
		while (s->holds)
			unhold(s);
	}
	reap_all();
	CHECK(process_wait(-1, WEXITED | WNOHANG, &res) == -ECHILD, "P6.7", "a child is left over");
}

KTEST(kill_mixed, "kill.mixed", "06.h", "P6.10")
{
	u32 affinity = current_thread()->affinity;
	struct counter_snapshot before, after;

	sched_set_affinity(current_thread(), BIT(0));
	counters_snapshot(&before);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct subject *s = &family[test_random() % FAMILY];

		if (s->process)
			act_on(s);
		else if (test_random() % 4)
			family_begin(s, any_living());
		else
			family_begin_in_vain(s, any_living());
	}
	end_all();
	counters_snapshot(&after);
	counters_equal(&before, &after, "P6.10");
	audit();
	sched_set_affinity(current_thread(), affinity);
}
