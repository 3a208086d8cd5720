/*
 * Semaphores, events, completions and condition variables: what a post, a signal or a timeout does
 * to a wait that begins or ends at the same time.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sync/sync.h"

static struct actor first, second;

static struct deadline soon(void)
{
	return deadline_in(1000);
}

/* --- Semaphores ------------------------------------------------------------------------------- */

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
	return semaphore_wait(sem, soon());
}

static int sem_post(void)
{
	semaphore_post(sem);
	return 0;
}

/* Every post is used by a wait, or counted. */
static const char *posts_add_up(unsigned posts, unsigned passed)
{
	if (sem->count + passed != posts)
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

SCENARIO(sem_two, "semaphore.two", "", "", .cpus = 2, .after = two_passed, .keeps = true)
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
SCENARIO(sem_posts, "semaphore.two_posts", "", "", .cpus = 2, .after = one_passed, .keeps = true)
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

SCENARIO(sem_timed, "semaphore.timeout", "", "", .cpus = 2, .after = passed_or_timeout,
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
SCENARIO(sem_destroy, "semaphore.destroy", "", "", .cpus = 2, .after = removed, .keeps = true)
{
	bool waits;

	make_semaphore();
	act_on(1, &first, sem_wait);
	spin_lock(&sem->q.lock);
	waits = sem->q.nr;
	spin_unlock(&sem->q.lock);
	semaphore_destroy(sem);
	if (waits)
		kfree(sem);
	end_here();
}

/* --- Events ----------------------------------------------------------------------------------- */

static struct event event;

static int event_take(void)
{
	return event_wait(&event, DEADLINE_NEVER);
}

static int event_take_timed(void)
{
	return event_wait(&event, soon());
}

static const char *event_passed(void)
{
	if (first.result || second.result)
		return wrong("the waits returned %d and %d", first.result, second.result);
	return event.q.nr ? "a waiter is still in the queue" : NULL;
}

/* A thread that waits when the signal comes passes, even if event_unsignal() follows at once. */
SCENARIO(event_pulse, "event.unsignal", "", "", .cpus = 2, .after = event_passed, .keeps = true)
{
	bool waits;

	event_init(&event, false, false);
	act_on(1, &first, event_take);
	spin_lock(&event.q.lock);
	waits = event.q.nr;
	spin_unlock(&event.q.lock);
	event_signal(&event);
	if (waits)
		event_unsignal(&event);
	end_here();
}

SCENARIO(event_manual, "event.manual_two", "", "", .cpus = 2, .after = event_passed,
	 .keeps = true)
{
	event_init(&event, false, false);
	act_on(1, &first, event_take);
	act_on(1, &second, event_take);
	event_signal(&event);
	end_here();
}

static const char *event_used_once(void)
{
	if (first.result && first.result != -ETIMEDOUT)
		return wrong("the wait returned %d", first.result);
	if (!first.result == event.signaled)
		return wrong("the wait returned %d, and the event is %s", first.result,
			     event.signaled ? "signaled" : "not signaled");
	return NULL;
}

/* A signal lets one wait pass, or sets the flag. */
SCENARIO(event_timed, "event.timeout", "", "", .cpus = 2, .after = event_used_once, .keeps = true)
{
	event_init(&event, false, true);
	act_on(1, &first, event_take_timed);
	event_signal(&event);
	end_here();
}

/* --- Completions ------------------------------------------------------------------------------ */

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

/* --- Condition variables ---------------------------------------------------------------------- */

static struct mutex mutex = MUTEX_INIT(mutex);
static struct condvar condvar = { WAIT_QUEUE_INIT(condvar.q) };
static unsigned ready;			/* [mutex] */

static int consume(struct deadline d)
{
	int err = 0;

	mutex_lock(&mutex);
	while (!ready && !err)
		err = condvar_wait(&condvar, &mutex, d);
	if (ready) {
		ready--;
		err = 0;
	}
	mutex_unlock(&mutex);
	return err;
}

static int consume_one(void)
{
	return consume(DEADLINE_NEVER);
}

static int consume_timed(void)
{
	return consume(soon());
}

static void produce(void)
{
	mutex_lock(&mutex);
	ready++;
	condvar_signal(&condvar);
	mutex_unlock(&mutex);
}

static const char *consumed(void)
{
	if (first.result + second.result || atomic_load(&mutex.word))
		return wrong("the waits returned %d and %d, and the mutex is %lx", first.result,
			     second.result, atomic_load(&mutex.word));
	return condvar.q.nr ? "a waiter is still in the queue" : NULL;
}

SCENARIO(condvar_one, "condvar.signal", "", "", .cpus = 2, .after = consumed, .keeps = true)
{
	act_on(1, &first, consume_one);
	produce();
	end_here();
}

static const char *consumed_or_timeout(void)
{
	if (first.result && first.result != -ETIMEDOUT)
		return wrong("the wait returned %d", first.result);
	if (!first.result + ready != 1)
		return wrong("the wait returned %d, and %u are ready", first.result, ready);
	return condvar.q.nr ? "a waiter is still in the queue" : NULL;
}

SCENARIO(condvar_timed, "condvar.timeout", "", "", .cpus = 2, .after = consumed_or_timeout,
	 .keeps = true)
{
	act_on(1, &first, consume_timed);
	produce();
	end_here();
}

SCENARIO(condvar_all, "condvar.broadcast", "", "", .cpus = 2, .after = consumed, .keeps = true)
{
	act_on(1, &first, consume_one);
	act_on(1, &second, consume_one);
	mutex_lock(&mutex);
	ready = 2;
	condvar_broadcast(&condvar);
	mutex_unlock(&mutex);
	end_here();
}

static int produce_one(void)
{
	produce();
	return 0;
}

/* Two CPUs signal, one of them that of the waiter: neither signal is lost. */
SCENARIO(condvar_wakers, "condvar.two_wakers", "", "", .cpus = 2, .after = consumed,
	 .keeps = true)
{
	act_on(0, &first, produce_one);
	act_on(1, &second, produce_one);
	expect(!consume_one() && !consume_one(), "a wait failed");
	end_here();
}
