/*
 * Time: the time stamp counter is the clock, the local APIC's timer the alarm. The rates of both
 * are unknown, so boot measures them against the ACPI power management timer, whose rate is fixed
 * by its specification.
 *
 * The measurement knows its own error. Two readings of the TSC enclose the moment at which the PM
 * timer changes; two such moments give the least and the greatest possible rate. It goes on until
 * these differ by less than one in PRECISION, and then takes the roundest rate between them: real
 * clocks have round rates, and where the TSC counts exactly nanoseconds (QEMU with -icount) the
 * result is exact.
 *
 * The TSCs of all CPUs are assumed to have started together, as on QEMU and all recent machines.
 */
#include "arch.h"
#include "base/panic.h"
#include "config.h"
#include "lock/spinlock.h"
#include "port.h"
#include "types.h"

#define PM_HZ		3579545UL
#define PM_MASK		0xffffffu	/* the upper byte is optional */
#define PRECISION	4000
#define ROUND_HZ	1000000UL

u64 tsc_to_ns;				/* [const after boot] */
static u64 ns_to_alarm;			/* [const after boot] its counts a nanosecond, times 2^32 */

/* A reading of all clocks at a moment between the TSC's values lo and hi. */
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

/* Waits until the PM timer changes, and returns a reading of that moment. */
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
			a = b;		/* a more exact start needs less time */
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

/* If @ns is too far for the counter the timer fires early, and the kernel sets it again. */
void arch_timer_set(u64 ns)
{
	s64 left = (s64)(ns - arch_clock_ns());
	unsigned __int128 count = left > 0 ? ((unsigned __int128)left * ns_to_alarm >> 32) + 1 : 1;

	if (DEBUG_BUILD)
		assert_irqs_off();
	lapic_timer_start(MIN(count, ~0u));
}

void arch_timer_stop(void)
{
	lapic_timer_start(0);
}

void arch_idle_wait(void)
{
	if (DEBUG_BUILD)
		assert_irqs_off();
	/* STI takes effect after the next instruction: no interrupt can come before the HLT. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}
