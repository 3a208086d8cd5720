/*
 * Inside the slab allocator: slab.c (caches, slabs), slab_debug.c (poison, redzones, quarantine).
 */
#pragma once

#include "config.h"
#include "lock/spinlock.h"
#include "mm/mm.h"

#define MAGAZINE_SIZE	16
#define QUARANTINE_SIZE	(DEBUG_BUILD ? 32 : 1)
#define REDZONE_SIZE	(DEBUG_BUILD ? sizeof(u64) : 0)

/* A CPU's stack of free objects. Its lock, almost never contended, is there for slab_drain(). */
struct magazine {
	struct spinlock lock;
	unsigned n;				/* [lock] */
	void *objects[MAGAZINE_SIZE];		/* [lock] */
};

/* At the start of each slab's memory, before its first object. */
struct slab {
	struct list_node node;		/* [cache->lock] in cache->slabs while objects are free */
	void *free;			/* [cache->lock] a free object; its first word: the next */
	unsigned used;			/* [cache->lock] objects out, to users or magazines */
};

struct kmem_cache {
	const char *name;			/* [const] */
	unsigned size;				/* [const] what the user may touch */
	unsigned stride;			/* [const] from one object to the next */
	unsigned first;				/* [const] offset of the first object in a slab */
	unsigned order;				/* [const] of pages in a slab */
	unsigned per_slab;			/* [const] */
	struct list_node node;			/* [const after boot] in the list of caches */
	struct spinlock lock;
	struct list_node slabs;			/* [lock] with free objects; the empty one last */
	unsigned nr_slabs, nr_empty;		/* [lock] */
	struct magazine magazines[MAX_CPUS];
	unsigned quarantine_next;		/* [lock] debug builds */
	void *quarantine[QUARANTINE_SIZE];	/* [lock] the last freed, a ring; NULL: vacant */
};

extern struct list_node slab_caches;	/* [const after boot] every cache */
void kmalloc_init(void);

/* slab_debug.c: called in debug builds only. */
void slab_debug_init(struct kmem_cache *c, void *object);	/* marks it free */
void slab_debug_alloc(struct kmem_cache *c, void *object);
void slab_debug_free(struct kmem_cache *c, void *object);
void *slab_debug_leave(struct kmem_cache *c, void *object);

/* Puts @object in the ring and returns what it replaces there: the oldest object, or NULL. */
void *slab_quarantine(struct kmem_cache *c, void *object);
