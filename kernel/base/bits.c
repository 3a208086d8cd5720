/*
 * Called by the compiler's code for __builtin_ctz() on a machine without such an instruction
 * (rv64imac).
 */
#include "types.h"

int __ctzdi2(u64 x);

/* Undefined for 0, like the builtin. Halves the range that holds the lowest set bit. */
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
