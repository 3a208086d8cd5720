/*
 * The function that compiled code calls for __builtin_ctz() on a machine that has no instruction
 * for it (rv64imac).
 */
#include "types.h"

int __ctzdi2(u64 x);

/* Counts trailing zeros by halving the range of the lowest set bit. Undefined for 0. */
int __ctzdi2(u64 x)
{
	int n = 0;

	for (int half = 32; half; half /= 2) {
		if (!(x & ((1UL << half) - 1))) {
			x >>= half;
			n += half;
		}
	}
	return n;
}
