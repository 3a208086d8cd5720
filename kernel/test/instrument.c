/*
 * Instruments on function entry and exit: sweep and park (see instrument.h). Test kernels only.
 *
 * The compiler calls the two hooks below from every function of kernel/lock, thread, sched, sync
 * and process, so often that they would be half of all that a test kernel executes. Until the
 * first sweep or park since boot is armed, a hook is therefore but a few instructions. An armed one
 * uses no lock and nothing that a lab replaces.
 */
#include "test/instrument.h"

#include "base/bootargs.h"
#include "base/string.h"
#include "base/symbols.h"
#include "base/trace.h"
#include "config.h"
#include "errno.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"

#define NO_HOOK	__attribute__((no_instrument_function))

enum { SWEEP = 1, PARK = 2 };
static _Atomic unsigned used;		/* those that were ever armed since boot */

enum sweep_state { SWEEP_OFF, SWEEP_ARMED, SWEEP_INSIDE, SWEEP_HIT, SWEEP_MISSED };

static struct {
	_Atomic(enum sweep_state) state;
	vaddr_t function;
	struct thread *thread;		/* NULL: any, until one has entered */
	unsigned step;
	u64 due;			/* arch_clock_ns() */
} sweep;

enum park_state { PARK_OFF, PARK_ARMED, PARK_PARKED, PARK_RELEASED, PARK_TIMED_OUT };

static struct park {
	_Atomic(enum park_state) state;
	_Atomic bool release;
	vaddr_t function;
	enum park_where where;
	struct thread *thread;
	u64 max_ns;
} parks[PARK_SLOTS];

void (*sweep_action)(void *arg);
void *sweep_action_arg;

/* Returns the address of the kernel function @name, 0 if there is none. */
static vaddr_t symbol_address(const char *name)
{
	for (u64 i = 0; i < ksyms_count; i++)
		if (strcmp(&ksyms_names[ksyms_name[i]], name) == 0)
			return ksyms_addr[i];
	return 0;
}

static bool is_for(const struct thread *t)
{
	return !t || t == current_thread();
}

/*
 * --- sweep --------------------------------------------------------------------------------------
 */

int sweep_arm(const char *function, struct thread *t, unsigned step)
{
	sweep.state = SWEEP_OFF;
	sweep.function = symbol_address(function);
	if (!sweep.function)
		return -ENOENT;
	sweep.thread = t;
	sweep.step = step;
	atomic_fetch_or(&used, SWEEP);
	sweep.state = SWEEP_ARMED;
	return 0;
}

bool sweep_hit(void)
{
	return sweep.state == SWEEP_HIT;
}

/*
 * Sets the hardware timer directly: the kernel's own record of when it fires is wrong this once.
 */
static void sweep_entered(void)
{
	bool on = arch_irqs_enabled();
	unsigned shift = bootarg_number("shift", 0, 0, 10);

	arch_irqs_disable();
	sweep.thread = current_thread();
	sweep.state = SWEEP_INSIDE;
	sweep.due = arch_clock_ns() + ((u64)sweep.step << shift);
	arch_timer_set(sweep.due);
	if (on)
		arch_irqs_enable();
}

void sweep_begin(unsigned step)
{
	sweep.state = SWEEP_OFF;
	sweep.function = 0;
	sweep.step = step;
	atomic_fetch_or(&used, SWEEP);
	sweep_entered();
}

void sweep_end(void)
{
	if (sweep.state == SWEEP_INSIDE)
		sweep.state = SWEEP_MISSED;
}

void sweep_timer(void)
{
	if (sweep.state != SWEEP_INSIDE)
		return;
	if (time_before(arch_clock_ns(), sweep.due)) {
		timer_arm(sweep.due + clock_offset);	/* stopped for another timer's interrupt */
		return;
	}
	sweep.state = SWEEP_HIT;
	trace(TRACE_TEST, TRACE_EV_SWEEP, sweep.function, sweep.step);
	if (sweep_action)
		sweep_action(sweep_action_arg);
	else
		sched_force_switch();
}

/*
 * --- park ---------------------------------------------------------------------------------------
 */

int park_arm(unsigned slot, const char *function, enum park_where where, struct thread *t,
	     u64 max_ns)
{
	struct park *p = &parks[slot];

	assert(slot < PARK_SLOTS);
	p->state = PARK_OFF;
	p->function = symbol_address(function);
	if (!p->function)
		return -ENOENT;
	p->where = where;
	p->thread = t;
	p->max_ns = max_ns;
	p->release = false;
	atomic_fetch_or(&used, PARK);
	p->state = PARK_ARMED;
	return 0;
}

bool park_wait(unsigned slot, u64 max_ns)
{
	u64 end = arch_clock_ns() + max_ns;

	while (parks[slot].state != PARK_PARKED && time_before(arch_clock_ns(), end))
		arch_spin_hint();
	return parks[slot].state == PARK_PARKED;
}

void park_release(unsigned slot)
{
	parks[slot].release = true;
}

bool park_timed_out(unsigned slot)
{
	return parks[slot].state == PARK_TIMED_OUT;
}

static void park_here(struct park *p)
{
	enum park_state armed = PARK_ARMED;
	u64 end = arch_clock_ns() + p->max_ns;

	if (!atomic_compare_exchange_strong(&p->state, &armed, PARK_PARKED))
		return;
	trace(TRACE_TEST, TRACE_EV_PARK, p->function, 0);
	while (!p->release && time_before(arch_clock_ns(), end))
		arch_spin_hint();
	trace(TRACE_TEST, TRACE_EV_PARK, p->function, 1);
	p->state = p->release ? PARK_RELEASED : PARK_TIMED_OUT;
}

static void park_check(vaddr_t function, enum park_where where)
{
	for (unsigned i = 0; i < PARK_SLOTS; i++) {
		struct park *p = &parks[i];

		if (p->state == PARK_ARMED && p->function == function && p->where == where &&
		    is_for(p->thread))
			park_here(p);
	}
}

/*
 * --- trap ---------------------------------------------------------------------------------------
 */

void (*trap_action)(struct trapframe *tf);

bool trap_expected(struct trapframe *tf)
{
	if (!trap_action)
		return false;
	trap_action(tf);
	return true;
}

/*
 * --- the hooks ----------------------------------------------------------------------------------
 */

void __cyg_profile_func_enter(void *function, void *site) NO_HOOK;
void __cyg_profile_func_exit(void *function, void *site) NO_HOOK;

static noinline void entered(vaddr_t function)
{
	if (sweep.state == SWEEP_ARMED && sweep.function == function && is_for(sweep.thread))
		sweep_entered();
	if (used & PARK)
		park_check(function, AT_ENTRY);
}

static noinline void left(vaddr_t function)
{
	if (sweep.state == SWEEP_INSIDE && sweep.function == function &&
	    sweep.thread == current_thread())
		sweep.state = SWEEP_MISSED;
	if (used & PARK)
		park_check(function, AT_EXIT);
}

void __cyg_profile_func_enter(void *function, void *site)
{
	(void)site;
	if (unlikely(atomic_load_explicit(&used, memory_order_relaxed)))
		entered((vaddr_t)function);
}

void __cyg_profile_func_exit(void *function, void *site)
{
	(void)site;
	if (unlikely(atomic_load_explicit(&used, memory_order_relaxed)))
		left((vaddr_t)function);
}
