/*
 * The machine the kernel runs on, as the firmware described it, and its CPUs.
 *
 * Only data, in the lowest folder, because everything above reads it. The header that declares a
 * variable says which code may write it.
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
