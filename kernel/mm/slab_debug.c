/*
 * The checks that debug builds add to slab caches.
 *
 *	poison		a free object is filled with a pattern, which must be intact when it is
 *			allocated: finds writes after free (to the first word, the list's link,
 *			only until the object leaves the quarantine)
 *	redzone		a word behind each object, one value while it is free and another while it
 *			is in use: finds overruns and double frees
 *	quarantine	the objects freed last are held back, so that a stale pointer meets poison
 *			rather than the next user's data
 */
#include "slab.h"

#include "base/panic.h"
#include "base/string.h"

#define POISON_FREE	0x6b6b6b6b6b6b6b6bUL
#define POISON_NEW	0xa5		/* undefined contents, and they look it */
#define REDZONE_FREE	0x66726565f4ee0b1eUL
#define REDZONE_USED	0x75736564ca5e0b1eUL

static u64 *redzone(const struct kmem_cache *c, void *object)
{
	return (u64 *)((char *)object + c->size);
}

void slab_debug_init(struct kmem_cache *c, void *object)
{
	u64 *word = object;

	for (unsigned i = 0; i < c->size / sizeof(*word); i++)
		word[i] = POISON_FREE;
	*redzone(c, object) = REDZONE_FREE;
}

void slab_debug_alloc(struct kmem_cache *c, void *object)
{
	const u64 *word = object;

	for (unsigned i = 1; i < c->size / sizeof(*word); i++)
		if (word[i] != POISON_FREE)
			panic("%s %p was written after it was freed: %lx at offset %lu", c->name,
			      object, word[i], i * sizeof(*word));
	if (*redzone(c, object) != REDZONE_FREE)
		panic("%s %p: free, but its redzone says %lx", c->name, object,
		      *redzone(c, object));
	memset(object, POISON_NEW, c->size);
	*redzone(c, object) = REDZONE_USED;
}

void slab_debug_free(struct kmem_cache *c, void *object)
{
	u64 offset = (u64)object % (PAGE_SIZE << c->order) - c->first;
	u64 zone = *redzone(c, object);

	if (offset % c->stride)
		panic("%s %p: freed, but no object begins there", c->name, object);
	if (zone == REDZONE_FREE)
		panic("%s %p: freed twice", c->name, object);
	if (zone != REDZONE_USED)
		panic("%s %p: written past its %u bytes, redzone %lx", c->name, object, c->size,
		      zone);
	slab_debug_init(c, object);
}

/* Until now @object was in no list, so its first word must be intact as well. Returns @object. */
void *slab_debug_leave(struct kmem_cache *c, void *object)
{
	if (*(u64 *)object != POISON_FREE)
		panic("%s %p was written after it was freed, at offset 0", c->name, object);
	return object;
}

void *slab_quarantine(struct kmem_cache *c, void *object)
{
	void **place, *oldest;

	spin_lock(&c->lock);
	place = &c->quarantine[c->quarantine_next++ % QUARANTINE_SIZE];
	oldest = *place;
	*place = object;
	spin_unlock(&c->lock);
	return oldest ? slab_debug_leave(c, oldest) : NULL;
}
