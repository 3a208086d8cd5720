/*
 * The library's knowledge of x86_64: how to call the kernel and where a thread's own data
 * lies.
 *
 * Thread-local storage is "variant II": fs points at struct pthread, whose first word is its own
 * address, and the thread's copy of the TLS image ends right below it.
 *
 *	TLS image | struct pthread
 *	          ^ fs
 */
#pragma once

#include <stdbool.h>
#include <sys/syscall.h>

static const bool tls_above_tp = false;

static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"	/* saves rip in rcx and the flags in r11 */
			 : "+a"(n)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return n;
}

static inline long sys3(long n, long a, long b, long c)
{
	__asm__ volatile("syscall"
			 : "+a"(n)
			 : "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return n;
}

static inline void *thread_pointer(void)
{
	void *tp;

	__asm__("movq %%fs:0, %0" : "=r"(tp));
	return tp;
}

#define ARCH_SET_FS	0x1002

static inline void set_thread_pointer(void *tp)
{
	sys3(SYS_arch_prctl, ARCH_SET_FS, (long)tp, 0);
}

/*
 * The kernel's struct sigaction. A handler returns into the restorer, which must call rt_sigreturn.
 */
struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

#define SA_RESTORER	0x04000000

void __signal_return(void);

static inline void set_restorer(struct kernel_sigaction *k)
{
	k->flags |= SA_RESTORER;
	k->restorer = __signal_return;
}
