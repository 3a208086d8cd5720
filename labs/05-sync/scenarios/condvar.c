/*
 * Lab 05, step 6: waits for a condition that begin or end while another CPU makes it true.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sync/sync.h"

static struct actor first, second;
static struct mutex mutex = MUTEX_INIT(mutex);
static struct condvar condvar = { WAIT_QUEUE_INIT(condvar.q) };
static unsigned ready;			/* [mutex] */

static int consume(struct deadline d)
{
	int err = 0;

	mutex_lock(&mutex);
	while (!ready && !err)
		err = condvar_wait(&condvar, &mutex, d);
	expect(mutex_held(&mutex), "a wait returned %d without the mutex", err);
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
	return consume(deadline_in(1000));
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

SCENARIO(condvar_one, "condvar.signal", "05.6", "P5.11", .cpus = 2, .after = consumed,
	 .keeps = true)
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

SCENARIO(condvar_timed, "condvar.timeout", "05.6", "P5.11", .cpus = 2, .after = consumed_or_timeout,
	 .keeps = true)
{
	act_on(1, &first, consume_timed);
	produce();
	end_here();
}

SCENARIO(condvar_all, "condvar.broadcast", "05.6", "P5.11", .cpus = 2, .after = consumed,
	 .keeps = true)
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
SCENARIO(condvar_wakers, "condvar.two_wakers", "05.6", "P5.11", .cpus = 2, .after = consumed,
	 .keeps = true)
{
	act_on(0, &first, produce_one);
	act_on(1, &second, produce_one);
	expect(!consume_one() && !consume_one(), "a wait failed");
	end_here();
}

static const char *consumed_or_killed(void)
{
	if (first.result && first.result != -EINTR)
		return wrong("the wait returned %d", first.result);
	if (!first.result + ready != 1 || atomic_load(&mutex.word))
		return wrong("the wait returned %d, %u are ready, and the mutex is %lx",
			     first.result, ready, atomic_load(&mutex.word));
	return condvar.q.nr ? "a waiter is still in the queue" : NULL;
}

SCENARIO(condvar_kill, "condvar.kill", "05.6", "P5.11", .cpus = 2, .after = consumed_or_killed,
	 .keeps = true)
{
	act_on(1, &first, consume_one);
	act_on(1, &second, produce_one);
	thread_kill(first.thread);
	end_here();
}

static int wait_once(void)
{
	int err = 0;

	mutex_lock(&mutex);
	if (!ready)
		err = condvar_wait(&condvar, &mutex, DEADLINE_NEVER);
	mutex_unlock(&mutex);
	return err;
}

static const char *was_signaled(void)
{
	return first.result ? wrong("a signal ended the wait, and it returned %d", first.result)
			    : consumed();
}

/* A signal ends the wait, and the kill comes while the thread waits for the mutex. */
SCENARIO(condvar_late_kill, "condvar.killed_later", "05.6", "P5.11", .cpus = 2,
	 .after = was_signaled, .keeps = true)
{
	act_on(1, &first, wait_once);
	expect(!thread_sleep(1000), "a sleep failed");
	mutex_lock(&mutex);
	ready++;
	condvar_signal(&condvar);
	expect(!thread_sleep(1000), "a sleep failed");
	thread_kill(first.thread);
	expect(!thread_sleep(1000), "a sleep failed");
	mutex_unlock(&mutex);
	end_here();
}

static int ended;			/* waits that the signal has ended */

/* Whether the wait was ended by a signal. */
static int passes_at_once(struct deadline d)
{
	int err;

	mutex_lock(&mutex);
	err = condvar_wait(&condvar, &mutex, d);
	expect(mutex_held(&mutex), "a wait returned %d without the mutex", err);
	expect(!err || err == -ETIMEDOUT, "the wait returned %d", err);
	mutex_unlock(&mutex);
	return !err;
}

static int try_both(void)
{
	return passes_at_once(DEADLINE_POLL) + passes_at_once(deadline_at(time_now() - 1));
}

static const char *says_so(void)
{
	if (first.result != ended)
		return wrong("a signal has ended %d waits, and %d returned 0", ended, first.result);
	return condvar.q.nr ? "a waiter is still in the queue" : NULL;
}

/* Waits that time out at once unlock the mutex all the same: a signal that comes then ends one. */
SCENARIO(condvar_polled, "condvar.poll", "05.6", "P5.11", .cpus = 2, .after = says_so,
	 .keeps = true)
{
	act_on(1, &first, try_both);
	ended = wait_wake_one(&condvar.q, 0);	/* condvar_signal() does not say */
	end_here();
}

/* Nobody signals, and the wait says so. */
SCENARIO(condvar_in_vain, "condvar.in_vain", "05.6", "P5.11", .cpus = 1)
{
	int err;

	mutex_lock(&mutex);
	err = condvar_wait(&condvar, &mutex, deadline_in(1000));
	expect(mutex_held(&mutex), "a wait returned %d without the mutex", err);
	expect(err == -ETIMEDOUT, "nobody signaled, and the wait returned %d", err);
	mutex_unlock(&mutex);
}

static struct actor third, fourth;

static const char *one_signaled(void)
{
	if (first.result != -EINTR || second.result != -ETIMEDOUT || third.result)
		return wrong("the first three waits returned %d, %d and %d", first.result,
			     second.result, third.result);
	return fourth.result == -EINTR
		       ? NULL
		       : wrong("a signal has ended the third wait, and the fourth returned %d",
			       fourth.result);
}

/*
 * The first two waits have been ended, and are still in the queue, when a signal comes: that is for
 * the third one, and none is left for the fourth.
 */
SCENARIO(condvar_third, "condvar.third_of_four", "05.6", "P5.11", .cpus = 1,
	 .after = one_signaled, .keeps = true, .sets_up = true)
{
	struct actor *waiters[] = { &first, &second, &third, &fourth };

	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++) {
		act_on(0, waiters[i], wait_once);
		await_blocked(waiters[i]);
	}
	explore_from_here();
	preempt_off();
	thread_kill(first.thread);
	waiter_claim(second.thread->waiter, WAIT_TIMEOUT, 0);	/* as its deadline would */
	condvar_signal(&condvar);
	preempt_on();
	expect(!thread_sleep(1000), "a sleep failed");		/* all who can go on do so */
	thread_kill(fourth.thread);
	end_here();
}
