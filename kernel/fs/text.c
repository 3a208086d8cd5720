/*
 * Text that grows, and files that show it: see text.h.
 *
 * An open file's text is guarded by file->lock, which is held where the position is the file's own.
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

/* Reads the text from *pos on. Returns the number of bytes, or -EFAULT. */
static ssize_t text_copy(const struct text *t, struct iobuf *b, off_t *pos)
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

static void text_clear(struct text *t)
{
	kfree(t->buf);
	*t = (struct text){ 0 };
}

ssize_t text_read(struct file *f, struct iobuf *b, off_t *pos, text_fn show)
{
	struct text once = { 0 };
	struct text *t = f->private && pos == &f->offset ? f->private : &once;
	ssize_t n = 0;

	if (*pos == 0)
		text_clear(t);
	if (!t->buf)
		n = show(f->inode, t);
	if (!n)
		n = t->failed ? -ENOMEM : text_copy(t, b, pos);
	if (n < 0 || t == &once)
		text_clear(t);		/* also what was written and may not be read */
	return n;
}

void text_close(struct file *f)
{
	text_clear(f->private);
	kfree(f->private);
}
