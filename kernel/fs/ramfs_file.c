/*
 * The contents of files in memory: pages by index. A missing page, a hole, reads as zeros.
 *
 * Locks: inode->lock, held by the caller or taken by ramfs_write(), keeps the size and other
 * writers still, also while a write faults on the user memory that it copies from. pages_lock
 * guards only the page tree and is never held while copying, since a page fault on a mapping of
 * this very file takes it. Readers take no other lock: they see each page as it is when they get
 * there.
 *
 *  RAMFSFILE1  Bytes beyond the size in the last page are zeros: truncation clears them, and a
 *              write sets the size to its end.
 *  RAMFSFILE2  A page in the tree is wholly initialized: a new one is filled before it is inserted.
 *  RAMFSFILE3  No page beyond the end stays: truncation first changes the size, then drops the
 *              pages, then unmaps them (inode_unmap()). So a fault either sees the new size or is
 *              undone.
 */
#include "base/counters.h"
#include "base/string.h"
#include "errno.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "ramfs.h"
#include "thread/thread.h"

void ramfs_file_init(struct ramfs_inode *r)
{
	mutex_init(&r->pages_lock);
}

static u64 page_index(u64 pos)
{
	return pos >> PAGE_SHIFT;
}

/* Returns the page at @index, referenced, or NULL for a hole. */
static struct page *get_page(struct ramfs_inode *r, u64 index)
{
	struct page *p;

	mutex_lock(&r->pages_lock);
	p = pagetree_find(&r->pages, index);
	if (p)
		page_get(p);
	mutex_unlock(&r->pages_lock);
	return p;
}

/* Whether page @index is beyond the end of the file. */
static bool is_beyond(const struct inode *i, u64 index)
{
	return index >= page_index(i->size + PAGE_SIZE - 1);
}

/*
 * Puts @new in place, with a reference for the tree, if the place is still empty; *there is the
 * page that is in place then, referenced. A page for a mapping (@mapped) may have been cut off
 * meanwhile (RAMFSFILE3); one for a write may be beyond the size, which grows afterwards.
 */
static int insert_page(struct ramfs_inode *r, u64 index, struct page *new, bool mapped,
		       struct page **there)
{
	struct page **slot;
	int err = 0;

	mutex_lock(&r->pages_lock);
	slot = pagetree_slot(&r->pages, index);
	if (!slot) {
		err = -ENOMEM;
	} else if (mapped && is_beyond(&r->inode, index)) {
		err = -EFAULT;
	} else {
		if (!*slot) {
			*slot = page_get(new);
			new->flags |= PAGE_FILE;
			r->inode.blocks += PAGE_SIZE / 512;
			counter_add(COUNT_FILE_PAGES, 1);
		}
		*there = page_get(*slot);
	}
	mutex_unlock(&r->pages_lock);
	return err;
}

int ramfs_get_page(struct inode *i, u64 index, bool make, struct page **out)
{
	struct ramfs_inode *r = to_ramfs(i);
	struct page *new;
	int err;

	if (!inode_is(i, S_IFREG) || is_beyond(i, index))
		return -EFAULT;
	*out = get_page(r, index);
	if (*out || !make)
		return 0;
	new = page_alloc(0, PAGE_ZERO);
	if (!new)
		return -ENOMEM;
	err = insert_page(r, index, new, true, out);
	page_put(new);
	return err;
}

static ssize_t ramfs_read(struct file *f, struct iobuf *b, off_t *pos)
{
	struct inode *i = f->inode;
	size_t done = 0, n, moved = 0;

	file_accessed(f);
	for (; b->left; done += moved) {
		off_t left = atomic_load_explicit(&i->size, memory_order_acquire) - *pos;
		struct page *p;

		if (left <= 0)
			return done;
		n = page_part(*pos, MIN((off_t)b->left, left));
		p = get_page(to_ramfs(i), page_index(*pos));
		if (p) {
			moved = iobuf_copy_to(b, page_to_virt(p) + page_offset(*pos), n);
			page_put(p);
		} else {
			moved = iobuf_clear(b, n);
		}
		*pos += moved;
		if (moved < n)
			return done + moved ? (ssize_t)(done + moved) : -EFAULT;
	}
	return done;
}

/*
 * Fills a hole with a new page: @n bytes at offset @at come from @b, the others are zeros
 * (RAMFSFILE2). Returns how many came, or an error.
 */
static ssize_t write_hole(struct ramfs_inode *r, u64 index, struct iobuf *b, size_t at, size_t n)
{
	struct page *new = page_alloc(0, 0), *there;
	int err = 0;
	void *va;

	if (!new)
		return -ENOMEM;
	va = page_to_virt(new);
	n = iobuf_copy_from(b, va + at, n);
	memset(va, 0, at);
	memset(va + at + n, 0, PAGE_SIZE - at - n);
	if (n)
		err = insert_page(r, index, new, false, &there);
	if (n && !err) {
		if (there != new)	/* a fault on a mapping has filled the hole */
			memcpy(page_to_virt(there) + at, va + at, n);
		page_put(there);
	}
	page_put(new);
	return err ? err : (ssize_t)n;
}

/* Whether a seal forbids a write up to @end. */
static bool is_sealed(const struct inode *i, u64 end)
{
	return i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ||
	       (i->seals & F_SEAL_GROW && end > i->size);
}

/* Writes @n bytes, all in one page. Returns how many were written, or an error. */
static ssize_t write_page(struct inode *i, struct iobuf *b, off_t pos, size_t n) HOLDS(i->lock)
{
	struct ramfs_inode *r = to_ramfs(i);
	struct page *p;
	ssize_t moved;

	if (unlikely(i->seals) && is_sealed(i, pos + n))
		return -EPERM;
	p = get_page(r, page_index(pos));
	if (p) {
		moved = iobuf_copy_from(b, page_to_virt(p) + page_offset(pos), n);
		page_put(p);
	} else {
		moved = write_hole(r, page_index(pos), b, page_offset(pos), n);
	}
	if (moved > 0 && (u64)(pos + moved) > i->size)
		i->size = pos + moved;
	return moved ? moved : -EFAULT;
}

static ssize_t ramfs_write(struct file *f, struct iobuf *b, off_t *pos)
{
	bool append = (f->flags & O_APPEND) && !(b->flags & RWF_NOAPPEND);
	struct inode *i = f->inode;
	ssize_t moved = 0, room;
	size_t done = 0, n;
	off_t start;

	mutex_lock(&i->lock);
	start = append || (b->flags & RWF_APPEND) ? (off_t)i->size : *pos;
	room = b->left ? file_room(start, b->left) : 0;
	if (room > 0)
		inode_drop_set_id(i);
	for (; room > 0 && !thread_is_dying(current_thread()); room -= moved) {
		n = page_part(start + done, room);
		moved = write_page(i, b, start + done, n);
		done += MAX(moved, 0);
		if (moved < (ssize_t)n)
			break;
	}
	if (done) {
		*pos = start + done;
		inode_touch(i);
	}
	mutex_unlock(&i->lock);
	return done ? (ssize_t)done : room < 0 ? room : moved;
}

/* Drops all pages at or after @first. */
static void drop_pages(struct ramfs_inode *r, u64 first)
{
	u64 gone;

	mutex_lock(&r->pages_lock);
	gone = pagetree_truncate(&r->pages, first);
	r->inode.blocks -= gone * (PAGE_SIZE / 512);
	mutex_unlock(&r->pages_lock);
	counter_add(COUNT_FILE_PAGES, -(s64)gone);
}

int ramfs_truncate(struct inode *i, off_t size)
{
	struct ramfs_inode *r = to_ramfs(i);
	bool shrinks = (u64)size < i->size;
	struct page *last;
	u64 first;

	if (i->seals & (shrinks ? F_SEAL_SHRINK : F_SEAL_GROW) && (u64)size != i->size)
		return -EPERM;
	i->size = size;
	inode_touch(i);
	if (!shrinks)
		return 0;
	first = page_index((u64)size + PAGE_SIZE - 1);
	drop_pages(r, first);
	inode_unmap(i, first, ~0UL, true);
	last = page_offset(size) ? get_page(r, page_index(size)) : NULL;
	if (last) {			/* RAMFSFILE1 */
		memset(page_to_virt(last) + page_offset(size), 0, PAGE_SIZE - page_offset(size));
		page_put(last);
	}
	return 0;
}

off_t ramfs_seek(struct inode *i, off_t from, bool hole)
{
	struct ramfs_inode *r = to_ramfs(i);
	u64 index = page_index(from), next, pages = page_index(i->size + PAGE_SIZE - 1);

	mutex_lock(&r->pages_lock);
	if (hole)
		for (next = index; next < pages && pagetree_find(&r->pages, next); next++)
			;
	else
		next = pagetree_next(&r->pages, index);
	mutex_unlock(&r->pages_lock);
	if (next >= pages)
		return hole ? (off_t)i->size : -ENXIO;
	return MAX(from, (off_t)(next << PAGE_SHIFT));
}

/* Makes sure that there is a page at @index, if need be a new one of zeros. */
static int fill_hole(struct ramfs_inode *r, u64 index)
{
	struct page *there = get_page(r, index), *new;
	int err;

	if (there) {
		page_put(there);
		return 0;
	}
	new = page_alloc(0, PAGE_ZERO);
	if (!new)
		return -ENOSPC;
	err = insert_page(r, index, new, false, &there);
	if (!err)
		page_put(there);
	page_put(new);
	return err ? -ENOSPC : 0;
}

int ramfs_allocate(struct inode *i, off_t pos, off_t n, bool keep_size)
{
	u64 first = page_index(pos), end = page_index((u64)pos + n + PAGE_SIZE - 1);
	int err = file_may_grow(i, pos + n);

	if (!err && end - first > page_free_count())
		err = -ENOSPC;
	for (u64 index = first; index < end && !err; index++)
		err = thread_is_dying(current_thread()) ? -EINTR : fill_hole(to_ramfs(i), index);
	if (err)
		return err;
	if (!keep_size && (u64)(pos + n) > i->size)
		i->size = pos + n;
	inode_touch(i);
	return 0;
}

/* Clears @n bytes at @pos, all in one page. */
static void clear_part(struct ramfs_inode *r, u64 pos, size_t n)
{
	struct page *p = get_page(r, page_index(pos));

	if (!p)
		return;
	memset(page_to_virt(p) + page_offset(pos), 0, n);
	page_put(p);
}

/* Drops the pages [first, end). */
static void drop_range(struct ramfs_inode *r, u64 first, u64 end)
{
	u64 gone = 0;

	mutex_lock(&r->pages_lock);
	while ((first = pagetree_next(&r->pages, first)) < end) {
		struct page **slot = pagetree_slot(&r->pages, first);

		page_put(*slot);
		*slot = NULL;
		gone++;
	}
	r->inode.blocks -= gone * (PAGE_SIZE / 512);
	mutex_unlock(&r->pages_lock);
	counter_add(COUNT_FILE_PAGES, -(s64)gone);
}

int ramfs_punch(struct inode *i, off_t pos, off_t n)
{
	u64 at = pos, end = at + n, first = page_index(at + PAGE_SIZE - 1), last = page_index(end);
	struct ramfs_inode *r = to_ramfs(i);

	if (page_offset(at))
		clear_part(r, at, page_part(at, n));
	if (page_offset(end) && last >= first)
		clear_part(r, last << PAGE_SHIFT, page_offset(end));
	if (last > first) {
		drop_range(r, first, last);
		inode_unmap(i, first, last - 1, false);
	}
	inode_touch(i);
	return 0;
}

void ramfs_file_release(struct ramfs_inode *r)
{
	drop_pages(r, 0);
}

/* Only a file without a name is freed when it is closed. */
static u64 ramfs_held(struct file *f)
{
	return f->inode->nlink ? 0 : f->inode->blocks * 512;
}

const struct file_ops ramfs_file_ops = {
	.read = ramfs_read,
	.write = ramfs_write,
	.held = ramfs_held,
	.seekable = true,
};
