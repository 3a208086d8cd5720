/*
 * Lab 07, hidden: stacks and other memory close to one another, in which pages are touched, mapped,
 * unmapped and forbidden in any order under changing limits, against a model of the regions. Then
 * the same with forks, with the kernel's own accesses, and now and then without memory.
 */
#include "vm.h"

#include "process/process.h"

#define PAGES		2048u		/* from address 0 on; below all numbers are pages */
#define LOWEST		(unsigned)(MMAP_MIN / PAGE_SIZE)
#define GAP		(unsigned)(STACK_GAP / PAGE_SIZE)
#define AREAS		7u
#define SPACES		3u
#define ROUNDS		5000u

struct area {
	unsigned start, end;		/* end 0: there is none */
	unsigned prot, flags;
};

static struct space {
	struct addr_space *as;		/* NULL: none */
	struct area areas[AREAS];
	bool touched[PAGES];
	u64 words[PAGES];		/* the first one of each page */
} spaces[SPACES];

static bool everything;			/* also what steps 5 to 7 are about */

static vaddr_t va_of(unsigned page)
{
	return (vaddr_t)page * PAGE_SIZE;
}

/* --- The model -------------------------------------------------------------------------------- */

static struct area *area_of(struct space *s, unsigned page)
{
	for (struct area *a = s->areas; a < s->areas + AREAS; a++)
		if (page >= a->start && page < a->end)
			return a;
	return NULL;
}

static struct area *above(struct space *s, unsigned page)
{
	struct area *found = NULL;

	for (struct area *a = s->areas; a < s->areas + AREAS; a++)
		if (a->end && a->start > page && (!found || a->start < found->start))
			found = a;
	return found;
}

/* Whether the area above @page, which is in none, is a stack that may grow down to it. */
static struct area *growing(struct space *s, unsigned page)
{
	struct area *a = above(s, page);

	if (!a || !(a->flags & REGION_STACK) || page < LOWEST ||
	    va_of(a->end - page) > current_process()->limits[RLIMIT_STACK].cur)
		return NULL;
	for (struct area *b = s->areas; b < s->areas + AREAS; b++)
		if (b->end && b->end <= page && page - b->end < GAP)
			return NULL;
	return a;
}

static u64 mapped(struct space *s)
{
	u64 n = 0;

	for (struct area *a = s->areas; a < s->areas + AREAS; a++)
		n += a->end - a->start;
	return n;
}

static void forget(struct space *s, unsigned start, unsigned end)
{
	for (unsigned i = start; i < end; i++)
		s->touched[i] = false;
}

static void check_space(struct space *s)
{
	u64 resident = 0;

	for (unsigned i = 0; i < PAGES; i++) {
		struct page *p = page_at(s->as, va_of(i));

		CHECK(!p == !s->touched[i], "P7.4", "page %u, which was %stouched, is %sthere", i,
		      s->touched[i] ? "" : "not ", p ? "" : "not ");
		CHECK(!p || *(u64 *)page_to_virt(p) == s->words[i], "P7.4",
		      "page %u has other contents than it had", i);
		resident += s->touched[i];
	}
	CHECK(s->as->resident == resident, "P7.3", "%lu pages were touched, and %lu are resident",
	      resident, s->as->resident);
}

static void check_all(void)
{
	for (struct space *s = spaces; s < spaces + SPACES; s++)
		if (s->as)
			check_space(s);
}

/* --- Accesses --------------------------------------------------------------------------------- */

static int copy(struct addr_space *as, vaddr_t va, unsigned access)
{
	u64 word = 0;

	(void)as;
	va = ALIGN_DOWN(va, sizeof(word));
	return access == VM_WRITE ? copy_to_user(va, &word, sizeof(word))
				  : copy_from_user(&word, va, sizeof(word));
}

static int pin(struct addr_space *as, vaddr_t va, unsigned access)
{
	int err;
	struct page *p = as_pin_page(as, va, access, &err);

	if (p)
		page_put(p);
	return err;
}

/* How an access is made; the first two are all that step 3 has. */
static const struct way {
	int (*access)(struct addr_space *as, vaddr_t va, unsigned access);
	const char *name;
	bool grows, tells;		/* a stack; that there is no memory */
} ways[] = {
	{ as_fault, "a fault", true, true },
	{ fault_at, "a fault that makes no stack grow", false, true },
	{ copy, "a copy", true, false },
	{ pin, "a pin", false, true },
};

/* The last page that a stack at the place of @a may reach. */
static unsigned lowest_of(struct space *s, struct area *a)
{
	u64 limit = current_process()->limits[RLIMIT_STACK].cur / PAGE_SIZE;
	unsigned lowest = MAX(LOWEST, limit < a->end ? a->end - (unsigned)limit : 0);

	for (struct area *b = s->areas; b < s->areas + AREAS; b++)
		if (b->end && b->end <= a->start)
			lowest = MAX(lowest, b->end + GAP);
	return lowest;
}

/* A page that is near to an end of something. */
static unsigned choose_page(struct space *s)
{
	struct area *a = &s->areas[test_random() % AREAS];
	unsigned around = test_random() % 3 - 1, page = 0;

	switch (test_random() % 10) {
	case 0:
		page = a->start - 1;
		break;
	case 1:
		page = a->end + test_random() % 2;
		break;
	case 2:
		page = a->start - 1 - test_random() % 300;
		break;
	case 3:
		page = a->end + GAP + around;
		break;
	case 4:
		page = LOWEST + around;
		break;
	case 5:
	case 6:
	case 7:
		page = lowest_of(s, a) + around;
		break;
	case 8:
		page = a->start + test_random() % (a->end - a->start + 1);
		break;
	default:
		break;
	}
	return page && page < PAGES ? page : test_random() % PAGES;
}

/* An access to @page that is allowed has been made: the page is there, and has what it had. */
static void check_made(struct space *s, unsigned page, unsigned access, const struct way *way)
{
	u64 *word;

	REQUIRE(way->access == copy || rights_at(s->as, va_of(page)) & access, "P7.4",
		"page %u: %s counts as resolved, and would fault again", page, way->name);
	word = word_at(s->as, va_of(page));
	if (way->access != copy)
		CHECK(*word == (s->touched[page] ? s->words[page] : 0), "P7.4",
		      "page %u: %s has changed its contents", page, way->name);
	s->touched[page] = true;
	if (access == VM_WRITE)
		*word = test_random();
	s->words[page] = *word;
}

/* How far a stack may have grown: unless an access was made, that far or not at all. */
static void check_growth(struct space *s, unsigned page, struct area *stack, bool made)
{
	u64 before = mapped(s), now = s->as->total_pages;

	CHECK(now == before || (stack && now == before + stack->start - page), "P7.5",
	      "after an access to page %u %lu pages are mapped, not %lu", page, now,
	      before + (stack ? stack->start - page : 0));
	CHECK(!made || !stack || now > before, "P7.5", "the stack has not grown to page %u", page);
	if (stack && now > before)
		stack->start = page;
}

static void access(struct space *s)
{
	static const unsigned accesses[] = { VM_READ, VM_WRITE, VM_WRITE, VM_EXEC };
	unsigned how = accesses[test_random() % ARRAY_SIZE(accesses)], page = choose_page(s);
	const struct way *way = &ways[test_random() % (everything ? ARRAY_SIZE(ways) : 2)];
	struct area *a = area_of(s, page), *stack = !a && way->grows ? growing(s, page) : NULL;
	bool allowed = a ? !(how & ~a->prot) : stack && !(how & ~stack->prot), fired;
	int err;

	if (way->access == copy && how == VM_EXEC)
		return;
	use_space(s->as);
	if (everything && way->tells && test_random() % 4 == 0)
		oom_arm(1 + test_random() % 3, current_thread());
	err = way->access(s->as, va_of(page) + test_random() % PAGE_SIZE, how);
	fired = oom_fired();
	oom_arm(0, NULL);
	use_space(NULL);
	CHECK(err == (fired ? -ENOMEM : allowed ? 0 : -EFAULT),
	      fired ? "P7.12" : a ? "P7.4" : "P7.5",
	      "%s, %s page %u, which is in %s of rights %x: error %d", way->name,
	      fault_access_name(how), page, a ? "memory" : stack ? "reach of a stack" : "nothing",
	      a ? a->prot : stack ? stack->prot : 0, err);
	check_growth(s, page, stack, allowed && !fired);
	if (allowed && !err)
		check_made(s, page, how, way);
}

/* --- Regions ---------------------------------------------------------------------------------- */

static unsigned random_prot(void)
{
	static const unsigned prots[] = { 0, VM_READ, VM_READ | VM_EXEC, RW, RW, RW, RIGHTS };

	return prots[test_random() % ARRAY_SIZE(prots)];
}

/* Two stacks that meet would be one. */
static bool is_free(struct space *s, unsigned start, unsigned end)
{
	for (struct area *a = s->areas; a < s->areas + AREAS; a++)
		if (a->end && start <= a->end && end >= a->start)
			return false;
	return true;
}

static void map(struct space *s)
{
	static const unsigned flags[] = { 0, REGION_STACK, REGION_STACK,
					  REGION_STACK | REGION_NORESERVE };
	struct area *a = &s->areas[test_random() % AREAS];
	unsigned start = LOWEST + test_random() % (PAGES - 64), n = 1 + test_random() % 20;

	if (a->end || !is_free(s, start, start + n))
		return;
	*a = (struct area){ start, start + n, random_prot(),
			    flags[test_random() % ARRAY_SIZE(flags)] };
	map_at(s->as, va_of(start), n, a->prot, a->flags);
	if (test_random() % 4 == 0) {
		CHECK(as_advise(s->as, va_of(start), va_of(start + n), MADV_DONTFORK) == 0, "P7.4",
		      "madvise");
		a->flags |= REGION_NOFORK;
	}
}

/* Takes out all of an area, or one of its ends: what is left of a stack is a stack. */
static void unmap(struct space *s)
{
	struct area *a = &s->areas[test_random() % AREAS];
	unsigned n = a->end - a->start, cut;
	unsigned long at;

	if (!n)
		return;
	cut = test_random() % 2 ? n : 1 + test_random() % n;
	at = test_random() % 2 ? a->start : a->end - cut;
	CHECK(as_unmap(s->as, va_of(at), va_of(cut)) == 0, "P7.4", "munmap");
	forget(s, at, at + cut);
	if (cut == n)
		*a = (struct area){ 0 };
	else if (at == a->start)
		a->start += cut;
	else
		a->end -= cut;
}

/* Not a part of a stack, which would be two then. */
static void protect(struct space *s)
{
	struct area *a = &s->areas[test_random() % AREAS];

	if (!a->end)
		return;
	a->prot = random_prot();
	CHECK(as_protect(s->as, va_of(a->start), va_of(a->end - a->start), a->prot, false) == 0,
	      "P7.4", "mprotect");
}

static void set_limit(struct space *unused)
{
	struct rlimit *limit = &current_process()->limits[RLIMIT_STACK];

	(void)unused;
	*limit = (struct rlimit){ ~0UL, ~0UL };
	if (test_random() % 3 == 0)
		return;
	limit->cur = test_random() % (test_random() % 2 ? 40 : 900) * PAGE_SIZE;
	limit->cur += test_random() % 2 ? 0 : PAGE_SIZE - 1;
	if (test_random() % 6 == 0)
		limit->cur = 0;
	limit->max = test_random() % 2 ? limit->cur : ~0UL;
}

static struct space *unused_space(void)
{
	for (struct space *s = spaces; s < spaces + SPACES; s++)
		if (!s->as)
			return s;
	return NULL;
}

static void fork(struct space *s)
{
	struct space *child = unused_space();

	if (!everything || !child)
		return;
	*child = *s;
	child->as = fork_of(s->as);
	for (struct area *a = child->areas; a < child->areas + AREAS; a++) {
		if (!(a->flags & REGION_NOFORK))
			continue;
		forget(child, a->start, a->end);
		*a = (struct area){ 0 };
	}
	CHECK(child->as->total_pages == mapped(child), "P7.7",
	      "a child has %lu pages mapped, not %lu", child->as->total_pages, mapped(child));
}

static void end(struct space *s)
{
	if (everything) {
		as_put(s->as);
		s->as = NULL;
	}
}

/* --- All of it, in any order ------------------------------------------------------------------ */

static void act_on(struct space *s)
{
	static void (*const acts[])(struct space *s) = {
		access, access, access, access, access, access, access, access, access, access,
		access, access, map, map, map, unmap, unmap, protect, set_limit, fork, end,
	};
	u64 n = test_random() % ARRAY_SIZE(acts);

	acts[n](s);
}

static void use_spaces(void)
{
	struct rlimit *limit = &current_process()->limits[RLIMIT_STACK], saved = *limit;
	struct counter_snapshot before, after;

	mm_drain();
	counters_snapshot(&before);
	dirty_free_pages();
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct space *s = &spaces[test_random() % SPACES];

		if (s->as) {
			act_on(s);
		} else if (test_random() % 4 == 0) {
			*s = (struct space){ .as = new_space() };
			s->as->stack_top = va_of(PAGES);
		}
		if (i % 64 == 0)
			check_all();
	}
	check_all();
	for (struct space *s = spaces; s < spaces + SPACES; s++)
		if (s->as)
			as_put(s->as);
	memset(spaces, 0, sizeof(spaces));
	*limit = saved;
	mm_drain();
	counters_snapshot(&after);
	counters_equal(&before, &after, "P7.3");
	audit();
}

KTEST(stacks_mixed, "stacks.mixed", "07.h", "P7.5")
{
	everything = false;
	use_spaces();
}

KTEST(stacks_everything, "stacks.everything", "07.h", "P7.5")
{
	everything = true;
	use_spaces();
}
