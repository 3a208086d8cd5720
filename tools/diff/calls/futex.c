/* Futexes: waiting, waking, requeueing, errors; robust lists; membarrier. */
#include <stddef.h>

#include "diff.h"

static unsigned *word, *other;

static void words(void)
{
	word = (unsigned *)pages(1, PROT_READ | PROT_WRITE, MAP_SHARED);
	other = word + 1;
}

CASE(wait_errors)
{
	words();
	T(futex, word, FUTEX_WAIT, 1, NULL, NULL, 0);
	T(futex, word, FUTEX_WAIT, 0, ts(0, 0), NULL, 0);
	T(futex, word, FUTEX_WAIT, 0, ts(0, 1000), NULL, 0);
	T(futex, word, FUTEX_WAIT, 0, ts(-1, 0), NULL, 0);
	T(futex, word, FUTEX_WAIT, 0, ts(0, 1000000000), NULL, 0);
	T(futex, word, FUTEX_WAIT, 1, ts(-1, 0), NULL, 0);
	T(futex, word, FUTEX_WAIT, 0, BAD, NULL, 0);
	T(futex, (char *)word + 1, FUTEX_WAIT, 0, NULL, NULL, 0);
	T(futex, BAD, FUTEX_WAIT, 0, NULL, NULL, 0);
	T(futex, NULL, FUTEX_WAIT, 0, NULL, NULL, 0);
	T(futex, word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	T(futex, word, FUTEX_WAIT_BITSET, 0, ts(0, 1), NULL, 0);
	T(futex, word, FUTEX_WAIT_BITSET, 0, ts(0, 1), NULL, -1);
	T(futex, word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, ts(1, 0), NULL, -1);
	T(futex, word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, ts(0, 1), NULL, 0);
	T(futex, word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0);
	T(futex, word, FUTEX_FD, 0, NULL, NULL, 0);
	T(futex, word, 99, 0, NULL, NULL, 0);
}

CASE(wake_errors)
{
	words();
	T(futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	T(futex, word, FUTEX_WAKE, -1, NULL, NULL, 0);
	T(futex, word, FUTEX_WAKE, 0, NULL, NULL, 0);
	T(futex, (char *)word + 2, FUTEX_WAKE, 1, NULL, NULL, 0);
	T(futex, BAD, FUTEX_WAKE, 1, NULL, NULL, 0);
	T(futex, BAD, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	T(futex, word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0);
	T(futex, word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 1);
	T(futex, word, FUTEX_REQUEUE, 1, 1, other, 0);
	T(futex, word, FUTEX_CMP_REQUEUE, 1, 1, other, 1);
	T(futex, word, FUTEX_CMP_REQUEUE, 1, 1, other, 0);
	T(futex, word, FUTEX_REQUEUE, -1, 1, other, 0);
	T(futex, word, FUTEX_REQUEUE, 1, -1, other, 0);
	T(futex, word, FUTEX_REQUEUE, 1, 1, BAD, 0);
	T(futex, word, FUTEX_REQUEUE, 1, 1, (char *)other + 1, 0);
}

CASE(wake_op)
{
	words();
	*other = 5;
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 1 << 28 | 3 << 12);
	V(*other);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 0 << 28 | 7 << 12);
	V(*other);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 2 << 28 | 8 << 12);
	V(*other);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 3 << 28 | 2 << 12);
	V(*other);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 4 << 28 | 1 << 12);
	V(*other);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 8U << 28 | 1U << 28 | 4 << 12);
	V(*other);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 5 << 28);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 7 << 24);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, BAD, 0);
}

/* A child that waits at @at, and says how that ended. */
static pid_t waiter(unsigned *at, int bitset)
{
	pid_t pid = child();

	if (!pid)
		end(-R(futex, at, FUTEX_WAIT_BITSET, 0, NULL, NULL, bitset));
	await_blocked(pid);
	return pid;
}

CASE(wake_op_wakes_so_many)
{
	pid_t a, b, c;

	words();
	a = waiter(word, -1);
	b = waiter(other, -1);
	c = waiter(other, -1);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 1 << 28 | 0 << 12);
	W(reap(a));
	T(futex, other, FUTEX_WAKE, 10, NULL, NULL, 0);
	W(reap(b));
	W(reap(c));
}

CASE(wakes_one_of_two)
{
	pid_t a, b;

	words();
	a = waiter(word, -1);
	b = waiter(word, -1);
	T(futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	W(reap(a));
	T(futex, word, FUTEX_WAKE, 10, NULL, NULL, 0);
	W(reap(b));
}

CASE(wake_zero_wakes_one)
{
	pid_t a;

	words();
	a = waiter(word, -1);
	T(futex, word, FUTEX_WAKE, 0, NULL, NULL, 0);
	T(futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	W(reap(a));
}

CASE(bitset_chooses)
{
	pid_t a, b;

	words();
	a = waiter(word, 1);
	b = waiter(word, 6);
	T(futex, word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 8);
	T(futex, word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 2);
	W(reap(b));
	T(futex, word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 1);
	W(reap(a));
}

CASE(requeue)
{
	pid_t a, b, c;

	words();
	a = waiter(word, -1);
	b = waiter(word, -1);
	c = waiter(word, -1);
	T(futex, word, FUTEX_REQUEUE, 1, 1, other, 0);
	W(reap(a));
	T(futex, other, FUTEX_WAKE, 10, NULL, NULL, 0);
	W(reap(b));
	T(futex, word, FUTEX_WAKE, 10, NULL, NULL, 0);
	W(reap(c));
}

CASE(cmp_requeue)
{
	pid_t a, b;

	words();
	a = waiter(word, -1);
	b = waiter(word, -1);
	T(futex, word, FUTEX_CMP_REQUEUE, 1, 5, other, 0);
	W(reap(a));
	T(futex, other, FUTEX_WAKE, 10, NULL, NULL, 0);
	W(reap(b));
}

CASE(only_readable)
{
	unsigned *shared = (unsigned *)pages(1, PROT_READ, MAP_SHARED);
	unsigned *own = (unsigned *)pages(1, PROT_READ, MAP_PRIVATE);

	T(futex, shared, FUTEX_WAIT, 1, NULL, NULL, 0);
	T(futex, shared, FUTEX_WAIT, 0, ts(0, 1000), NULL, 0);
	T(futex, shared, FUTEX_WAKE, 1, NULL, NULL, 0);
	T(futex, shared, FUTEX_WAKE_OP, 1, 1, shared, 1 << 28 | 3 << 12);
	T(futex, shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	T(futex, own, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	T(futex, own, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, own, 1 << 28 | 3 << 12);
	T(futex, own, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
}

/* The word is in a page that nobody has touched. */
CASE(requeue_pi_compares)
{
	unsigned *w = (unsigned *)pages(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	T(futex, w, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, 0, w + 1, 5);
	T(futex, w, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, 0, w + 1, 0);
	T(futex, w, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 2, 0, w + 1, 0);
	T(futex, w, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, 0, w, 0);
	T(futex, BAD, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, 0, w, 0);
}

/* The one who waits is in the bucket of some of these words, but not on any of them. */
CASE(requeue_pi_leaves_others)
{
	unsigned *w = (unsigned *)pages(8, PROT_READ | PROT_WRITE, MAP_SHARED);
	int moved = 0, failed = 0;
	pid_t pid = waiter(w, -1);

	for (int i = 2; i < 8 * PAGE / 4; i++) {
		long r = R(futex, w + i, FUTEX_CMP_REQUEUE_PI, 1, 10, w + 1, 0);

		moved += r > 0;
		failed += r < 0;
	}
	V(moved);
	V(failed);
	T(futex, w, FUTEX_WAKE, 1, NULL, NULL, 0);
	W(reap(pid));
}

CASE(interrupted)
{
	words();
	on(SIGUSR1, 0);
	poke(SIGUSR1);
	T(futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
	V(hits[SIGUSR1]);
}

CASE(private_and_shared_are_apart)
{
	pid_t a;

	words();
	a = waiter(word, -1);
	T(futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	T(futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	W(reap(a));
}

CASE(pi_errors)
{
	words();
	T(futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	V((pid_t)*word == getpid());
	T(futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	T(futex, word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
	T(futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	V(*word);
	T(futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	T(futex, word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
	*word = 0x3ffffff0;
	T(futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	T(futex, word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
	T(futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	T(futex, BAD, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	T(futex, (char *)word + 1, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

/* The child waits for a lock that we have: nothing but its unlock may wake it. */
CASE(wake_op_of_a_lock)
{
	pid_t pid;

	words();
	Q(futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	pid = child();
	if (!pid)
		end(-R(futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	await_blocked(pid);
	T(futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	T(futex, word, FUTEX_WAKE_OP, 1, 1, other, 1 << 28);
	T(futex, other, FUTEX_WAKE_OP, 1, 1, word, 3 << 28 | 1 << 24);
	T(futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	W(reap(pid));
}

CASE(robust_list)
{
	void *head;
	size_t size = 0;

	T(set_robust_list, buf, 24);
	T(set_robust_list, buf, 23);
	T(set_robust_list, buf, 0);
	T(get_robust_list, 0, &head, &size);
	V(head == buf);
	V(size);
	T(get_robust_list, 0x7fffffff, &head, &size);
	T(get_robust_list, -1, &head, &size);
	T(get_robust_list, 0, BAD, &size);
	T(get_robust_list, 0, &head, BAD);
}

#define ROBUST_LIMIT 2048 /* the kernel looks at so many */

struct robust_lock {
	struct robust_lock *next;
	unsigned word;
};

struct robust_head {
	struct robust_lock *first;
	long offset;
	struct robust_lock *pending;
};

/* It died between unlocking and waking: one of the waiters is woken in its place. */
CASE(robust_pending)
{
	struct robust_head *head = (void *)pages(1, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct robust_lock *l = (void *)(head + 1);

	waiter(&l->word, -1);
	waiter(&l->word, -1);
	if (!child()) {
		head->first = (void *)head;
		head->offset = offsetof(struct robust_lock, word);
		head->pending = l;
		Q(set_robust_list, head, sizeof(*head));
		end(0);
	}
	W(reap(-1));
	W(reap(-1));
	H(l->word);
	T(futex, &l->word, FUTEX_WAKE, 10, NULL, NULL, 0);
	W(reap(-1));
}

/* The pending lock is one with a priority: a plain waiter at its word is not woken. */
CASE(robust_pending_pi)
{
	struct robust_head *head = (void *)pages(1, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct robust_lock *l = (void *)(head + 1);
	pid_t pid = waiter(&l->word, -1), dies = child();

	if (!dies) {
		head->first = (void *)head;
		head->offset = offsetof(struct robust_lock, word);
		head->pending = (void *)((char *)l + 1);
		Q(set_robust_list, head, sizeof(*head));
		end(0);
	}
	W(reap(dies));
	H(l->word);
	T(futex, &l->word, FUTEX_WAKE, 10, NULL, NULL, 0);
	W(reap(pid));
}

CASE(robust_crowd)
{
	struct robust_head *head = (void *)pages(10, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct robust_lock *l = (void *)(head + 1);

	if (!child()) {
		for (int i = 0; i <= ROBUST_LIMIT; i++) {
			l[i].next = &l[i + 1];
			l[i].word = getpid();
		}
		l[ROBUST_LIMIT].next = (void *)head;
		head->first = l;
		head->offset = offsetof(struct robust_lock, word);
		Q(set_robust_list, head, sizeof(*head));
		end(0);
	}
	W(reap(-1));
	H(l[0].word);
	H(l[ROBUST_LIMIT - 1].word);
	V(l[ROBUST_LIMIT].word & 0x40000000);
}

CASE(membarrier)
{
	V(R(membarrier, 0, 0, 0) > 0);
	T(membarrier, 0, 1, 0);
	T(membarrier, 1 << 20, 0, 0);
	T(membarrier, 8, 0, 0);
	T(membarrier, 16, 0, 0);
	T(membarrier, 8, 0, 0);
	T(membarrier, 1, 0, 0);
}
