/*
 * Tests of copy.S: every alignment and length against a byte loop, exact counts at a fault, and the
 * compare-and-exchange on user memory.
 */
#include "base/string.h"
#include "errno.h"
#include "mm/vm.h"
#include "port.h"
#include "sched/cpu.h"
#include "test/ktest.h"

#define BASE	0x40000000UL
#define END	(BASE + 2 * PAGE_SIZE)	/* nothing is mapped from here on */
#define SIZE	320u
#define ROOM	16u			/* around the copied bytes, which must stay as they were */

static u8 from[SIZE], to[SIZE];

static void fill(u8 *p, u8 first, u8 step)
{
	for (unsigned i = 0; i < SIZE; i++)
		p[i] = first + step * i;
}

/* Copies @n bytes from @src to @dst, then fills them; returns how many bytes of to[] are wrong. */
static unsigned wrong_after_copy(unsigned dst, unsigned src, unsigned n)
{
	unsigned wrong = 0;

	fill(to, 0xee, 0);
	memcpy(to + dst, from + src, n);
	for (unsigned i = 0; i < SIZE; i++)
		wrong += to[i] != (i >= dst && i < dst + n ? from[src + i - dst] : 0xee);
	memset(to + dst, 0x15a, n);
	for (unsigned i = 0; i < SIZE; i++)
		wrong += to[i] != (i >= dst && i < dst + n ? 0x5a : 0xee);
	return wrong;
}

KTEST(copy_kernel, "copy.kernel", "", "copy.bytes")
{
	fill(from, 1, 3);
	for (unsigned n = 0; n < 160; n++)
		for (unsigned dst = ROOM; dst < ROOM + 8; dst++)
			for (unsigned src = ROOM; src < ROOM + 8; src++)
				CHECK(!wrong_after_copy(dst, src, n), "copy.bytes",
				      "%u bytes, offsets %u and %u", n, dst, src);
}

/* memmove() leaves copies towards lower addresses to memcpy(). */
KTEST(copy_overlap, "copy.overlap", "", "copy.overlap")
{
	for (unsigned shift = 1; shift < 100; shift++) {
		unsigned wrong = 0;

		fill(to, 7, 5);
		memmove(to, to + shift, SIZE - shift);
		for (unsigned i = 0; i < SIZE - shift; i++)
			wrong += to[i] != (u8)(7 + 5 * (i + shift));
		CHECK(!wrong, "copy.overlap", "%u bytes wrong after a move by %u", wrong, shift);
	}
}

/* Gives the current thread an address space with two pages before END. */
static struct addr_space *use_new_space(void)
{
	struct map_request req = {
		.addr = BASE, .size = END - BASE, .prot = VM_READ | VM_WRITE, .fixed = true
	};
	struct addr_space *as = NULL;
	vaddr_t at;

	REQUIRE(as_create(&as) == 0 && as_map(as, &req, &at) == 0, "copy.user", "no memory");
	irq_off();
	current_thread()->as = as;
	as_switch(as);
	irq_on();
	return as;
}

static void leave_space(struct addr_space *as)
{
	irq_off();
	current_thread()->as = NULL;
	as_switch(NULL);
	irq_on();
	as_put(as);
}

KTEST(copy_user_counts, "copy.user_counts", "", "copy.count")
{
	struct addr_space *as = use_new_space();

	fill(from, 9, 7);
	for (unsigned fits = 0; fits < 150; fits++) {
		void *user = (void *)(END - fits);
		size_t rest = 150 - fits;

		CHECK(arch_copy_user(user, from + fits % 8, 150) == rest, "copy.count", "out");
		CHECK(arch_copy_user(to, user, 150) == rest, "copy.count", "in");
		CHECK(!memcmp(to, from + fits % 8, fits), "copy.count", "%u bytes differ", fits);
		CHECK(arch_clear_user(user, 150) == rest, "copy.count", "clear");
	}
	CHECK(arch_copy_user(to, (void *)8, 50) == 50, "copy.count", "near address 0");
	CHECK(!(csr_read(sstatus) & SSTATUS_SUM), "copy.count", "user memory is left open");
	leave_space(as);
}

KTEST(copy_cmpxchg, "copy.cmpxchg", "", "copy.cmpxchg")
{
	struct addr_space *as = use_new_space();
	u32 *word = (u32 *)(BASE + 4), seen = 1;

	CHECK(!arch_user_cmpxchg32(word, 0, ~0u, &seen) && seen == 0, "copy.cmpxchg", "fresh page");
	CHECK(!arch_user_cmpxchg32(word, 5, 6, &seen) && seen == ~0u, "copy.cmpxchg", "not equal");
	CHECK(!arch_user_cmpxchg32(word, ~0u, 7, &seen) && seen == ~0u, "copy.cmpxchg", "sign");
	CHECK(!arch_user_cmpxchg32(word, 0, 8, &seen) && seen == 7, "copy.cmpxchg", "result");
	CHECK(arch_user_cmpxchg32((u32 *)END, 0, 1, &seen) == -EFAULT, "copy.cmpxchg", "unmapped");
	leave_space(as);
}

/* No page of the image is writable and executable, here or in the direct map. */
KTEST(port_rights, "port.rights", "", "port.rights")
{
	for (const char *p = __image_start; p < __image_end; p += PAGE_SIZE) {
		vaddr_t va = (vaddr_t)p, alias = ARCH_DIRECT_BASE + arch_image_pa(p);
		bool text = p >= __text_start && p < __text_end;

		CHECK(kernel_maps(va, VM_EXEC) == text, "port.rights", "%lx: execute", va);
		CHECK(!(text && kernel_maps(va, VM_WRITE)), "port.rights", "%lx: write", va);
		CHECK(kernel_maps(va, VM_WRITE) || !kernel_maps(alias, VM_WRITE), "port.rights",
		      "%lx: its alias can be written", va);
	}
}
