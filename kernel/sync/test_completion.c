/*
 * Tests of completions: what holds of every primitive to wait with (test_waits.h).
 */
#include "sync/sync.h"

#include "test/ktest.h"
#include "test_waits.h"

static struct completion completion;

static void init(void)
{
	completion_init(&completion);
}

static int wait(struct deadline d)
{
	return completion_wait(&completion, d, 0);
}

static void pass(void)
{
	complete(&completion);
}

static void destroy(void)
{
	wait_queue_destroy(&completion.q);
}

static const struct kind kind = { "completion", init, wait, .pass = pass, .destroy = destroy,
				  .queue = &completion.q };

KTEST(completion_deadline, "completion.deadline", "", "completion.deadline")
{
	waits_deadline(&kind);
	waits_poll(&kind);
}

KTEST(completion_ends, "completion.ends", "", "completion.ends")
{
	waits_killed(&kind);
	waits_destroyed(&kind);
	waits_removed(&kind);
}

KTEST(completion_order, "completion.order", "", "completion.order")
{
	waits_order(&kind);
	waits_not_stolen(&kind);
}

KTEST(completion_kept, "completion.kept", "", "completion.kept")
{
	waits_given(&kind);
	waits_not_eaten(&kind);
	waits_not_lost(&kind);
	waits_conserved(&kind);
}
