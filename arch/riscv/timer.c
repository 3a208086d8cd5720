/*
 * Time: the `time` register, which is the same on every hart, and a one-shot timer per hart that is
 * compared with it: our own where the hart has one (extension Sstc), else the firmware's.
 */
#include "base/panic.h"
#include "base/string.h"
#include "port.h"
#include "sbi.h"

u64 clock_mult;
static u64 frequency;		/* [const after boot] of the time register, Hz */
static bool own_timer;		/* [const after boot] stimecmp exists: no need of the firmware */

static bool has_sstc(const struct fdt *f)
{
	struct fdt_node n = FDT_START;
	const char *isa = NULL;

	while (!isa && fdt_next(f, &n))
		isa = fdt_string(f, &n, "riscv,isa");
	for (; isa && *isa; isa++)
		if (strncmp(isa, "_sstc", 5) == 0)
			return true;
	return false;
}

void timer_init(const struct fdt *f)
{
	struct fdt_node n = FDT_START;

	if (!fdt_find_path(f, &n, "/cpus") ||
	    !fdt_number(f, &n, "timebase-frequency", &frequency) || !frequency)
		panic("the device tree does not say how fast time counts");
	own_timer = has_sstc(f);
	clock_mult = (NSEC_PER_SEC << 32) / frequency;
}

/* Rounded up, so that the timer is never early. */
static u64 ticks_at(u64 ns)
{
	u64 rest = ns % NSEC_PER_SEC * frequency;

	return ns / NSEC_PER_SEC * frequency + (rest + NSEC_PER_SEC - 1) / NSEC_PER_SEC;
}

void arch_timer_set(u64 ns)
{
	if (DEBUG_BUILD)
		assert_irqs_off();
	if (own_timer)
		csr_write(0x14d, ticks_at(ns));	/* stimecmp: not every assembler knows the name */
	else
		sbi_set_timer(ticks_at(ns));
	csr_set(sie, SIE_TIMER);
}

void arch_timer_stop(void)
{
	csr_clear(sie, SIE_TIMER);
}
