/*
 * A file for the tests of memory: pages of its own, and no file system. It is as long as a test
 * maps it (map_file); page HOLE has no data.
 */
#pragma once

#include "vm.h"

#include "fs/vfs.h"

#define FILE_PAGES	4
#define HOLE		3

static struct page *file_pages[FILE_PAGES];
static int file_error;			/* what get_page() answers, unless 0 */
static bool file_cut;			/* the file leaves a page as soon as get_page() gives it */
static unsigned file_written;

static int file_get_page(struct inode *i, u64 index, bool make, struct page **out)
{
	(void)i;
	*out = NULL;
	if (file_error)
		return file_error;
	if (index >= FILE_PAGES)
		return -EFAULT;
	if (index == HOLE && !make)
		return 0;
	*out = page_get(file_pages[index]);
	if (file_cut)
		page_put(file_pages[index]);
	return 0;
}

static struct inode *file_take(struct inode *i)
{
	atomic_fetch_add(&i->refs, 1);
	return i;
}

static void file_leave(struct inode *i)
{
	atomic_fetch_sub(&i->refs, 1);
}

static void file_note(struct inode *i)
{
	(void)i;
	file_written++;
}

static const struct inode_ops file_ops = { .get_page = file_get_page };
static const struct backing_ops file_backing = { file_take, file_leave, file_note };
static struct inode test_file;

/* Every byte of page i is 0xf0 + i. */
static inline void file_fill(unsigned i)
{
	file_pages[i] = page_alloc(0, 0);
	REQUIRE(file_pages[i], ktest_property(), "no memory for the file");
	file_pages[i]->flags |= PAGE_FILE;
	memset(page_to_virt(file_pages[i]), 0xf0 + i, PAGE_SIZE);
}

static inline void file_make(void)
{
	test_file = (struct inode){ .refs = 1, .ops = &file_ops, .backing = &file_backing };
	mutex_init(&test_file.lock);
	spin_init(&test_file.mappings_lock, LOCK_INODE);
	list_init(&test_file.mappings);
	file_error = 0;
	file_cut = false;
	file_written = 0;
	for (unsigned i = 0; i < FILE_PAGES; i++)
		file_fill(i);
}

/* No mapping has changed the file's pages, and none has kept one. */
static inline void file_drop(void)
{
	for (unsigned i = 0; i < FILE_PAGES; i++) {
		CHECK(owners(file_pages[i]) == 1, ktest_property(),
		      "page %u of the file has %u owners when no mapping is left", i,
		      owners(file_pages[i]));
		page_put(file_pages[i]);
	}
	CHECK(atomic_load(&test_file.refs) == 1, ktest_property(), "the file has %u references",
	      atomic_load(&test_file.refs));
}

static inline bool file_intact(unsigned i)
{
	const u8 *p = page_to_virt(file_pages[i]);

	for (unsigned k = 0; k < PAGE_SIZE; k++)
		if (p[k] != 0xf0 + i)
			return false;
	return true;
}

static inline void map_file(struct addr_space *as, vaddr_t addr, unsigned prot, unsigned flags,
			    u64 bytes)
{
	struct map_request req = { .addr = addr, .size = 8 * PAGE_SIZE, .prot = prot,
				   .flags = flags, .fixed = true, .inode = &test_file,
				   .file_size = bytes };
	vaddr_t at;
	int err = as_map(as, &req, &at);

	REQUIRE(!err, ktest_property(), "no mapping of the file was made: error %d", err);
}
