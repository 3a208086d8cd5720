/*
 * Calls into the firmware (RISC-V Supervisor Binary Interface 0.3 or later): what a supervisor may
 * not do itself. A call keeps all registers but a0 and a1, where its error and value come back.
 *
 * A set of harts is a bit mask from hart 0: harts above 63 are not started (smp.c).
 */
#pragma once

#include "types.h"

void sbi_set_timer(u64 ticks);			/* this hart's, absolute; also ends a pending one */
void sbi_send_ipi(u64 harts);

/* Returns when every hart in @harts has done it. size ~0: all of the address space. */
void sbi_remote_sfence_vma(u64 harts, vaddr_t start, u64 size);

/* The hart enters at physical address @pc with a0 = @hart, translation off. */
bool sbi_hart_start(u64 hart, paddr_t pc);

/* Returns only if the firmware cannot do it. */
void sbi_system_reset(bool reboot);
