/*
 * The functions that the compiler calls at each access to memory (-fsanitize=thread; the
 * sanitizer's own library is not linked), and the choice of those accesses that matter.
 *
 * A CPU pauses before it takes or tries a spin lock, and before an access to a racing word
 * (order.c). All that it does from one pause to the next runs in one piece: as nothing in it is
 * unordered with what other CPUs do meanwhile, it makes no difference when exactly it happens.
 * Which words race is learned, and the search repeated until nothing new was learned. An
 * interrupt may make a difference nevertheless, if the thread knows its CPU: it also pauses
 * before it turns interrupts off (explore_masks() in step.c) or preemption.
 */
#include "explore.h"

void (*on_access)(const struct access *a);
void (*on_older_load)(uint64_t value);

/* --- Pauses ----------------------------------------------------------------------------------- */

/* Returns the stack pointer of @stack, on which this CPU does not run; NULL: not known. */
static const char *stack_pointer(unsigned stack)
{
	for (unsigned i = 0; i < nr_vcpus; i++)
		if (i != vcpu && host_stack_of(host_cpu_sp[i]) == stack)
			return cpu_states[i].sp;
	return host_saved_sp(stack);
}

/* Whether @address, on another @stack, is of one that was freed, or of a function that returned. */
static bool on_left_frame(const void *address, unsigned stack)
{
	const char *sp;

	if (host_stack_is_free(stack))
		return true;
	sp = stack_pointer(stack);
	/* The lowest word is the canary, which belongs to no function. */
	return (const char *)address < sp && host_stack_of((const char *)address - 8) == stack;
}

static void check_memory(const struct access *a)
{
	unsigned own = host_stack_of(cpu_states[vcpu].sp), stack = host_stack_of(a->address);
	const char *freed = stack == HOST_NO_STACK ? host_freed(a->address) : NULL;
	bool on_free_stack = host_stack_is_free(own);

	if (!freed && !on_free_stack &&
	    (stack == HOST_NO_STACK || stack == own || !on_left_frame(a->address, stack)))
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

/* Whether the CPU pauses, as others could see the access that comes next. */
static enum pause pause_before(const struct access *a, const struct words *w)
{
	struct cpu_state *c = &cpu_states[vcpu];
	bool fresh = c->fresh;

	c->fresh = false;
	c->load = a->kind == READ && !a->plain ? a->address : NULL;
	c->load_size = a->size;
	c->load_order = a->order;
	c->may_fail = a->may_fail;
	if (a->kind == ACQUIRE) {
		c->lock = a->address;
		return fresh && !*c->lock ? PAUSE_NONE : PAUSE_LOCK;
	}
	c->unraced = a->kind != TRY && !is_racing(w) && 2 * progress.accesses != pause_at &&
		     !(c->asked && a->kind == WRITE && host_stays_from(a->address));
	if ((fresh && !weak) || (c->unraced && !(weak && a->may_fail)))
		return PAUSE_NONE;
	return PAUSE_ACCESS;
}

static bool is_of_lock(enum kind kind)
{
	return kind == ACQUIRE || kind == RELEASE || kind == TRY;
}

/* The access comes now; @w is NULL if its words do not matter. */
static void note(const struct access *a, const struct words *w)
{
	if (w) {
		progress.stores += a->kind != READ;
		order_access(w, a);
		if (weak && a->plain && a->kind == WRITE)
			order_plain_store(a);
	}
	if (a->kind != READ)
		state_stored(a->address, a->size);
	else if (host_asks_for_cpu(a->address))
		cpu_states[vcpu].asked = true;
	if (on_access)
		on_access(a);
}

/* Notes the access, unless the CPU must pause before it: returns why. */
static enum pause before(const struct access *a)
{
	struct words w;
	enum pause why;

	check_memory(a);
	if (host_is_statistics(a->address)) {
		note(a, NULL);
		return PAUSE_NONE;
	}
	find_words(a->address, a->size, &w);
	if (covers)
		cover(a->pc, is_racing(&w) || is_of_lock(a->kind));
	why = pause_before(a, &w);
	if (why == PAUSE_NONE)
		note(a, &w);
	return why;
}

static void after_pause(const struct access *a)
{
	struct words w;

	check_memory(a);
	find_words(a->address, a->size, &w);
	note(a, &w);
}

static void access_comes(const struct access *a, const void *sp)
{
	enum pause why;

	if (!running)
		return;
	if (++progress.accesses > ACCESSES_MAX)
		explore_fail(ENDLESS);
	if (++progress.turn[vcpu] > ACCESSES_OF_TURN)
		explore_spin();
	cpu_states[vcpu].sp = sp;
	why = ASIDE(before, a, 0, 0, 0);
	if (why == PAUSE_NONE)
		return;
	pause_cpu(why, a->pc);
	cpu_states[vcpu].sp = sp;	/* interrupts have come, and this may be another CPU */
	ASIDE(after_pause, a, 0, 0, 0);
}

/* --- Spin locks ------------------------------------------------------------------------------- */

/* The text of lock/spinlock.c, and of spin_trylock() in it: make/explore.mk gives them sections. */
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
	progress.locks[vcpu] |= lock_bit(lock);
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
	progress.locks[vcpu] = 0;
	for (unsigned i = 0; i < n; i++)
		progress.locks[vcpu] |= lock_bit(c->held[i]);
}

/* --- What the port does without an access ----------------------------------------------------- */

void explore_sends(const void *p)
{
	if (running)
		ASIDE(order_store, p, 0, RELEASES, true);
}

void explore_gets(const void *p)
{
	if (running)
		ASIDE(order_load, p, 0, 0, ACQUIRES);
}

void explore_frees(const void *start, size_t size)
{
	if (running)
		ASIDE(order_frees, start, size, 0, 0);
}

void explore_stored(const void *start, size_t size)
{
	if (running)
		ASIDE(state_stored, start, size, 0, 0);
	else
		state_stored(start, size);
}

/* --- What the compiler calls ------------------------------------------------------------------ */

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define PC	__builtin_return_address(0)
#define SP	((const char *)__builtin_frame_address(0) + 16)	/* of the caller */

#define ACCESS(kind, plain, order, n, p) \
	access_comes(&(struct access){ kind, plain, false, 0, order, n, (const void *)(p), PC }, SP)
#define MAY_FAIL(order, n, p) \
	access_comes(&(struct access){ WRITE, false, true, 0, order, n, (const void *)(p), PC }, SP)
#define STORES(p, order, keeps)	\
	(running ? (void)ASIDE(order_store, p, sizeof(*(p)), order, keeps) : (void)0)
#define LOADED(p, latest, order) \
	(running ? ASIDE(order_load, p, sizeof(*(p)), latest, order) : (latest))

void __tsan_init(void)
{
}

/* A function may do nothing but call others. */
void __tsan_func_entry(void *caller)
{
	if (covers)
		cover(caller, false);
}

void __tsan_func_exit(void)
{
}

#define PLAIN(n) \
	void __tsan_read##n(void *p) { ACCESS(READ, true, 0, n, p); } \
	void __tsan_write##n(void *p) { ACCESS(WRITE, true, 0, n, p); } \
	void __tsan_unaligned_read##n(void *p) { ACCESS(READ, true, 0, n, p); } \
	void __tsan_unaligned_write##n(void *p) { ACCESS(WRITE, true, 0, n, p); }

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

/*
 * Of a copy of a structure: the compiler announces the stores before the loads, and both before the
 * copy is made. A pause at a load may hash the target as it still is, so its stores are told once
 * more then. Told in vain, as the loads were no copy's, they cost another hash.
 */
static struct {
	char *start;
	size_t size;
} copied_to;

void __tsan_read_range(char *p, size_t n)
{
	char *to = copied_to.start;
	size_t size = copied_to.size;

	for (size_t i = 0; i < n; i += 8)
		ACCESS(READ, true, 0, n - i < 8 ? n - i : 8, p + i);
	if (size == n)
		explore_stored(to, n);
}

void __tsan_write_range(char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8)
		ACCESS(WRITE, true, 0, n - i < 8 ? n - i : 8, p + i);
	/* Once more, as the store comes behind the last of the pauses. */
	explore_stored(p, n);
	copied_to.start = p;
	copied_to.size = n;
}

/* The operation is made after the pause, in one piece, and no other CPU runs meanwhile. */
#define READ_MODIFY_WRITE(bits, type, name, new) \
	type __tsan_atomic##bits##_##name(volatile type *p, type v, int order) \
	{ \
		type old; \
		ACCESS(WRITE, false, order, sizeof(*p), p); \
		old = LOADED(p, *p, order); \
		STORES(p, order, true); \
		*p = (new); \
		return old; \
	}

/* Whether the schedule has chosen that the weak compare-and-exchange fails. */
static bool fails_anyway(void)
{
	bool fails = running && cpu_states[vcpu].older == FAILS;

	if (fails)
		cpu_states[vcpu].older = 0;
	return fails;
}

/* See host_contend(): the word is another than it was, or again what it was. */
static void contend(volatile void *p)
{
	if (running && host_contention.left && p == host_contention.word)
		host_contention_step();
}

#define COMPARE_EXCHANGE(bits, type, strength, access, fails) \
	int __tsan_atomic##bits##_compare_exchange_##strength(volatile type *p, type *expected, \
							      type v, int order, int failure) \
	{ \
		bool works; \
		access; \
		contend(p); \
		works = *p == *expected && !(fails); \
		LOADED(p, *p, works ? order : failure); \
		if (works) { \
			STORES(p, order, true); \
			*p = v; \
			return 1; \
		} \
		*expected = *p; \
		return 0; \
	}

#define ATOMIC(bits, type) \
	type __tsan_atomic##bits##_load(const volatile type *p, int order) \
	{ \
		ACCESS(READ, false, order, sizeof(*p), p); \
		return LOADED(p, *p, order); \
	} \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order) \
	{ \
		bool release = exchange_kind(PC) == ACQUIRE; \
		ACCESS(release ? RELEASE : WRITE, false, order, sizeof(*p), p); \
		STORES(p, order, false); \
		*p = v; \
		if (release) \
			lock_released((const void *)p); \
	} \
	type __tsan_atomic##bits##_exchange(volatile type *p, type v, int order) \
	{ \
		enum kind kind = exchange_kind(PC); \
		type old; \
		ACCESS(kind, false, order, sizeof(*p), p); \
		old = LOADED(p, *p, order); \
		STORES(p, order, true); \
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
	COMPARE_EXCHANGE(bits, type, strong, ACCESS(WRITE, false, order, sizeof(*p), p), false) \
	COMPARE_EXCHANGE(bits, type, weak, MAY_FAIL(order, sizeof(*p), p), fails_anyway())

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

static void fence(int order, const void *pc)
{
	if (covers)
		cover(pc, true);
	order_fence(order);
}

/* All CPUs agree on the order of such fences, so another CPU may go on before this one. */
static void pause_before_fence(const void *sp)
{
	struct cpu_state *c = &cpu_states[vcpu];

	c->sp = sp;
	explore_point();
	c->sp = sp;
}

void __tsan_atomic_thread_fence(int order)
{
	if (!running)
		return;
	if (weak && order == SEQUENTIAL)
		pause_before_fence(SP);
	ASIDE(fence, order, PC, 0, 0);
}

void __tsan_atomic_signal_fence(int order)
{
	(void)order;
}
