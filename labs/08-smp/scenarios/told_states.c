/*
 * Lab 08: who is told, and where a thread with a new mask goes, in every state.
 */
#include "states.h"

/* --- An idle CPU is told ---------------------------------------------------------------------- */

static unsigned kicks_from;		/* the CPU at which the thread waits */
static u32 idle, may_run;

enum { ONE, QUEUED, BOTH, KICKS };	/* for a thread, those that wait, or both */

#define EXPECT_TOLD(cond, text, ...)							\
	expect(cond, "layout %u, CPUs %x are idle, at CPU %u one waits for %x: " text, layout, \
	       idle, kicks_from, may_run, ##__VA_ARGS__)

static void check_told(u32 told)
{
	for (unsigned i = 0; i < CPUS; i++) {
		bool marked = atomic_load(&cpus[i].idle.work) & WORK_RESCHED;
		bool interrupted = atomic_load(&cpus[i].ipi_pending) & IPI_RESCHED;

		EXPECT_TOLD(marked == !!(told & BIT(i)), "CPU %u is %smarked", i,
			    marked ? "" : "not ");
		EXPECT_TOLD(interrupted == !!(told & BIT(i)), "CPU %u is %sinterrupted", i,
			    interrupted ? "" : "not ");
	}
	EXPECT_TOLD(atomic_load(&idle_mask) == (idle & ~told), "then CPUs %x are idle",
		    atomic_load(&idle_mask));
}

/* Tells one of @t, or of those that wait in @rq; then another one, and so on. */
static void kick_for(const struct thread *t, struct runq *rq)
{
	unsigned order[CPUS], n = in_order(kicks_from, idle & may_run, order);
	u32 told = 0;

	forget_told();
	atomic_store(&idle_mask, idle);
	for (unsigned i = 0; i < n; i++) {
		EXPECT_TOLD(idle_cpu_for(t, rq) == &cpus[order[i]], "not CPU %u is found",
			    order[i]);
		told |= BIT(order[i]);
		kick_idle_for(t, rq);
		check_told(told);
	}
	EXPECT_TOLD(!idle_cpu_for(t, rq), "none is left, and one is found");
	kick_idle_for(t, rq);
	check_told(told);
}

SCENARIO(kick, "kick.by_state", "08.4", "P8.6", .cpus = 4, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true)
{
	begin();
	for (unsigned i = 0; i < LAYOUTS * (ALL + 1) * (ALL + 1) * KICKS; i++) {
		unsigned rest = i;

		layout = digit(&rest, LAYOUTS);
		set_nodes();
		kicks_from = (i + i / 48) % CPUS;
		idle = digit(&rest, ALL + 1);
		may_run = digit(&rest, ALL + 1);
		make_wait(0, kicks_from, may_run, i & 1);
		if (rest != ONE)
			may_run |= BIT(i / 7 % CPUS);
		make_wait(1, kicks_from, may_run & BIT(i / 7 % CPUS), i & 2);
		kick_for(rest == QUEUED ? NULL : &waits[0],
			 rest == ONE ? NULL : &cpus[kicks_from].runq);
		take_out_all();
	}
	end();
}

/* --- A thread has a new mask ------------------------------------------------------------------ */

static u32 mask;

#define EXPECT_MOVED(cond, text, ...)							\
	expect(cond, "layout %u, CPUs %x idle, one %s of CPU %u may use %x then: " text, layout, \
	       idle, thread_state_name(thread_state(&waits[0])), kicks_from, mask, ##__VA_ARGS__)

/* It waits in one queue, that of a CPU that it may use; an urgent one goes where it runs first. */
static void check_queued(bool urgent)
{
	struct thread *t = &waits[0];
	unsigned now = thread_cpu(t)->id;

	EXPECT_MOVED(mask & BIT(now), "it is on CPU %u", now);
	EXPECT_MOVED(urgent || !(mask & BIT(kicks_from)) || now == kicks_from,
		     "it is moved to CPU %u", now);
	EXPECT_MOVED(!urgent || mask == BIT(kicks_from) || now != kicks_from,
		     "it is urgent, and stays where another one runs");
	for (unsigned i = 0; i < CPUS; i++)
		EXPECT_MOVED(nr_ready(&cpus[i].runq) == (i == now), "%u wait at CPU %u",
			     nr_ready(&cpus[i].runq), i);
	EXPECT_MOVED(entity_queued(&t->se), "it is in no queue");
}

static u32 marked_cpus(void)
{
	u32 marked = 0;

	for (unsigned i = 0; i < CPUS; i++)
		if (atomic_load(&cpus[i].runq.current->work) & WORK_RESCHED)
			marked |= BIT(i);
	return marked;
}

/* Of a normal thread only idle CPUs are told; of an urgent one the one to which it is moved. */
static void check_marked(bool waits_there, bool urgent)
{
	unsigned now = thread_cpu(&waits[0])->id;
	u32 marked = marked_cpus();

	EXPECT_MOVED(!(marked & atomic_load(&idle_mask)), "CPUs %x are told, and count as idle",
		     marked & atomic_load(&idle_mask));
	EXPECT_MOVED(!(marked & ~mask), "CPUs %x are told, which may not run it", marked & ~mask);
	if (!waits_there)
		EXPECT_MOVED(!marked, "it does not wait, and CPUs %x are told", marked);
	else if (urgent)
		EXPECT_MOVED(now == kicks_from || marked & BIT(now),
			     "it is urgent, moved to CPU %u, and that is not told", now);
	else
		EXPECT_MOVED(marked & idle || !(mask & idle), "no idle CPU is told");
	if (!urgent)
		EXPECT_MOVED(!(marked & ~idle), "what runs on CPUs %x is interrupted",
			     marked & ~idle);
}

static void give_mask(enum thread_state state, bool urgent)
{
	make_wait(0, kicks_from, BIT(kicks_from), urgent);
	if (state != THREAD_READY)
		queue_dequeue(&cpus[kicks_from].runq.q, &waits[0].se);
	waits[0].state = state;
	EXPECT_MOVED(!sched_set_affinity(&waits[0], mask), "the mask is refused");
	if (state == THREAD_READY)
		check_queued(urgent);
	check_marked(state == THREAD_READY, urgent);
}

static void change_masks(void)
{
	static const enum thread_state states[] = {
		THREAD_READY, THREAD_BLOCKED, THREAD_READY, THREAD_SLEEPING, THREAD_READY,
		THREAD_SUSPENDED,
	};

	begin();
	for (unsigned i = 0; i < CPUS * ALL * (ALL / 2 + 1) * 2; i++) {
		unsigned rest = i;

		layout = (i / 5 + i / 90) % LAYOUTS;
		set_nodes();
		kicks_from = digit(&rest, CPUS);
		mask = 1 + digit(&rest, ALL);
		idle = 2 * digit(&rest, ALL / 2 + 1);	/* CPU 0 runs this */
		busy = ALL & ~idle;
		set_busy();
		forget_told();
		atomic_store(&idle_mask, idle);
		lends = i / 7 % 2;
		give_mask(states[i / 3 % ARRAY_SIZE(states)], rest);
		take_out_all();
		for (unsigned k = 0; k < CPUS; k++)
			atomic_store(&cpus[k].runq.current->work, 0);
	}
	busy = 0;
	set_busy();
	end();
}

SCENARIO(masks, "mask.by_state", "08.4", "P8.2", .cpus = 4, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true)
{
	change_masks();
}

/* Its threads wait in a tree. */
SCENARIO(masks_fair, "mask.of_other_policy", "08.4", "P8.1", .cpus = 4, .sets_up = true,
	 .quiet = true, .keeps = true, .no_costume = true, .bootargs = "sched=fair")
{
	change_masks();
}
