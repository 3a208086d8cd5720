/*
 * A machine for kernel/mm, as a program: physical memory, one CPU, one thread.
 *
 * Physical memory is a mapping of this program at ARCH_DIRECT_BASE. Pages that were not mapped with
 * arch_direct_map() cannot be touched, so a stray access ends the program. Locks only check that
 * they are taken and released in turn; a thread that would have to wait is a bug.
 */
#include "../../kernel/fs/fs.h"
#include "base/machine.h"
#include "base/string.h"
#include "base/trace.h"
#include "fs/dev.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "sync/mutex.h"
#include "test/ktest.h"

#define MEMORY_SIZE	(64UL << 20)

/* Of the C library, whose headers would clash with the kernel's. */
void *mmap(void *addr, size_t size, int prot, int flags, int fd, long offset);
int mprotect(void *addr, size_t size, int prot);

#define PROT_NONE	0
#define PROT_RW		3
#define MAP_AT_NO_COST	0x104022	/* private, anonymous, fixed, nothing replaced */

/* Regions that do not end at a block, holes, a block that cannot hold its descriptors. */
static const struct machine described = {
	.ram = {
		{ 0x1000, 0x9e000 }, { 0x100000, 0x1f00000 }, { 0x2003000, 0x6f5000 },
		{ 0x2800800, MEMORY_SIZE - 0x2800800 },
	},
	.nr_ram = 4,
	.reserved = { { 0x200000, 0x200000 }, { 0x1234567, 0x89abc }, { 0x3ffff00, 0x100 } },
	.nr_reserved = 3,
};

struct process kernel_process;
unsigned trace_mask;
struct thread *host_thread = &cpus[0].idle;
const struct extable_entry __extable_start[1];
extern const struct extable_entry __extable_end[1]
	__attribute__((alias("__extable_start")));
static u8 kernel_root[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

void machine_start(void);

void machine_start(void)
{
	void *at = (void *)ARCH_DIRECT_BASE;

	if (mmap(at, MEMORY_SIZE, PROT_NONE, MAP_AT_NO_COST, -1, 0) != at)
		panic("no address space for the machine's memory");
	machine = described;
	atomic_store(&host_thread->cpu, &cpus[0]);
	host_thread->process = &kernel_process;
	for (unsigned i = 0; i < RLIMIT_COUNT; i++)
		kernel_process.limits[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	page_init();
	slab_init();
	kvm_init();
	ramfs_init();
}

/* --- The port --------------------------------------------------------------------------------- */

void arch_direct_map(paddr_t pa)
{
	if (pa >= MEMORY_SIZE ||
	    mprotect(phys_to_virt(ALIGN_DOWN(pa, BLOCK_SIZE)), BLOCK_SIZE, PROT_RW) != 0)
		panic("there is no memory at %lx", pa);
}

/* Never walked: kernel mappings are not tested here. */
paddr_t arch_kernel_root(void)
{
	return virt_to_phys(kernel_root);
}

void arch_root_init(void *root)
{
	(void)root;
}

void arch_tlb_shootdown(u32 set, vaddr_t start, vaddr_t end)
{
	panic("CPUs %x are asked to forget %lx to %lx", set, start, end);
}

/* --- Locks ------------------------------------------------------------------------------------ */

void spin_init(struct spinlock *l, enum lock_class class)
{
	*l = (struct spinlock)SPINLOCK_INIT(class);
}

void spin_lock(struct spinlock *l)
{
	assert(!l->holder);
	l->holder = host_thread;
}

void spin_lock_nested(struct spinlock *l)
{
	spin_lock(l);
}

void spin_unlock(struct spinlock *l)
{
	assert(l->holder == host_thread);
	l->holder = NULL;
}

void mutex_init_named(struct mutex *m, const char *name)
{
	m->word = 0;
	m->name = name;
}

void mutex_lock(struct mutex *m)
{
	assert(!m->word);
	m->word = (u64)host_thread;
}

void mutex_unlock(struct mutex *m)
{
	assert(mutex_held(m));
	m->word = 0;
}

bool mutex_held(const struct mutex *m)
{
	return m->word == (u64)host_thread;
}

void preempt_off(void)
{
	host_thread->preempt_depth++;
}

void preempt_on(void)
{
	assert(host_thread->preempt_depth-- > 0);
}

/* --- Functions that do nothing here ----------------------------------------------------------- */

void kstack_trim(unsigned keep)
{
	(void)keep;
}

void reaper_drain(void)
{
}

void sched_audit(void)
{
}

void process_audit(void)
{
}

void trace_write(enum trace_event ev, u64 a, u64 b)
{
	panic("event %u, %lx, %lx is traced, though no group is on", ev, a, b);
}

void panic_trap(struct trapframe *tf, const char *fmt, ...)
{
	panic("trap at %lx: %s", tf->pc, fmt);
}

u64 time_realtime_offset(void)
{
	return 0;
}

/* Files are mapped here, never read or written. */
size_t iobuf_copy_to(struct iobuf *b, const void *src, size_t n)
{
	panic("%zu bytes from %p to %p", n, src, (void *)b);
}

const struct file_ops *dev_file_ops(u64 rdev)
{
	(void)rdev;
	return NULL;		/* no inode here is a device */
}

/* No lock is checked here. */
void lockcheck_none_held(const char *when)
{
	(void)when;
}

/* No program runs here, so none faults. */

size_t iobuf_copy_from(struct iobuf *b, void *dst, size_t n)
{
	panic("%zu bytes from %p to %p", n, (void *)b, dst);
}

size_t iobuf_clear(struct iobuf *b, size_t n)
{
	panic("%zu zeros to %p", n, (void *)b);
}

/* Only root, without limits, without locks on files. */

const struct file_ops pipe_file_ops;

ssize_t file_room(off_t pos, size_t n)
{
	(void)pos;
	return n;
}

int file_may_grow(const struct inode *i, off_t size)
{
	(void)i;
	(void)size;
	return 0;
}

void filelock_drop_all(struct inode *i)
{
	(void)i;
}

void inode_drop_set_id_slow(struct inode *i)
{
	(void)i;
}

void inode_init_owner(struct inode *i, const struct inode *dir)
{
	(void)i;
	(void)dir;
}

/* --- Threads: each runs to its end when it is resumed ----------------------------------------- */

struct thread *thread_create(const char *name, thread_fn entry, void *arg, int priority)
{
	struct thread *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	strlcpy(t->name, name, sizeof(t->name));
	t->entry = entry;
	t->arg = arg;
	(void)priority;
	return t;
}

int thread_resume(struct thread *t)
{
	t->exit_code = t->entry(t->arg);
	return 0;
}

int thread_join(struct thread *t, int *code, struct deadline d)
{
	(void)d;
	*code = t->exit_code;
	kfree(t);
	return 0;
}
