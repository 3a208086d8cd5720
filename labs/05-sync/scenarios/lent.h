/* The rank that the owner of a mutex inherits. */
#pragma once

#include "explore/scenario.h"
#include "sync/mutex.h"

/* While @urgent waits for @m, @owner has its rank; nobody else waits for it. */
static inline void expect_lent(struct mutex *m, const struct thread *owner,
			       const struct actor *urgent)
{
	spin_lock(&pi_lock);
	if (pi_has_waiters(&m->pi))
		expect(owner->se.inherited.level == urgent->thread->se.base.level,
		       "an urgent thread waits, and the owner inherits %u",
		       owner->se.inherited.level);
	spin_unlock(&pi_lock);
}
