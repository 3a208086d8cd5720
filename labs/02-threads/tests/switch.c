/*
 * Lab 02, step 3: the switch keeps what a call keeps, and threads take turns.
 */
#include "ktest.h"
#include "thread.h"

#define ROUNDS		200
#define THREADS		3

/*
 * Twelve values that live across the switch: more than either port has registers that survive a
 * call, so all of those are in use. The compiler must not know the values.
 */
static int keep_registers(void *arg)
{
	volatile u64 seed = (u64)arg;
	u64 a = seed + 1, b = seed + 2, c = seed + 3, d = seed + 4, e = seed + 5, f = seed + 6;
	u64 g = seed + 7, h = seed + 8, i = seed + 9, j = seed + 10, k = seed + 11, l = seed + 12;

	for (unsigned n = 0; n < ROUNDS; n++) {
		thread_yield();
		a += b, b += c, c += d, d += e, e += f, f += g;
		g += h, h += i, i += j, j += k, k += l, l += 1;
	}
	return (int)((a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j ^ k ^ l) & 0x7fffffff);
}

/* The same sum without a switch in between. */
static int expected_sum(u64 seed)
{
	u64 v[12];

	for (unsigned i = 0; i < 12; i++)
		v[i] = seed + 1 + i;
	for (unsigned n = 0; n < ROUNDS; n++)
		for (unsigned i = 0; i < 12; i++)
			v[i] += i < 11 ? v[i + 1] : 1;
	for (unsigned i = 1; i < 12; i++)
		v[0] ^= v[i];
	return (int)(v[0] & 0x7fffffff);
}

static _Atomic unsigned finished;
static int sums[THREADS];

static int keep_and_tell(void *arg)
{
	u64 me = (u64)arg;

	sums[me] = keep_registers((void *)(me * 1000003));
	finished++;
	for (;;)		/* exit is step 4's */
		thread_yield();
	return 0;
}

KTEST(switch_registers, "switch.registers", "02.3", "P2.3")
{
	struct thread *t[THREADS];

	finished = 0;
	for (u64 i = 0; i < THREADS; i++) {
		t[i] = thread_create("keeper", keep_and_tell, (void *)i, PRIORITY_DEFAULT);
		REQUIRE(t[i], "P2.3", "no thread was made");
		thread_resume(t[i]);
	}
	while (finished < THREADS)
		thread_yield();
	for (u64 i = 0; i < THREADS; i++)
		CHECK(sums[i] == expected_sum(i * 1000003), "P2.3",
		      "thread %lu computed %d over %u switches, without switches it is %d", i,
		      sums[i], ROUNDS, expected_sum(i * 1000003));
}
