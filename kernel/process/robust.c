/*
 * The end of a thread, as user space sees it: the word at clear_tid is zeroed and its waiter woken,
 * and locks that the thread held are marked as abandoned, each with one waiter woken.
 *
 * The robust list is in user memory: the locks held, each with its word at a fixed offset. Nothing
 * in it is trusted; a list that loops or has a bad address ends the walk. PI locks (bit 0 of an
 * entry) are marked here and passed on by futex_pi_exit(), which also knows those that are not
 * robust.
 */
#include "futex_impl.h"
#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "thread/thread.h"

#define IS_PI		1UL		/* in a list entry */
#define ROBUST_MAX	2048		/* a list that is longer has been tampered with */

struct robust_list_head {
	vaddr_t next;			/* the last entry points back here */
	s64 word_offset;		/* from an entry to its lock's word */
	vaddr_t pending;		/* the lock being taken or released when the thread died */
};

/* Marks a lock that the dying thread owns as abandoned and wakes one of its waiters. */
static void abandon_lock(vaddr_t uaddr, tid_t tid, bool pi, bool pending)
{
	u32 word, seen;

	if (uaddr % sizeof(u32) || !user_range_ok(uaddr, sizeof(u32)))
		return;
	if (copy_from_user(&word, uaddr, sizeof(word)))
		return;
	while ((word & FUTEX_TID) == (u32)tid) {
		u32 abandoned = (word & FUTEX_WAITERS) | FUTEX_DIED;

		if (arch_user_cmpxchg32((u32 *)uaddr, word, abandoned, &seen))
			return;
		if (seen == word) {
			if ((word & FUTEX_WAITERS) && !pi)
				futex_wake(uaddr, true, 1, FUTEX_BITSET_ALL);
			return;
		}
		word = seen;
	}
	/* The thread died after it unlocked and before it woke a waiter. */
	if (pending && !pi && !word)
		futex_wake(uaddr, true, 1, FUTEX_BITSET_ALL);
}

static void walk_robust_list(struct thread *t)
{
	struct robust_list_head head;
	vaddr_t entry, next, pending;

	if (copy_from_user(&head, t->robust_list, sizeof(head)))
		return;
	pending = head.pending & ~IS_PI;
	entry = head.next;
	for (unsigned n = 0; n < ROBUST_MAX && (entry & ~IS_PI) != t->robust_list; n++) {
		vaddr_t at = entry & ~IS_PI;
		/* Read before the lock is given up: its next holder may change the list. */
		bool more = !copy_from_user(&next, at, sizeof(next));

		if (at != pending)
			abandon_lock(at + head.word_offset, t->tid, entry & IS_PI, false);
		if (!more)
			return;
		entry = next;
	}
	if (pending)
		abandon_lock(pending + head.word_offset, t->tid, head.pending & IS_PI, true);
}

/*
 * Checks whether no other thread can see the memory of @p: none is left, or all are dying. Only one
 * of them could give it to another process, so they are counted first.
 */
static bool unobserved(struct process *p)
{
	return (p->nr_threads == 1 || process_state(p) != PROCESS_ALIVE) &&
	       atomic_load(&p->as->refs) == 1;
}

static void enter(struct addr_space *as)
{
	irq_off();
	current_thread()->as = as;
	as_switch(as);
	irq_on();
}

void futex_thread_exit(struct thread *t)
{
	/* A word that nobody can read is not written: that spares a forked child a page copy. */
	bool tell = t->clear_tid && !unobserved(t->process);
	u32 zero = 0;

	enter(t->as);		/* the reaper does this for a thread that will not run again */
	if (t->robust_list)
		walk_robust_list(t);
	futex_pi_exit(t);	/* after the words say that it died */
	if (tell && !copy_to_user(t->clear_tid, &zero, sizeof(zero)))
		futex_wake(t->clear_tid, true, 1, FUTEX_BITSET_ALL);
	enter(NULL);		/* from here on the last thread to leave can free the space */
	t->robust_list = 0;
	t->clear_tid = 0;
}
