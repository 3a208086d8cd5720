/*
 * Calls into the firmware (RISC-V Supervisor Binary Interface 0.3 or later), for what a supervisor
 * may not do itself. A call returns its error and value in a0 and a1 and keeps all other registers.
 *
 * A set of harts is a bit mask from hart 0: harts above 63 are not started (smp.c).
 */
#pragma once

#include "types.h"

void sbi_set_timer(u64 ticks);		/* of this hart, absolute; clears a pending interrupt */
void sbi_send_ipi(u64 harts);

/* Flushes the TLBs of @harts, and returns when all have done so. size ~0: all addresses. */
void sbi_remote_sfence_vma(u64 harts, vaddr_t start, u64 size);

/* Starts @hart at physical address @pc, with a0 = @hart and translation off. */
bool sbi_hart_start(u64 hart, paddr_t pc);

/* Returns only if the firmware cannot reset the machine or turn it off. */
void sbi_system_reset(bool reboot);
