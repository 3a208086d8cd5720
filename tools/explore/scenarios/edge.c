/*
 * The edge to user mode: the work that a thread does there takes it the CPU only if it should.
 */
#include "explore/scenario.h"

#include "explore/tree.h"

static struct process *p;
static struct actor first, second;
static unsigned handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static int handle_own(void)
{
	int err = signal_send_process(p, SIGUSR1);

	expect(!err, "sending a signal returned %d", err);
	host_user_enter();
	host_user_leave();
	return 0;
}

static int leave_at_once(void)
{
	return 0;
}

static const char *kept_its_cpu(void)
{
	if (handled != 1)
		return wrong("the signal was handled %u times", handled);
	return first.thread->stats.preempted ? "the signal took its CPU away" : NULL;
}

/* A signal is no reason to give way to another thread. */
SCENARIO(keeps_cpu, "edge.signal_keeps_cpu", "", "", .cpus = 1, .after = kept_its_cpu,
	 .keeps = true, .quiet = true, .no_costume = true)
{
	p = make_child();
	p->sigactions[SIGUSR1 - 1] = (struct sigaction_slot){ .handler = (u64)handler };
	act_in(p, 0, &first, handle_own);
	act_on(0, &second, leave_at_once);
	end_here();
}
