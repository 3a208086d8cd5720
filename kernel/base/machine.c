/*
 * The one machine there is: what the firmware told us of it, and its CPUs.
 *
 * Data alone, in the lowest folder, because everything above looks at it. Each part is filled
 * and changed by those whom its declaration names.
 */
#include "base/machine.h"

#include "mm/numa.h"
#include "sched/cpu.h"

struct machine machine;
struct cpu cpus[MAX_CPUS];
unsigned nr_cpus = 1;
unsigned nr_nodes = 1;
u64 clock_offset;
u64 clock_start;
