/*
 * Open files: one for each open(), shared by dup() and fork(); the offset is theirs, the contents
 * are the inode's. And struct iobuf, the memory at the other end of a read or write.
 *
 * Lock: file->lock guards the offset of files that have one; it is held during the transfer, so two
 * threads that read the same open file get different bytes.
 */
#include "counters.h"
#include "errno.h"
#include "fs.h"
#include "mm.h"
#include "string.h"
#include "vm.h"

static struct kmem_cache *file_cache;

int iobuf_copy_to(struct iobuf *b, const void *src, size_t n)
{
	if (b->kernel)
		memcpy((void *)b->addr, src, n);
	else if (copy_to_user(b->addr, src, n))
		return -EFAULT;
	b->addr += n;
	b->left -= n;
	return 0;
}

int iobuf_copy_from(struct iobuf *b, void *dst, size_t n)
{
	if (b->kernel)
		memcpy(dst, (const void *)b->addr, n);
	else if (copy_from_user(dst, b->addr, n))
		return -EFAULT;
	b->addr += n;
	b->left -= n;
	return 0;
}

int iobuf_clear(struct iobuf *b, size_t n)
{
	if (b->kernel)
		memset((void *)b->addr, 0, n);
	else if (clear_user(b->addr, n))
		return -EFAULT;
	b->addr += n;
	b->left -= n;
	return 0;
}

static void file_free(struct file *f)
{
	inode_put(f->inode);
	counter_add(COUNT_FILES, -1);
	kmem_cache_free(file_cache, f);
}

void file_put(struct file *f)
{
	if (atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) > 1)
		return;
	if (f->ops->close)
		f->ops->close(f);
	file_free(f);
}

int file_open_inode(struct inode *i, u32 flags, struct file **out)
{
	struct file *f;
	int err;

	if (!i->fops)
		return -ENXIO;		/* a device that does not exist */
	f = kmem_cache_alloc(file_cache);
	if (!f)
		return -ENOMEM;
	*f = (struct file){ .refs = 1, .flags = flags, .inode = inode_get(i), .ops = i->fops };
	mutex_init(&f->lock);
	counter_add(COUNT_FILES, 1);
	err = f->ops->open ? f->ops->open(f) : 0;
	if (err)
		file_free(f);
	else
		*out = f;
	return err;
}

typedef ssize_t (*transfer_fn)(struct file *f, struct iobuf *b, off_t *pos);

/*
 * The long way of file_read() and file_write(), kept out of the short one: at the file's own
 * offset.
 */
static noinline ssize_t transfer_at_offset(struct file *f, struct iobuf *b, transfer_fn fn)
{
	ssize_t n;

	if (!fn)
		return inode_is(f->inode, S_IFDIR) ? -EISDIR : -EINVAL;
	mutex_lock(&f->lock);
	n = fn(f, b, &f->offset);
	mutex_unlock(&f->lock);
	return n;
}

ssize_t file_read(struct file *f, struct iobuf *b, off_t *pos)
{
	transfer_fn fn = f->ops->read;

	if (unlikely((f->flags & O_ACCMODE) == O_WRONLY))
		return -EBADF;
	if (fn && (pos || !f->ops->seekable))
		return fn(f, b, pos);
	return transfer_at_offset(f, b, fn);
}

ssize_t file_write(struct file *f, struct iobuf *b, off_t *pos)
{
	transfer_fn fn = f->ops->write;

	if (unlikely((f->flags & O_ACCMODE) == O_RDONLY))
		return -EBADF;
	if (fn && (pos || !f->ops->seekable))
		return fn(f, b, pos);
	return transfer_at_offset(f, b, fn);
}

void file_init(void)
{
	file_cache = kmem_cache_create("file", sizeof(struct file), 0);
}
