/*
 * Other CPUs: starting them one by one, interrupting them.
 *
 * A CPU is started by INIT and one or two startup IPIs; it runs trampoline.S and takes its struct
 * cpu out of ap_cpu[], by APIC id, in one atomic step. If it does not do so in time, the CPU that
 * started it takes the entry back the same way, and a late CPU finds none and stops.
 */
#include "sched/cpu.h"

#include "arch.h"
#include "base/string.h"
#include "mm/mm.h"
#include "port.h"
#include "thread/thread.h"

#define INIT_NS		(10 * NSEC_PER_USEC)	/* only CPUs without long mode need 10 ms */
#define STARTUP_NS	(200 * NSEC_PER_USEC)	/* then a second startup IPI */
#define GIVE_UP_NS	(10 * NSEC_PER_SEC)	/* a busy host may not run it for seconds */

struct cpu *_Atomic ap_cpu[256];

/* Waits up to @ns for the CPU to take its entry; returns whether it has. */
static bool wait_taken(u32 apic_id, u64 ns)
{
	u64 start = arch_clock_ns();

	while (arch_clock_ns() - start < ns) {
		if (!atomic_load(&ap_cpu[apic_id]))
			return true;
		arch_spin_hint();
	}
	return false;
}

bool arch_cpu_start(struct cpu *c)
{
	assert_irqs_off();
	c->arch.tss.rsp0 = (u64)c->idle.stack + c->idle.stack_size;
	arch_direct_map(ALIGN_DOWN(TRAMPOLINE, BLOCK_SIZE));
	memcpy(phys_to_virt(TRAMPOLINE), trampoline, trampoline_end - trampoline);
	atomic_store(&ap_cpu[c->hwid], c);
	lapic_send(c->hwid, ICR_INIT);
	wait_taken(c->hwid, INIT_NS);
	lapic_send(c->hwid, ICR_STARTUP | TRAMPOLINE >> PAGE_SHIFT);
	if (wait_taken(c->hwid, STARTUP_NS))
		return true;
	lapic_send(c->hwid, ICR_STARTUP | TRAMPOLINE >> PAGE_SHIFT);
	return wait_taken(c->hwid, GIVE_UP_NS) || !atomic_exchange(&ap_cpu[c->hwid], NULL);
}

/* Nothing to do: the CPU was never started, and stays where the firmware left it. */
void arch_cpu_spare(u64 hwid)
{
	(void)hwid;
}

/* The first C code of a CPU that starts, on its idle stack and the kernel's page tables. */
noreturn void ap_main(struct cpu *c)
{
	cpu_init(c);
	lapic_init();
	cpu_main(c);
}

void arch_ipi(struct cpu *target)
{
	lapic_send(target->hwid, VEC_IPI);
}
