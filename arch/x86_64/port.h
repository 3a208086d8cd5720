/*
 * Shared by the files of the x86_64 port; instructions for which C has no expression.
 */
#pragma once

#include "arch.h"
#include "asm.h"
#include "base/machine.h"
#include "types.h"

struct cpu;
struct thread;

/*
 * User floating-point registers, right above the trap frame: 512 bytes in FXSAVE's format, and on a
 * CPU with XSAVE what that adds. Linux puts them into signal frames in the same format: bytes that
 * the CPU does not use describe the contents, and a word behind the end marks them as complete.
 */
struct fpu_state {
	u16 fcw, fsw, ftw, fop;
	u64 fip, fdp;
	u32 mxcsr, mxcsr_mask;
	u8 registers[432];
	u32 magic1, total_size;
	u64 components;
	u32 xsave_size;
	u32 unused[7];
	/* XSAVE's header; in_use: the components that are not in their initial state. */
	u64 in_use, compacted, reserved[6];
	u8 avx[256];			/* the upper halves of YMM0 to YMM15 */
	u32 magic2;
} __attribute__((aligned(64)));

#define FPU_FXSAVE_SIZE		512u
#define FPU_XSAVE_SIZE		offsetof(struct fpu_state, magic2)
#define FPU_TOTAL_SIZE		(FPU_XSAVE_SIZE + sizeof(u32))
#define FPU_MAGIC1		0x46505853u
#define FPU_MAGIC2		0x46505845u
#define FPU_X87_SSE		3u		/* components, as in XCR0 */
#define FPU_AVX			4u

_Static_assert(offsetof(struct fpu_state, magic1) == 464, "software's bytes");
_Static_assert(offsetof(struct fpu_state, in_use) == FPU_FXSAVE_SIZE, "XSAVE's header");
_Static_assert(offsetof(struct fpu_state, avx) == 576, "AVX's offset on every CPU");

/* An FXSAVE or FXRSTOR, which XSAVE_BIT in its last byte turns into XSAVE or XRSTOR. */
struct xsave_site {
	u8 *at;
};

#define XSAVE_BIT		0x20u

extern const struct xsave_site __xsave_sites_start[], __xsave_sites_end[];

extern bool cpu_has_xsave;			/* [const after boot] XSAVE is used, with AVX */

/* The operand of LGDT and LIDT. */
struct table_pointer {
	u16 limit;
	u64 base;
} __attribute__((packed));

/* cpu.c */
u32 cpu_apic_id(void);				/* this CPU's */
void cpu_features_init(void);			/* once, before any cpu_init() */
void cpu_init(struct cpu *c);			/* descriptor tables, control registers, GS */

/* acpi.c: what the rest of the port needs of the tables. */
struct acpi_info {
	paddr_t lapic, ioapic;
	unsigned ioapic_gsi;			/* of the I/O APIC's first pin */
	u16 pm_timer;				/* I/O ports */
	u16 pm1a_control, pm1b_control;
	u16 reset_port;				/* 0: none */
	u8 reset_value;
	struct mem_range dsdt;
	struct {
		unsigned gsi;
		unsigned flags;			/* MPS INTI flags: polarity, trigger mode */
	} isa[16];
};

extern struct acpi_info acpi;			/* [const after boot] */
void acpi_init(paddr_t rsdp);			/* fills acpi, and CPUs and nodes of the machine */
bool acpi_sleep_type_s5(unsigned *a, unsigned *b);

/* mmu.c */
void mmu_init(void);				/* makes the kernel's own tables, for machine.ram */
volatile void *mmu_map_device(paddr_t pa);	/* its 2 MiB block, uncached; at boot only */

/* lapic.c (each of this CPU's own), ioapic.c, timer.c */
void lapic_init(void);
void lapic_eoi(void);
void lapic_send(u32 apic_id, u32 command);	/* to the interrupt command register */
void lapic_timer_start(u32 count);		/* 0: stops it */
u32 lapic_timer_count(void);
void ioapic_init(void);
void timer_calibrate(void);

#define ICR_INIT	0x4500u
#define ICR_STARTUP	0x4600u			/* + page number */

/* shootdown.c */
void shootdown_serve(void);			/* handles the interrupt */

/* entry.S and the functions it calls */
extern const u8 trap_stubs[VEC_COUNT][16];
void syscall_entry_64(void);
noreturn void trap_leave(struct trapframe *tf);
void trap(struct trapframe *tf);
noreturn void trap_fatal(struct trapframe *tf);
void trap_syscall(struct trapframe *tf);

/* boot.S, trampoline.S, kernel.ld, and the functions they call */
noreturn void boot_main(paddr_t start_info);
noreturn void ap_main(struct cpu *c);
extern struct cpu *_Atomic ap_cpu[256];
extern paddr_t kernel_root;
extern u8 boot_stack[], boot_stack_guard[];
extern const u8 trampoline[], trampoline_end[];
extern u8 __image_start[], __image_end[], __text_start[], __text_end[];
extern u8 __data_start[], __data_end[], __rodata_start[], __rodata_end[];

static inline u64 msr_read(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void msr_write(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf)
{
	struct cpuid r;

	__asm__("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
	return r;
}

static inline u32 port_read32(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void port_write32(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline void port_write16(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

/*
 * user.c, for signal frames; @t is the current thread. fpu_saved() returns its floating-point
 * registers, valid until it leaves the kernel; fpu_write() replaces them, by initial ones if @in is
 * NULL.
 */
const struct fpu_state *fpu_saved(struct thread *t);
void fpu_write(struct thread *t, const struct fpu_state *in);
