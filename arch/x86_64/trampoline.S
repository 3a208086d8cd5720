/*
 * How the other CPUs start: a startup IPI makes them run in real mode at TRAMPOLINE, where smp.c
 * has copied this code. It uses the boot page tables to go to long mode and the upper half, where
 * the CPU finds its struct cpu by its APIC id.
 */
#include "asm.h"

#define HERE(label)	(label - trampoline + TRAMPOLINE)

	.section .rodata
	.globl	trampoline, trampoline_end
	.balign	16
	.code16
trampoline:
	cli
	movw	%cs, %ax
	movw	%ax, %ds
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$(EFER_SCE | EFER_LME | EFER_NXE), %eax
	xorl	%edx, %edx
	wrmsr
	lgdtl	gdt_pointer - trampoline
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0		/* protection and paging at once: long mode */
	ljmpl	$KERNEL_CS, $HERE(long_mode)

	.code64
long_mode:
	movq	$ap_start, %rax
	jmp	*%rax

	.balign	8
gdt:
	.quad	0, 0x00af9b000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	HERE(gdt)
trampoline_end:

	.text
/*
 * Takes the CPU's entry of ap_cpu[] by one exchange, as smp.c does when it gives up: a CPU that
 * comes too late, or was never called, finds nothing and stops.
 */
FUNC ap_start
	movl	$1, %eax
	cpuid
	shrl	$24, %ebx		/* initial APIC id */
	xorl	%edi, %edi
	xchgq	%rdi, ap_cpu(, %rbx, 8)
	testq	%rdi, %rdi
	jz	1f
	movq	kernel_root, %rax
	movq	%rax, %cr3
	movq	CPU_RSP0(%rdi), %rsp	/* smp.c left the top of the idle stack there */
	xorl	%ebp, %ebp
	pushq	$0
	jmp	ap_main
1:	hlt
	jmp	1b
END ap_start

	.section .note.GNU-stack, "", @progbits
