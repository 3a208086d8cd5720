/*
 * The kernel's entry: PVH, 32-bit flat protected mode without paging; EBX points at the start info.
 *
 * Turns on long mode with page tables that map the low 4 GiB three times: at their own addresses,
 * for the code here and on CPUs that start; at the kernel's image; and in the direct map. Then
 * boot_main(), on the boot stack in the upper half, makes the real tables and leaves these.
 */
#include "asm.h"

	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 8, 18		/* name and descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	boot_entry

	.section .boot, "ax"
	.code32
FUNC boot_entry
	cli
	cld
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$EFER_LME, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0		/* paging on: long mode, still in a 32-bit segment */
	lgdt	boot_gdt_pointer
	ljmp	$KERNEL_CS, $boot_long

	.code64
boot_long:
	movq	$boot_stack_top, %rsp
	movl	%ebx, %edi
	xorl	%ebp, %ebp		/* a backtrace ends here */
	pushq	$0
	movq	$boot_main, %rax
	jmp	*%rax
END boot_entry

	.balign	8
boot_gdt:
	.quad	0, 0x00af9b000000ffff	/* 64-bit code */
boot_gdt_pointer:
	.word	. - boot_gdt - 1
	.long	boot_gdt

	.balign	4096
	.globl	boot_pml4
boot_pml4:
	.quad	boot_pdpt + 3
	.fill	255, 8, 0
	.quad	boot_pdpt + 3		/* ARCH_DIRECT_BASE */
	.fill	254, 8, 0
	.quad	boot_pdpt_image + 3
boot_pdpt:
	.quad	boot_pd + 3, boot_pd + 0x1003, boot_pd + 0x2003, boot_pd + 0x3003
	.fill	508, 8, 0
boot_pdpt_image:
	.fill	510, 8, 0
	.quad	boot_pd + 3, 0		/* IMAGE_BASE */
boot_pd:
	.set	block, 0
	.rept	2048
	.quad	block + 0x83		/* present, writable, 2 MiB */
	.set	block, block + 0x200000
	.endr

/* The boot CPU's idle stack; mmu.c does not map the page below it. */
	.section .bss, "aw", @nobits
	.balign	4096
	.globl	boot_stack_guard, boot_stack, boot_stack_top
boot_stack_guard:
	.skip	4096
boot_stack:
	.skip	0x4000
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
