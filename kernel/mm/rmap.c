/*
 * The reverse map: from a file to the regions that it backs, so that pages which a file loses are
 * taken out of every address space.
 *
 * inode->mappings lists the regions under inode->mappings_lock, which is taken inside as->lock: a
 * region enters and leaves the list under both. inode_unmap() comes the other way, from the list to
 * the address space. It marks its place in the list, unlocks the list, locks the address space, and
 * looks again behind its mark: a region of this address space that is there now stays there until
 * the address space is unlocked.
 *
 *  RMAP1  A region is in its file's list while it is in its space's tree.
 *  RMAP2  A region that takes over another's entries (fork's copy, the rest of a split, a moved or
 *         merged region) goes to the end of the list, under the locks of both: an inode_unmap()
 *         under way has yet to come there. Entries made by faults need no such care: they are made
 *         from the changed file.
 */
#include "space.h"

#include "fs/vfs.h"

void rmap_add(struct region *r)
{
	if (!r->inode)
		return;
	spin_lock(&r->inode->mappings_lock);
	list_push_back(&r->inode->mappings, &r->mapping);
	spin_unlock(&r->inode->mappings_lock);
}

void rmap_remove(struct region *r)
{
	if (!r->inode)
		return;
	spin_lock(&r->inode->mappings_lock);
	list_remove(&r->mapping);
	spin_unlock(&r->inode->mappings_lock);
}

void rmap_renew(struct region *r)
{
	rmap_remove(r);
	rmap_add(r);
}

/* zap_pages() that leaves private copies alone. */
static void zap_file_pages(struct tlb_batch *b, vaddr_t start, vaddr_t end)
{
	struct pt_iter i = { .root = b->as->root, .va = start, .end = end };
	s64 n = 0;

	while (pt_next(&i)) {
		struct page *p = pte_page(*i.e);

		if (!page_is_file(p))
			continue;
		pte_set(i.e, 0);
		tlb_batch_page(b, i.va, p);
		n++;
	}
	as_count_pages(b->as, -n);
}

/* Takes the file's pages [first, last] out of @r; private copies of them only with @copies. */
static void unmap_in(struct region *r, u64 first, u64 last, bool copies)
{
	u64 from = r->offset / PAGE_SIZE, pages = ALIGN_UP(r->file_size, PAGE_SIZE) / PAGE_SIZE;
	vaddr_t start, end;
	struct tlb_batch b;

	if (!pages || last < from || first >= from + pages)
		return;
	start = r->start + (MAX(first, from) - from) * PAGE_SIZE;
	end = r->start + (MIN(last - from, pages - 1) + 1) * PAGE_SIZE;
	tlb_batch_init(&b, r->as);
	if (copies)
		zap_pages(&b, start, end);
	else
		zap_file_pages(&b, start, end);
	tlb_batch_flush(&b);
}

/* Returns the first region behind @mark, past the marks of other calls. */
static struct region *region_behind(struct inode *inode, struct list_node *mark)
	HOLDS(inode->mappings_lock)
{
	for (struct list_node *n = mark->next; n != &inode->mappings; n = n->next) {
		struct region *r = container_of(n, struct region, mapping);

		if (r->as)
			return r;
	}
	return NULL;
}

static void leave(struct addr_space *as)
	NO_LOCK_ANALYSIS("@as may be NULL")
{
	if (!as)
		return;
	mutex_unlock(&as->lock);
	as_put(as);
}

void inode_unmap(struct inode *inode, u64 first, u64 last, bool copies)
	NO_LOCK_ANALYSIS("the space that is locked changes from round to round")
{
	struct addr_space *as = NULL, *next;	/* referenced and locked */
	struct region mark = { .as = NULL }, *r;

	assert(mutex_held(&inode->lock));
	spin_lock(&inode->mappings_lock);
	list_push_front(&inode->mappings, &mark.mapping);
	while ((r = region_behind(inode, &mark.mapping))) {
		next = r->as;
		if (next != as && as_tryget(next)) {
			spin_unlock(&inode->mappings_lock);
			leave(as);
			as = next;
			mutex_lock(&as->lock);
			spin_lock(&inode->mappings_lock);
			continue;
		}
		list_remove(&mark.mapping);
		list_insert_before(r->mapping.next, &mark.mapping);
		if (next != as)
			continue;		/* the address space is being destroyed */
		spin_unlock(&inode->mappings_lock);
		unmap_in(r, first, last, copies);
		spin_lock(&inode->mappings_lock);
	}
	list_remove(&mark.mapping);
	spin_unlock(&inode->mappings_lock);
	leave(as);
}

bool inode_may_be_written(struct inode *inode)
{
	bool found = false;

	spin_lock(&inode->mappings_lock);
	list_for_each(r, &inode->mappings, struct region, mapping)
		found |= r->as && r->flags & REGION_SHARED && !(r->flags & REGION_NOWRITE);
	spin_unlock(&inode->mappings_lock);
	return found;
}
