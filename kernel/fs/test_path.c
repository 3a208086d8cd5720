/*
 * Tests of paths and of changes of the tree: what Linux answers, case by case.
 */
#include "errno.h"
#include "mm/mm.h"
#include "test_fs.h"

struct first_name {
	char name[NAME_MAX + 1];
};

static bool take_first(void *arg, const char *name, size_t len, u64 ino, u32 mode, off_t next)
{
	struct first_name *f = arg;

	(void)ino;
	(void)mode;
	if (next <= 2)
		return true;
	memcpy(f->name, name, len);
	f->name[len] = '\0';
	return false;
}

void test_remove_tree(const char *path)
{
	struct first_name first;
	struct inode *dir;

	while (path_lookup(NULL, path, true, &dir) == 0) {
		char *child = kmalloc(PATH_MAX);

		first.name[0] = '\0';
		dir->ops->readdir(dir, 0, take_first, &first);
		inode_put(dir);
		strlcpy(child, path, PATH_MAX);
		if (first.name[0]) {
			size_t n = strlen(path);

			child[n] = '/';
			strlcpy(child + n + 1, first.name, PATH_MAX - n - 1);
			if (vfs_unlink(NULL, child, false) == -EISDIR)
				test_remove_tree(child);
		} else {
			vfs_unlink(NULL, path, true);
		}
		kfree(child);
	}
}

static void set_up(void)
{
	vfs_create(NULL, "/t", S_IFDIR | 0755, 0);
	vfs_create(NULL, "/t/dir", S_IFDIR | 0755, 0);
	vfs_create(NULL, "/t/dir/sub", S_IFDIR | 0755, 0);
	vfs_create(NULL, "/t/empty", S_IFDIR | 0755, 0);
	test_write("/t/file", "file");
	test_write("/t/dir/inner", "inner");
	vfs_symlink(NULL, "/t/to_dir", "dir");
	vfs_symlink(NULL, "/t/to_file", "dir/../file");
	vfs_symlink(NULL, "/t/abs", "/t/dir/inner");
	vfs_symlink(NULL, "/t/dangling", "made");
	vfs_symlink(NULL, "/t/loop", "loop");
	vfs_symlink(NULL, "/t/a", "b/x");
	vfs_symlink(NULL, "/t/b", "a");
}

#define MISS	-ENOENT

static const struct {
	const char *path;
	bool nofollow;
	int err;
} lookups[] = {
	{ "", false, -ENOENT },			{ "/", false, 0 },
	{ "//t///dir//", false, 0 },		{ "/t/file", false, 0 },
	{ "/t/file/", false, -ENOTDIR },	{ "/t/file/.", false, -ENOTDIR },
	{ "/t/file/..", false, -ENOTDIR },	{ "/t/nothing", false, MISS },
	{ "/t/nothing/x", false, MISS },	{ "/t/dir/../dir/./inner", false, 0 },
	{ "/../../t", false, 0 },		{ "/t/to_dir/inner", true, 0 },
	{ "/t/to_dir/", true, 0 },		{ "/t/to_file/", true, -ENOTDIR },
	{ "/t/to_file", false, 0 },		{ "/t/abs", false, 0 },
	{ "/t/dangling", false, MISS },		{ "/t/dangling", true, 0 },
	{ "/t/loop", false, -ELOOP },		{ "/t/loop", true, 0 },
	{ "/t/a", false, -ELOOP },		{ "/t/loop/x", false, -ELOOP },
	{ "/t/to_dir/../file", false, 0 },
};

KTEST(path_lookup, "fs.lookup", "", "fs.lookup")
{
	char *name;
	int err;

	set_up();
	for (unsigned i = 0; i < ARRAY_SIZE(lookups); i++) {
		err = test_lookup(lookups[i].path, lookups[i].nofollow);
		CHECK(err == lookups[i].err, "fs.lookup", "\"%s\" gives %d, not %d",
		      lookups[i].path, err, lookups[i].err);
	}
	name = kmalloc(PATH_MAX);
	memset(name, 'n', PATH_MAX);
	memcpy(name, "/t/", 3);
	name[3 + NAME_MAX + 1] = '\0';
	CHECK(test_lookup(name, false) == -ENAMETOOLONG, "fs.lookup", "a name of 256 bytes");
	name[3 + NAME_MAX] = '\0';
	CHECK(test_write(name, "long") == 0 && test_contains(name, "long"), "fs.lookup",
	      "a name of 255 bytes");
	kfree(name);
	test_remove_tree("/t");
}

KTEST(path_open, "fs.open", "", "fs.open")
{
	static const struct {
		const char *path;
		u32 flags;
		int err;
	} opens[] = {
		{ "/t/dir", O_RDONLY, 0 },		{ "/t/dir", O_WRONLY, -EISDIR },
		{ "/t/dir", O_RDONLY | O_CREAT, -EISDIR },
		{ "/t/new/", O_RDWR | O_CREAT, -EISDIR },
		{ "/t/none/new", O_RDWR | O_CREAT, -ENOENT },
		{ "/t/file/new", O_RDWR | O_CREAT, -ENOTDIR },
		{ "/t/file", O_RDWR | O_CREAT | O_EXCL, -EEXIST },
		{ "/t/dangling", O_RDWR | O_CREAT | O_EXCL, -EEXIST },
		{ "/t/made", O_RDONLY, -ENOENT },	{ "/t/dangling", O_RDWR | O_CREAT, 0 },
		{ "/t/made", O_RDONLY, 0 },		{ "/t/loop", O_RDONLY, -ELOOP },
		{ "/t/new", O_RDWR, -ENOENT },		{ "/t/new", O_RDWR | O_CREAT, 0 },
		{ "/t/new", O_RDWR | O_CREAT, 0 },
	};
	int err;

	set_up();
	for (unsigned i = 0; i < ARRAY_SIZE(opens); i++) {
		err = test_open(opens[i].path, opens[i].flags);
		CHECK(err == opens[i].err, "fs.open", "\"%s\" with %o gives %d, not %d",
		      opens[i].path, opens[i].flags, err, opens[i].err);
	}
	test_remove_tree("/t");
}

KTEST(tree_change, "fs.change", "", "fs.change")
{
	struct inode *file = NULL, *removed = NULL;

	set_up();
#define IS(call, want) \
	do { \
		int err_ = (call); \
		CHECK(err_ == (want), "fs.change", "%s gives %d, not %d", #call, err_, (want)); \
	} while (0)
	IS(vfs_create(NULL, "/t/dir", S_IFDIR, 0), -EEXIST);
	IS(vfs_create(NULL, "/t/dir/.", S_IFDIR, 0), -EEXIST);
	IS(vfs_create(NULL, "/", S_IFDIR, 0), -EEXIST);
	IS(vfs_create(NULL, "/t/dangling", S_IFDIR, 0), -EEXIST);
	IS(vfs_create(NULL, "/t/slash/", S_IFDIR | 0755, 0), 0);
	IS(vfs_create(NULL, "/t/slashed/", S_IFREG, 0), -ENOENT);
	IS(vfs_symlink(NULL, "/t/file", "x"), -EEXIST);
	IS(vfs_unlink(NULL, "/t/dir", false), -EISDIR);
	IS(vfs_unlink(NULL, "/t/file/", false), -ENOTDIR);
	IS(vfs_unlink(NULL, "/t/none", false), -ENOENT);
	IS(vfs_unlink(NULL, "/t/file", true), -ENOTDIR);
	IS(vfs_unlink(NULL, "/t/dir", true), -ENOTEMPTY);
	IS(vfs_unlink(NULL, "/t/empty/.", true), -EINVAL);
	IS(vfs_unlink(NULL, "/t/empty/..", true), -ENOTEMPTY);
	IS(vfs_unlink(NULL, "/", true), -EBUSY);
	IS(vfs_unlink(NULL, "/proc", true), -EBUSY);
	IS(vfs_unlink(NULL, "/t/to_dir", true), -ENOTDIR);
	IS(vfs_unlink(NULL, "/t/slash/", true), 0);

	path_lookup(NULL, "/t/file", false, &file);
	IS(vfs_link(NULL, "/t/hard", file), 0);
	IS(vfs_link(NULL, "/t/hard", file), -EEXIST);
	IS(file->nlink, 2);
	IS(vfs_unlink(NULL, "/t/file", false), 0);
	IS(vfs_unlink(NULL, "/t/hard", false), 0);
	IS(vfs_link(NULL, "/t/back", file), -ENOENT);
	inode_put(file);

	path_lookup(NULL, "/t/empty", false, &removed);
	IS(vfs_link(NULL, "/t/dirlink", removed), -EPERM);
	IS(vfs_unlink(NULL, "/t/empty", true), 0);
	IS(vfs_create(removed, "x", S_IFDIR, 0), -ENOENT);	/* RAMFS2 */
	IS(path_lookup(removed, "..", false, &file), 0);	/* RAMFS1 */
	inode_put(file);
	inode_put(removed);
	test_remove_tree("/t");
}

static const struct {
	const char *from, *to;
	unsigned flags;
	int err;
} renames[] = {
	{ "/t/none", "/t/x", 0, -ENOENT },	{ "/t/dir", "/t/dir/sub/x", 0, -EINVAL },
	{ "/t/dir", "/t/dir", 0, 0 },		{ "/t/dir", "/t/dir/x", 0, -EINVAL },
	{ "/t/dir/sub", "/t/dir", 0, -ENOTEMPTY }, { "/t/dir/sub", "/t", 0, -ENOTEMPTY },
	{ "/t/file", "/t/dir", 0, -EISDIR },	{ "/t/dir", "/t/file", 0, -ENOTDIR },
	{ "/t/empty", "/t/dir", 0, -ENOTEMPTY }, { "/t/dir/.", "/t/x", 0, -EBUSY },
	{ "/t/dir", "/t/x/..", 0, -ENOENT },	{ "/t/dir", "/t/empty/..", 0, -EBUSY },
	{ "/t/file/", "/t/x", 0, -ENOTDIR },	{ "/t/file", "/t/x/", 0, -ENOTDIR },
	{ "/proc", "/t/x", 0, -EBUSY },		{ "/t/file", "/proc/x", 0, -EXDEV },
	{ "/t/file", "/t/dir/inner", RENAME_NOREPLACE, -EEXIST },
	{ "/t/file", "/t/moved", RENAME_NOREPLACE, 0 },
	{ "/t/moved", "/t/dir/inner", 0, 0 },	{ "/t/dir", "/t/empty/", 0, 0 },
	{ "/t/empty", "/t/empty/sub", 0, -EINVAL }, { "/t/empty/sub", "/t/dir", 0, 0 },
	{ "/t/to_dir", "/t/moved_link", 0, 0 },
};

KTEST(tree_rename, "fs.rename", "", "fs.rename")
{
	struct inode *t, *sub;
	char path[32];
	int err;

	set_up();
	for (unsigned i = 0; i < ARRAY_SIZE(renames); i++) {
		err = vfs_rename(NULL, renames[i].from, NULL, renames[i].to, renames[i].flags);
		CHECK(err == renames[i].err, "fs.rename", "%s to %s gives %d, not %d",
		      renames[i].from, renames[i].to, err, renames[i].err);
	}
	CHECK(test_contains("/t/empty/inner", "file"), "fs.rename", "the moved file is damaged");
	CHECK(test_lookup("/t/moved_link", true) == 0, "fs.rename",
	      "a symbolic link is not renamed");
	path_lookup(NULL, "/t", false, &t);
	CHECK(t->nlink == 4, "fs.rename", "/t has %u links, not 4", t->nlink);
	inode_put(t);
	REQUIRE(path_lookup(NULL, "/t/dir/../dir", false, &sub) == 0, "fs.rename", "no /t/dir");
	err = path_of(sub, path, sizeof(path));
	CHECK(err == 0 && strcmp(path, "/t/dir") == 0, "fs.rename", "its path is %s", path);
	CHECK(path_of(sub, path, 7) == 0 && path_of(sub, path, 6) == -ENAMETOOLONG, "fs.rename",
	      "size of a path");
	REQUIRE(path_lookup(NULL, "/proc", false, &t) == 0, "fs.rename", "no /proc");
	sub->ino = t->ino;
	CHECK(path_of(sub, path, sizeof(path)) == 0 && strcmp(path, "/t/dir") == 0, "fs.rename",
	      "with an inode number of another file system its path is %s", path);
	CHECK(path_of(t, path, sizeof(path)) == 0 && strcmp(path, "/proc") == 0, "fs.rename",
	      "/proc has path %s", path);
	inode_put(t);
	vfs_unlink(NULL, "/t/dir", true);
	CHECK(path_of(sub, path, sizeof(path)) == -ENOENT, "fs.rename", "a removed one has a path");
	inode_put(sub);
	test_remove_tree("/t");
}

/*
 * Memory runs out at every allocation of a series of operations: each fails cleanly, nothing leaks.
 */
KTEST(tree_oom, "fs.oom", "", "fs.oom")
{
	struct counter_snapshot before, after;

	for (u64 k = 1; k < 200; k++) {
		counters_snapshot(&before);
		oom_arm(k, NULL);
		set_up();
		vfs_rename(NULL, "/t/file", NULL, "/t/dir/inner", 0);
		vfs_rename(NULL, "/t/dir", NULL, "/t/empty", 0);
		test_lookup("/t/abs", false);
		if (!oom_fired())
			k = 200;
		oom_arm(0, NULL);
		test_remove_tree("/t");
		counters_snapshot(&after);
		CHECK(counters_equal(&before, &after, "fs.oom"), "fs.oom", "failure %lu leaks", k);
	}
}
