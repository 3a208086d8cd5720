/*
 * Lab 06: what comes after the last thread: zombies and orphans. Holds: holds.c.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"

/* --- Zombies ---------------------------------------------------------------------------------- */

SCENARIO(zombie_waited, "zombie.exit_against_wait", "06.2", "P6.7", .cpus = 2)
{
	struct thread *t;
	pid_t pid = make_leaver(&kernel_process, &t)->pid;

	thread_resume(t);
	expect_end(pid, STATUS_EXIT(3));
}

SCENARIO(zombie_looked_at, "zombie.looked_at_first", "06.2", "P6.7", .cpus = 2)
{
	struct thread *t;
	struct process *p = make_leaver(&kernel_process, &t);
	struct wait_result res;
	pid_t pid = p->pid;
	int err;

	thread_resume(t);
	err = process_wait(pid, WEXITED | WNOWAIT, &res);
	expect(!err && res.pid == pid && res.status == STATUS_EXIT(3),
	       "a look at process %d returned %d, process %d, status 0x%x", pid, err, res.pid,
	       res.status);
	expect(process_state(p) == PROCESS_ZOMBIE, "a look found a process that was still dying");
	err = process_kill(p, KILLED);
	expect(err == -EALREADY, "killing a zombie returned %d", err);
	expect_status(pid, STATUS_EXIT(3));
}

static pid_t child;

static int await_child(unsigned options)
{
	struct wait_result res;
	int err = process_wait(child, WEXITED | options, &res);

	expect(err == -ECHILD || err == -EINTR ||
		       (!err && res.pid == child && res.status == STATUS_EXIT(3)),
	       "the wait returned %d, process %d, status 0x%x", err, res.pid, res.status);
	return err;
}

static int wait_for_child(void *unused)
{
	(void)unused;
	return await_child(0);
}

static int look_at_child(void *unused)
{
	(void)unused;
	return await_child(WNOWAIT);
}

SCENARIO(zombie_shared, "zombie.two_waiters", "06.2", "P6.7", .cpus = 2)
{
	struct thread *t, *other;
	int mine, its = 0;

	child = make_leaver(&kernel_process, &t)->pid;
	other = start(wait_for_child, NULL);
	thread_resume(t);
	mine = wait_for_child(NULL);
	thread_join(other, &its, DEADLINE_NEVER);
	expect(!mine != !its, "of two waits for one child one returned %d, the other %d", mine,
	       its);
}

/* A zombie that one thread takes away while another one only looks at it. */
SCENARIO(zombie_taken, "zombie.taken_while_looked_at", "06.2", "P6.7", .cpus = 2, .sets_up = true)
{
	struct thread *t, *other;
	int mine;

	child = make_leaver(&kernel_process, &t)->pid;
	thread_resume(t);
	look_at_child(NULL);
	explore_from_here();
	other = start(look_at_child, NULL);
	mine = wait_for_child(NULL);
	thread_join(other, NULL, DEADLINE_NEVER);
	expect(!mine, "the wait beside a look returned %d", mine);
}

/* Each of two children is found once, the later one also if nobody waits when it ends. */
SCENARIO(zombie_two, "zombie.two_children", "06.2", "P6.7", .cpus = 2)
{
	struct thread *t, *u;
	pid_t first = make_leaver(&kernel_process, &t)->pid;
	pid_t second = make_leaver(&kernel_process, &u)->pid;
	struct wait_result res, none;
	int err;

	thread_resume(t);
	thread_resume(u);
	err = process_wait(-1, WEXITED, &res);
	expect(!err && (res.pid == first || res.pid == second),
	       "waiting for any child returned %d, process %d", err, res.pid);
	err = process_wait(res.pid, WEXITED, &none);
	expect(err == -ECHILD, "waiting for a child that is gone returned %d, process %d", err,
	       none.pid);
	expect_status(first + second - res.pid, STATUS_EXIT(3));
}

/* A wait that does not block finds the child if it has ended, and misses nothing later. */
SCENARIO(zombie_polled, "zombie.polled", "06.2", "P6.7", .cpus = 2)
{
	struct thread *t;
	pid_t pid = make_leaver(&kernel_process, &t)->pid;
	struct wait_result res;
	int err;

	thread_resume(t);
	err = process_wait(pid, WEXITED | WNOHANG, &res);
	expect(!err && (!res.pid || res.pid == pid), "the wait returned %d, process %d", err,
	       res.pid);
	if (!res.pid)
		expect_status(pid, STATUS_EXIT(3));
}

static void expect_found(pid_t which, unsigned options, pid_t wanted)
{
	struct wait_result res = { 0 };
	int err = process_wait(which, WEXITED | options, &res);

	expect(!err && res.pid == wanted,
	       "a wait for %d, options 0x%x, returned %d, process %d instead of %d", which,
	       options, err, res.pid, wanted);
}

/* The only child is none of those that this wait is for. */
static void expect_none(pid_t which, unsigned options)
{
	struct wait_result res = { 0 };
	int err = process_wait(which, WEXITED | WNOHANG | options, &res);

	expect(err == -ECHILD,
	       "a wait for %d, options 0x%x, returned %d, process %d, and it is for no child",
	       which, options, err, res.pid);
}

static void set_group(struct process *p, pid_t group)
{
	spin_lock(&tree_lock);
	p->pgid = group;
	spin_unlock(&tree_lock);
}

/*
 * An only child that has a group of its own is none of its parent's, alive or dead, and none of the
 * group after which its session is named.
 */
static void leave_group(struct process *p, struct thread *t)
{
	pid_t pid = p->pid;

	set_group(p, pid);
	p->sid = pid + 1;
	expect_none(0, 0);
	expect_found(-pid, WNOHANG, 0);
	thread_resume(t);
	expect_found(-pid, WNOWAIT, pid);
	expect_none(0, 0);
	expect_none(-pid - 1, 0);
	expect_found(-pid, 0, pid);
}

/* A zombie between children that live is found by every wait for it, and collected by one. */
SCENARIO(zombie_options, "zombie.options", "06.2", "P6.7", .cpus = 1)
{
	static const unsigned options[] = { 0, WNOHANG, WUNTRACED, WNOHANG | WCONTINUED, WALL };
	static const int reports[] = { 0, STATUS_STOPPED(SIGSTOP), STATUS_CONTINUED };
	struct thread *elder, *younger, *t;
	struct process *first = make_leaver(&kernel_process, &elder);

	for (unsigned i = 0; i < 3 * ARRAY_SIZE(options); i++) {
		unsigned how = options[i / 3];
		struct process *p = make_leaver(&kernel_process, &t);
		pid_t pid = p->pid;
		pid_t last = make_leaver(&kernel_process, &younger)->pid;
		pid_t which = i % 3 ? (i % 3 == 1 ? pid : 0) : -1;

		p->stop_report = reports[(i + i / 3) % 3];	/* nobody has asked yet */
		thread_resume(t);
		expect_found(pid, WNOWAIT, pid);	/* it has ended */
		expect_none(pid, WCLONE);
		expect_none(-1, WCLONE);
		expect_found(which, WNOWAIT | how, pid);
		expect_found(which, how, pid);
		expect_found(-1, WNOHANG, 0);
		thread_resume(younger);
		expect_found(which == pid ? last : which, 0, last);
	}
	leave_group(first, elder);
}

static struct process *subject;

static int kill_subject(void *unused)
{
	(void)unused;
	process_kill(subject, KILLED);
	process_put(subject);
	return 0;
}

/* The child ends before or after the kill; what a look at the zombie says stays so. */
SCENARIO(zombie_killed, "zombie.against_kill", "06.5", "P6.7", .cpus = 2)
{
	struct wait_result res = { 0 };
	struct thread *t;
	pid_t pid;
	int status;

	subject = process_get(make_leaver(&kernel_process, &t));
	pid = subject->pid;
	thread_resume(t);
	thread_detach(start(kill_subject, NULL));
	process_wait(pid, WEXITED | WNOWAIT, &res);
	status = wait_for(pid);
	expect(res.pid == pid && res.status == status,
	       "the status of a zombie has changed from 0x%x to 0x%x", res.status, status);
}

/* A process that is not the kernel's own waits, for its only child. */
static int wait_and_leave(void *unused)
{
	int err = wait_for_child(unused);

	expect(!err, "the wait for an only child returned %d", err);
	return 3;
}

SCENARIO(zombie_grandchild, "zombie.only_child", "06.2", "P6.7", .cpus = 2)
{
	struct process *parent = make_child();
	struct thread *parent_thread = create_in(parent, wait_and_leave, NULL), *thread;
	pid_t pid = parent->pid;

	child = make_leaver(parent, &thread)->pid;
	parent->stopped = true;		/* its thread waits on, and is in the kernel */
	thread_resume(parent_thread);
	thread_resume(thread);
	expect_status(pid, STATUS_EXIT(3));
}

/* --- Orphans: the kernel's own process takes the place of init -------------------------------- */

SCENARIO(orphan_both, "orphan.both_die", "06.2", "P6.9", .cpus = 2)
{
	struct thread *parent_thread, *thread;
	struct process *parent = make_leaver(&kernel_process, &parent_thread);
	pid_t parent_pid = parent->pid, pid = make_leaver(parent, &thread)->pid;

	adopt_orphans();
	thread_resume(thread);
	thread_resume(parent_thread);
	expect_status(parent_pid, STATUS_EXIT(3));
	expect_status(pid, STATUS_EXIT(3));
}

static void make_idle_child(struct process *parent)
{
	struct process *p;

	expect(!process_create(parent, &p), "a process could not be made");
}

/*
 * Init's wait begins before its grandchild's child ends or becomes its own, in whichever order. An
 * elder and a younger child of the same parent live on.
 */
SCENARIO(orphan_told, "orphan.init_waits_already", "06.2", "P6.9", .cpus = 2, .keeps = true)
{
	struct thread *parent_thread, *thread;
	struct process *grandparent = make_child();
	struct process *parent = make_leaver(grandparent, &parent_thread);
	struct wait_result res;
	pid_t pid;
	int err;

	make_idle_child(parent);
	pid = make_leaver(parent, &thread)->pid;
	make_idle_child(parent);
	adopt_orphans();
	thread_resume(thread);
	thread_resume(parent_thread);
	err = process_wait(-1, WEXITED, &res);
	expect(!err && res.pid == pid, "waiting for any child returned %d, process %d", err,
	       res.pid);
}

/* The same with one child: nothing but its own end tells init of it. */
static void end_with_only_child(struct process *grandparent, bool dying)
{
	struct thread *parent_thread, *thread;
	struct process *parent = make_leaver(grandparent, &parent_thread);
	pid_t pid = make_leaver(parent, &thread)->pid;
	struct wait_result res;
	int err;

	adopt_orphans();
	if (dying)
		process_kill(grandparent, KILLED);
	thread_resume(thread);
	thread_resume(parent_thread);
	err = process_wait(-1, WEXITED, &res);
	expect(!err && res.pid == pid, "waiting for any child returned %d, process %d", err,
	       res.pid);
}

SCENARIO(orphan_single, "orphan.only_child", "06.2", "P6.9", .cpus = 2, .keeps = true)
{
	end_with_only_child(make_child(), false);
}

/* The grandparent is dying too, and stays so for long: it tells init nothing yet. */
SCENARIO(orphan_dying, "orphan.of_a_dying_family", "06.2", "P6.9", .cpus = 2, .keeps = true)
{
	end_with_only_child(make_child(), true);
}

static void expect_child_of_init(struct process *p)
{
	spin_lock(&tree_lock);
	expect(p->parent == init_process, "the parent of an orphan is process %d", p->parent->pid);
	expect(p->ppid == init_process->pid, "an orphan is told that its parent is process %d",
	       p->ppid);
	spin_unlock(&tree_lock);
}

/* Of three children one ends before its parent or after it, one soon, one later. */
SCENARIO(orphan_three, "orphan.three_children", "06.2", "P6.9", .cpus = 2)
{
	struct thread *parent_thread, *t[3];
	struct process *parent = make_leaver(&kernel_process, &parent_thread), *c[3];
	pid_t parent_pid = parent->pid;

	for (int i = 0; i < 3; i++) {
		c[i] = make_leaver(parent, &t[i]);
		set_group(c[i], c[i]->pid);
	}
	adopt_orphans();
	thread_resume(t[0]);
	thread_resume(parent_thread);
	thread_resume(t[1]);
	expect_status(parent_pid, STATUS_EXIT(3));
	for (int i = 0; i < 3; i++) {
		expect_child_of_init(c[i]);
		expect(c[i]->pgid == c[i]->pid, "an orphan's group has changed");
	}
	thread_resume(t[2]);
	expect_status(c[2]->pid, STATUS_EXIT(3));
	expect_status(c[0]->pid, STATUS_EXIT(3));
	expect_status(c[1]->pid, STATUS_EXIT(3));
}

/*
 * More than any batch has places, and as many zombies as a counter of 8 or 10 bits takes for none;
 * nothing else tells init of them. Whole processes would be too much for the explorer: all but the
 * last, which init collects, have only what the end of a parent asks of its children.
 */
SCENARIO(orphan_many, "orphan.very_many", "06.2", "P6.9", .cpus = 1, .keeps = true)
{
	static struct process c[1100];
	const unsigned zombies = 1024;
	struct thread *parent_thread, *thread;
	struct process *grandparent = make_child(), *last;
	struct process *parent = make_leaver(grandparent, &parent_thread);
	pid_t group = grandparent->pid, pid;

	spin_lock(&tree_lock);
	for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
		c[i].pid = 10000 + (pid_t)i;
		c[i].life = LIFE(i < zombies - 1 ? PROCESS_ZOMBIE : PROCESS_ALIVE, 0);
		process_set_parent(&c[i], parent);
		list_push_back(&parent->children, &c[i].sibling);
	}
	spin_unlock(&tree_lock);
	last = make_leaver(parent, &thread);
	pid = last->pid;
	set_group(grandparent, group);
	set_group(last, group);
	adopt_orphans();
	thread_resume(thread);
	thread_resume(parent_thread);
	expect_found(-group, 0, pid);
	for (unsigned i = 0; i < ARRAY_SIZE(c); i++)
		expect_child_of_init(&c[i]);
}

/* Two processes give their children to init at the same time. */
SCENARIO(orphan_two, "orphan.two_parents", "06.2", "P6.9", .cpus = 2)
{
	struct thread *parents[2], *children[2];
	pid_t parent_pids[2], pids[2];

	for (int i = 0; i < 2; i++) {
		struct process *parent = make_leaver(&kernel_process, &parents[i]);

		parent_pids[i] = parent->pid;
		pids[i] = make_leaver(parent, &children[i])->pid;
	}
	adopt_orphans();
	for (int i = 0; i < 2; i++)
		thread_resume(parents[i]);
	for (int i = 0; i < 2; i++)
		expect_status(parent_pids[i], STATUS_EXIT(3));
	for (int i = 0; i < 2; i++) {
		thread_resume(children[i]);
		expect_status(pids[i], STATUS_EXIT(3));
	}
}

static bool collected;

static int wait_and_tell(void *unused)
{
	collected = !wait_for_child(unused);
	return 3;
}

/* The parent collects its child while it is killed itself; else the child is init's to collect. */
SCENARIO(orphan_waited, "orphan.parent_waits", "06.5", "P6.9", .cpus = 2)
{
	struct process *parent = make_child();
	struct thread *parent_thread = create_in(parent, wait_and_tell, NULL), *thread;
	pid_t pid = parent->pid;
	int err;

	adopt_orphans();
	child = make_leaver(parent, &thread)->pid;
	thread_resume(thread);
	thread_resume(parent_thread);
	process_kill(parent, KILLED);
	wait_for(pid);
	err = wait_for_child(NULL);
	expect(!err == !collected, "its parent %s the child, and init's wait returned %d",
	       collected ? "has collected" : "did not collect", err);
}
