/*
 * Formatting: snprintf() and the kernel's log.
 *
 * All formatting goes through a small sink, so that it needs no memory but the caller's. kprintf()
 * formats into a buffer on the stack and hands over the whole text at once, so that lines of two
 * CPUs do not interleave.
 */
#include "base/printf.h"

#include "base/string.h"
#include "base/symbols.h"
#include "console/console.h"

struct sink {
	char *buf;
	size_t size, len;	/* len counts what would have been written, as snprintf() must */
};

static void put(struct sink *out, char c)
{
	if (out->len + 1 < out->size)
		out->buf[out->len] = c;
	out->len++;
}

struct spec {
	int width, precision;	/* precision -1: none given */
	bool left, zero;
	unsigned base;
};

static void put_padded(struct sink *out, const struct spec *sp, const char *sign, const char *s,
		       int len)
{
	int pad = sp->width - len - (int)strlen(sign);

	if (!sp->left && !sp->zero)
		for (; pad > 0; pad--)
			put(out, ' ');
	while (*sign)
		put(out, *sign++);
	if (!sp->left && sp->zero)
		for (; pad > 0; pad--)
			put(out, '0');
	while (len--)
		put(out, *s++);
	for (; pad > 0; pad--)
		put(out, ' ');
}

static void put_number(struct sink *out, const struct spec *sp, u64 v, const char *sign)
{
	char buf[24], *p = buf + sizeof(buf);
	int least = sp->precision < 0 ? 1 : sp->precision;

	for (int n = 0; v || n < least; n++, v /= sp->base) {
		if (p == buf)
			break;
		*--p = "0123456789abcdef"[v % sp->base];
	}
	put_padded(out, sp, sign, p, buf + sizeof(buf) - p);
}

static const char *parse_number(const char *f, int *n)
{
	for (*n = 0; *f >= '0' && *f <= '9'; f++)
		*n = *n * 10 + *f - '0';
	return f;
}

static const char *parse_spec(const char *f, struct spec *sp, int *longs)
{
	for (; *f == '-' || *f == '0'; f++)
		*(*f == '-' ? &sp->left : &sp->zero) = true;
	f = parse_number(f, &sp->width);
	if (*f == '.')
		f = parse_number(f + 1, &sp->precision);
	for (; *f == 'l' || *f == 'z'; f++)
		(*longs)++;
	return f;
}

static void put_string(struct sink *out, struct spec *sp, const char *s)
{
	if (!s)
		s = "(null)";
	sp->zero = false;
	put_padded(out, sp, "", s, sp->precision < 0 ? strlen(s) : strnlen(s, sp->precision));
}

static void put_conversion(struct sink *out, struct spec *sp, char conv, int longs, va_list *ap)
{
	u64 offset;
	char c;
	s64 v;

	switch (conv) {
	case 'd':
	case 'i':
		v = longs ? va_arg(*ap, long) : va_arg(*ap, int);
		put_number(out, sp, v < 0 ? -(u64)v : (u64)v, v < 0 ? "-" : "");
		break;
	case 'x':
		sp->base = 16;
		put_number(out, sp, longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned), "");
		break;
	case 'o':
		sp->base = 8;
		/* fallthrough */
	case 'u':
		put_number(out, sp, longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned), "");
		break;
	case 'p':
		sp->base = 16;
		put_number(out, sp, (u64)va_arg(*ap, void *), "0x");
		break;
	case 'c':
		c = va_arg(*ap, int);
		put_padded(out, sp, "", &c, 1);
		break;
	case 's':
		put_string(out, sp, va_arg(*ap, const char *));
		break;
	case 'S':
		put_string(out, sp, symbol_name(va_arg(*ap, vaddr_t), &offset));
		put_number(out, &(struct spec){ .precision = -1, .base = 16 }, offset, "+0x");
		break;
	default:
		put(out, conv);
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap_in)
{
	struct sink out = { .buf = buf, .size = size };
	va_list ap;

	va_copy(ap, ap_in);
	for (const char *f = fmt; *f; f++) {
		struct spec sp = { .precision = -1, .base = 10 };
		int longs = 0;

		if (*f != '%') {
			put(&out, *f);
			continue;
		}
		f = parse_spec(f + 1, &sp, &longs);
		if (!*f)
			break;
		if (f[0] == 'p' && f[1] == 'S')
			f++;
		put_conversion(&out, &sp, *f, longs, &ap);
	}
	va_end(ap);
	if (size)
		buf[MIN(out.len, size - 1)] = '\0';
	return out.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

const struct printf_output *printf_output;

void vkprintf(const char *fmt, va_list ap)
{
	char line[512];
	size_t n = printf_output ? vsnprintf(line, sizeof(line), fmt, ap) : 0;

	if (n)
		printf_output->say(line, MIN(n, sizeof(line) - 1));
}

void kprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vkprintf(fmt, ap);
	va_end(ap);
}

void kprintf_flush(void)
{
	if (printf_output)
		printf_output->flush();
}
