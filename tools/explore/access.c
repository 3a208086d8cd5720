/*
 * The functions that the compiler calls at each access to memory (-fsanitize=thread; the
 * sanitizer's own library is not linked), and the choice of those accesses that matter.
 *
 * A CPU pauses before it takes a spin lock, and before an access to a racing word. A block is all
 * that it does from one pause to the next, and runs in one piece: as no other thread's access
 * conflicts with it, the order within the block cannot matter. The racing words are learned: where
 * the blocks of two threads follow each other, both access the word, one of them stores, and no
 * spin lock is held in both, the word is racing. The search is repeated until it
 * has learned nothing new. This misses one kind of race: a block that first lets another CPU go on,
 * by an unlock or a wake-up, and then accesses further words, is not interrupted in between until
 * those words are known. A scenario can name them: explore_races().
 *
 * A store to an atomic word may be what orders the accesses to others, so those others are believed
 * to race only after all atomic words are known.
 */
#include "explore.h"

#include <string.h>

#define TABLE_BITS	15
#define TABLE_SIZE	(1u << TABLE_BITS)
#define BLOCK_MAX	4096

/* The accesses of one block to one word. */
struct touch {
	uint32_t word;			/* index in the table */
	uint16_t thread;		/* its stack */
	bool write, try;
	uint64_t locks;			/* held during all of them */
};

static struct word {
	uintptr_t at;			/* address / 8 */
	uint32_t touch;			/* index in blocks[touched_in & 1] */
	uint32_t touched_in;		/* number of the last block that did */
	uint8_t lock;			/* spin locks: a bit of their own, from 1; others 0 */
	bool atomic, racing;
} words[TABLE_SIZE];

static struct block {
	unsigned nr;
	struct touch touches[BLOCK_MAX];
} blocks[2];				/* this one and the one before, by the low bit of `block` */

static uint32_t block = 1;
static unsigned nr_words, nr_locks;
unsigned nr_racing_atomics, nr_racing_others;
void (*on_access)(const struct access *a);

static struct word *find_word(const void *address)
{
	uintptr_t at = (uintptr_t)address >> 3;
	unsigned h = (at * 0x9e3779b97f4a7c15ull) >> (64 - TABLE_BITS);

	while (words[h].at != at) {
		if (!words[h].at) {
			if (++nr_words > TABLE_SIZE / 2)
				explore_fail("the scenario touches too many words");
			words[h].at = at;
			break;
		}
		h = (h + 1) % TABLE_SIZE;
	}
	return &words[h];
}

static uint64_t lock_bit(struct word *w)
{
	if (!w->lock)
		w->lock = ++nr_locks < 64 ? nr_locks : 63;
	return 1ull << w->lock;
}

static uint64_t locks_held(void)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < cpu_states[vcpu].nr_held; i++)
		mask |= lock_bit(find_word(cpu_states[vcpu].held[i]));
	return mask;
}

/* Notes that the thread touches @w in this block. */
static void touch(struct word *w, unsigned thread, bool write, bool try, uint64_t locks)
{
	struct block *b = &blocks[block & 1];
	struct touch *t = &b->touches[w->touch];

	if (w->touched_in == block && t->thread == thread) {
		t->write |= write;
		t->try |= try;
		t->locks &= locks;
		return;
	}
	if (b->nr == BLOCK_MAX)
		explore_fail("a CPU makes %u accesses without a pause", BLOCK_MAX);
	w->touched_in = block;
	w->touch = b->nr;
	b->touches[b->nr++] = (struct touch){ w - words, thread, write, try, locks };
}

static void found_race(struct word *w)
{
	if (w->racing)
		return;
	w->racing = true;
	if (w->atomic)
		nr_racing_atomics++;
	else
		nr_racing_others++;
}

/*
 * Some races show only between accesses that never come next to each other, as when one thread
 * stores right after it has sent an interrupt, and the interrupted thread reads. So a scenario can
 * name atomic words for which this does not wait.
 */
void explore_races(const void *address)
{
	struct word *w = find_word(address);

	w->atomic = true;
	found_race(w);
}

/* Compares the access with those of the block before, and notes it. */
static void learn(struct word *w, const struct access *a)
{
	unsigned thread = host_stack_of(__builtin_frame_address(0));
	bool write = a->kind != READ, try = a->kind == TRY;
	bool of_lock = a->kind == ACQUIRE || a->kind == RELEASE || try;
	uint64_t locks = locks_held();

	if (w->touched_in == block - 1) {
		const struct touch *t = &blocks[~block & 1].touches[w->touch];

		if (t->thread != thread && (write || t->write) && !(locks & t->locks) &&
		    (!of_lock || try || t->try))
			found_race(w);
	}
	touch(w, thread, write, try, locks);
}

/* Begins the next block. */
void end_block(void)
{
	block++;
	blocks[block & 1].nr = 0;
}

size_t block_size(void)
{
	const struct block *b = &blocks[block & 1];

	return sizeof(b->nr) + b->nr * sizeof(b->touches[0]);
}

void block_save(void *to)
{
	memcpy(to, &blocks[block & 1], block_size());
}

void block_restore(const void *from)
{
	struct block *b = &blocks[++block & 1];

	memcpy(&b->nr, from, sizeof(b->nr));
	memcpy(b, from, block_size());
	for (unsigned i = 0; i < b->nr; i++) {
		words[b->touches[i].word].touched_in = block;
		words[b->touches[i].word].touch = i;
	}
}

void forget_racing_others(void)
{
	for (unsigned i = 0; i < TABLE_SIZE; i++)
		if (!words[i].atomic)
			words[i].racing = false;
	nr_racing_others = 0;
}

/* --- Pauses ----------------------------------------------------------------------------------- */

/* Returns the stack pointer of @stack, on which this CPU does not run; NULL: not known. */
static const char *stack_pointer(unsigned stack)
{
	for (unsigned i = 0; i < nr_vcpus; i++)
		if (i != vcpu && host_stack_of(host_cpu_sp[i]) == stack)
			return cpu_states[i].sp;
	return host_saved_sp(stack);
}

/* Whether @address was on a stack that was freed, or of a function that has returned. */
static bool on_left_frame(const void *address)
{
	unsigned stack = host_stack_of(address);
	const char *sp;

	if (stack == HOST_NO_STACK || stack == host_stack_of(__builtin_frame_address(0)))
		return false;
	if (host_stack_is_free(stack))
		return true;
	sp = stack_pointer(stack);
	/* The lowest word is the canary, which belongs to no function. */
	return (const char *)address < sp && host_stack_of((const char *)address - 8) == stack;
}

static void check_memory(const struct access *a)
{
	const char *freed = host_freed(a->address);
	bool on_free_stack = host_stack_is_free(host_stack_of(__builtin_frame_address(0)));

	if (!freed && !on_free_stack && !on_left_frame(a->address))
		return;
	if (on_access)
		on_access(a);
	if (freed)
		explore_fail("a %s is %s after it was freed", freed,
			     a->kind == READ ? "read" : "written");
	if (on_free_stack)
		explore_fail("a thread runs on a stack that was freed");
	explore_fail(host_stack_is_free(host_stack_of(a->address))
			     ? "a stack is accessed after it was freed"
			     : "a variable is %s after its function has returned",
		     a->kind == READ ? "read" : "written");
}

/* Pauses, if others could see the access that comes next. */
static void pause_before(const struct access *a, struct word *w)
{
	struct cpu_state *c = &cpu_states[vcpu];
	bool fresh = c->fresh;

	c->fresh = false;
	if (a->kind == ACQUIRE) {
		c->lock = a->address;
		if (!fresh || *c->lock)
			pause_cpu(PAUSE_LOCK, a->pc);
	} else if (fresh) {
		return;
	} else if (w->racing || 2 * progress.accesses == pause_at) {
		pause_cpu(PAUSE_ACCESS, a->pc);
	}
}

static void access(enum kind kind, bool atomic, const void *address, unsigned size, const void *pc,
		   const void *sp)
{
	struct access a = { kind, size, address, pc };

	if (!running)
		return;
	if (++progress.accesses > ACCESSES_MAX)
		explore_fail(ENDLESS);
	if (++progress.turn[vcpu] > ACCESSES_OF_TURN)
		explore_spin();
	cpu_states[vcpu].sp = sp;
	check_memory(&a);
	if (!host_is_statistics(address)) {
		struct word *w = find_word(address);

		w->atomic |= atomic;
		pause_before(&a, w);
		progress.stores += kind != READ;
		learn(w, &a);
	}
	if (kind != READ)
		explore_stored(address, size);
	check_memory(&a);
	if (on_access)
		on_access(&a);
}

/* --- Spin locks ------------------------------------------------------------------------------- */

/* The text of lock/spinlock.c, and of spin_trylock() in it: build.py gives them sections. */
extern char __start_klock[], __stop_klock[], __start_ktrylock[], __stop_ktrylock[];

static enum kind exchange_kind(const char *pc)
{
	if (pc >= __start_klock && pc < __stop_klock)
		return ACQUIRE;
	return pc >= __start_ktrylock && pc < __stop_ktrylock ? TRY : WRITE;
}

static void lock_taken(const void *lock)
{
	struct cpu_state *c = &cpu_states[vcpu];

	if (c->nr_held == HELD_MAX)
		explore_fail("more than %u spin locks are held", HELD_MAX);
	c->held[c->nr_held++] = lock;
}

static void lock_released(const void *lock)
{
	struct cpu_state *c = &cpu_states[vcpu];
	unsigned n = 0;

	for (unsigned i = 0; i < c->nr_held; i++)
		if (c->held[i] != lock)
			c->held[n++] = c->held[i];
	while (c->nr_held > n)
		c->held[--c->nr_held] = NULL;
}

/* --- What the compiler calls ------------------------------------------------------------------ */

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define PC	__builtin_return_address(0)
#define SP	((const char *)__builtin_frame_address(0) + 16)	/* of the caller */
#define CALLER	PC, SP

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
	(void)caller;
}

void __tsan_func_exit(void)
{
}

#define PLAIN(n) \
	void __tsan_read##n(void *p) { access(READ, false, p, n, CALLER); } \
	void __tsan_write##n(void *p) { access(WRITE, false, p, n, CALLER); } \
	void __tsan_unaligned_read##n(void *p) { access(READ, false, p, n, CALLER); } \
	void __tsan_unaligned_write##n(void *p) { access(WRITE, false, p, n, CALLER); }

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8)
		access(READ, false, p + i, 8, CALLER);
}

void __tsan_write_range(char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8)
		access(WRITE, false, p + i, 8, CALLER);
}

/* The operation is made after the pause, in one piece, and no other CPU runs meanwhile. */
#define READ_MODIFY_WRITE(bits, type, name, new) \
	type __tsan_atomic##bits##_##name(volatile type *p, type v, int order) \
	{ \
		type old; \
		(void)order; \
		access(WRITE, true, (const void *)p, sizeof(*p), CALLER); \
		old = *p; \
		*p = (new); \
		return old; \
	}

#define COMPARE_EXCHANGE(bits, type, strength) \
	int __tsan_atomic##bits##_compare_exchange_##strength(volatile type *p, type *expected, \
							      type v, int order, int failure) \
	{ \
		(void)order; \
		(void)failure; \
		access(WRITE, true, (const void *)p, sizeof(*p), CALLER); \
		if (*p == *expected) { \
			*p = v; \
			return 1; \
		} \
		*expected = *p; \
		return 0; \
	}

#define ATOMIC(bits, type) \
	type __tsan_atomic##bits##_load(const volatile type *p, int order) \
	{ \
		(void)order; \
		access(READ, true, (const void *)p, sizeof(*p), CALLER); \
		return *p; \
	} \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order) \
	{ \
		bool release = exchange_kind(PC) == ACQUIRE; \
		(void)order; \
		access(release ? RELEASE : WRITE, true, (const void *)p, sizeof(*p), CALLER); \
		*p = v; \
		if (release) \
			lock_released((const void *)p); \
	} \
	type __tsan_atomic##bits##_exchange(volatile type *p, type v, int order) \
	{ \
		enum kind kind = exchange_kind(PC); \
		type old; \
		(void)order; \
		access(kind, true, (const void *)p, sizeof(*p), CALLER); \
		old = *p; \
		*p = v; \
		if (kind != WRITE && !old) \
			lock_taken((const void *)p); \
		return old; \
	} \
	READ_MODIFY_WRITE(bits, type, fetch_add, old + v) \
	READ_MODIFY_WRITE(bits, type, fetch_sub, old - v) \
	READ_MODIFY_WRITE(bits, type, fetch_and, old & v) \
	READ_MODIFY_WRITE(bits, type, fetch_or, old | v) \
	READ_MODIFY_WRITE(bits, type, fetch_xor, old ^ v) \
	COMPARE_EXCHANGE(bits, type, strong) \
	COMPARE_EXCHANGE(bits, type, weak)

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int order)
{
	(void)order;
}

void __tsan_atomic_signal_fence(int order)
{
	(void)order;
}
