/* Moving waiters to a PI lock when the page of the first word goes away in between. */
#include "mm/test_space.h"

#include "errno.h"
#include "process/futex.h"
#include "sched/time.h"
#include "test/instrument.h"

#define CONDITION	BASE
#define LOCK		PAGE_AT(1)
#define LONG		(10 * NSEC_PER_SEC)

static struct addr_space *space;

static int moves_if_seven(void *unused)
{
	int moved;

	(void)unused;
	use_space(space);
	moved = futex_requeue_pi(CONDITION, LOCK, false, 0, 7);
	use_space(NULL);
	return moved;
}

/*
 * The word was 7 when the page went, between its first reading and the attempt to move, which
 * begins in futex_bucket(). It is faulted in as zero, compared again, and differs.
 */
KTEST(futex_page_goes, "futex.page_goes", "", "futex.page_goes")
{
	struct thread *mover;
	int moved;

	space = new_space();
	map_at(space, BASE, 2, RW, 0);
	poke(space, CONDITION, 7);
	mover = thread_create("mover", moves_if_seven, NULL, PRIORITY_DEFAULT);
	REQUIRE(mover, "futex.page_goes", "no memory for a thread");
	REQUIRE(park_arm(0, "futex_bucket", AT_ENTRY, mover, LONG) == 0, "futex.page_goes", "park");
	thread_resume(mover);
	CHECK(park_wait(0, LONG), "futex.page_goes", "it does not try to move");
	CHECK(forget(space, CONDITION, 1) == 0, "futex.page_goes", "the page stays");
	park_release(0);
	thread_join(mover, &moved, DEADLINE_NEVER);
	CHECK(moved == -EAGAIN, "futex.page_goes", "it returned %d", moved);
	as_put(space);
}
