/*
 * Objects and kernel stacks, out of two arrays: a snapshot of the machine copies the part in use.
 *
 * Freed memory is filled with poison and not used again in the same execution, so an access to it
 * is always noticed (host_freed()). Stacks are reused, as on a real machine; that no CPU runs on a
 * stack that is free, the explorer checks at every pause.
 */
#include "pages.h"
#include "port.h"

#include "base/counters.h"
#include "base/printf.h"
#include "base/string.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "thread/thread.h"

#define ARENA_SIZE	(512 << 10)
#define ALIGN		64
#define POISON		0x5a
#define MAX_CACHES	16
#define MAX_OBJECTS	1024

struct kmem_cache {
	const char *name;
	size_t size;
};

/* Made at boot. */
static struct kmem_cache caches[MAX_CACHES];
static unsigned nr_caches;

/* All objects ever made in this execution, in order of address. */
static struct {
	size_t used;
	unsigned nr_objects;
	bool stacks_used[HOST_STACKS];
	const struct thread *owners[HOST_STACKS];	/* NULL: it has no frame yet */
	struct {
		u32 start;
		u16 cache;
		bool freed;
	} objects[MAX_OBJECTS];		/* the last field: a snapshot has only those in use */
} heap;

static char arena[ARENA_SIZE] __attribute__((aligned(ALIGN)));
static char stacks[HOST_STACKS][KSTACK_SIZE] __attribute__((aligned(4096)));
char host_entry_stacks[HOST_CPUS][64 << 10] __attribute__((aligned(4096)));

/* For each word of the arena and of cpus[], the bits that do not matter. */
static u64 arena_unimportant[ARENA_SIZE / sizeof(u64)];
static u64 cpus_unimportant[MAX_CPUS * sizeof(struct cpu) / sizeof(u64)];

static unsigned live_at_start, stacks_at_start;
static unsigned thread_cache;		/* index of the cache of struct thread */

/* --- Copying, as copy.S has it for other ports ------------------------------------------------ */

void *memcpy(void *dst, const void *src, size_t n)
{
	host_pages_copied(dst, src);
	explore_stored(dst, n);
	return __builtin_memcpy(dst, src, n);
}

void *memset(void *dst, int byte, size_t n)
{
	host_pages_copied(dst, NULL);
	explore_stored(dst, n);
	return __builtin_memset(dst, byte, n);
}

/* --- Objects ---------------------------------------------------------------------------------- */

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	struct kmem_cache *c = &caches[nr_caches++];

	(void)align;
	if (nr_caches > MAX_CACHES)
		explore_fail("more than %u kinds of objects", MAX_CACHES);
	*c = (struct kmem_cache){ .name = name, .size = size };
	if (strcmp(name, "thread") == 0)
		thread_cache = c - caches;
	return c;
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	void *p = arena + heap.used;

	if (heap.used + c->size > ARENA_SIZE || heap.nr_objects == MAX_OBJECTS)
		explore_fail("the scenario needs more memory than there is");
	heap.objects[heap.nr_objects].start = heap.used;
	heap.objects[heap.nr_objects].cache = c - caches;
	heap.objects[heap.nr_objects++].freed = false;
	heap.used += ALIGN_UP(c->size, ALIGN);
	memset(p, POISON, c->size);
	if (c == &caches[thread_cache])
		host_mark_statistics(&((struct thread *)p)->stats, sizeof(struct thread_stats));
	return p;
}

void *kmem_cache_zalloc(struct kmem_cache *c)
{
	return memset(kmem_cache_alloc(c), 0, c->size);
}

/* All sizes come from two caches of buffers. For a larger one there is no memory. */
void *kmalloc(size_t size)
{
	static struct kmem_cache *buffers, *large;

	if (!buffers) {
		buffers = kmem_cache_create("buffer", 256, ALIGN);
		large = kmem_cache_create("buffer", 1024, ALIGN);
	}
	if (size > large->size)
		return NULL;
	return kmem_cache_alloc(size > buffers->size ? large : buffers);
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	return p ? memset(p, 0, size) : NULL;
}

static bool is_in(size_t at, unsigned object)
{
	unsigned next = object + 1;

	return next <= heap.nr_objects && at >= heap.objects[object].start &&
	       at < (next < heap.nr_objects ? heap.objects[next].start : heap.used);
}

/* The index of the object that @address is in; nr_objects: none. Mostly it is the same again. */
static unsigned object_of(const void *address)
{
	static unsigned last;
	size_t at = (const char *)address - arena;
	unsigned low = 0, high = heap.nr_objects;

	if (at >= heap.used)
		return heap.nr_objects;
	if (is_in(at, last))
		return last;
	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if (heap.objects[middle].start <= at)
			low = middle;
		else
			high = middle;
	}
	return last = low;
}

void kmem_cache_free(struct kmem_cache *c, void *object)
{
	unsigned i = object_of(object);

	if (i == heap.nr_objects || arena + heap.objects[i].start != object)
		explore_fail("a %s is freed that was never allocated", c->name);
	if (heap.objects[i].freed)
		explore_fail("a %s is freed twice", c->name);
	heap.objects[i].freed = true;
	explore_frees(object, c->size);
	memset(object, POISON, c->size);
}

void kfree(void *p)
{
	unsigned i = object_of(p);

	if (!p)
		return;
	if (i == heap.nr_objects)
		explore_fail("a buffer is freed that was never allocated");
	kmem_cache_free(&caches[heap.objects[i].cache], p);
}

const char *host_freed(const void *address)
{
	unsigned i = object_of(address);

	if (i == heap.nr_objects || !heap.objects[i].freed)
		return NULL;
	return caches[heap.objects[i].cache].name;
}

/* --- Stacks ----------------------------------------------------------------------------------- */

void *kstack_alloc(void)
{
	for (unsigned i = 0; i < HOST_STACKS; i++)
		if (!heap.stacks_used[i]) {
			explore_gets(stacks[i]);
			heap.stacks_used[i] = true;
			counter_add(COUNT_STACKS, 1);
			return stacks[i];
		}
	explore_fail("the scenario needs more than %u stacks", HOST_STACKS);
}

void kstack_free(void *stack)
{
	unsigned i = host_stack_of(stack);

	if (i >= HOST_STACKS || stack != stacks[i])
		explore_fail("a stack is freed that was never allocated");
	if (!heap.stacks_used[i])
		explore_fail("a stack is freed twice");
	explore_frees(stacks[i], KSTACK_SIZE);
	explore_sends(stacks[i]);
	heap.stacks_used[i] = false;
	heap.owners[i] = NULL;
	counter_add(COUNT_STACKS, -1);
}

void kstack_trim(unsigned keep)
{
	(void)keep;
}

unsigned host_stack_of(const void *address)
{
	size_t at = (const char *)address - stacks[0];

	if (at < sizeof(stacks))
		return at / KSTACK_SIZE;
	at = (const char *)address - host_entry_stacks[0];
	if (at < sizeof(host_entry_stacks))
		return HOST_STACKS + at / sizeof(host_entry_stacks[0]);
	return HOST_NO_STACK;
}

void host_stack_belongs_to(const struct thread *t)
{
	unsigned stack = host_stack_of(t->stack);

	if (stack < HOST_STACKS)
		heap.owners[stack] = t;
}

bool host_stack_is_free(unsigned stack)
{
	return stack < HOST_STACKS && !heap.stacks_used[stack];
}

const void *host_saved_sp(unsigned stack)
{
	const struct thread *t = stack < HOST_STACKS ? heap.owners[stack] : NULL;

	return t ? t->arch.sp : NULL;
}

u64 page_total(void)
{
	return 1 << 20;
}

/* --- Leaks ------------------------------------------------------------------------------------ */

static unsigned live_objects(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < heap.nr_objects; i++)
		n += !heap.objects[i].freed;
	return n;
}

static unsigned live_stacks(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HOST_STACKS; i++)
		n += heap.stacks_used[i];
	return n;
}

const char *host_armed(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (cpus[i].sleepq.nr || rb_first(&cpus[i].sleepq.deadlines))
			return "a deadline is still armed";
	return NULL;
}

void host_count_from_here(void)
{
	live_at_start = live_objects();
	stacks_at_start = live_stacks();
}

const char *host_leak(void)
{
	static char text[80];

	if (live_stacks() != stacks_at_start) {
		snprintf(text, sizeof(text), "stacks: %u before, %u after", stacks_at_start,
			 live_stacks());
		return text;
	}
	for (unsigned i = heap.nr_objects; i-- > live_at_start;)
		if (!heap.objects[i].freed) {
			snprintf(text, sizeof(text), "a %s was not freed",
				 caches[heap.objects[i].cache].name);
			return text;
		}
	return NULL;
}

/* --- The state of the machine ----------------------------------------------------------------- */

extern char __start_kdata[], __stop_kdata[], __start_kbss[], __stop_kbss[];

/* The bits of the word at @address that do not matter; NULL: all do. */
static u64 *unimportant(const void *address)
{
	size_t at = (const char *)address - arena;

	if (at < sizeof(arena))
		return &arena_unimportant[at / sizeof(u64)];
	at = (const char *)address - (const char *)cpus;
	return at < sizeof(cpus) ? &cpus_unimportant[at / sizeof(u64)] : NULL;
}

void host_mark_statistics(const void *start, size_t size)
{
	u64 *bits = unimportant(start);

	memset(bits, 0xff, size);
}

bool host_is_statistics(const void *address)
{
	const u64 *bits = unimportant(address);

	return bits && *bits == ~0ull;
}

static void __attribute__((constructor)) map_memory(void)
{
	explore_memory_at(phys_to_virt(0), BLOCK_SIZE);
}

void host_regions(struct host_region regions[HOST_REGIONS])
{
	regions[0] = (struct host_region){ __start_kdata, __stop_kdata - __start_kdata, NULL };
	regions[1] = (struct host_region){ __start_kbss, __stop_kbss - __start_kbss, NULL };
	regions[2] = (struct host_region){ (char *)cpus, sizeof(cpus), cpus_unimportant };
	regions[3] = (struct host_region){ arena, sizeof(arena), arena_unimportant };
	regions[4] = (struct host_region){ phys_to_virt(0),
					   BLOCK_HEADER + HOST_MEMORY_PAGES * PAGE_SIZE, NULL };
}

/* The part of a stack in use, from @sp upwards. */
static struct piece stack_piece(char *bottom, size_t size, void *sp)
{
	return (struct piece){ sp, bottom + size - (char *)sp };
}

/*
 * Stores the stack pointer of each kernel stack in use: of a thread that is not running, where
 * arch_switch() left it; of one that runs, where its CPU paused.
 */
static void find_stack_pointers(void *sp[HOST_STACKS + HOST_CPUS])
{
	for (unsigned i = 0; i < HOST_STACKS; i++)
		if (heap.owners[i])
			sp[i] = heap.owners[i]->arch.sp;
	for (unsigned i = 0; i < nr_vcpus; i++)
		sp[HOST_STACKS + i] = cpus[i].idle.arch.sp;
	for (unsigned i = 0; i < nr_vcpus; i++)
		sp[host_stack_of(host_cpu_sp[i])] = host_cpu_sp[i];
}

unsigned host_pieces(struct piece *pieces)
{
	void *sp[HOST_STACKS + HOST_CPUS] = { NULL };
	unsigned n = 0;

	pieces[n++] = (struct piece){ host_cpus, sizeof(host_cpus) };
	pieces[n++] = (struct piece){ &host_clock, sizeof(host_clock) };
	pieces[n++] = (struct piece){ &host_acting, sizeof(host_acting) };
	pieces[n++] = (struct piece){
		&heap, (char *)&heap.objects[heap.nr_objects] - (char *)&heap };
	find_stack_pointers(sp);
	for (unsigned i = 0; i < HOST_STACKS; i++) {
		if (!heap.stacks_used[i])
			continue;
		/* thread_check() looks at the lowest word. */
		pieces[n++] = (struct piece){ stacks[i], sizeof(u64) };
		if (sp[i])
			pieces[n++] = stack_piece(stacks[i], KSTACK_SIZE, sp[i]);
	}
	for (unsigned i = 0; i < nr_vcpus; i++)
		pieces[n++] = stack_piece(host_entry_stacks[i], sizeof(host_entry_stacks[i]),
					  sp[HOST_STACKS + i]);
	return n;
}
