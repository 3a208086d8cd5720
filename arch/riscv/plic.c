/*
 * The platform-level interrupt controller (PLIC specification 1.0): brings device lines to harts.
 *
 * Each hart's supervisor mode is a context, with its own enable bits, threshold and claim register.
 * A machine with several sockets has a controller for each; we use the one of the console's line,
 * and harts that it does not know get no device interrupts. A line is enabled on all other CPUs:
 * the first CPU to claim an interrupt handles it, and the line stays quiet until that CPU completes
 * it. A context's registers are written by its own CPU as it starts, then only by
 * arch_irq_unmask(), at boot, so there is no lock.
 */
#include "base/machine.h"
#include "mm/mm.h"
#include "port.h"
#include "sched/cpu.h"

#define MAX_LINES	1024u
#define MAX_CONTEXTS	64u
#define NO_HART		(~0ul)
#define NO_CONTEXT	MAX_CONTEXTS

#define PRIORITY(line)		(4ul * (line))
#define ENABLE(context, line)	(0x2000 + 0x80ul * (context) + (line) / 32 * 4)
#define THRESHOLD(context)	(0x200000 + 0x1000ul * (context))
#define CLAIM(context)		(THRESHOLD(context) + 4)

static paddr_t base;			/* [const after boot] 0: there is none */
static unsigned nr_lines;		/* [const after boot] including line 0, which is unused */
static u64 hart_of[MAX_CONTEXTS];	/* [const after boot] the context's hart, or NO_HART */
static u32 unmasked[MAX_LINES / 32];	/* [boot] a bit for each line */

static volatile u32 *reg(u64 offset)
{
	return phys_to_virt(base + offset);
}

static u32 cell(const u8 *p, unsigned i)
{
	p += 4 * i;
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/*
 * Fills hart_of[]. `interrupts-extended` has two cells for each context: the phandle of a hart's
 * own interrupt controller, and its input. Those controllers are children of the harts' nodes.
 */
static void find_harts(const struct fdt *f, const u8 *links, u32 len)
{
	struct fdt_node n = FDT_START;
	u64 hart = NO_HART, phandle;
	unsigned nr = MIN(len / 8, MAX_CONTEXTS);

	while (fdt_next(f, &n)) {
		if (fdt_name_is(&n, "cpu"))
			fdt_reg(f, &n, 0, &hart, NULL);
		if (!fdt_name_is(&n, "interrupt-controller") ||
		    !fdt_compatible(f, &n, "riscv,cpu-intc") ||
		    !fdt_number(f, &n, "phandle", &phandle))
			continue;
		for (unsigned i = 0; i < nr; i++)
			if (cell(links, 2 * i) == phandle && cell(links, 2 * i + 1) == IRQ_EXTERNAL)
				hart_of[i] = hart;
	}
}

/* Finds the controller of the console's line, or the first one if the tree does not name it. */
static bool find_plic(const struct fdt *f, struct fdt_node *plic)
{
	struct fdt_node uart = FDT_START;
	u64 wanted, phandle;
	bool any = !fdt_next_compatible(f, &uart, "ns16550a") ||
		   !fdt_number(f, &uart, "interrupt-parent", &wanted);

	*plic = FDT_START;
	while (fdt_next_compatible(f, plic, "riscv,plic0"))
		if (any || (fdt_number(f, plic, "phandle", &phandle) && phandle == wanted))
			return true;
	return false;
}

void plic_init(const struct fdt *f)
{
	struct fdt_node n;
	const u8 *links;
	u64 size, ndev = 0;
	u32 len;

	if (!find_plic(f, &n) || !fdt_reg(f, &n, 0, &base, &size))
		return;
	machine_direct_map(base, size);
	fdt_number(f, &n, "riscv,ndev", &ndev);
	nr_lines = MIN(ndev + 1, MAX_LINES);
	for (unsigned i = 0; i < MAX_CONTEXTS; i++)
		hart_of[i] = NO_HART;
	links = fdt_property(f, &n, "interrupts-extended", &len);
	if (links)
		find_harts(f, links, len);
}

void plic_init_cpu(struct cpu *c)
{
	unsigned context = 0;

	if (!base)
		return;
	while (context < MAX_CONTEXTS && hart_of[context] != c->hwid)
		context++;
	c->arch.plic_context = context;
	if (context == NO_CONTEXT)
		return;
	*reg(THRESHOLD(context)) = 0;
	for (unsigned line = 0; line < nr_lines; line += 32)
		*reg(ENABLE(context, line)) = unmasked[line / 32];
}

void arch_irq_unmask(unsigned irq)
{
	assert(irq > 0 && irq < nr_lines);
	unmasked[irq / 32] |= 1u << irq % 32;
	*reg(PRIORITY(irq)) = 1;
	for (unsigned i = 0; i < nr_cpus; i++)
		if (cpus[i].arch.plic_context != NO_CONTEXT)
			*reg(ENABLE(cpus[i].arch.plic_context, irq)) = unmasked[irq / 32];
}

void plic_interrupt(struct cpu *c)
{
	u32 irq = *reg(CLAIM(c->arch.plic_context));

	if (!irq)
		return;		/* another CPU was faster */
	irq_dispatch(irq);
	*reg(CLAIM(c->arch.plic_context)) = irq;
}
