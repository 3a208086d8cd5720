/*
 * The clock, and each CPU's one-shot timer.
 *
 * A CPU's timer serves its sleep queue and the slice of its current thread. It is armed for the
 * earlier of the two or before it, never later. Programming it may cost a trap into firmware, so an
 * armed time that is early enough is left alone. limit= bounds a run by the machine's own clock, so
 * that the bound does not depend on the host's speed.
 */
#include "sched/time.h"

#include "base/bootargs.h"
#include "base/panic.h"
#include "base/trace.h"
#include "config.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/timer.h"
#include "test/instrument.h"

static _Atomic u64 limit;	/* 0: none */
static _Atomic u64 realtime_offset;

void time_init(void)
{
	u64 now;

	clock_offset = bootarg_number("clock", 0, 0, ~0UL) - arch_clock_ns();
	now = time_now();
	clock_start = now;
	realtime_offset = bootarg_number("realtime", now, 0, S64_MAX) - now;
	time_set_limit(bootarg_number("limit", 0, 0, S64_MAX));
}

void time_set_limit(u64 ns)
{
	limit = ns ? time_now() + ns : 0;
	if (ns)
		timer_arm(limit);
}

u64 time_realtime_offset(void)
{
	return atomic_load(&realtime_offset);
}

void time_set_realtime(u64 now_since_epoch)
{
	atomic_store(&realtime_offset, now_since_epoch - time_now());
}

struct deadline deadline_in(u64 ns)
{
	u64 now = time_now(), most = S64_MAX - (now - clock_start);

	return ns ? deadline_at(now + MIN(ns, most)) : DEADLINE_POLL;
}

struct deadline deadline_coarse(struct deadline d, u64 slack)
{
	if (d.kind == DEADLINE_KIND_AT && slack)
		d.at = (d.at + slack - 1) / slack * slack;
	return d;
}

void timer_set(struct cpu *c, u64 at)
{
	u64 now = time_now();

	assert_irqs_off();
	/* The hardware's comparison is unsigned: a time before its clock's 0 would be far ahead. */
	if (time_before(at, now))
		at = now;
	c->timer_armed = true;
	c->timer_at = at;
	arch_timer_set(at - clock_offset);
}

void timer_interrupt(struct trapframe *tf)
{
	struct cpu *c = this_cpu();
	u64 now = time_now(), at = limit, next;

	assert_irqs_off();
	trace(TRACE_IRQ, TRACE_EV_TIMER, c->timer_at, 0);
	atomic_fetch_add(&c->stats.timer_interrupts, 1);
	c->timer_armed = false;
	arch_timer_stop();
	if (TEST_BUILD)
		sweep_timer();
	if (at && !time_before(now, at))
		panic_trap(tf, "limit: not finished after %lu ns", now);
	sched_charge(arch_trap_from_user(tf));
	load_sample(now);
	process_check_cpu_limit(current_process());
	sleepq_expire(&c->sleepq, now);
	timers_interrupt(now);
	sched_tick(now);
	if (sleepq_next(&c->sleepq, &next))
		timer_arm(next);
	if (at)
		timer_arm(at);
}
