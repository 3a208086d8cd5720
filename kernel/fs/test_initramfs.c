/*
 * Tests of unpacking archives, good and bad ones.
 */
#include "base/printf.h"
#include "errno.h"
#include "test_fs.h"

#define MTIME		0x7a5b3c2d
#define ARCHIVE_MAX	4096u

static char archive[ARCHIVE_MAX], broken[ARCHIVE_MAX];
static size_t size;

static void add(const char *name, u32 ino, u32 mode, u32 nlink, const char *data)
{
	size_t n = strlen(name) + 1, len = strlen(data);

	size += snprintf(archive + size, ARCHIVE_MAX - size,
			 "070701%08x%08x%016x%08x%08x%08x%032x%08x%08x", ino, mode, 0, nlink, MTIME,
			 (unsigned)len, 0, (unsigned)n, 0);
	memcpy(archive + size, name, n);
	size = ALIGN_UP(size + n, 4);
	memcpy(archive + size, data, len);
	size = ALIGN_UP(size + len, 4);
}

/* Two archives with zeros between; a directory that is never said; hard links; a device. */
static void build(void)
{
	memset(archive, 0, sizeof(archive));
	size = 0;
	add("c", 1, S_IFDIR | 0750, 2, "");
	add("c/file", 2, S_IFREG | 0640, 1, "first");
	add("c/deep/er/file", 3, S_IFREG | 0644, 1, "deep");
	add("c/link", 4, S_IFLNK | 0777, 1, "deep/er/file");
	add("c/hard1", 5, S_IFREG | 0644, 2, "");
	add("c/dev", 6, S_IFCHR | 0644, 1, "");
	add("c/hard2", 5, S_IFREG | 0644, 2, "shared");
	add("TRAILER!!!", 0, S_IFREG | 0644, 1, "");
	size += 512;
	add("./c/file", 5, S_IFREG | 0600, 1, "second");
	add("TRAILER!!!", 0, 0, 1, "");
}

KTEST(cpio_good, "initramfs.good", "", "initramfs.good")
{
	struct inode *i;

	build();
	REQUIRE(initramfs_unpack(archive, size) == 0, "initramfs.good",
		"a good archive is refused");
	CHECK(test_contains("/c/file", "second"), "initramfs.good",
	      "the later archive does not win");
	CHECK(test_contains("/c/link", "deep"), "initramfs.good", "link or missing directories");
	CHECK(test_contains("/c/hard1", "shared"), "initramfs.good", "hard link without the data");
	CHECK(test_lookup("/c/dev", true) == -ENOENT, "initramfs.good", "a device is made");
	CHECK(test_lookup("/TRAILER!!!", true) == -ENOENT, "initramfs.good", "the end is a file");
	path_lookup(NULL, "/c/hard2", false, &i);
	CHECK(i->mtime.sec == MTIME, "initramfs.good", "the time is %lx", (long)i->mtime.sec);
	CHECK(i->nlink == 2 && i->mode == (S_IFREG | 0644), "initramfs.good", "links %u mode %o",
	      i->nlink, i->mode);
	inode_put(i);
	path_lookup(NULL, "/c", false, &i);
	CHECK(i->mode == (S_IFDIR | 0750), "initramfs.good", "mode %o", i->mode);
	inode_put(i);
	test_remove_tree("/c");
}

KTEST(cpio_bad, "initramfs.bad", "", "initramfs.bad")
{
	static const char gzip[] = "\x1f\x8b\x08 compressed";

	build();
	CHECK(initramfs_unpack(gzip, sizeof(gzip)) == -EINVAL, "initramfs.bad", "gzip is taken");
	for (size_t n = 1; n < size; n += 61)
		initramfs_unpack(archive, n);
	for (unsigned n = 0; n < 60; n++) {
		memcpy(broken, archive, size);
		broken[test_random() % 200] = test_random();
		broken[6 + 11 * 8 + test_random() % 8] = "09afF-"[test_random() % 6];
		initramfs_unpack(broken, size);
		test_remove_tree("/c");
	}
	memcpy(broken, archive, size);
	memcpy(broken + 6 + 11 * 8, "ffffffff", 8);
	CHECK(initramfs_unpack(broken, size) == -EINVAL, "initramfs.bad", "a name of 4 GiB");
	test_remove_tree("/c");
}

/* Memory runs out at each allocation in turn. */
KTEST(cpio_oom, "initramfs.oom", "", "initramfs.oom")
{
	struct counter_snapshot before, after;
	bool fired = true;

	build();
	for (u64 k = 1; fired && k < 200; k++) {
		counters_snapshot(&before);
		oom_arm(k, NULL);
		initramfs_unpack(archive, size);
		fired = oom_fired();
		oom_arm(0, NULL);
		test_remove_tree("/c");
		counters_snapshot(&after);
		CHECK(counters_equal(&before, &after, "initramfs.oom"), "initramfs.oom",
		      "failure %lu leaks", k);
	}
}
