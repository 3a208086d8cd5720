/*
 * memcpy, memmove and memset for x86_64: the string instructions, by words and then by bytes. The
 * ABI keeps the direction flag clear; copying downwards sets it only while it copies.
 */
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	void *d = dst;
	const void *s = src;
	size_t words = n / 8, bytes = n % 8;

	__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(bytes) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	char *d = (char *)dst + n - 1;
	const char *s = (const char *)src + n - 1;
	size_t words = n / 8, bytes = n % 8;

	if ((uintptr_t)dst - (uintptr_t)src >= n)	/* dst does not start inside src */
		return memcpy(dst, src, n);
	__asm__ volatile("std\n\t"
			 "rep movsb\n\t"
			 "subq $7, %%rsi\n\t"		/* from the last byte to the last word */
			 "subq $7, %%rdi\n\t"
			 "movq %3, %%rcx\n\t"
			 "rep movsq\n\t"
			 "cld"
			 : "+D"(d), "+S"(s), "+c"(bytes)
			 : "r"(words)
			 : "memory");
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	void *d = dst;
	size_t words = n / 8, bytes = n % 8;
	uint64_t w = (unsigned char)c * 0x0101010101010101UL;

	__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(w) : "memory");
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(w) : "memory");
	return dst;
}
