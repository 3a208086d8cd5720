/*
 * Slab caches (Bonwick 1994) with per-CPU magazines in front (Bonwick and Adams 2001).
 *
 * A slab is 2^order pages: a header, then objects of one size. A cache lists the slabs that have
 * free objects; full ones are on no list and come back with their first free. An object finds its
 * slab by rounding its address down, and every page of a slab names its cache, so that kfree() and
 * the assert in kmem_cache_free() know which cache an object is of.
 *
 *  SLAB1  An object is in exactly one place: its slab's free list, one magazine, the quarantine, or
 *         in use by a caller.
 *  SLAB2  slab->used counts the last three; a slab is in cache->slabs exactly while used <
 *         per_slab.
 *  SLAB3  At most one slab of a cache is empty.
 *
 * Lock order: magazine, then cache, then page allocator. Any context may allocate and free.
 */
#include "slab.h"

#include "base/counters.h"
#include "base/panic.h"
#include "base/string.h"
#include "page.h"
#include "sched/cpu.h"

#define SLAB_MAX_ORDER	3

static struct kmem_cache cache_cache;	/* the caches' own */
struct list_node slab_caches = LIST_INIT(slab_caches);

/* Chooses the smallest slabs that waste no more than an eighth. */
static void choose_order(struct kmem_cache *c)
{
	for (c->order = 0;; c->order++) {
		size_t bytes = PAGE_SIZE << c->order;

		c->per_slab = (bytes - c->first) / c->stride;
		if (c->order == SLAB_MAX_ORDER || bytes - (u64)c->per_slab * c->stride <= bytes / 8)
			break;
	}
	assert(c->per_slab > 0);
}

static void cache_init(struct kmem_cache *c, const char *name, size_t size, size_t align)
{
	align = MAX(align, sizeof(void *));
	memset(c, 0, sizeof(*c));
	c->name = name;
	c->size = ALIGN_UP(MAX(size, sizeof(void *)), sizeof(u64));
	c->stride = ALIGN_UP(c->size + REDZONE_SIZE, align);
	c->first = ALIGN_UP(sizeof(struct slab), align);
	choose_order(c);
	spin_init(&c->lock, LOCK_SLAB);
	list_init(&c->slabs);
	for (unsigned i = 0; i < MAX_CPUS; i++)
		spin_init(&c->magazines[i].lock, LOCK_SLAB);
	list_push_back(&slab_caches, &c->node);
}

void slab_init(void)
{
	cache_init(&cache_cache, "cache", sizeof(struct kmem_cache), ARCH_CACHE_LINE);
	kmalloc_init();
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	struct kmem_cache *c = kmem_cache_alloc(&cache_cache);

	if (!c)
		panic("no memory for the cache of %s at boot", name);
	cache_init(c, name, size, align);
	return c;
}

static void set_pages(struct page *p, unsigned order, struct kmem_cache *c)
{
	for (unsigned i = 0; i < 1u << order; i++) {
		p[i].cache = c;
		p[i].flags = c ? p[i].flags | PAGE_SLAB : p[i].flags & ~PAGE_SLAB;
	}
}

static struct slab *slab_create(struct kmem_cache *c) HOLDS(c->lock)
{
	struct page *p = page_take(c->order, 0);
	struct slab *s;

	if (!p)
		return NULL;
	set_pages(p, c->order, c);
	s = page_to_virt(p);
	s->free = NULL;
	s->used = 0;
	for (unsigned i = c->per_slab; i-- > 0;) {
		void **object = (void **)((char *)s + c->first + i * c->stride);

		if (DEBUG_BUILD)
			slab_debug_init(c, object);
		*object = s->free;
		s->free = object;
	}
	c->nr_slabs++;
	c->nr_empty++;
	list_push_back(&c->slabs, &s->node);
	return s;
}

/* Gives an empty slab back to the page allocator. */
static void slab_destroy(struct kmem_cache *c, struct slab *s) HOLDS(c->lock)
{
	struct page *p = virt_to_page(s);

	list_remove(&s->node);
	c->nr_slabs--;
	c->nr_empty--;
	set_pages(p, c->order, NULL);
	page_put(p);
}

static void *take_object(struct kmem_cache *c) HOLDS(c->lock)
{
	struct slab *s = list_first(&c->slabs, struct slab, node);
	void **object;

	if (!s && !(s = slab_create(c)))
		return NULL;
	if (s->used++ == 0)
		c->nr_empty--;
	object = s->free;
	s->free = *object;
	if (s->used == c->per_slab)
		list_remove(&s->node);
	return object;
}

static void put_object(struct kmem_cache *c, void *object) HOLDS(c->lock)
{
	struct slab *s = (struct slab *)ALIGN_DOWN((u64)object, PAGE_SIZE << c->order);

	assert(s->used > 0);
	*(void **)object = s->free;
	s->free = object;
	if (s->used == c->per_slab)
		list_push_front(&c->slabs, &s->node);
	if (--s->used > 0)
		return;
	list_remove(&s->node);
	list_push_back(&c->slabs, &s->node);
	if (++c->nr_empty > 1)
		slab_destroy(c, s);
}

/* Half fills an empty magazine; false if memory is short. */
static bool magazine_fill(struct kmem_cache *c, struct magazine *m) HOLDS(m->lock)
{
	spin_lock_nested(&c->lock);	/* a magazine's lock comes before its cache's */
	while (m->n < MAGAZINE_SIZE / 2 && (m->objects[m->n] = take_object(c)))
		m->n++;
	spin_unlock(&c->lock);
	return m->n > 0;
}

/* Gives the @n oldest objects back to their slabs. */
static void magazine_empty(struct kmem_cache *c, struct magazine *m, unsigned n) HOLDS(m->lock)
{
	spin_lock_nested(&c->lock);
	for (unsigned i = 0; i < n; i++)
		put_object(c, m->objects[i]);
	spin_unlock(&c->lock);
	m->n -= n;
	memmove(m->objects, m->objects + n, m->n * sizeof(m->objects[0]));
}

/* A thread that migrates right after this uses its last CPU's magazine: its lock makes it safe. */
static struct magazine *my_magazine(struct kmem_cache *c)
{
	return &c->magazines[thread_cpu(current_thread())->id];
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	struct magazine *m = my_magazine(c);
	void *object = NULL;

	if (TEST_BUILD && inject_alloc_fails())
		return NULL;
	spin_lock(&m->lock);
	if (m->n || magazine_fill(c, m))
		object = m->objects[--m->n];
	spin_unlock(&m->lock);
	if (!object)
		return NULL;
	if (DEBUG_BUILD)
		slab_debug_alloc(c, object);
	counter_add(COUNT_SLAB_OBJECTS, 1);
	return object;
}

void *kmem_cache_zalloc(struct kmem_cache *c)
{
	void *object = kmem_cache_alloc(c);

	return object ? memset(object, 0, c->size) : NULL;
}

void kmem_cache_free(struct kmem_cache *c, void *object)
{
	struct magazine *m = my_magazine(c);

	assert(virt_to_page(object)->flags & PAGE_SLAB && virt_to_page(object)->cache == c);
	counter_add(COUNT_SLAB_OBJECTS, -1);
	if (DEBUG_BUILD) {
		slab_debug_free(c, object);
		object = slab_quarantine(c, object);
		if (!object)
			return;
	}
	spin_lock(&m->lock);
	if (m->n == MAGAZINE_SIZE)
		magazine_empty(c, m, MAGAZINE_SIZE / 2);
	m->objects[m->n++] = object;
	spin_unlock(&m->lock);
}

static void cache_drain(struct kmem_cache *c)
{
	for (unsigned i = 0; i < MAX_CPUS; i++) {
		struct magazine *m = &c->magazines[i];

		spin_lock(&m->lock);
		magazine_empty(c, m, m->n);
		spin_unlock(&m->lock);
	}
	spin_lock(&c->lock);
	for (unsigned i = 0; DEBUG_BUILD && i < QUARANTINE_SIZE; i++)
		if (c->quarantine[i])
			put_object(c, slab_debug_leave(c, c->quarantine[i]));
	memset(c->quarantine, 0, sizeof(c->quarantine));
	if (c->nr_empty)
		slab_destroy(c, list_entry(c->slabs.prev, struct slab, node));
	spin_unlock(&c->lock);
}

void slab_drain(void)
{
	list_for_each(c, &slab_caches, struct kmem_cache, node)
		cache_drain(c);
}
