/*
 * Character devices: the operations of each number, and the nodes in /dev.
 *
 * A node is an ordinary entry of the root file system whose inode has a device number; the number
 * picks the operations. Those of the terminal are in kernel/tty/tty.c.
 */
#include "base/printf.h"
#include "config.h"
#include "console/random.h"
#include "errno.h"
#include "fs.h"
#include "fs/dev.h"
#include "test/instrument.h"
#include "thread/thread.h"

#define CHUNK	256	/* random bytes made at once, on the stack */

static ssize_t null_read(struct file *f, struct iobuf *b, off_t *pos)
{
	(void)f;
	(void)b;
	(void)pos;
	return 0;
}

static ssize_t null_write(struct file *f, struct iobuf *b, off_t *pos)
{
	ssize_t n = b->left;

	(void)f;
	(void)pos;
	b->left = 0;
	return n;
}

static ssize_t full_write(struct file *f, struct iobuf *b, off_t *pos)
{
	(void)f;
	(void)b;
	(void)pos;
	return -ENOSPC;
}

/* Moves all of @b, in pieces of at most @most bytes, so that a kill soon ends a huge transfer. */
static ssize_t in_pieces(struct iobuf *b, size_t most, size_t (*move)(struct iobuf *b, size_t n))
{
	size_t n, moved, done = 0;

	while (b->left && !thread_is_dying(current_thread())) {
		n = MIN(b->left, most);
		done += moved = move(b, n);
		if (moved < n)
			return done ? (ssize_t)done : -EFAULT;
	}
	return done;
}

static ssize_t zero_read(struct file *f, struct iobuf *b, off_t *pos)
{
	(void)f;
	(void)pos;
	return in_pieces(b, PAGE_SIZE, iobuf_clear);
}

static size_t give_random(struct iobuf *b, size_t n)
{
	char buf[CHUNK];

	random_bytes(buf, n);
	return iobuf_copy_to(b, buf, n);
}

static ssize_t random_read(struct file *f, struct iobuf *b, off_t *pos)
{
	(void)f;
	(void)pos;
	return in_pieces(b, CHUNK, give_random);
}

/* Copies the bytes in, as bad memory is -EFAULT, and drops them: only seed= counts (random.h). */
static size_t take_bytes(struct iobuf *b, size_t n)
{
	char buf[CHUNK];

	return iobuf_copy_from(b, buf, n);
}

static ssize_t random_write(struct file *f, struct iobuf *b, off_t *pos)
{
	(void)f;
	(void)pos;
	return in_pieces(b, CHUNK, take_bytes);
}

static int random_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	(void)f;
	(void)cmd;
	(void)arg;
	return -EINVAL;
}

static const struct file_ops null_ops = {
	.read = null_read,
	.write = null_write,
	.seekable = true,
	.nowait = true,
	.unsent = true,
};

static const struct file_ops zero_ops = {
	.read = zero_read,
	.write = null_write,
	.seekable = true,
};

static const struct file_ops full_ops = {
	.read = zero_read,
	.write = full_write,
	.by_segment = true,
	.seekable = true,
};

static const struct file_ops random_ops = {
	.read = random_read,
	.write = random_write,
	.ioctl = random_ioctl,
	.async = true,		/* O_ASYNC succeeds, but no signal ever comes */
	.placeless = true,
};

static struct {
	const char *path;
	u64 rdev;
	const struct file_ops *ops;	/* [const after boot] NULL: see dev_register() */
} devices[] = {
	{ "/dev/null",		DEV_NULL,	&null_ops },
	{ "/dev/zero",		DEV_ZERO,	&zero_ops },
	{ "/dev/full",		DEV_FULL,	&full_ops },
	{ "/dev/random",	DEV_RANDOM,	&random_ops },
	{ "/dev/urandom",	DEV_URANDOM,	&random_ops },
	{ "/dev/ttyS0",		DEV_TTYS0,	NULL },
	{ "/dev/tty",		DEV_TTY,	NULL },
	{ "/dev/console",	DEV_CONSOLE,	NULL },
	{ "/dev/strace",	DEV_STRACE,	NULL },
};

void dev_register(u64 rdev, const struct file_ops *ops)
{
	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].rdev == rdev)
			devices[i].ops = ops;
}

const char *dev_path(u64 rdev)
{
	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].rdev == rdev)
			return devices[i].path;
	return NULL;
}

const struct file_ops *dev_file_ops(u64 rdev)
{
	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].rdev == rdev)
			return devices[i].ops;
	return TEST_BUILD && rdev == DEV_INJECT ? inject_file_ops() : NULL;
}

/* Links to the descriptors of whichever process follows them. */
static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/fd",		"/proc/self/fd" },
	{ "/dev/stdin",		"/proc/self/fd/0" },
	{ "/dev/stdout",	"/proc/self/fd/1" },
	{ "/dev/stderr",	"/proc/self/fd/2" },
};

void devfs_init(void)
{
	int err = vfs_create(NULL, "/dev", S_IFDIR | 0755, 0);

	random_init();
	for (unsigned i = 0; i < ARRAY_SIZE(devices) && (!err || err == -EEXIST); i++)
		err = vfs_create(NULL, devices[i].path,
				 S_IFCHR | (devices[i].rdev == DEV_STRACE ? 0600 : 0666),
				 devices[i].rdev);
	if (!err || err == -EEXIST)
		err = vfs_create(NULL, "/dev/shm", S_IFDIR | S_ISVTX | 0777, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(links) && (!err || err == -EEXIST); i++)
		err = vfs_symlink(NULL, links[i].path, links[i].target);
	if (err && err != -EEXIST)
		kprintf("devfs: cannot fill /dev: error %d\n", -err);
}
