/*
 * Text that grows, and files that show it: see text.h.
 *
 * An open file owns its text, which does not change any more: reading needs no lock.
 */
#include "text.h"

#include <stdarg.h>

#include "base/printf.h"
#include "base/string.h"
#include "errno.h"
#include "mm/mm.h"

/* Makes room for @more bytes and a terminator. Returns false if memory is, or was, short. */
static bool text_reserve(struct text *t, size_t more)
{
	size_t size = t->size ? t->size : 256;
	char *buf;

	if (t->failed || t->len + more < t->size)
		return !t->failed;
	while (size <= t->len + more)
		size *= 2;
	buf = kmalloc(size);
	t->failed = !buf;
	if (!buf)
		return false;
	if (t->buf)
		memcpy(buf, t->buf, t->len);
	kfree(t->buf);
	t->buf = buf;
	t->size = size;
	return true;
}

void text_append(struct text *t, const char *s, size_t len)
{
	if (!text_reserve(t, len))
		return;
	memcpy(t->buf + t->len, s, len);
	t->len += len;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (!text_reserve(t, n))
		return;
	va_start(ap, fmt);
	t->len += vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
}

static void text_free(struct text *t)
{
	kfree(t->buf);
	kfree(t);
}

int text_open(struct file *f, int (*show)(struct inode *i, struct text *t))
{
	struct text *t = kzalloc(sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	err = show(f->inode, t);
	if (!err && t->failed)
		err = -ENOMEM;
	if (err)
		text_free(t);
	else
		f->private = t;
	return err;
}

void text_close(struct file *f)
{
	text_free(f->private);
}

ssize_t text_copy(const struct text *t, struct iobuf *b, off_t *pos)
{
	size_t n;

	if (*pos >= (off_t)t->len)
		return 0;
	n = MIN(b->left, t->len - *pos);
	if (n && !(n = iobuf_copy_to(b, t->buf + *pos, n)))
		return -EFAULT;
	*pos += n;
	return n;
}

ssize_t text_read(struct file *f, struct iobuf *b, off_t *pos)
{
	return text_copy(f->private, b, pos);
}
