/*
 * The result of system calls, futexes, and the lock that guards the library's own data.
 *
 * The lock's word: 0 free, 1 held, 2 held and a thread may sleep. A thread that finds it taken
 * writes 2 before it sleeps, so an unlock that finds 1 has nobody to wake (Drepper, "Futexes Are
 * Tricky", 2011).
 */
#include <stdarg.h>
#include <unistd.h>

#include "libc.h"

long __result(long r)
{
	if ((unsigned long)r > -4096UL) {
		errno = -r;
		return -1;
	}
	return r;
}

long syscall(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return call6(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int __futex_wait(void *word, int value, clockid_t clock, const struct timespec *deadline,
		 bool shared)
{
	int op = FUTEX_WAIT_BITSET;	/* unlike FUTEX_WAIT, it takes an absolute time */
	long r;

	if (!shared)
		op |= FUTEX_PRIVATE_FLAG;
	if (clock == CLOCK_REALTIME)
		op |= FUTEX_CLOCK_REALTIME;
	r = sys6(SYS_futex, (long)word, op, value, (long)deadline, 0, FUTEX_BITSET_MATCH_ANY);
	return r == -ETIMEDOUT || r == -EINVAL ? -r : 0;
}

void __lock(int *word)
{
	_Atomic int *w = (_Atomic int *)word;
	int seen = 0;

	if (atomic_compare_exchange_strong_explicit(w, &seen, 1, memory_order_acquire,
						    memory_order_relaxed))
		return;
	while (atomic_exchange_explicit(w, 2, memory_order_acquire))
		__futex_wait(word, 2, CLOCK_MONOTONIC, NULL, false);
}

void __unlock(int *word)
{
	/* After the exchange the word's memory may be freed: only its address is used. */
	if (atomic_exchange_explicit((_Atomic int *)word, 0, memory_order_release) == 2)
		__futex_wake(word, 1, false);
}
