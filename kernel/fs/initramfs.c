/*
 * Unpacks the initramfs into the root file system: cpio archives in the "newc" format, one after
 * the other with any number of zeros between. Later archives add to earlier ones and replace files.
 *
 * An entry is a header of hexadecimal digits, then the name with its terminator and the data, each
 * padded to four bytes. Hard links are entries with the same inode and device numbers; only one of
 * them has the data.
 *
 * The archive is untrusted input: at a fault in it the unpacking ends with a message that says
 * where, and nothing outside [cpio, cpio + size) is read. Device nodes, sockets and pipes are left
 * out.
 */
#include "base/printf.h"
#include "base/string.h"
#include "errno.h"
#include "fs.h"
#include "mm/mm.h"

#define MAGIC_LEN	6
#define DIGITS		8
#define TRAILER		"TRAILER!!!"

enum { INO, MODE, UID, GID, NLINK, MTIME, FILESIZE, DEVMAJOR, DEVMINOR, RDEVMAJOR, RDEVMINOR,
       NAMESIZE, CHECK, FIELDS };

#define HEADER_SIZE	(MAGIC_LEN + FIELDS * DIGITS)

struct archive {
	const char *data;
	size_t size, pos;		/* pos <= size */
	struct list_node links;		/* struct hard_link: files with more than one name */
	u64 files;
};

struct entry {
	u32 field[FIELDS];
	const char *name;		/* with its terminator */
	const char *data;		/* field[FILESIZE] bytes */
};

struct hard_link {
	struct list_node node;
	u32 ino, major, minor;
	struct inode *inode;		/* referenced */
};

static bool parse_hex(const char *s, u32 *out)
{
	*out = 0;
	for (unsigned i = 0; i < DIGITS; i++) {
		char c = s[i] | 0x20;		/* lower case; digits keep their value */
		u32 digit = c >= 'a' ? (u32)(c - 'a' + 10) : (u32)(s[i] - '0');

		if (digit > 15)
			return false;
		*out = *out << 4 | digit;
	}
	return true;
}

/* Takes the next @n bytes and their padding. Returns NULL if the archive ends before. */
static const char *take(struct archive *a, size_t n)
{
	const char *p = a->data + a->pos;

	if (n > a->size - a->pos)
		return NULL;
	a->pos = MIN(ALIGN_UP(a->pos + n, 4), a->size);
	return p;
}

/* Reads the entry at a->pos and moves a->pos behind it. Returns NULL, or the fault in it. */
static const char *read_entry(struct archive *a, struct entry *e)
{
	const char *header = a->data + a->pos;

	if (a->size - a->pos < HEADER_SIZE)
		return "the archive ends within a header";
	if (memcmp(header, "070701", MAGIC_LEN) && memcmp(header, "070702", MAGIC_LEN))
		return "not a newc cpio archive (compressed ones are not supported)";
	for (unsigned i = 0; i < FIELDS; i++)
		if (!parse_hex(header + MAGIC_LEN + i * DIGITS, &e->field[i]))
			return "a header field is not hexadecimal";
	a->pos += HEADER_SIZE;		/* no padding before the name */
	e->name = take(a, e->field[NAMESIZE]);
	if (!e->name)
		return "the archive ends within a name";
	if (e->field[NAMESIZE] == 0 || e->name[e->field[NAMESIZE] - 1] != '\0' ||
	    strlen(e->name) + 1 != e->field[NAMESIZE])
		return "a name is not terminated";
	if (e->field[NAMESIZE] > PATH_MAX)
		return "a name is too long";
	e->data = take(a, e->field[FILESIZE]);
	return e->data ? NULL : "the archive ends within a file";
}

/* Makes the missing directories on the way to @path. */
static int make_parents(const char *path)
{
	char *dir = kmalloc(PATH_MAX);
	int err = 0;

	if (!dir)
		return -ENOMEM;
	for (const char *p = strchr(path + 1, '/'); p && (!err || err == -EEXIST);
	     p = strchr(p + 1, '/')) {
		memcpy(dir, path, p - path);
		dir[p - path] = '\0';
		err = vfs_create(NULL, dir, S_IFDIR | 0755, 0);
	}
	kfree(dir);
	return err == -EEXIST ? 0 : err;
}

static int write_data(struct inode *inode, const struct entry *e)
{
	struct iobuf b = iobuf_kernel(e->data, e->field[FILESIZE]);
	struct file *f;
	off_t pos = 0;
	int err = file_open_inode(inode, O_WRONLY, &f);

	if (err)
		return err;
	while (b.left && !err) {
		ssize_t n = file_write(f, &b, &pos);

		err = n < 0 ? n : 0;
	}
	file_put(f);
	return err;
}

static struct hard_link *find_link(struct archive *a, const struct entry *e)
{
	list_for_each(l, &a->links, struct hard_link, node)
		if (l->ino == e->field[INO] && l->major == e->field[DEVMAJOR] &&
		    l->minor == e->field[DEVMINOR])
			return l;
	return NULL;
}

static int remember_link(struct archive *a, const struct entry *e, struct inode *inode)
{
	struct hard_link *l = kmalloc(sizeof(*l));

	if (!l)
		return -ENOMEM;
	*l = (struct hard_link){ .ino = e->field[INO], .major = e->field[DEVMAJOR],
				 .minor = e->field[DEVMINOR], .inode = inode_get(inode) };
	list_push_back(&a->links, &l->node);
	return 0;
}

/* Empties the list at the end of an archive: its inode numbers mean nothing in the next one. */
static void forget_links(struct archive *a)
{
	list_for_each_safe(l, &a->links, struct hard_link, node) {
		list_remove(&l->node);
		inode_put(l->inode);
		kfree(l);
	}
}

/* Gives @i the entry's data and attributes. */
static int fill(struct archive *a, const struct entry *e, struct inode *i, bool remember)
{
	int err = remember ? remember_link(a, e, i) : 0;

	if (!err && inode_is(i, S_IFREG))
		err = write_data(i, e);
	if (err || i->dev != DEV_ROOT)	/* the root of /proc keeps its attributes */
		return err;
	mutex_lock(&i->lock);
	i->mode = (i->mode & S_IFMT) | (e->field[MODE] & 07777);
	i->uid = e->field[UID];
	i->gid = e->field[GID];
	i->mtime = (struct inode_time){ .sec = e->field[MTIME] };
	mutex_unlock(&i->lock);
	return 0;
}

/* Makes what the entry describes. It replaces anything of that name but a directory. */
static int make_entry(struct archive *a, const struct entry *e)
{
	bool is_dir = (e->field[MODE] & S_IFMT) == S_IFDIR;
	bool shared = !is_dir && e->field[NLINK] > 1;
	struct hard_link *l = shared ? find_link(a, e) : NULL;
	struct new_name new = {
		.mode = e->field[MODE] & (S_IFMT | 07777),
		.target = e->data, .target_len = e->field[FILESIZE],
		.existing = l ? l->inode : NULL,
	};
	struct inode *i;
	int err;

	if (!is_dir)
		vfs_unlink(NULL, e->name, false);
	err = vfs_make(NULL, e->name, &new, &i);
	if (err == -EEXIST && is_dir)
		err = path_lookup(NULL, e->name, false, &i);
	if (err)
		return err;
	err = fill(a, e, i, shared && !l);
	inode_put(i);
	return err;
}

static int unpack_entry(struct archive *a, const struct entry *e)
{
	u32 type = e->field[MODE] & S_IFMT;
	int err;

	if (type != S_IFDIR && type != S_IFREG && type != S_IFLNK) {
		kprintf("initramfs: %s: devices, pipes and sockets are left out\n", e->name);
		return 0;
	}
	if (type == S_IFLNK && (!e->field[FILESIZE] || e->field[FILESIZE] >= PATH_MAX))
		return -EINVAL;
	a->files++;
	err = make_entry(a, e);
	if (err != -ENOENT)
		return err;
	err = make_parents(e->name);
	return err ? err : make_entry(a, e);
}

static int unpack_all(struct archive *a)
{
	struct entry e;
	const char *wrong;
	int err;

	while (a->pos < a->size) {
		if (a->data[a->pos] == '\0') {		/* padding between archives */
			a->pos++;
			continue;
		}
		wrong = read_entry(a, &e);
		if (wrong) {
			kprintf("initramfs: offset %lu of %lu: %s\n", a->pos, a->size, wrong);
			return -EINVAL;
		}
		if (strcmp(e.name, TRAILER) == 0) {
			forget_links(a);
			continue;
		}
		err = unpack_entry(a, &e);
		if (err) {
			kprintf("initramfs: %s: error %d\n", e.name, -err);
			return err;
		}
	}
	return 0;
}

int initramfs_unpack(const void *cpio, size_t size)
{
	struct archive a = { .data = cpio, .size = size };
	int err;

	list_init(&a.links);
	err = unpack_all(&a);
	forget_links(&a);
	kprintf("initramfs: %lu files from %lu KiB\n", a.files, size / 1024);
	return err;
}
