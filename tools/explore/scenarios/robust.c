/*
 * Words of user memory at the end of a thread: locks that it held are marked and passed on (the
 * robust list), and the thread that waits for its end is told (clear_tid).
 *
 * Owner and waiter are two threads of one process, so they have the same memory. The scenario ends
 * when the waiter does; the owner exits or dies on its own.
 */
#include "explore/scenario.h"

#include "explore/tree.h"
#include "process/futex_impl.h"

struct words {
	_Atomic u32 lock, tid;
	struct {			/* Linux's robust_list_head */
		u64 next;
		s64 word_offset;
		u64 pending;
	} head;
	u64 entry;			/* of the lock, and the only one */
};

#define USER	((struct words *)host_user_page)

enum { OWNER_DIED = 1 };

static struct actor waiter;
static struct thread *owner;

/* Makes the owner, which holds the lock when it begins. */
static void make_owner(unsigned cpu, thread_fn entry)
{
	struct process *p = make_child();

	give_memory(p);
	owner = create_in(p, entry, NULL);
	expect(!sched_set_affinity(owner, BIT(cpu)), "CPU %u is not there", cpu);
	USER->lock = owner->tid;
	USER->tid = owner->tid;
	USER->head.next = (u64)&USER->entry;
	USER->head.word_offset = (s64)&USER->lock - (s64)&USER->entry;
	USER->entry = (u64)&USER->head;
}

static int leave(void *unused)
{
	(void)unused;
	return 0;
}

/* Takes the lock as the C library does: returns OWNER_DIED if it was left to it. */
static int take_lock(void)
{
	u32 self = current_thread()->tid, word = 0;

	while (!atomic_compare_exchange_strong(&USER->lock, &word, self)) {
		if (word & FUTEX_DIED) {
			if (atomic_compare_exchange_strong(&USER->lock, &word,
							   self | (word & FUTEX_WAITERS)))
				return OWNER_DIED;
		} else if (atomic_compare_exchange_strong(&USER->lock, &word,
							  word | FUTEX_WAITERS)) {
			futex_wait((vaddr_t)&USER->lock, true, word | FUTEX_WAITERS,
				   FUTEX_BITSET_ALL, DEADLINE_NEVER);
		}
		word = 0;
	}
	return 0;
}

static const char *owner_dead(void)
{
	u32 word = atomic_load(&USER->lock);

	if (waiter.result != OWNER_DIED)
		return wrong("taking the lock returned %d", waiter.result);
	return (word & FUTEX_TID) == (u32)waiter.thread->tid ? NULL : wrong("the word is %x", word);
}

/* The waiter marks the word, or sees that its owner has died. */
SCENARIO(exits, "robust.exit", "", "", .cpus = 2, .after = owner_dead, .keeps = true)
{
	make_owner(0, leave);
	owner->robust_list = (vaddr_t)&USER->head;
	act_in(owner->process, 1, &waiter, take_lock);
	thread_resume(owner);
	end_here();
}

/* The owner dies without running again, or runs and exits: the reaper or itself walks the list. */
SCENARIO(killed, "robust.kill", "", "", .cpus = 2, .after = owner_dead, .keeps = true)
{
	make_owner(1, leave);
	owner->robust_list = (vaddr_t)&USER->head;
	act_in(owner->process, 0, &waiter, take_lock);
	thread_resume(owner);
	thread_kill(owner);
	end_here();
}

/* Unlocks; it is killed before the list no longer names the lock as being released. */
static int unlock_half(void *unused)
{
	(void)unused;
	USER->head.next = (u64)&USER->head;
	if (atomic_exchange(&USER->lock, 0) & FUTEX_WAITERS)
		thread_exit(0);			/* before it wakes a waiter */
	return 0;
}

static const char *lock_free(void)
{
	return waiter.result ? wrong("taking the lock returned %d", waiter.result) : NULL;
}

SCENARIO(pending, "robust.pending", "", "", .cpus = 2, .after = lock_free, .keeps = true)
{
	make_owner(0, unlock_half);
	owner->robust_list = (vaddr_t)&USER->head;
	USER->head.pending = (u64)&USER->entry;
	act_in(owner->process, 1, &waiter, take_lock);
	thread_resume(owner);
	end_here();
}

/* pthread_join() */
static int await_tid(void)
{
	u32 tid;

	while ((tid = atomic_load(&USER->tid)))
		futex_wait((vaddr_t)&USER->tid, true, tid, FUTEX_BITSET_ALL, DEADLINE_NEVER);
	return 0;
}

SCENARIO(clear_tid, "robust.clear_tid", "", "", .cpus = 2, .keeps = true)
{
	make_owner(0, leave);
	owner->clear_tid = (vaddr_t)&USER->tid;
	act_in(owner->process, 1, &waiter, await_tid);
	thread_resume(owner);
	end_here();
}
