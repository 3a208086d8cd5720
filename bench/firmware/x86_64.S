/*
 * A payload in place of the kernel: prints the cost of the firmware, as 16 hexadecimal digits on
 * the serial port, and powers off. It is entered by PVH, in 32-bit mode.
 */
#define SERIAL		0x3f8
#define DEBUG_EXIT	0xf4
#define POWER_OFF	16		/* status 33 */
#define PVH_ENTRY	18
#define LOW_MEMORY	0x8000		/* free, for a stack of one word */

	.code32
	.globl start
start:
	rdtsc
	movl	$LOW_MEMORY, %esp
	movl	%eax, %esi
	movl	%edx, %ebx
	call	print
	movl	%esi, %ebx
	call	print
	movl	$POWER_OFF, %eax
	outl	%eax, $DEBUG_EXIT
1:	hlt
	jmp	1b

/* %ebx, eight digits. */
print:
	movl	$8, %ecx
	movl	$SERIAL, %edx
2:	roll	$4, %ebx
	movl	%ebx, %eax
	andl	$15, %eax
	movb	digits(%eax), %al
	outb	%al, %dx
	loop	2b
	ret

digits:
	.ascii	"0123456789abcdef"

	.section .note.Xen, "a", @note
	.long	4, 4, PVH_ENTRY
	.asciz	"Xen"
	.long	start
