/*
 * The library's knowledge of riscv64: how to call the kernel and where a thread's own data
 * lies.
 *
 * Thread-local storage is "variant I": tp points at the thread's copy of the TLS image, and struct
 * pthread lies right below it.
 *
 *	struct pthread | TLS image
 *	               ^ tp
 */
#pragma once

#include <stdbool.h>

static const bool tls_above_tp = true;

static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long a7 __asm__("a7") = n;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
}

static inline long sys3(long n, long a, long b, long c)
{
	register long a7 __asm__("a7") = n;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
	return a0;
}

static inline void *thread_pointer(void)
{
	void *tp;

	__asm__("mv %0, tp" : "=r"(tp));
	return tp;
}

static inline void set_thread_pointer(void *tp)
{
	__asm__ volatile("mv tp, %0" : : "r"(tp) : "memory");
}

/* The kernel's struct sigaction. A handler returns through a page of the kernel's: no restorer. */
struct kernel_sigaction {
	void *handler;
	unsigned long flags, mask;
	unsigned long unused;		/* QEMU's emulation of user programs writes this field */
};

static inline void set_restorer(struct kernel_sigaction *k)
{
	(void)k;
}
