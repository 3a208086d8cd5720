/*
 * Tests of files' contents, against a model that is an array of bytes.
 */
#include "base/counters.h"
#include "errno.h"
#include "mm/mm.h"
#include "test_fs.h"

#define MODEL_SIZE	(40 * PAGE_SIZE)

static u8 model[MODEL_SIZE], buf[MODEL_SIZE];
static u64 model_size;

static ssize_t write_at(struct file *f, off_t pos, const void *p, size_t n)
{
	struct iobuf b = test_buf(p, n);

	return file_write(f, &b, &pos);
}

static ssize_t read_at(struct file *f, off_t pos, void *p, size_t n)
{
	struct iobuf b = test_buf(p, n);

	return file_read(f, &b, &pos);
}

static void random_write(struct file *f)
{
	u64 pos = test_random() % MODEL_SIZE;
	u64 n = test_random() % MIN(3 * PAGE_SIZE, MODEL_SIZE - pos);

	for (u64 i = 0; i < n; i++)
		model[pos + i] = test_random();
	CHECK(write_at(f, pos, model + pos, n) == (ssize_t)n, "ramfs.model", "short write");
	if (n)
		model_size = MAX(model_size, pos + n);
}

static void random_truncate(struct file *f)
{
	u64 size = test_random() % MODEL_SIZE;

	CHECK(vfs_truncate(f->inode, size) == 0, "ramfs.model", "truncate fails");
	if (size < model_size)
		memset(model + size, 0, model_size - size);
	model_size = size;
}

static void random_read(struct file *f)
{
	u64 pos = test_random() % MODEL_SIZE, n = test_random() % (4 * PAGE_SIZE);
	u64 want = pos >= model_size ? 0 : MIN(n, model_size - pos);

	CHECK(read_at(f, pos, buf, n) == (ssize_t)want, "ramfs.model", "read of %lu at %lu", n,
	      pos);
	/* RAMFSFILE1, RAMFSFILE2 */
	CHECK(memcmp(buf, model + pos, want) == 0, "ramfs.model", "wrong bytes at %lu+%lu", pos,
	      want);
	CHECK(f->inode->size == model_size, "ramfs.model", "size %lu", f->inode->size);
}

KTEST(ramfs_model, "ramfs.model", "", "ramfs.model")
{
	struct counter_snapshot before, after;
	struct file *f;

	counters_snapshot(&before);
	REQUIRE(path_open(NULL, "/model", O_RDWR | O_CREAT | O_EXCL, 0600, &f) == 0, "ramfs.model",
		"cannot create");
	CHECK(vfs_unlink(NULL, "/model", false) == 0, "ramfs.model", "cannot unlink while open");
	memset(model, 0, sizeof(model));
	model_size = 0;
	for (unsigned i = 0; i < 600; i++) {
		if (test_random() % 8 == 0)
			random_truncate(f);
		else
			random_write(f);
		random_read(f);
	}
	file_put(f);
	counters_snapshot(&after);
	CHECK(counters_equal(&before, &after, "ramfs.model"), "ramfs.model", "leaks");
}

/* Far apart pages make the tree of pages grow to its full height, and go again. */
KTEST(ramfs_sparse, "ramfs.sparse", "", "ramfs.sparse")
{
	s64 pages = counter_read(COUNT_FILE_PAGES);
	struct file *f;
	u64 v;

	REQUIRE(path_open(NULL, "/sparse", O_RDWR | O_CREAT, 0600, &f) == 0, "ramfs.sparse",
		"open");
	for (unsigned shift = 3; shift < 63; shift++) {
		v = shift;
		CHECK(write_at(f, 1ll << shift, &v, 8) == 8, "ramfs.sparse", "write at 2^%u",
		      shift);
	}
	for (unsigned shift = 3; shift < 63; shift++)	/* PAGETREE1 */
		CHECK(read_at(f, 1ll << shift, &v, 8) == 8 && v == shift, "ramfs.sparse",
		      "2^%u: %lu", shift, v);
	CHECK(read_at(f, (1ll << 50) - 8, &v, 8) == 8 && v == 0, "ramfs.sparse",
	      "a hole is not zeros");
	CHECK(counter_read(COUNT_FILE_PAGES) == pages + 52, "ramfs.sparse", "%ld pages",
	      counter_read(COUNT_FILE_PAGES) - pages);
	CHECK(f->inode->blocks == 52 * 8, "ramfs.sparse", "%lu blocks", f->inode->blocks);
	CHECK(write_at(f, S64_MAX, &v, 8) == -EINVAL, "ramfs.sparse", "a file beyond 2^63");
	CHECK(vfs_truncate(f->inode, (1ll << 40) + 9) == 0, "ramfs.sparse", "truncate");
	CHECK(read_at(f, 1ll << 40, &v, 8) == 8 && v == 40, "ramfs.sparse", "2^40: %lu", v);
	/* RAMFSFILE3 */
	CHECK(counter_read(COUNT_FILE_PAGES) == pages + 30, "ramfs.sparse", "%ld pages after",
	      counter_read(COUNT_FILE_PAGES) - pages);
	vfs_unlink(NULL, "/sparse", false);
	file_put(f);
	CHECK(counter_read(COUNT_FILE_PAGES) == pages, "ramfs.sparse", "pages leak");
}

KTEST(ramfs_append, "ramfs.append", "", "ramfs.append")
{
	struct iobuf b = test_buf("two", 3);
	struct file *f;

	test_write("/append", "one");
	REQUIRE(path_open(NULL, "/append", O_WRONLY | O_APPEND, 0, &f) == 0, "ramfs.append",
		"open");
	CHECK(file_write(f, &b, NULL) == 3 && f->offset == 6, "ramfs.append", "write");
	CHECK(file_read(f, &b, NULL) == -EBADF, "ramfs.append", "a write-only file can be read");
	file_put(f);
	CHECK(test_contains("/append", "onetwo"), "ramfs.append", "not at the end");
	vfs_unlink(NULL, "/append", false);
}

KTEST(ramfs_mapping, "ramfs.mapping", "", "ramfs.mapping")
{
	struct inode *i = ramfs_create_anon(3 * PAGE_SIZE + 1);
	struct page *a = NULL, *b = NULL;

	REQUIRE(i, "ramfs.mapping", "no memory");
	CHECK(i->ops->get_page(i, 0, false, &a) == 0 && !a, "ramfs.mapping", "a page in a hole");
	CHECK(i->ops->get_page(i, 3, true, &a) == 0 && a, "ramfs.mapping", "no page is made");
	CHECK(i->ops->get_page(i, 3, false, &b) == 0 && a == b, "ramfs.mapping", "another page");
	CHECK(i->ops->get_page(i, 4, true, &b) == -EFAULT, "ramfs.mapping",
	      "a page beyond the end");
	page_put(a);
	page_put(a);
	inode_put(i);
}

struct listing {
	off_t from;
	unsigned seen;		/* bit i: entry "i" */
	unsigned budget;	/* entries to take */
};

static bool take_entry(void *arg, const char *name, size_t len, u64 ino, u32 mode, off_t next)
{
	struct listing *l = arg;

	(void)len;
	(void)ino;
	(void)mode;
	if (!l->budget)
		return false;
	l->budget--;
	l->from = next;
	if (name[0] != '.') {
		CHECK(!(l->seen & BIT(name[0] - 'a')), "ramfs.listing", "%c is listed twice",
		      name[0]);
		l->seen |= BIT(name[0] - 'a');
	}
	return true;
}

/* A listing in steps, with entries removed and added between: what stays is seen exactly once. */
KTEST(ramfs_listing, "ramfs.listing", "", "ramfs.listing")
{
	struct listing l = { .budget = 7 };
	struct inode *dir;
	char path[] = "/l/?";

	vfs_create(NULL, "/l", S_IFDIR | 0755, 0);
	for (path[3] = 'a'; path[3] <= 'j'; path[3]++)
		test_write(path, "");
	path_lookup(NULL, "/l", false, &dir);
	dir->ops->readdir(dir, 0, take_entry, &l);
	vfs_unlink(NULL, "/l/b", false);
	vfs_unlink(NULL, "/l/e", false);
	vfs_unlink(NULL, "/l/i", false);
	test_write("/l/b", "");
	test_write("/l/k", "");
	l.budget = 99;
	l.seen &= ~BIT(1);		/* a new b may be seen */
	dir->ops->readdir(dir, l.from, take_entry, &l);
	CHECK(l.seen == 0x6ff, "ramfs.listing", "seen %x", l.seen);
	inode_put(dir);
	test_remove_tree("/l");
}
