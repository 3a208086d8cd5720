/*
 * memcpy, memmove and memset for riscv64: eight bytes at a time, eight times a turn.
 *
 * Addresses are aligned first, because the instruction set does not promise cheap misaligned
 * access. When source and destination are misaligned to each other, two aligned words of the source
 * are shifted together into each word of the destination. This may read bytes beside the source,
 * but only in an aligned word that holds bytes of it, hence in the same page.
 */
#include <stdint.h>
#include <string.h>

typedef uint64_t __attribute__((may_alias)) word;

#define MISALIGNED(p)	((uintptr_t)(p) % sizeof(word))

/*
 * Copies between aligned addresses; overlap is safe as long as d < s. Returns how many bytes are
 * left.
 */
static size_t copy_aligned(word *d, const word *s, size_t n)
{
	for (; n >= 64; n -= 64, d += 8, s += 8) {
		word w0 = s[0], w1 = s[1], w2 = s[2], w3 = s[3];
		word w4 = s[4], w5 = s[5], w6 = s[6], w7 = s[7];

		d[0] = w0, d[1] = w1, d[2] = w2, d[3] = w3;
		d[4] = w4, d[5] = w5, d[6] = w6, d[7] = w7;
	}
	for (; n >= 8; n -= 8)
		*d++ = *s++;
	return n;
}

/* Copies to an aligned @d from a misaligned @s. Returns how many bytes are left. */
static size_t copy_shifted(word *d, const char *s, size_t n)
{
	unsigned shift = 8 * MISALIGNED(s);
	const word *from = (const word *)(s - MISALIGNED(s));
	word low = *from++;

	for (; n >= 8; n -= 8) {
		word high = *from++;

		*d++ = low >> shift | high << (64 - shift);
		low = high;
	}
	return n;
}

static void copy_forward(char *d, const char *s, size_t n)
{
	size_t left;

	if (n >= 16) {
		for (; MISALIGNED(d); n--)
			*d++ = *s++;
		left = MISALIGNED(s) ? copy_shifted((word *)d, s, n)
				     : copy_aligned((word *)d, (const word *)s, n);
		d += n - left;
		s += n - left;
		n = left;
	}
	while (n--)
		*d++ = *s++;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	copy_forward(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	char *d = (char *)dst + n;
	const char *s = (const char *)src + n;

	if ((uintptr_t)dst - (uintptr_t)src >= n) {	/* dst does not start inside src */
		copy_forward(dst, src, n);
		return dst;
	}
	if (MISALIGNED(d) == MISALIGNED(s)) {
		for (; n && MISALIGNED(d); n--)
			*--d = *--s;
		for (; n >= 8; n -= 8) {
			d -= 8, s -= 8;
			*(word *)d = *(const word *)s;
		}
	}
	while (n--)
		*--d = *--s;
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	word w = (unsigned char)c * 0x0101010101010101UL;
	char *d = dst;

	if (n >= 16) {
		for (; MISALIGNED(d); n--)
			*d++ = c;
		for (; n >= 64; n -= 64, d += 64) {
			word *to = (word *)d;

			to[0] = w, to[1] = w, to[2] = w, to[3] = w;
			to[4] = w, to[5] = w, to[6] = w, to[7] = w;
		}
		for (; n >= 8; n -= 8, d += 8)
			*(word *)d = w;
	}
	while (n--)
		*d++ = c;
	return dst;
}
