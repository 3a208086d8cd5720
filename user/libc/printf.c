/*
 * Formatted output: C's conversions except %n, %a and long double, with all flags and lengths, and
 * %m for errno's text. Floating point is in float.c.
 *
 * One formatter writes to a sink, which is a stream or a buffer.
 */
#include "printf.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

static void put(struct sink *k, const char *s, size_t n)
{
	if (n)
		k->put(k, s, n);
	k->count += n;
}

static void pad(struct sink *k, char c, long n)
{
	char block[16];

	memset(block, c, sizeof(block));
	for (; n > 0; n -= sizeof(block))
		put(k, block, n < (long)sizeof(block) ? (size_t)n : sizeof(block));
}

void __put_number(struct sink *k, const struct spec *s, const char *sign, size_t zeros,
		  const char *digits, size_t n)
{
	long fill = s->width - (long)(strlen(sign) + zeros + n);

	if (!s->minus && !s->zero)
		pad(k, ' ', fill);
	put(k, sign, strlen(sign));
	if (!s->minus && s->zero)
		pad(k, '0', fill);
	pad(k, '0', zeros);
	put(k, digits, n);
	if (s->minus)
		pad(k, ' ', fill);
}

static void put_string(struct sink *k, const struct spec *s, const char *text)
{
	size_t n;

	if (!text)
		text = "(null)";
	n = s->precision < 0 ? strlen(text) : strnlen(text, s->precision);
	if (!s->minus)
		pad(k, ' ', s->width - (long)n);
	put(k, text, n);
	if (s->minus)
		pad(k, ' ', s->width - (long)n);
}

static void put_integer(struct sink *k, struct spec *s, uintmax_t value, const char *sign)
{
	const char *digits = s->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned base = s->type == 'o' ? 8 : s->type == 'x' || s->type == 'X' ? 16 : 10;
	char buf[24], *end = buf + sizeof(buf), *p = end;
	long zeros;

	if (s->alt && base == 16 && value)
		sign = s->type == 'X' ? "0X" : "0x";
	for (; value; value /= base)
		*--p = digits[value % base];
	zeros = (s->precision < 0 ? 1 : s->precision) - (end - p);
	if (s->alt && base == 8 && zeros <= 0)
		zeros = 1;
	if (s->precision >= 0)
		s->zero = false;
	__put_number(k, s, sign, zeros > 0 ? zeros : 0, p, end - p);
}

static intmax_t signed_argument(char length, va_list *ap)
{
	switch (length) {
	case 'H':	return (signed char)va_arg(*ap, int);
	case 'h':	return (short)va_arg(*ap, int);
	case 'l':	return va_arg(*ap, long);
	default:	return va_arg(*ap, int);
	}
}

static uintmax_t unsigned_argument(char length, va_list *ap)
{
	switch (length) {
	case 'H':	return (unsigned char)va_arg(*ap, unsigned);
	case 'h':	return (unsigned short)va_arg(*ap, unsigned);
	case 'l':	return va_arg(*ap, unsigned long);
	default:	return va_arg(*ap, unsigned);
	}
}

static void put_pointer(struct sink *k, struct spec *s, void *p)
{
	s->type = 'x';
	s->alt = true;
	if (p)
		put_integer(k, s, (uintptr_t)p, "");
	else
		put_string(k, s, "(nil)");
}

static void convert(struct sink *k, struct spec *s, va_list *ap)
{
	struct spec plain = { .minus = s->minus, .width = s->width };
	intmax_t i;
	char c;

	switch (s->type) {
	case 'd': case 'i':
		i = signed_argument(s->length, ap);
		put_integer(k, s, i < 0 ? -(uintmax_t)i : (uintmax_t)i,
			    i < 0 ? "-" : s->plus ? "+" : s->space ? " " : "");
		break;
	case 'u': case 'o': case 'x': case 'X':
		put_integer(k, s, unsigned_argument(s->length, ap), "");
		break;
	case 'c':
		c = va_arg(*ap, int);
		__put_number(k, &plain, "", 0, &c, 1);
		break;
	case 's':
		put_string(k, s, va_arg(*ap, const char *));
		break;
	case 'p':
		put_pointer(k, s, va_arg(*ap, void *));
		break;
	case 'm':
		put_string(k, s, strerror(errno));
		break;
	case 'f': case 'F': case 'e': case 'E': case 'g': case 'G':
		__put_float(k, s, va_arg(*ap, double));
		break;
	case '%':
		put(k, "%", 1);
	}
}

static int number_or_star(const char **p, va_list *ap)
{
	int n = 0;

	if (**p == '*') {
		(*p)++;
		return va_arg(*ap, int);
	}
	while (isdigit((unsigned char)**p))
		n = n * 10 + *(*p)++ - '0';
	return n;
}

/* Parses a conversion, @p being behind its '%'. Returns what follows it. */
static const char *parse_spec(const char *p, struct spec *s, va_list *ap)
{
	*s = (struct spec){ .precision = -1 };
	for (;; p++) {
		switch (*p) {
		case '-':	s->minus = true; continue;
		case '+':	s->plus = true; continue;
		case ' ':	s->space = true; continue;
		case '#':	s->alt = true; continue;
		case '0':	s->zero = true; continue;
		}
		break;
	}
	s->width = number_or_star(&p, ap);
	if (s->width < 0)
		s->minus = true, s->width = -s->width;
	if (*p == '.') {
		p++;
		s->precision = number_or_star(&p, ap);
	}
	for (; *p && strchr("hljzt", *p); p++)
		s->length = *p != 'h' ? 'l' : s->length == 'h' ? 'H' : 'h';
	s->type = *p;
	return *p ? p + 1 : p;
}

static int format(struct sink *k, const char *fmt, va_list args)
{
	struct spec s;
	va_list ap;

	va_copy(ap, args);		/* a va_list may be an array: &args would not do */
	while (*fmt) {
		size_t plain = strcspn(fmt, "%");

		put(k, fmt, plain);
		fmt += plain;
		if (*fmt) {
			fmt = parse_spec(fmt + 1, &s, &ap);
			convert(k, &s, &ap);
		}
	}
	va_end(ap);
	return k->count <= INT_MAX ? (int)k->count : -1;
}

static void put_in_buffer(struct sink *k, const char *s, size_t n)
{
	size_t room = k->count < k->size ? k->size - k->count : 0;

	memcpy((char *)k->to + k->count, s, n < room ? n : room);
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	/* The last byte of the buffer is reserved for the terminating zero. */
	struct sink k = { put_in_buffer, buf, size ? size - 1 : 0, 0 };
	int n = format(&k, fmt, ap);

	if (size)
		buf[k.count < k.size ? k.count : k.size] = 0;
	return n;
}

static void put_in_stream(struct sink *k, const char *s, size_t n)
{
	stream_write(k->to, s, n);
}

/* Lends a buffer to a stream that has none, so that the text is written in one piece. */
static int format_unbuffered(FILE *f, struct sink *k, const char *fmt, va_list ap)
{
	char borrowed[256], *own = f->buf;
	size_t own_size = f->size;
	int n;

	stream_flush(f);
	f->buf = f->pos = f->end = borrowed;
	f->size = sizeof(borrowed);
	f->mode = _IOFBF;
	n = format(k, fmt, ap);
	stream_flush(f);
	f->buf = f->pos = f->end = own;
	f->size = own_size;
	f->mode = _IONBF;
	return n;
}

int vfprintf(FILE *f, const char *fmt, va_list ap)
{
	struct sink k = { put_in_stream, f, 0, 0 };
	bool had_error;
	int n;

	flockfile(f);
	had_error = f->error;
	f->error = false;
	if (f->mode == _IONBF)
		n = format_unbuffered(f, &k, fmt, ap);
	else
		n = format(&k, fmt, ap);
	if (f->error)
		n = -1;
	f->error |= had_error;
	funlockfile(f);
	return n;
}

int vprintf(const char *fmt, va_list ap)
{
	return vfprintf(stdout, fmt, ap);
}

int vsprintf(char *buf, const char *fmt, va_list ap)
{
	return vsnprintf(buf, INT_MAX, fmt, ap);
}

int vasprintf(char **out, const char *fmt, va_list ap)
{
	int n = vsnprintf(NULL, 0, fmt, ap);

	*out = n < 0 ? NULL : malloc(n + 1);
	return *out ? vsnprintf(*out, n + 1, fmt, ap) : -1;
}

int vdprintf(int fd, const char *fmt, va_list ap)
{
	char *text;
	int n = vasprintf(&text, fmt, ap);

	if (n >= 0 && write(fd, text, n) != n)
		n = -1;
	free(text);
	return n;
}

#define FORWARD(call) \
	va_list ap; \
	int n; \
	va_start(ap, fmt); \
	n = call; \
	va_end(ap); \
	return n

int printf(const char *fmt, ...)
{
	FORWARD(vprintf(fmt, ap));
}

int fprintf(FILE *f, const char *fmt, ...)
{
	FORWARD(vfprintf(f, fmt, ap));
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	FORWARD(vsnprintf(buf, size, fmt, ap));
}

int sprintf(char *buf, const char *fmt, ...)
{
	FORWARD(vsprintf(buf, fmt, ap));
}

int asprintf(char **out, const char *fmt, ...)
{
	FORWARD(vasprintf(out, fmt, ap));
}

int dprintf(int fd, const char *fmt, ...)
{
	FORWARD(vdprintf(fd, fmt, ap));
}
