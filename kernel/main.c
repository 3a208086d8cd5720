/*
 * From the port's boot code to the first program.
 *
 * Stages, each needing only those before it:
 *	early	boot arguments, console by polling	one CPU, no allocator, no interrupts
 *	memory	pages, slabs, kernel mappings, clock
 *	full	scheduler, threads, other CPUs, traces	each CPU ends as its idle thread
 *	init	files, initramfs, /init			in a thread that may block
 */
#include "abi/strace.h"
#include "abi/syscall.h"
#include "base/bootargs.h"
#include "base/machine.h"
#include "base/printf.h"
#include "base/trace.h"
#include "config.h"
#include "console/console.h"
#include "console/uart.h"
#include "fs/vfs.h"
#include "lock/spinlock.h"
#include "mm/mm.h"
#include "mm/numa.h"
#include "process/futex.h"
#include "process/process.h"
#include "procfs/procfs.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"
#include "tty/tty.h"

#define LATE_NS		NSEC_PER_SEC	/* a CPU that takes longer to start is reported */

/* The first thread of process 1 does the rest of the boot, which may block. */
static int init_main(void *unused)
{
	(void)unused;
	vfs_init();
	tty_init();
	strace_init();
	devfs_init();	/* makes nodes for the devices registered above */
	procfs_init();
	sysfs_init();
	if (machine.initrd.size) {
		int err = initramfs_unpack(phys_to_virt(machine.initrd.start), machine.initrd.size);

		if (err)
			kprintf("boot: the initramfs is damaged (error %d)\n", err);
	}
	if (TEST_BUILD) {
		ktest_main();
		inject_init();
	}
	init_start();
}

static void start_init(void)
{
	struct process *p;
	struct thread *t;
	int err = process_create(&kernel_process, &p);

	if (!err)
		err = thread_create_in(p, "init", init_main, NULL, PRIORITY_DEFAULT, &t);
	if (err)
		panic("cannot make process 1: error %d", err);
	thread_resume(t);
}

static void start_cpu(u64 hwid)
{
	struct cpu *c = &cpus[nr_cpus];
	u64 asked = time_now();

	if (cpu_prepare(nr_cpus, hwid, NULL, 0))
		panic("no memory for CPU %u", nr_cpus);
	if (!arch_cpu_start(c)) {
		kprintf("boot: CPU %lu does not start\n", hwid);
		return;
	}
	nr_cpus++;
	while (!atomic_load(&c->online))
		arch_spin_hint();
	if (time_now() - asked > LATE_NS)
		kprintf("boot: CPU %lu came after %lu ms\n", hwid,
			(time_now() - asked) / NSEC_PER_MSEC);
}

/*
 * Starts up to @max CPUs: every second one if the machine has twice as many. QEMU's -icount runs
 * CPUs in turn, and the CPU after one that used up its turn gets an empty turn; if all others are
 * idle it never runs. A spare CPU behind each takes the empty turns.
 */
static void start_cpus(unsigned max)
{
	unsigned n = machine.nr_cpus, boot = 0, step = n >= 2 * max ? 2 : 1;

	while (boot < n && machine.cpu_hwid[boot] != machine.boot_hwid)
		boot++;
	for (unsigned i = 1; i < n; i++) {
		u64 hwid = machine.cpu_hwid[(boot + i) % n];

		if (i % step == 0 && nr_cpus < max)
			start_cpu(hwid);
		else
			arch_cpu_spare(hwid);
	}
}

static void start_traces(void)
{
	unsigned order = 0;

	static_assert(TRACE_RING_MAX <= PAGE_SIZE << PAGE_MAX_ORDER, "page_alloc() gives as much");
	while ((PAGE_SIZE << order) < trace_ring_bytes())
		order++;
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct page *p = page_alloc(order, PAGE_ZERO);

		if (!p)
			panic("no memory for the trace ring of CPU %u: lower trace_size=", i);
		trace_add_ring(&cpus[i], page_to_virt(p));
	}
	trace_init();
}

noreturn void kernel_main(void)
{
	assert_irqs_off();
	bootargs_init();
	uart_early_init();
	kprintf("Trellis on %s, %s\n", ARCH_NAME, machine.model);
	bootargs_check();

	numa_init();
	page_init();
	slab_init();
	kvm_init();
	time_init();

	sched_init();
	thread_init();
	process_init();
	futex_init();
	start_cpus(bootarg_number("cpus", MIN(machine.nr_cpus, MAX_CPUS), 1, MAX_CPUS));
	start_traces();
	console_init(uart_bytes() ? kvm_map_device(machine.uart.base, uart_bytes()) : NULL);
	if (TEST_BUILD)
		ktest_early();
	reaper_init();

	kprintf("boot: %u CPU%s, %lu MiB memory, policy %s\n", nr_cpus, nr_cpus == 1 ? "" : "s",
		page_total() >> 8, policy.name);
	start_init();
	atomic_store(&cpus[0].online, true);
	sched_idle();
}
