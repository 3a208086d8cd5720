/*
 * Lab 05, step 5: a word that other CPUs change all the time. Two threads pass the mutex on without
 * pi_lock, always between a look at the word and the exchange that would mark it.
 */
#include "lent.h"

static struct mutex a = MUTEX_INIT(a);
static struct actor comes, other;

static int lock_it(void)
{
	mutex_lock(&a);
	mutex_unlock(&a);
	return 0;
}

static int unlock_it(void)
{
	mutex_unlock(&a);
	return 0;
}

static const char *all_free(void)
{
	return atomic_load(&a.word) ? wrong("the word of the mutex is %lx", atomic_load(&a.word))
				    : NULL;
}

/*
 * The current thread and the other one pass the mutex on, until an urgent one waits for it. Which
 * of them has it then depends on how often that one has tried, and is what the word says.
 */
static struct thread *pass_on(unsigned times)
{
	struct thread *t = thread_create("other", act, &other, PRIORITY_DEFAULT);

	other.run = unlock_it;
	other.thread = t;
	mutex_lock(&a);
	comes.urgent = true;
	host_contend_with(&a.word, (u64)t, times);
	act_on(0, &comes, lock_it);
	await_blocked(&comes);
	host_contend_with(NULL, 0, 0);
	return (struct thread *)(atomic_load(&a.word) & ~MUTEX_CONTENDED);
}

static void unlock_by(struct thread *owner)
{
	if (owner == other.thread)
		start_actor(&other, owner);
	else
		mutex_unlock(&a);
	end_here();
}

/* However often that happens, the thread does not wait without the mark. */
SCENARIO(often, "mutex.passed_on_often", "05.5", "P5.8", .cpus = 1, .quiet = true,
	 .after = all_free, .keeps = true, .no_costume = true)
{
	unlock_by(pass_on(900));	/* twice 900: a loop that spins has 2,000 rounds */
}

/* It is the last owner that inherits, whoever was seen before. */
SCENARIO(once, "mutex.passed_on", "05.5", "P5.6", .cpus = 1, .quiet = true, .after = all_free,
	 .keeps = true, .no_costume = true)
{
	struct thread *owner = pass_on(1);

	expect_lent(&a, owner, &comes);
	unlock_by(owner);
}
