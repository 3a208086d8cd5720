/*
 * Other CPUs: starting them one by one, interrupting them.
 *
 * A CPU is started by INIT and one or two startup IPIs; it runs trampoline.S and takes its struct
 * cpu out of ap_cpu[], by APIC id, in one atomic step. If it does not come in time the starter
 * takes the entry back the same way, so that a late CPU finds none and stops. CPUs beyond the
 * limit are never called and stay where the firmware left them.
 */
#include "cpu.h"

#include "arch.h"
#include "machine.h"
#include "mm.h"
#include "panic.h"
#include "port.h"
#include "printf.h"
#include "string.h"
#include "thread.h"

#define INIT_NS		(10 * NSEC_PER_USEC)	/* only CPUs without long mode want 10 ms */
#define STARTUP_NS	(200 * NSEC_PER_USEC)	/* then a second startup IPI */
#define GIVE_UP_NS	(200 * NSEC_PER_MSEC)

struct cpu *_Atomic ap_cpu[256];

/* Waits up to @ns for the CPU to come and take its entry. */
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

/* True if @c is on its way to cpu_main(). */
static bool start(struct cpu *c)
{
	atomic_store(&ap_cpu[c->hwid], c);
	lapic_send(c->hwid, ICR_INIT);
	wait_taken(c->hwid, INIT_NS);
	lapic_send(c->hwid, ICR_STARTUP | TRAMPOLINE >> PAGE_SHIFT);
	if (wait_taken(c->hwid, STARTUP_NS))
		return true;
	lapic_send(c->hwid, ICR_STARTUP | TRAMPOLINE >> PAGE_SHIFT);
	return wait_taken(c->hwid, GIVE_UP_NS) || !atomic_exchange(&ap_cpu[c->hwid], NULL);
}

static bool bring_up(unsigned id, u64 hwid)
{
	struct cpu *c = &cpus[id];

	if (cpu_prepare(id, hwid, NULL, 0))
		return false;
	c->arch.tss.rsp0 = (u64)c->idle.stack + c->idle.stack_size;
	if (!start(c))
		return false;
	while (!atomic_load(&c->online))
		arch_spin_hint();
	return true;
}

/*
 * If the machine has twice the CPUs we are to use, we take every second one. QEMU's -icount runs
 * CPUs in turn, and one that comes after a CPU which used its turn up gets an empty turn: with
 * the others idle it never runs. A spare behind each takes the empty turns.
 */
void arch_start_cpus(unsigned max)
{
	unsigned n = machine.nr_cpus, boot = 0, step = n >= 2 * max ? 2 : 1;

	max = MIN(max, MAX_CPUS);
	arch_direct_map(ALIGN_DOWN(TRAMPOLINE, BLOCK_SIZE));
	memcpy(phys_to_virt(TRAMPOLINE), trampoline, trampoline_end - trampoline);
	while (boot < n && machine.cpu_hwid[boot] != machine.boot_hwid)
		boot++;
	for (unsigned i = step; i < n && nr_cpus < max; i += step) {
		u64 hwid = machine.cpu_hwid[(boot + i) % n];

		if (!bring_up(nr_cpus, hwid)) {
			kprintf("smp: CPU %lu does not start\n", hwid);
			return;
		}
		nr_cpus++;
	}
}

/* Where a CPU that starts enters C, on its idle stack and the kernel's page tables. */
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
