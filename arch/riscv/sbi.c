/*
 * Calls into the firmware: see sbi.h. Extensions are numbered by the ASCII codes of their names.
 */
#include "sbi.h"

#define EXT_TIME	0x54494d45
#define EXT_IPI		0x735049
#define EXT_RFENCE	0x52464e43
#define EXT_HSM		0x48534d
#define EXT_RESET	0x53525354

/* Makes a call and returns its error, 0 for success. */
static long sbi_call(u64 extension, u64 function, u64 arg0, u64 arg1, u64 arg2, u64 arg3)
{
	register u64 a0 __asm__("a0") = arg0;
	register u64 a1 __asm__("a1") = arg1;
	register u64 a2 __asm__("a2") = arg2;
	register u64 a3 __asm__("a3") = arg3;
	register u64 a6 __asm__("a6") = function;
	register u64 a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			 : "memory");
	return (long)a0;
}

void sbi_set_timer(u64 ticks)
{
	sbi_call(EXT_TIME, 0, ticks, 0, 0, 0);
}

void sbi_send_ipi(u64 harts)
{
	sbi_call(EXT_IPI, 0, harts, 0, 0, 0);
}

void sbi_remote_sfence_vma(u64 harts, vaddr_t start, u64 size)
{
	sbi_call(EXT_RFENCE, 1, harts, 0, start, size);
}

bool sbi_hart_start(u64 hart, paddr_t pc)
{
	return sbi_call(EXT_HSM, 0, hart, pc, 0, 0) == 0;
}

void sbi_system_reset(bool reboot)
{
	sbi_call(EXT_RESET, 0, reboot ? 1 : 0, 0, 0, 0);
}
