/*
 * Time: the time stamp counter is the clock, the local APIC's timer the alarm. Both count at
 * rates that nobody tells us, so boot measures them against the ACPI power management timer,
 * whose rate is fixed by its specification.
 *
 * The measurement knows its own error. The moment at which the PM timer reaches a value is seen
 * between two readings of the TSC; two such moments give the least and the greatest rate
 * possible. It goes on until these are within one in PRECISION, and then the roundest rate
 * between them is taken: real clocks have round rates, and where the TSC counts exactly
 * nanoseconds (QEMU with -icount) the result is exactly that.
 *
 * All CPUs' TSCs are assumed to have started together, as they do on QEMU and on anything recent.
 */
#include "arch.h"
#include "base/panic.h"
#include "port.h"
#include "types.h"

#define PM_HZ		3579545UL
#define PM_MASK		0xffffffu	/* the upper byte is optional */
#define PRECISION	4000
#define ROUND_HZ	1000000UL

u64 tsc_to_ns;				/* [const after boot] */
static u64 ns_to_alarm;			/* [const after boot] its counts a nanosecond, times 2^32 */

/* All clocks at one moment, which the TSC puts between lo and hi. */
struct reading {
	u64 lo, hi;
	u32 pm;
	u32 alarm;			/* counts down */
};

static struct reading read_clocks(void)
{
	struct reading r;

	r.lo = arch_rdtsc();
	r.pm = port_read32(acpi.pm_timer) & PM_MASK;
	r.alarm = lapic_timer_count();
	r.hi = arch_rdtsc();
	return r;
}

/* The moment at which the PM timer reached its present value, a fresh one. */
static struct reading next_edge(void)
{
	struct reading before, now = read_clocks();

	do {
		before = now;
		now = read_clocks();
	} while (now.pm == before.pm);
	now.lo = before.lo;
	return now;
}

static u64 roundest(u64 lo, u64 hi)
{
	u64 middle = (lo + hi) / 2, round = (middle + ROUND_HZ / 2) / ROUND_HZ * ROUND_HZ;

	return lo <= round && round <= hi ? round : middle;
}

static u64 width(const struct reading *r)
{
	return r->hi - r->lo;
}

void timer_calibrate(void)
{
	struct reading a, b;
	u64 lo, hi, tsc_hz, alarm_hz;
	u32 pm;

	if (!acpi.pm_timer)
		panic("no ACPI PM timer to measure clocks with");
	lapic_timer_start(~0u);
	a = next_edge();
	do {
		b = next_edge();
		if (width(&b) < width(&a))
			a = b;		/* a sharper start: sooner done */
		pm = (b.pm - a.pm) & PM_MASK;
		lo = pm ? (b.lo - a.hi) * PM_HZ / pm : 0;
		hi = pm ? (b.hi - a.lo) * PM_HZ / pm : 0;
	} while (!pm || (hi - lo) * PRECISION > lo);
	tsc_hz = roundest(lo, hi);
	alarm_hz = roundest((a.alarm - b.alarm) * tsc_hz / (b.hi - a.lo),
			    (a.alarm - b.alarm) * tsc_hz / (b.lo - a.hi));
	lapic_timer_start(0);
	tsc_to_ns = (NSEC_PER_SEC << 32) / tsc_hz;
	ns_to_alarm = (alarm_hz << 32) / NSEC_PER_SEC;
}

/* Too far for the counter: it fires early, and the kernel asks again. */
void arch_timer_set(u64 ns)
{
	s64 left = (s64)(ns - arch_clock_ns());
	unsigned __int128 count = left > 0 ? ((unsigned __int128)left * ns_to_alarm >> 32) + 1 : 1;

	lapic_timer_start(MIN(count, ~0u));
}

void arch_timer_stop(void)
{
	lapic_timer_start(0);
}

void arch_idle_wait(void)
{
	/* Interrupts come on only behind the instruction after STI: none can hit before the HLT. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}
