/* Boots and ends its machine with status 33: tools/probe.py tests compilers with it. */

void start(void);

#ifdef __riscv
void start(void)
{
	*(volatile unsigned int *)0x100000 = 33 << 16 | 0x3333;		/* the test device */
	for (;;)
		;
}
#else
/* Entered by PVH in 32-bit mode, where these few instructions mean the same. */
__asm__(".pushsection .note, \"a\", @note\n"
	".long 4, 4, 18\n"
	".asciz \"Xen\"\n"
	".long start\n"
	".popsection");

void start(void)
{
	__asm__ volatile("outl %0, %1" : : "a"(16), "d"((unsigned short)0xf4));	/* isa-debug-exit */
	for (;;)
		;
}
#endif
