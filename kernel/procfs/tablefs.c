/*
 * A file system made from a table of paths: see tablefs.h.
 *
 * An inode stands for a part of a row's path, from its beginning to a slash or to its end, and for
 * the number in the place of '#'. Of all rows that share such a part it names the first one, so a
 * directory has one inode number however many files are in it. Nothing is kept: each lookup makes
 * an inode that goes with its last reference.
 *
 * The number of an inode has three fields: the number for '#', the row, the length of the part.
 */
#include "tablefs.h"

#include "base/printf.h"
#include "base/string.h"
#include "errno.h"
#include "fs/fs.h"
#include "mm/mm.h"

#define VALUE_MAX	128		/* bytes of a write that are looked at */

static const struct inode_ops table_ops;
static const struct file_ops table_file_ops;
static const struct file_ops table_dir_ops;

static const struct table_fs *fs_of(const struct inode *i)
{
	return i->private;
}

static u64 make_ino(unsigned n, unsigned row, size_t len)
{
	return (u64)n << 24 | row << 8 | len;
}

static unsigned ino_number(const struct inode *i)
{
	return (i->ino & ~fs_of(i)->ino_bit) >> 24;
}

static const struct table_file *ino_row(const struct inode *i)
{
	return &fs_of(i)->rows[i->ino >> 8 & 0xffff];
}

static size_t ino_len(const struct inode *i)
{
	return i->ino & 0xff;
}

static bool is_writable(const struct table_file *row)
{
	return row->store || row->set;
}

static int make_inode(const struct table_fs *fs, struct inode *parent, u64 ino, struct inode **out)
{
	const struct table_file *row = &fs->rows[ino >> 8 & 0xffff];
	bool file = (ino & 0xff) && !row->path[ino & 0xff];
	struct inode *i = kmalloc(sizeof(*i));

	if (!i)
		return -ENOMEM;
	if (file)
		inode_init(i, S_IFREG | (is_writable(row) ? 0644 : 0444), &table_ops,
			   &table_file_ops);
	else
		inode_init(i, S_IFDIR | (parent ? fs->dir_mode : 0555), &table_ops, &table_dir_ops);
	i->fixed = fs->fixed;
	i->dev = fs->dev;
	i->ino = ino | fs->ino_bit;
	i->private = (void *)fs;
	if (!file) {
		i->nlink = 2;
		i->parent = parent ? inode_get(parent) : NULL;
	}
	*out = i;
	return 0;
}

/* --- Names ------------------------------------------------------------------------------------ */

/* Reads a decimal number from @min to @max, which may have blanks around it: 0 or -EINVAL. */
static int read_number(const char *value, long min, long max, long *out)
{
	bool negative;
	long n = 0;

	while (*value == ' ' || *value == '\t')
		value++;
	negative = *value == '-';
	value += negative;
	if (*value < '0' || *value > '9')
		return -EINVAL;
	for (; *value >= '0' && *value <= '9'; value++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *value - '0', &n))
			return -EINVAL;
	while (*value == ' ' || *value == '\t')
		value++;
	n = negative ? -n : n;
	if (*value || n < min || n > max)
		return -EINVAL;
	*out = n;
	return 0;
}

/* Returns the component of @row's path that is an entry of @dir, and its length; or NULL. */
static const char *entry_in(const struct inode *dir, const struct table_file *row, size_t *len)
{
	size_t above = ino_len(dir);
	const char *name = row->path + above;

	if (strncmp(row->path, ino_row(dir)->path, above) != 0)
		return NULL;
	if (above && *name++ != '/')
		return NULL;
	for (*len = 0; name[*len] && name[*len] != '/'; ++*len)
		;
	return name;
}

/* Checks whether an earlier row has the same entry. */
static bool seen_before(const struct inode *dir, const struct table_file *row, const char *name,
			size_t len)
{
	for (const struct table_file *r = fs_of(dir)->rows; r < row; r++) {
		size_t other_len;
		const char *other = entry_in(dir, r, &other_len);

		if (other && other_len == len && strncmp(other, name, len) == 0)
			return true;
	}
	return false;
}

/* Checks whether the entry @pattern is a directory or file for each number. */
static bool is_numbered(const char *pattern, size_t len)
{
	return pattern[len - 1] == '#';
}

/* Checks whether @name, which is @len long, matches the pattern; *@n is its number for '#'. */
static bool match(const struct table_file *row, const char *pattern, size_t pattern_len,
		  const char *name, size_t len, unsigned *n)
{
	char digits[12];
	long number;

	if (!is_numbered(pattern, pattern_len))
		return len == pattern_len && strncmp(pattern, name, len) == 0;
	if (len < pattern_len || len - pattern_len >= sizeof(digits) - 1 ||
	    strncmp(pattern, name, --pattern_len) != 0)
		return false;
	strlcpy(digits, name + pattern_len, len - pattern_len + 1);
	if (digits[0] < '0' || digits[0] > '9' || (digits[0] == '0' && digits[1]) ||
	    read_number(digits, 0, (long)row->count() - 1, &number))
		return false;
	*n = number;
	return true;
}

static int table_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	const struct table_file *rows = fs_of(dir)->rows;
	unsigned n = ino_number(dir);

	for (unsigned i = 0; rows[i].path; i++) {
		size_t entry_len;
		const char *entry = entry_in(dir, &rows[i], &entry_len);

		if (entry && match(&rows[i], entry, entry_len, name, len, &n))
			return make_inode(fs_of(dir), dir,
					  make_ino(n, i, entry + entry_len - rows[i].path), out);
	}
	return -ENOENT;
}

/* The positions of row i begin at (i + 1) << 16, one for each number. */
static int table_readdir(struct inode *dir, off_t pos, dirent_fn emit, void *arg)
	HOLDS(dir->lock)
{
	const struct table_file *rows = fs_of(dir)->rows;

	if (!emit_dots(dir, pos, emit, arg))
		return 0;
	for (unsigned i = 0; rows[i].path; i++) {
		size_t len;
		const char *entry = entry_in(dir, &rows[i], &len);
		unsigned count = entry && is_numbered(entry, len) ? rows[i].count() : 1;

		if (!entry || seen_before(dir, &rows[i], entry, len))
			continue;
		for (unsigned k = 0; k < count; k++) {
			off_t at = (off_t)(i + 1) << 16 | k;
			unsigned n = is_numbered(entry, len) ? k : ino_number(dir);
			u64 ino = make_ino(n, i, entry + len - rows[i].path) | fs_of(dir)->ino_bit;
			char name[NAME_MAX + 1];

			strlcpy(name, entry, len + 1);
			if (is_numbered(entry, len))
				snprintf(name + len - 1, sizeof(name) - len, "%u", k);
			if (at >= pos && !emit(arg, name, strlen(name), ino,
					       entry[len] ? S_IFDIR : S_IFREG, at + 1))
				return 0;
		}
	}
	return 0;
}

static int table_truncate(struct inode *i, off_t size)
{
	(void)i;
	(void)size;		/* the text is made anew for every open file */
	return 0;
}

static void table_release(struct inode *i)
{
	kfree(i);
}

static const struct inode_ops table_ops = {
	.lookup = table_lookup,
	.readdir = table_readdir,
	.truncate = table_truncate,
	.release = table_release,
};

struct inode *tablefs_root(const struct table_fs *fs)
{
	struct inode *root;

	return make_inode(fs, NULL, make_ino(0, 0, 0), &root) ? NULL : root;
}

/* --- Contents --------------------------------------------------------------------------------- */

static int show(struct inode *i, struct text *t)
{
	const struct table_file *row = ino_row(i);

	if (row->show_each)
		row->show_each(t, ino_number(i));
	else if (row->show)
		row->show(t);
	else if (row->says)
		text_printf(t, "%s\n", row->says);
	else
		text_printf(t, "%ld\n", row->get ? row->get() : row->number);
	return 0;
}

static int table_open(struct file *f)
{
	return (f->flags & O_ACCMODE) == O_RDONLY || is_writable(ino_row(f->inode)) ? 0 : -EACCES;
}

static ssize_t table_read(struct file *f, struct iobuf *b, off_t *pos)
{
	off_t from = *pos;
	ssize_t n = text_read(f, b, pos, show);

	/* Behind it is the end of the text, or a part that could not be copied. */
	if (n <= 0 || !b->left || !fs_of(f->inode)->whole || !text_read(f, b, pos, show))
		return n;
	*pos = from;
	return -EFAULT;
}

static int store(const struct table_file *row, const char *value)
{
	long number;
	int err;

	if (row->store)
		return row->store(value);
	err = read_number(value, row->min, row->max, &number);
	return err ? err : row->set(number);
}

/* Takes one write() as one value, and ignores it at another position than the beginning. */
static ssize_t table_write(struct file *f, struct iobuf *b, off_t *pos)
{
	char value[VALUE_MAX];
	size_t all = b->left, n = MIN(all, sizeof(value) - 1);
	int err = 0;

	if (iobuf_copy_from(b, value, n) != n)
		return -EFAULT;
	value[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (value[i] == '\n')
			value[i] = '\0';
	if (*pos == 0)
		err = store(ino_row(f->inode), value);
	if (err)
		return err;
	b->left = 0;
	*pos += all;
	return all;
}

static const struct file_ops table_file_ops = {
	.open = table_open,
	.read = table_read,
	.write = table_write,
	.seekable = true,
};
