/*
 * Events: a wait sees one state of the event, whatever comes at the same time.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "sync/sync.h"

static struct actor looker;
static struct event event;

static int look(void)
{
	return event_wait(&event, DEADLINE_POLL);
}

static const char *passed_or_late(void)
{
	if (looker.result && looker.result != -ETIMEDOUT)
		return wrong("the wait returned %d", looker.result);
	return event.signaled ? "the event is signaled" : NULL;
}

/* The wait comes before event_unsignal() and passes, or after it and does not. */
SCENARIO(unsignal, "event.against_unsignal", "", "", .cpus = 2, .after = passed_or_late,
	 .keeps = true)
{
	event_init(&event, true, false);
	act_on(1, &looker, look);
	event_unsignal(&event);
	end_here();
}
