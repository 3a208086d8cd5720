/*
 * Completions: the thread that waits may free one at once, or is killed while it is completed.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sync/sync.h"

static struct actor first, second;
static struct completion *done;

static int complete_it(void)
{
	complete(done);
	return 0;
}

/* The thread that has waited may free the completion at once. */
SCENARIO(completion, "completion.freed", "", "", .cpus = 2, .keeps = true)
{
	done = kmalloc(sizeof(*done));
	completion_init(done);
	act_on(1, &first, complete_it);
	expect(!completion_wait(done, DEADLINE_NEVER, WAIT_UNKILLABLE), "the wait failed");
	kfree(done);
	end_here();
}

static int completion_take(void)
{
	return completion_wait(done, DEADLINE_NEVER, 0);
}

static const char *killed_or_done(void)
{
	if (first.result && first.result != -EINTR)
		return wrong("the wait returned %d", first.result);
	if (!first.result + done->done != 1)
		return wrong("the wait returned %d, and %u completions are left", first.result,
			     done->done);
	return NULL;
}

SCENARIO(completion_kill, "completion.kill", "", "", .cpus = 2, .after = killed_or_done,
	 .keeps = true)
{
	done = kmalloc(sizeof(*done));
	completion_init(done);
	act_on(1, &first, completion_take);
	act_on(1, &second, complete_it);
	thread_kill(first.thread);
	end_here();
}
