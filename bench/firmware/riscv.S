/*
 * A payload in place of the kernel: prints the cost of the firmware, as 16 hexadecimal digits on
 * the console, and powers off.
 */
#define SBI_PUTCHAR	1
#define TEST_DEVICE	0x100000
#define POWER_OFF	0x213333	/* status 33 */

	.globl start
start:
	rdinstret s0
	li	s1, 16
1:	srli	a0, s0, 60
	slli	s0, s0, 4
	addi	a0, a0, '0'
	li	t0, '9'
	ble	a0, t0, 2f
	addi	a0, a0, 'a' - '9' - 1
2:	li	a7, SBI_PUTCHAR
	ecall
	addi	s1, s1, -1
	bnez	s1, 1b
	li	t0, TEST_DEVICE
	li	t1, POWER_OFF
	sw	t1, 0(t0)
3:	j	3b
