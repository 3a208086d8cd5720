/*
 * The platform-level interrupt controller (PLIC specification 1.0): it brings device lines to harts.
 *
 * Each hart's supervisor mode is a context of it, with enable bits, a threshold and a claim register
 * of its own. A line goes to every CPU; whoever claims it first handles it, and it stays quiet until
 * that one completes it.
 *
 * plic.lock guards the enable bits and `lines`.
 */
#include "cpu.h"
#include "machine.h"
#include "mm.h"
#include "port.h"

#define MAX_LINES	1024u
#define MAX_CONTEXTS	64u
#define PRIORITY(line)		(4ul * (line))
#define ENABLE(context, line)	(0x2000 + 0x80ul * (context) + (line) / 32 * 4)
#define THRESHOLD(context)	(0x200000 + 0x1000ul * (context))
#define CLAIM(context)		(THRESHOLD(context) + 4)

static struct {
	paddr_t base;			/* [const after boot] 0: there is none */
	u64 hart[MAX_CONTEXTS];		/* [const after boot] whose supervisor mode a context is, or NO_HART */
	struct spinlock lock;
	u32 lines[MAX_LINES / 32];	/* [lock] unmasked, a bit each */
} plic = { .lock = SPINLOCK_INIT(LOCK_KVM) };

#define NO_HART		(~0ul)

static volatile u32 *reg(u64 offset)
{
	return phys_to_virt(plic.base + offset);
}

/* The hart whose own interrupt controller has this phandle: it is a child of the hart's node. */
static u64 hart_of(const struct fdt *f, u32 phandle)
{
	struct fdt_node n = FDT_START;
	u64 hart = NO_HART, found;

	while (fdt_next(f, &n)) {
		if (fdt_name_is(&n, "cpu"))
			fdt_reg(f, &n, 0, &hart, NULL);
		else if (fdt_compatible(f, &n, "riscv,cpu-intc") &&
			 fdt_number(f, &n, "phandle", &found) && found == phandle)
			return hart;
	}
	return NO_HART;
}

void plic_init(const struct fdt *f)
{
	struct fdt_node n = FDT_START;
	u64 size;
	u32 phandle, cause;

	if (!fdt_next_compatible(f, &n, "riscv,plic0") || !fdt_reg(f, &n, 0, &plic.base, &size))
		return;
	for (u64 at = 0; at < size; at += BLOCK_SIZE)
		arch_direct_map(plic.base + at);
	for (unsigned i = 0; i < MAX_CONTEXTS; i++) {
		plic.hart[i] = NO_HART;
		if (fdt_cell(f, &n, "interrupts-extended", 2 * i, &phandle) &&
		    fdt_cell(f, &n, "interrupts-extended", 2 * i + 1, &cause) && cause == IRQ_EXTERNAL)
			plic.hart[i] = hart_of(f, phandle);
	}
}

void plic_init_cpu(struct cpu *c)
{
	unsigned i = 0;

	if (!plic.base)
		return;
	while (plic.hart[i] != c->hwid)
		assert(++i < MAX_CONTEXTS);
	spin_lock(&plic.lock);
	c->arch.plic_context = i;
	*reg(THRESHOLD(i)) = 0;
	for (unsigned line = 0; line < MAX_LINES; line += 32)
		*reg(ENABLE(i, line)) = plic.lines[line / 32];
	spin_unlock(&plic.lock);
}

void arch_irq_unmask(unsigned irq)
{
	assert(plic.base && irq > 0 && irq < MAX_LINES);
	spin_lock(&plic.lock);
	plic.lines[irq / 32] |= 1u << irq % 32;
	*reg(PRIORITY(irq)) = 1;
	for (unsigned i = 0; i < nr_cpus; i++)
		*reg(ENABLE(cpus[i].arch.plic_context, irq)) = plic.lines[irq / 32];
	spin_unlock(&plic.lock);
}

void plic_interrupt(struct cpu *c)
{
	u32 irq = *reg(CLAIM(c->arch.plic_context));

	if (!irq)
		return;		/* another CPU was faster */
	irq_dispatch(irq);
	*reg(CLAIM(c->arch.plic_context)) = irq;
}
