/*
 * A CPU's own state: segments, task state segment, interrupt table, system call registers,
 * features.
 *
 * One global descriptor table serves all CPUs; each has its task state segment in its struct cpu.
 * Required of a CPU: what long mode implies, and NX. Used where present: SMEP and SMAP (the kernel
 * neither runs nor touches user pages but in uaccess.S), UMIP (no SGDT and friends in user mode).
 *
 * XSAVE is used where the CPU has AVX: programs see AVX in CPUID, so it has to work. For anything
 * beyond, such as AVX-512, programs must check XCR0, which has it disabled. FSGSBASE stays off, so
 * a program's GS base is always a user address, and NMI entry can tell the kernel's by its sign.
 */
#include "sched/cpu.h"

#include "arch.h"
#include "base/panic.h"
#include "base/string.h"
#include "port.h"

#define SEGMENT_CODE	0x00af9b000000ffffUL	/* 64 bit, present */
#define SEGMENT_DATA	0x00cf93000000ffffUL
#define SEGMENT_USER	0x0000600000000000UL	/* privilege level 3 */
#define SEGMENT_TSS	0x0000890000000000UL

#define GATE_INTERRUPT	0x8e			/* interrupts go off */
#define GATE_USER	0xee			/* as above, and INT n from user mode may use it */

#define RFLAGS_SYSCALL	0x47700u		/* AC NT IOPL DF IF TF: cleared by SYSCALL */

#define FATAL_STACK	(2 * PAGE_SIZE)

struct gate {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset16;
	u32 offset32, reserved;
};

struct smap_site {
	u8 *at;
	u8 instruction[3];
};

extern const struct smap_site __smap_sites_start[], __smap_sites_end[];

/* 0x08, 0x10: the kernel's; 0x18: unused (SYSRET's 32-bit code); 0x20, 0x28: the user's. */
static u64 gdt[GDT_TSS + 2 * MAX_CPUS] __attribute__((aligned(16))) = {
	0, SEGMENT_CODE, SEGMENT_DATA, 0, SEGMENT_DATA | SEGMENT_USER, SEGMENT_CODE | SEGMENT_USER,
};

static struct gate idt[VEC_COUNT] __attribute__((aligned(16)));
static u8 fatal_stack[MAX_CPUS][FATAL_STACK] __attribute__((aligned(16)));
static u64 cr4;					/* [const after boot] of every CPU */

static void set_gate(unsigned vector, unsigned ist, u8 type)
{
	u64 stub = (u64)trap_stubs[vector];

	idt[vector] = (struct gate){
		.offset0 = stub & 0xffff, .offset16 = stub >> 16 & 0xffff, .offset32 = stub >> 32,
		.selector = KERNEL_CS, .ist = ist, .type = type,
	};
}

static void init_gates(void)
{
	for (unsigned v = 0; v < VEC_COUNT; v++)
		set_gate(v, 0, GATE_INTERRUPT);
	set_gate(2, IST_FATAL, GATE_INTERRUPT);		/* NMI */
	set_gate(8, IST_FATAL, GATE_INTERRUPT);		/* double fault */
	set_gate(18, IST_FATAL, GATE_INTERRUPT);	/* machine check */
	set_gate(3, 0, GATE_USER);			/* INT3 */
	set_gate(4, 0, GATE_USER);			/* INTO's old place: INT 4 */
}

/* Text can still be written: the kernel's own page tables come later. */
static void use_smap(void)
{
	cr4 |= CR4_SMAP;
	for (const struct smap_site *s = __smap_sites_start; s < __smap_sites_end; s++)
		memcpy(s->at, s->instruction, sizeof(s->instruction));
}

bool cpu_has_xsave;

/* Changes instructions, like use_smap(). */
static void use_xsave(void)
{
	cr4 |= CR4_OSXSAVE;
	cpu_has_xsave = true;
	for (const struct xsave_site *s = __xsave_sites_start; s < __xsave_sites_end; s++)
		s->at[3] |= XSAVE_BIT;
}

u32 cpu_apic_id(void)
{
	return cpuid(1).ebx >> 24;
}

void cpu_features_init(void)
{
	struct cpuid extended = cpuid(0x80000001), leaf7 = { 0 };
	u32 features = cpuid(1).ecx;

	if (!(extended.edx & BIT(20)))
		panic("this CPU has no NX pages");
	if (cpuid(0).eax >= 7)
		leaf7 = cpuid(7);
	cr4 = CR4_PAE | CR4_FXSR;
	if (leaf7.ebx & BIT(7))
		cr4 |= CR4_SMEP;
	if (leaf7.ebx & BIT(20))
		use_smap();
	if (leaf7.ecx & BIT(2))
		cr4 |= CR4_UMIP;
	if (features & BIT(26) && features & BIT(28) && cpuid(0).eax >= 13)	/* XSAVE, AVX */
		use_xsave();
	init_gates();
}

static void init_tss(struct cpu *c)
{
	struct tss *tss = &c->arch.tss;
	u64 base = (u64)tss, *descriptor = &gdt[GDT_TSS + 2 * c->id];

	tss->ist[IST_FATAL - 1] = (u64)fatal_stack[c->id] + FATAL_STACK;
	tss->iomap = sizeof(*tss);			/* no I/O ports for user mode */
	descriptor[0] = SEGMENT_TSS | (sizeof(*tss) - 1) | (base & 0xffffff) << 16 |
			(base >> 24 & 0xff) << 56;
	descriptor[1] = base >> 32;
}

static void load_tables(struct cpu *c)
{
	struct table_pointer gdt_pointer = { sizeof(gdt) - 1, (u64)gdt };
	struct table_pointer idt_pointer = { sizeof(idt) - 1, (u64)idt };
	u16 tss = 8 * (GDT_TSS + 2 * c->id);

	__asm__ volatile("lgdt %0" : : "m"(gdt_pointer));
	__asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
			 : : "i"(KERNEL_CS) : "rax", "memory");
	__asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%ss" : : "r"(KERNEL_DS));
	__asm__ volatile("movl %0, %%fs; movl %0, %%gs" : : "r"(0));
	__asm__ volatile("ltr %0" : : "r"(tss));
	__asm__ volatile("lidt %0" : : "m"(idt_pointer));
}

void arch_set_current(struct thread *t, struct cpu *c)
{
	c->arch.current = t;
	msr_write(MSR_GS_BASE, (u64)c);
}

void cpu_init(struct cpu *c)
{
	init_tss(c);
	load_tables(c);
	arch_set_current(&c->idle, c);
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4));
	if (cpu_has_xsave)
		__asm__ volatile("xsetbv" : : "c"(0), "a"(FPU_X87_SSE | FPU_AVX), "d"(0));
	msr_write(MSR_KERNEL_GS, 0);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | EFER_NXE);
	msr_write(MSR_STAR, (u64)(SYSRET_BASE | 3) << 48 | (u64)KERNEL_CS << 32);
	msr_write(MSR_LSTAR, (u64)syscall_entry_64);
	msr_write(MSR_SFMASK, RFLAGS_SYSCALL);
}
