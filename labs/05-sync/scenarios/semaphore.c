/*
 * Lab 05, step 1: what a post, a deadline, a kill or the destruction does to a wait for a semaphore
 * that begins or ends at the same time.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sync/sync.h"

static struct actor first, second;
static struct semaphore *sem;

static void make_semaphore(void)
{
	sem = kmalloc(sizeof(*sem));
	semaphore_init(sem, 0);
}

static int sem_wait(void)
{
	return semaphore_wait(sem, DEADLINE_NEVER);
}

static int sem_wait_timed(void)
{
	return semaphore_wait(sem, deadline_in(1000));
}

static int sem_post(void)
{
	semaphore_post(sem);
	return 0;
}

/* Every post is used by a wait, or counted. */
static const char *posts_add_up(unsigned posts, unsigned passed)
{
	if (passed > posts || sem->count != posts - passed)
		return wrong("of %u posts %u waits have passed, and the count is %u", posts,
			     passed, sem->count);
	return sem->q.nr ? "a waiter is still in the queue" : NULL;
}

static const char *two_passed(void)
{
	if (first.result || second.result)
		return wrong("the waits returned %d and %d", first.result, second.result);
	return posts_add_up(2, 2);
}

SCENARIO(sem_two, "semaphore.two", "05.1", "P5.1", .cpus = 2, .after = two_passed, .keeps = true)
{
	make_semaphore();
	act_on(1, &first, sem_wait);
	act_on(1, &second, sem_wait);
	semaphore_post(sem);
	semaphore_post(sem);
	end_here();
}

static const char *one_passed(void)
{
	return first.result ? wrong("the wait returned %d", first.result) : posts_add_up(2, 1);
}

/* Two posts on two CPUs: no post is lost. */
SCENARIO(sem_posts, "semaphore.two_posts", "05.1", "P5.1", .cpus = 2, .after = one_passed,
	 .keeps = true)
{
	make_semaphore();
	act_on(1, &second, sem_post);
	act_on(1, &first, sem_wait);
	semaphore_post(sem);
	end_here();
}

static const char *passed_or_timeout(void)
{
	if (first.result && first.result != -ETIMEDOUT)
		return wrong("the wait returned %d", first.result);
	return posts_add_up(1, !first.result);
}

SCENARIO(sem_timed, "semaphore.timeout", "05.1", "P5.2", .cpus = 2, .after = passed_or_timeout,
	 .keeps = true)
{
	make_semaphore();
	act_on(1, &first, sem_wait_timed);
	semaphore_post(sem);
	end_here();
}

static const char *removed(void)
{
	return first.result == -EIDRM ? NULL : wrong("the wait returned %d", first.result);
}

/* Whether the thread waits already is seen under the queue's lock; else it needs the memory. */
static void destroy_under(int (*wait)(void), u64 after)
{
	bool waits;

	make_semaphore();
	act_on(1, &first, wait);
	if (after)
		expect(!thread_sleep(after), "a sleep failed");
	spin_lock(&sem->q.lock);
	waits = sem->q.nr;
	spin_unlock(&sem->q.lock);
	semaphore_destroy(sem);
	if (waits)
		kfree(sem);
	end_here();
}

SCENARIO(sem_destroy, "semaphore.destroy", "05.1", "P5.2", .cpus = 2, .after = removed,
	 .keeps = true)
{
	destroy_under(sem_wait, 0);
}

static const char *removed_or_timeout(void)
{
	return first.result == -ETIMEDOUT ? NULL : removed();
}

/* The deadline has claimed the wait; whoever destroys the semaphore awaits only that it leaves. */
SCENARIO(sem_destroy_timed, "semaphore.destroy_or_timeout", "05.1", "P5.2", .cpus = 2,
	 .after = removed_or_timeout, .keeps = true)
{
	destroy_under(sem_wait_timed, 1000);
}

/* --- More than one ending, more than one thread ----------------------------------------------- */

static const char *passed_or_killed(void)
{
	if (first.result && first.result != -EINTR)
		return wrong("the wait returned %d", first.result);
	return posts_add_up(1, !first.result);
}

SCENARIO(sem_kill, "semaphore.kill", "05.1", "P5.2", .cpus = 2, .after = passed_or_killed,
	 .keeps = true)
{
	make_semaphore();
	act_on(1, &first, sem_wait);
	act_on(1, &second, sem_post);
	thread_kill(first.thread);
	end_here();
}

static const char *second_passed(void)
{
	if (second.result || (first.result && first.result != -ETIMEDOUT))
		return wrong("the waits returned %d and %d", first.result, second.result);
	return posts_add_up(2, 1 + !first.result);
}

/* The first wait's deadline comes with the first post: the second wait gets one in any case. */
SCENARIO(sem_behind, "semaphore.behind_timeout", "05.1", "P5.2", .cpus = 2,
	 .after = second_passed, .keeps = true)
{
	make_semaphore();
	act_on(1, &first, sem_wait_timed);
	act_on(1, &second, sem_wait);
	semaphore_post(sem);
	semaphore_post(sem);
	end_here();
}

static const char *first_passed(void)
{
	return first.result ? wrong("the wait returned %d", first.result) : NULL;
}

/* A post that a thread waited for is that thread's, even if it has not run yet. */
SCENARIO(sem_newcomer, "semaphore.newcomer", "05.1", "P5.1", .cpus = 2, .after = first_passed,
	 .keeps = true)
{
	bool waits;

	make_semaphore();
	act_on(1, &first, sem_wait);
	spin_lock(&sem->q.lock);
	waits = sem->q.nr;
	spin_unlock(&sem->q.lock);
	semaphore_post(sem);
	if (waits)
		expect(semaphore_wait(sem, DEADLINE_POLL), "a newcomer took a post that was given");
	end_here();
}

static const char *first_killed(void)
{
	return first.result == -EINTR ? NULL : wrong("the wait returned %d", first.result);
}

/* Nobody posts. */
SCENARIO(sem_killed, "semaphore.only_killed", "05.1", "P5.2", .cpus = 2, .after = first_killed,
	 .keeps = true)
{
	make_semaphore();
	act_on(1, &first, sem_wait);
	thread_kill(first.thread);
	end_here();
}

static const char *post_kept_or_polled(void)
{
	return posts_add_up(1, !first.result);
}

static int sem_poll(void)
{
	return semaphore_wait(sem, DEADLINE_POLL);
}

/* A poll needs the lock as well: without it nothing orders its look and the post. */
SCENARIO(sem_polled, "semaphore.poll", "05.1", "P5.1", .cpus = 2, .after = post_kept_or_polled,
	 .keeps = true)
{
	make_semaphore();
	act_on(1, &first, sem_poll);
	semaphore_post(sem);
	end_here();
}

static const char *one_got_it(void)
{
	return posts_add_up(1, !first.result + !second.result);
}

/* Two that find the same post kept: one of them takes it. */
SCENARIO(sem_takers, "semaphore.two_takers", "05.1", "P5.1", .cpus = 2, .after = one_got_it,
	 .keeps = true)
{
	make_semaphore();
	semaphore_post(sem);
	act_on(0, &first, sem_poll);
	act_on(1, &second, sem_poll);
	end_here();
}

static const char *both_passed(void)
{
	if (first.result || second.result)
		return wrong("a kill, two posts, and then the waits returned %d and %d",
			     first.result, second.result);
	return posts_add_up(2, 2);
}

/*
 * A kill has ended one wait, the first post the other; the second post finds nobody. It came before
 * the killed thread looks, and is for that one, whoever else has not left the queue.
 */
SCENARIO(sem_two_leave, "semaphore.two_leave", "05.1", "P5.2", .cpus = 1, .after = both_passed,
	 .keeps = true, .sets_up = true)
{
	make_semaphore();
	act_on(0, &first, sem_wait);
	act_on(0, &second, sem_wait);
	await_blocked(&first);
	await_blocked(&second);
	explore_from_here();
	preempt_off();
	thread_kill(first.thread);
	semaphore_post(sem);
	semaphore_post(sem);
	preempt_on();
	end_here();
}
