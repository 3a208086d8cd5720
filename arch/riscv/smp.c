/*
 * Several harts: starting them, and asking them for things.
 *
 * A hart that starts finds its struct cpu in hart_cpus[], and there the stack and the idle thread
 * that it is to run. It has joined when cpu_main() sets cpu->online.
 */
#include "asm.h"
#include "cpu.h"
#include "machine.h"
#include "mm.h"
#include "port.h"
#include "printf.h"
#include "sbi.h"

#define MAX_HART		63	/* hart masks are one word */
#define FLUSH_PAGES_MAX		64	/* from here on, dropping all translations is cheaper */

struct cpu *hart_cpus[MAX_HART + 1];	/* [boot] what a hart is to be; NULL: a spare */

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

static bool start_hart(u64 hwid, struct cpu *c)
{
	hart_cpus[hwid] = c;
	return sbi_hart_start(hwid, arch_image_pa(_start));
}

static void start_cpu(unsigned id, u64 hwid)
{
	struct cpu *c = &cpus[id];

	if (cpu_prepare(id, hwid, NULL, 0) != 0)
		panic("no memory for CPU %u", id);
	cpu_init_arch(c);
	if (!start_hart(hwid, c))
		panic("the firmware cannot start hart %lu", hwid);
	nr_cpus = id + 1;
	while (!atomic_load(&c->online))
		arch_spin_hint();
}

/*
 * QEMU's -icount runs harts in turn. Two of its habits are met here.
 *
 * A hart that comes after one which used its turn up gets an empty turn, and if the others are
 * idle it never gets another. So if the machine has twice the harts we are to use, we take every
 * second one, and the spare behind each takes the empty turns.
 *
 * Virtual time passes quickly while all harts are idle, but one that has not been started may be
 * polling in the firmware. So spares are started too, and wait for nothing.
 */
void arch_start_cpus(unsigned max)
{
	unsigned n = machine.nr_cpus, boot = 0;
	unsigned step = n >= 2 * max ? 2 : 1;

	while (boot < n && machine.cpu_hwid[boot] != machine.boot_hwid)
		boot++;
	for (unsigned i = 1; i < n; i++) {
		u64 hwid = machine.cpu_hwid[(boot + i) % n];

		if (hwid > MAX_HART)
			continue;
		if (i % step == 0 && nr_cpus < MIN(max, MAX_CPUS))
			start_cpu(nr_cpus, hwid);
		else
			start_hart(hwid, NULL);
	}
}

/* --- Requests --------------------------------------------------------------------------------- */

static u64 harts_of(u32 set)
{
	u64 harts = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (set & BIT(i))
			harts |= BIT(cpus[i].hwid);
	return harts;
}

void arch_ipi(struct cpu *target)
{
	sbi_send_ipi(BIT(target->hwid));
}

static void flush_here(vaddr_t start, vaddr_t end)
{
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE)
		arch_tlb_flush_all();
	else
		for (vaddr_t va = ALIGN_DOWN(start, PAGE_SIZE); va < end; va += PAGE_SIZE)
			arch_tlb_flush_page(va);
}

/*
 * The firmware interrupts the other harts in machine mode, which no spin lock of ours keeps off,
 * and returns when all have flushed. A migration in between does no harm: a hart that gets this
 * thread now has either been asked or not had the translations.
 */
void arch_tlb_shootdown(u32 set, vaddr_t start, vaddr_t end)
{
	u64 harts = harts_of(set);
	u64 size = end - start > FLUSH_PAGES_MAX * PAGE_SIZE ? ~0ul : end - start;

	preempt_off();
	harts &= ~BIT(this_cpu()->hwid);
	flush_here(start, end);
	if (harts)
		sbi_remote_sfence_vma(harts, start, size);
	preempt_on();
}
