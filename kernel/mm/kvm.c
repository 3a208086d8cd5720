/*
 * Kernel mappings: address space and page table entries from ARCH_VMAP_BASE on, for kernel stacks
 * and devices.
 *
 * A bitmap says which pages of address space are reserved. The lowest free run is taken first, so
 * that few tables are needed. Each reservation gets an unmapped page below it: an overrun downwards
 * faults instead of reaching its neighbour. The tables are shared by every root, stay for ever, and
 * are not counted as memory in use.
 *
 * Mapping needs no flush: no TLB holds anything for released address space. Unmapping needs one on
 * every CPU before the address space is released. Flushing may block, so it is left to the caller,
 * who can flush many mappings at once.
 */
#include "mm/mm.h"

#include "base/panic.h"
#include "errno.h"
#include "lock/spinlock.h"
#include "space.h"

#define WINDOW_PAGES	(1UL << 18)	/* 1 GiB */
#define WORD_BITS	64UL

static struct {
	struct spinlock lock;
	u64 used[WINDOW_PAGES / WORD_BITS];	/* [lock] */
	u64 first_free;				/* [lock] no page below it is free */
} kvm = { .lock = SPINLOCK_INIT(LOCK_KVM) };

void kvm_init(void)
{
	static_assert(ARCH_VMAP_END - ARCH_VMAP_BASE >= WINDOW_PAGES * PAGE_SIZE, "window");
	vm_init();
}

static bool page_used(u64 i)
{
	return kvm.used[i / WORD_BITS] & 1UL << i % WORD_BITS;
}

static void mark_pages(u64 first, u64 n, bool used) HOLDS(kvm.lock)
{
	for (u64 i = first; i < first + n; i++) {
		assert(page_used(i) != used);
		kvm.used[i / WORD_BITS] ^= 1UL << i % WORD_BITS;
	}
}

/* Returns the first of the lowest @n free pages in a row; WINDOW_PAGES if there are none. */
static u64 find_pages(u64 n) HOLDS(kvm.lock)
{
	u64 run = 0;

	for (u64 i = kvm.first_free; i < WINDOW_PAGES; i++) {
		if (i % WORD_BITS == 0 && kvm.used[i / WORD_BITS] == ~0UL) {
			i += WORD_BITS - 1;
			run = 0;
			continue;
		}
		run = page_used(i) ? 0 : run + 1;
		if (run == n)
			return i + 1 - n;
	}
	return WINDOW_PAGES;
}

vaddr_t kvm_reserve(size_t size)
{
	u64 n = ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE + 1, first;

	spin_lock(&kvm.lock);
	first = find_pages(n);
	if (first < WINDOW_PAGES) {
		mark_pages(first, n, true);
		if (first == kvm.first_free)
			kvm.first_free = first + n;
	}
	spin_unlock(&kvm.lock);
	return first < WINDOW_PAGES ? ARCH_VMAP_BASE + (first + 1) * PAGE_SIZE : 0;
}

void kvm_release(vaddr_t va, size_t size)
{
	u64 first = (va - ARCH_VMAP_BASE) / PAGE_SIZE - 1;

	spin_lock(&kvm.lock);
	mark_pages(first, ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE + 1, false);
	kvm.first_free = MIN(kvm.first_free, first);
	spin_unlock(&kvm.lock);
}

int kvm_map_page(vaddr_t va, paddr_t pa, unsigned prot)
{
	pte_t *pte;

	spin_lock(&kvm.lock);
	pte = pt_walk(arch_kernel_root(), va, true);
	if (pte) {
		assert(!arch_pte_present(*pte));
		pte_set(pte, arch_pte_leaf(pa, prot));
	}
	spin_unlock(&kvm.lock);
	return pte ? 0 : -ENOMEM;
}

paddr_t kvm_unmap_page(vaddr_t va)
{
	pte_t *pte, old;

	spin_lock(&kvm.lock);
	pte = pt_walk(arch_kernel_root(), va, false);
	assert(pte && arch_pte_present(*pte));
	old = *pte;
	pte_set(pte, 0);
	spin_unlock(&kvm.lock);
	return arch_pte_pa(old);
}

void *kvm_map_device(paddr_t pa, size_t size)
{
	u64 offset = pa % PAGE_SIZE;
	vaddr_t va = kvm_reserve(offset + size);

	if (!va)
		return NULL;
	for (u64 at = 0; at < offset + size; at += PAGE_SIZE)
		if (kvm_map_page(va + at, pa - offset + at, VM_READ | VM_WRITE | VM_DEVICE))
			return NULL;	/* no memory for a table; what is mapped stays so */
	return (void *)(va + offset);
}
