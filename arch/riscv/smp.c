/*
 * Several harts: starting them, interrupting them, flushing their TLBs.
 *
 * A hart that starts finds its struct cpu in hart_cpus[], and in that its stack and idle thread. It
 * is started when cpu_main() sets cpu->online.
 */
#include "asm.h"
#include "mm/mm.h"
#include "port.h"
#include "sbi.h"
#include "sched/cpu.h"

#define MAX_HART		63	/* hart masks are one word */
#define FLUSH_PAGES_MAX		64	/* above it, dropping all translations is cheaper */

struct cpu *hart_cpus[MAX_HART + 1];	/* [boot] by hart; NULL: a spare */

static struct {
	u8 stack[2 * PAGE_SIZE - sizeof(struct trapframe)];
	struct trapframe tf;
} emergency_stacks[MAX_CPUS] __attribute__((aligned(16)));

void cpu_init_arch(struct cpu *c)
{
	thread_set_stack(&c->idle);
	c->arch.emergency = (u64)&emergency_stacks[c->id].tf;
	c->arch.idle = &c->idle;
	c->arch.start_sp = (u64)c->idle.arch.tf;
}

noreturn void secondary_main(struct cpu *c)
{
	traps_init();
	plic_init_cpu(c);
	cpu_main(c);
}

bool arch_cpu_start(struct cpu *c)
{
	assert_irqs_off();
	if (c->hwid > MAX_HART)
		return false;
	cpu_init_arch(c);
	hart_cpus[c->hwid] = c;
	return sbi_hart_start(c->hwid, arch_image_pa(_start));
}

/*
 * While all harts are idle QEMU skips virtual time, but a hart that was never started may poll in
 * the firmware, so spares are started too, and wait for ever.
 */
void arch_cpu_spare(u64 hwid)
{
	if (hwid <= MAX_HART)
		sbi_hart_start(hwid, arch_image_pa(_start));
}

/* --- Requests --------------------------------------------------------------------------------- */

void arch_ipi(struct cpu *target)
{
	sbi_send_ipi(BIT(target->hwid));
}

/*
 * The firmware interrupts the harts in machine mode, which no spin lock of ours keeps off, and
 * returns when all have flushed.
 */
void arch_tlb_shootdown(u32 set, vaddr_t start, vaddr_t end)
{
	u64 size = end - start > FLUSH_PAGES_MAX * PAGE_SIZE ? ~0ul : end - start, harts = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (set & BIT(i))
			harts |= BIT(cpus[i].hwid);
	sbi_remote_sfence_vma(harts, start, size);
}
