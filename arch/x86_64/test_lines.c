/*
 * For tests: an interrupt as a device's line brings it, by way of this CPU's own LAPIC.
 */
#include "port.h"
#include "sched/cpu.h"
#include "test/instrument.h"

bool test_raise_line(unsigned line)
{
	lapic_send(this_cpu()->hwid, VEC_DEVICE + line);
	return true;
}
