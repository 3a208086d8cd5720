/*
 * Lab 06, hidden: what the members of the family do, and how its processes begin.
 */
#include "hidden_family.h"

#include "base/irq.h"
#include "sched/sched.h"

#define LONG		(1000 * NSEC_PER_SEC)
#define MOST_GATES	4u		/* one thread can hold few mutexes at once (lockcheck.c) */

struct subject family[FAMILY];

static struct wait_queue never = WAIT_QUEUE_INIT(never);

/* --- What the members do ---------------------------------------------------------------------- */

static void expect_killed(int err)
{
	CHECK(err == -EINTR, "P6.5", "a wait that only a kill ends returned %d", err);
}

static int be_waiting(void *arg)
{
	(void)arg;
	expect_killed(wait_block(&never, DEADLINE_NEVER));
	return 0;
}

static int be_waiting_long(void *arg)
{
	(void)arg;
	expect_killed(wait_block(&never, deadline_in(LONG)));
	return 0;
}

static int be_asleep(void *arg)
{
	(void)arg;
	expect_killed(thread_sleep(LONG));
	return 0;
}

/* It is suspended, or killed, before it has run, and nobody resumes it. */
static int be_stopped(void *arg)
{
	struct subject *s = arg;

	s->ran++;
	return 0;
}

/* The second of a process waits for the first one's mutex, after the kill as well. */
static int hold_it(void *arg)
{
	struct subject *s = arg;

	mutex_lock(&s->kept);
	s->in_hand++;
	expect_killed(wait_block(&never, DEADLINE_NEVER));
	s->in_hand--;
	mutex_unlock(&s->kept);
	return 0;
}

static int yield_with_it(void *arg)
{
	struct subject *s = arg;

	mutex_lock(&s->busy);
	s->in_hand++;
	while (!thread_is_dying(current_thread()))
		thread_yield();
	s->in_hand--;
	mutex_unlock(&s->busy);
	return 0;
}

/* Says of each child of its process what its wait has found, also if it is killed meanwhile. */
static int collect(void *arg)
{
	struct wait_result res;
	int err;

	(void)arg;
	while ((err = process_wait(-1, WEXITED, &res)) != -EINTR) {
		for (unsigned i = 0; i < FAMILY && !err; i++) {
			if (family[i].pid != res.pid)
				continue;
			family[i].found_status = res.status;
			family[i].found++;
		}
		if (thread_is_dying(current_thread()))
			break;
		thread_yield();
	}
	return 0;
}

static int be_stuck(void *arg)
{
	struct subject *s = arg;

	s->in_hand++;
	mutex_lock(&s->gate);
	s->in_hand--;
	mutex_unlock(&s->gate);
	return be_waiting(NULL);
}

static int leave(void *arg)
{
	struct subject *s = arg;

	while (!s->leaves && !thread_is_dying(current_thread()))
		thread_yield();
	if (s->leaves && !s->mortal)
		process_exit(STATUS_EXIT(s->code));
	return s->code;
}

static const thread_fn bodies[ROLES] = {
	be_waiting, be_waiting_long, be_asleep, be_stopped, hold_it, yield_with_it, collect,
	be_stuck, leave,
};

/* --- Beginnings ------------------------------------------------------------------------------- */

static unsigned gates_shut;

static void shut_gate(struct subject *s)
{
	mutex_lock(&s->gate);
	s->gate_shut = true;
	gates_shut++;
}

void family_open_gate(struct subject *s)
{
	if (s->gate_shut) {
		mutex_unlock(&s->gate);
		gates_shut--;
	}
	s->gate_shut = s->stuck = false;
}

/* Makes a member, which has not started yet. */
static void make_member(struct subject *s, enum role role)
{
	int err;

	if (role == STUCK && !s->gate_shut && gates_shut == MOST_GATES)
		role = WAITS;
	if (role == STUCK && !s->gate_shut)
		shut_gate(s);
	s->roles[s->nr] = role;
	err = thread_create_in(s->process, "member", bodies[role], s, PRIORITY_DEFAULT,
			       &s->members[s->nr]);
	REQUIRE(err == 0, "P6.2", "creating a thread in a living process returned %d", err);
	s->nr++;
}

/* A stopped member does not run before it is stopped: the test has its CPU meanwhile. */
static void start_member(struct subject *s, unsigned i)
{
	struct thread *t = s->members[i];

	if (s->roles[i] == STOPPED) {
		sched_set_affinity(t, BIT(0));
		irq_off();
		thread_resume(t);
		thread_suspend(t);
		irq_on();
		return;
	}
	thread_resume(t);
	if (s->roles[i] == STUCK) {
		await_state(t, THREAD_BLOCKED);
		s->stuck = true;
	}
}

static enum role any_role(const struct subject *s)
{
	return s->mortal ? LEAVES : test_random() % ROLES;
}

void family_begin(struct subject *s, struct subject *parent)
{
	struct process *p;

	REQUIRE(process_create(parent ? parent->process : current_process(), &p) == 0, "P6.10",
		"no process was made");
	*s = (struct subject){ .process = process_get(p), .pid = p->pid, .parent = parent,
			       .mortal = test_random() % 4 == 0,
			       .code = (int)(test_random() % 256) };
	mutex_init(&s->gate);
	mutex_init(&s->kept);
	mutex_init(&s->busy);
	for (u64 n = 2 + test_random() % 3; n > 0; n--)
		make_member(s, any_role(s));
	for (unsigned i = 0; i < s->nr; i++)
		start_member(s, i);
}

/* A process whose threads are all ready when they are killed, and have not run. */
void family_begin_in_vain(struct subject *s, struct subject *parent)
{
	int err;

	family_begin(s, parent);
	for (unsigned i = s->nr; i < MEMBERS; i++)
		make_member(s, STOPPED);
	for (unsigned i = 0; i < s->nr; i++)
		if (s->roles[i] == STOPPED)
			sched_set_affinity(s->members[i], BIT(0));
	irq_off();
	for (unsigned i = 0; i < s->nr; i++)
		thread_resume(s->members[i]);
	s->status = STATUS_SIGNAL(SIGTERM);
	err = process_kill(s->process, s->status);
	irq_on();
	CHECK(err == 0, "P6.1", "the first kill returned %d", err);
	s->ended = true;
}

void family_add_member(struct subject *s)
{
	make_member(s, any_role(s));
	start_member(s, s->nr - 1);
}
