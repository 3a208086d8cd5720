/*
 * Lab 05, hidden: threads that wait for one object of each kind, and passes, deadlines, kills and
 * destructions that end the waits in any order, against a model that knows how each of them ends.
 *
 * This thread is the most urgent one. On one CPU no other one runs before it blocks: a wait that a
 * deadline or a kill has ended then finds all that has come since.
 */
#include "sync/sync.h"

#include "sync/test_sync.h"

#define CROWD	12
#define ROUNDS	500
#define FAR	(1000 * NSEC_PER_SEC)

enum kind { SEMAPHORE, AUTO, MANUAL, CONDVAR, MUTEX, KINDS };

static struct semaphore semaphore;
static struct event events[2];			/* AUTO, MANUAL */
static struct condvar condvar;
static struct mutex condition, mutex;

static unsigned kept[KINDS];			/* posts, the flag, the gate */
static bool mine;				/* the mutex */

static const char *const names[] = { "semaphore", "auto event", "manual event", "condvar",
				     "mutex" };
static const char *const passing[] = { "P5.1", "P5.3", "P5.4", "P5.11", "P5.9" };
static const char *const ending[] = { "P5.2", "P5.3", "P5.4", "P5.11", "P5.10" };

/* A thread in its only wait; what the calls so far have made of it. */
static struct subject {
	struct thread *thread;			/* NULL: none */
	enum kind kind;
	struct deadline d;
	u32 level;				/* its own rank */
	unsigned long place;			/* all with a lower number came before it */
	bool passes;				/* the model's answer: it returns 0 */
	int error;				/* or was ended with this, but may find a pass */
	_Atomic bool done;
	unsigned got;				/* how many had the mutex before it */
} crowd[CROWD];

static unsigned long arrivals;
static unsigned got_mutex;			/* [mutex] */

#define CROWD_END	(&crowd[CROWD])

/* --- The objects ------------------------------------------------------------------------------ */

static void init(enum kind k)
{
	kept[k] = 0;
	switch (k) {
	case SEMAPHORE:
		kept[k] = test_random() % 3;
		semaphore_init(&semaphore, kept[k]);
		break;
	case AUTO:
	case MANUAL:
		kept[k] = test_random() % 2;
		event_init(&events[k - AUTO], kept[k], k == AUTO);
		break;
	case CONDVAR:
		condvar_init(&condvar);
		break;
	default:
		mutex_init(&mutex);
		mine = false;
	}
}

static void destroy_object(enum kind k)
{
	if (k == SEMAPHORE)
		semaphore_destroy(&semaphore);
	else if (k == CONDVAR)
		condvar_destroy(&condvar);
	else if (k == MUTEX)
		mutex_destroy(&mutex);
	else
		event_destroy(&events[k - AUTO]);
}

static int wait_for_condition(struct deadline d)
{
	int err;

	mutex_lock(&condition);
	err = condvar_wait(&condvar, &condition, d);
	CHECK(mutex_held(&condition), "P5.11", "a wait that returned %d: no mutex", err);
	mutex_unlock(&condition);
	return err;
}

/* A mutex that it gets is locked. */
static int wait_for(enum kind k, struct deadline d)
{
	if (k == SEMAPHORE)
		return semaphore_wait(&semaphore, d);
	if (k == CONDVAR)
		return wait_for_condition(d);
	if (k == MUTEX)
		return mutex_lock_timed(&mutex, d);
	return event_wait(&events[k - AUTO], d);
}

static int wait_once(void *arg)
{
	struct subject *s = arg;
	int err = wait_for(s->kind, s->d);

	if (!err && s->kind == MUTEX) {
		s->got = got_mutex++;
		mutex_unlock(&mutex);
	}
	s->done = true;
	return err;
}

/* --- The model -------------------------------------------------------------------------------- */

static bool waits(const struct subject *s, enum kind k)
{
	return s->thread && s->kind == k && !s->passes && !s->error;
}

/* Mutexes are for the most urgent one, all else is for the one that came first. */
static bool before(const struct subject *a, const struct subject *b)
{
	if (a->kind == MUTEX && a->level != b->level)
		return a->level > b->level;
	return a->place < b->place;
}

static struct subject *next_of(enum kind k)
{
	struct subject *first = NULL;

	for (struct subject *s = crowd; s < CROWD_END; s++)
		if (waits(s, k) && (!first || before(s, first)))
			first = s;
	return first;
}

/* How many waits were ended by something else than a pass, whose threads may not have run since. */
static unsigned nr_ended(enum kind k)
{
	unsigned n = 0;

	for (struct subject *s = crowd; s < CROWD_END; s++)
		n += s->thread && s->kind == k && !s->passes && s->error;
	return n;
}

/*
 * Of @n waits that have ended, @passed found what came too late for them. A mutex was free for them
 * at some time, if at all: not while it went through @others.
 */
static void check_late(enum kind k, unsigned n, unsigned passed, unsigned others)
{
	bool certain = nr_cpus == 1;
	unsigned least = 0, most = n;

	if (k == MUTEX) {
		least = !mine && !others && n > 0 && certain;
		most = mine ? 0 : n;
	} else {
		most = k == MANUAL && kept[k] ? n : MIN(kept[k], n);
		least = certain ? most : 0;
	}
	CHECK(passed >= least && passed <= most, ending[k],
	      "%s: %u waits had ended, then what lets %u of them pass came: %u passed", names[k], n,
	      most, passed);
	if (k == SEMAPHORE || k == AUTO)
		kept[k] -= MIN(passed, kept[k]);
}

static void check_mutex(void)
{
	u64 owner = mutex.word & ~MUTEX_CONTENDED;
	u32 lent = current_thread()->se.inherited.level, due = 0;

	if (next_of(MUTEX))
		due = next_of(MUTEX)->level;
	CHECK(lent == due, "P5.6", "a thread of rank %u waits for this one, which inherits %u", due,
	      lent);
	CHECK(owner == (mine ? (u64)current_thread() : 0), "P5.8", "the word of a %s mutex is %lx",
	      mine ? "taken" : "free", mutex.word);
	CHECK(!next_of(MUTEX) == !(mutex.word & MUTEX_CONTENDED) || mine, "P5.8",
	      "nobody waits, and the word is %lx", mutex.word);
	CHECK(!next_of(MUTEX) || (mutex.word & MUTEX_CONTENDED), "P5.8",
	      "others wait, and the word is %lx", mutex.word);
	CHECK(pi_has_waiters(&mutex.pi) == !!next_of(MUTEX), "P5.10",
	      "a wait that has ended has left something behind");
}

/* The objects, when all whose waits had ended have left. */
static void check_rest(void)
{
	const struct wait_queue *queues[] = { &semaphore.q, &events[0].q, &events[1].q,
					      &condvar.q };

	for (enum kind k = 0; k < MUTEX; k++) {
		unsigned n = 0;

		for (struct subject *s = crowd; s < CROWD_END; s++)
			n += waits(s, k);
		CHECK(queues[k]->nr == n, ending[k], "%s: %u threads wait, and the queue counts %u",
		      names[k], n, queues[k]->nr);
	}
	CHECK(semaphore.count == kept[SEMAPHORE], "P5.1", "%u posts are kept, the count is %u",
	      kept[SEMAPHORE], semaphore.count);
	for (enum kind k = AUTO; k <= MANUAL; k++)
		CHECK(events[k - AUTO].signaled == kept[k], passing[k],
		      "%s: the flag is %u, not %u", names[k], events[k - AUTO].signaled, kept[k]);
	check_mutex();
}

static bool had_mutex(const struct subject *s)
{
	return s->thread && s->passes && s->kind == MUTEX;
}

/* From one owner it went through all that waited. */
static void check_mutex_order(void)
{
	for (struct subject *a = crowd; a < CROWD_END; a++)
		for (struct subject *b = crowd; b < CROWD_END; b++)
			if (had_mutex(a) && had_mutex(b) && before(a, b))
				CHECK(a->got < b->got, "P5.9",
				      "the mutex came to the thread of rank %u after that of %u",
				      a->level, b->level);
}

/* All whose waits have ended return; all others wait on. */
static void settle(void)
{
	unsigned ended[KINDS] = { 0 }, late[KINDS] = { 0 }, others[KINDS] = { 0 };

	for (struct subject *s = crowd; s < CROWD_END; s++) {
		int err;

		if (!s->thread || waits(s, s->kind))
			continue;
		err = test_join(s->thread, names[s->kind]);
		if (s->passes) {
			others[s->kind]++;
			CHECK(err == 0, passing[s->kind], "%s: a wait passes, and returned %d",
			      names[s->kind], err);
		} else {
			ended[s->kind]++;
			late[s->kind] += err == 0;
			CHECK(err == 0 || err == s->error, ending[s->kind],
			      "%s: a wait ended with %d, and returned %d", names[s->kind], s->error,
			      err);
		}
	}
	check_mutex_order();
	for (struct subject *s = crowd; s < CROWD_END; s++) {
		CHECK(!s->thread || !waits(s, s->kind) || !s->done, passing[s->kind],
		      "%s: nothing has ended a wait, and it is over", names[s->kind]);
		if (s->thread && !waits(s, s->kind))
			s->thread = NULL;
	}
	for (enum kind k = 0; k < KINDS; k++)
		check_late(k, ended[k], late[k], others[k]);
	check_rest();
}

/* --- Steps, between which no other thread runs on this CPU ------------------------------------ */

/* As the timers do, when it is time for one of them. */
static void expire(const struct subject *one)
{
	u64 now = one->d.at;

	irq_off();
	for (unsigned i = 0; i < nr_cpus; i++)
		sleepq_expire(&cpus[i].sleepq, now);
	irq_on();
	for (struct subject *s = crowd; s < CROWD_END; s++)
		if (waits(s, s->kind) && s->d.kind == DEADLINE_KIND_AT &&
		    !time_before(now, s->d.at))
			s->error = -ETIMEDOUT;
}

static void end_it(struct subject *s)
{
	if (s->d.kind == DEADLINE_KIND_AT && waits(s, s->kind) && test_random() % 2) {
		expire(s);
		return;
	}
	thread_kill(s->thread);
	if (waits(s, s->kind))
		s->error = -EINTR;
}

/* One that waits for such an object, or any that may have been ended before. */
static void end_one(enum kind k)
{
	struct subject *s = next_of(k);

	if (!s || test_random() % 2)
		s = &crowd[test_random() % CROWD];
	if (s->thread)
		end_it(s);
}

static void pass_all(enum kind k)
{
	struct subject *s;

	while ((s = next_of(k)))
		s->passes = true;
}

static void pass_next(enum kind k)
{
	struct subject *s = next_of(k);

	if (s)
		s->passes = true;
	else
		kept[k] = k == SEMAPHORE ? kept[k] + 1 : k == AUTO;
}

/* Its waiters have it one after the other; before the first one runs it is that one's. */
static void unlock(void)
{
	struct subject *s = next_of(MUTEX);
	u64 first = s ? (u64)s->thread : 0;

	pass_all(MUTEX);
	mine = false;
	mutex_unlock(&mutex);
	if (nr_cpus == 1)
		CHECK((mutex.word & ~MUTEX_CONTENDED) == first, "P5.9",
		      "the mutex is for thread %lx, and its word is %lx", first, mutex.word);
	settle();
}

static void pass(enum kind k)
{
	bool too_late = !next_of(k) && nr_ended(k) > 0;

	if (k == SEMAPHORE) {
		pass_next(k);
		semaphore_post(&semaphore);
	} else if (k == AUTO) {
		pass_next(k);
		event_signal(&events[0]);
	} else if (k == MANUAL) {
		pass_all(k);
		kept[k] = 1;
		event_signal(&events[1]);
	} else if (k == MUTEX) {
		if (mine)
			unlock();
	} else if (test_random() % 3 == 0) {
		pass_all(k);
		condvar_broadcast(&condvar);
	} else {
		pass_next(k);
		condvar_signal(&condvar);
	}
	/* On other CPUs those whose waits have ended may have left before, or not. */
	if ((too_late || k == MANUAL) && nr_cpus > 1)
		settle();
}

static void unsignal(enum kind k)
{
	if (k != AUTO && k != MANUAL)
		return;
	event_unsignal(&events[k - AUTO]);
	kept[k] = 0;
}

/* A poll gets what is kept, and nothing that was for others. */
static void poll(enum kind k)
{
	bool gets = k == MUTEX || kept[k];
	int err;

	if ((k == MUTEX && mine) || (kept[k] && nr_ended(k)))
		return;
	if (k == CONDVAR)
		settle();
	err = wait_for(k, gets && test_random() % 2 ? deadline_at(time_now() - 1) : DEADLINE_POLL);
	CHECK(err == (gets ? 0 : -ETIMEDOUT), passing[k], "%s: a poll returned %d instead of %d",
	      names[k], err, gets ? 0 : -ETIMEDOUT);
	if (k == MUTEX)
		mine = err == 0;
	else if (k != MANUAL && kept[k])
		kept[k]--;
}

/* Adds a thread, which has to wait: what is kept is used up before. */
static void add(void)
{
	static const u8 priorities[] = { PRIORITY_LOW, PRIORITY_DEFAULT, 17, 21, 21, 26 };
	struct subject *s = crowd;
	enum kind k = test_random() % KINDS;

	while (s < &crowd[CROWD] && s->thread)
		s++;
	if (s == &crowd[CROWD])
		return;
	if (k == MANUAL)
		unsignal(k);
	while (kept[k] || (k == MUTEX && !mine))
		poll(k);
	*s = (struct subject){ .kind = k, .d = DEADLINE_NEVER, .place = ++arrivals };
	if (test_random() % 2)
		s->d = deadline_in(FAR + test_random() % FAR);
	s->thread = test_thread(ALL_CPUS, wait_once, s,
				priorities[test_random() % ARRAY_SIZE(priorities)]);
	s->level = s->thread->se.base.level;
	test_blocked(s->thread, names[k]);
}

static void destroy(enum kind k)
{
	settle();
	for (struct subject *s = crowd; s < CROWD_END; s++)
		if (waits(s, k))
			s->error = -EIDRM;
	destroy_object(k);
	for (struct subject *s = crowd; s < CROWD_END; s++) {
		if (!s->thread || s->kind != k)
			continue;
		CHECK(test_join(s->thread, names[k]) == -EIDRM, ending[k],
		      "%s: it was destroyed, and a wait did not return -EIDRM", names[k]);
		s->thread = NULL;
	}
	for (unsigned i = 0; i < 2 && !kept[k]; i++) {
		int err = wait_for(k, i ? DEADLINE_POLL : deadline_in(FAR));

		CHECK(err == -EIDRM, ending[k], "%s: it is destroyed, and a wait returned %d",
		      names[k], err);
	}
	init(k);
}

/* Some steps before anyone else runs, on one CPU: most of them with one object. */
static void act(void)
{
	enum kind most = test_random() % KINDS;

	while (test_random() % 4 && next_of(most))
		end_it(next_of(most));
	for (unsigned n = 1 + test_random() % 6; n > 0; n--) {
		enum kind k = test_random() % 4 ? most : test_random() % KINDS;

		switch (test_random() % 8) {
		case 0:
		case 1:
		case 2:
			end_one(k);
			break;
		case 3:
			unsignal(k);
			break;
		case 4:
			poll(k);
			break;
		default:
			pass(k);
		}
	}
	settle();
}

KTEST(sync_mixed, "sync.mixed", "05.h", "P5.1")
{
	test_stay(ONE_CPU);
	test_priority(PRIORITY_HIGHEST);
	mutex_init(&condition);
	for (enum kind k = 0; k < KINDS; k++)
		init(k);
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (test_random() % 3)
			add();
		else if (test_random() % 10 == 0)
			destroy(test_random() % KINDS);
		else
			act();
	}
	for (enum kind k = 0; k < KINDS; k++)
		destroy(k);
	for (enum kind k = 0; k < KINDS; k++)
		destroy_object(k);
	CHECK(condition.word == 0, "P5.8", "all is over, and the mutex is %lx", condition.word);
	test_priority(PRIORITY_DEFAULT);
	test_stay(ALL_CPUS);
	audit();
}
