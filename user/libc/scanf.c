/*
 * Formatted input from strings: d i u x o c s [set] n %%, with '*', widths and the lengths of
 * integers. A stream is read line by line, and each line is parsed by this.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libc.h"

struct in {				/* one conversion */
	bool discard;
	size_t width;			/* 0: none given */
	char length;			/* 'H' for hh, 'l' for ll, j, z and t, else as written */
	char type;
	const char *set;		/* of %[: after the '[' and a '^' */
	bool exclude;
};

static const char *parse_in(const char *f, struct in *in)
{
	*in = (struct in){ 0 };
	if (*f == '*')
		in->discard = true, f++;
	while (isdigit((unsigned char)*f))
		in->width = in->width * 10 + *f++ - '0';
	while (*f && strchr("hljzt", *f)) {
		in->length = *f == 'h' ? in->length == 'h' ? 'H' : 'h' : 'l';
		f++;
	}
	in->type = *f++;
	if (in->type == '[') {
		if (*f == '^')
			in->exclude = true, f++;
		in->set = f++;		/* a ']' right here is a member of the set */
		while (*f && *f++ != ']')
			;
	}
	return f;
}

/* Checks whether @c is in the set, which ends at a ']' that is not its first character. */
static bool in_set(const struct in *in, char c)
{
	const char *s = in->set;

	do {
		if (s[1] == '-' && s[2] != ']' && s[2]) {
			if (c >= s[0] && c <= s[2])
				return !in->exclude;
			s += 2;
		} else if (*s == c) {
			return !in->exclude;
		}
	} while (*++s && *s != ']');
	return in->exclude;
}

static void store(const struct in *in, va_list *ap, long value)
{
	switch (in->length) {
	case 'H':	*va_arg(*ap, char *) = value; break;
	case 'h':	*va_arg(*ap, short *) = value; break;
	case 'l':	*va_arg(*ap, long *) = value; break;
	default:	*va_arg(*ap, int *) = value;
	}
}

static const char *scan_integer(const char *s, const struct in *in, va_list *ap)
{
	int base = in->type == 'i' ? 0 : in->type == 'x' ? 16 : in->type == 'o' ? 8 : 10;
	char text[72], *end;
	size_t size = sizeof(text);
	long value;

	while (isspace((unsigned char)*s))
		s++;
	if (in->width && in->width < size)
		size = in->width + 1;
	snprintf(text, size, "%s", s);
	value = in->type == 'd' || in->type == 'i' ? strtol(text, &end, base)
						   : (long)strtoul(text, &end, base);
	if (end == text)
		return NULL;
	if (!in->discard)
		store(in, ap, value);
	return s + (end - text);
}

/* Scans c, s and [: characters as long as they fit. */
static const char *scan_text(const char *s, const struct in *in, va_list *ap)
{
	size_t n = 0, max = in->width ? in->width : in->type == 'c' ? 1 : (size_t)-1;
	char *to;

	if (in->type == 's')
		while (isspace((unsigned char)*s))
			s++;
	while (n < max && s[n] &&
	       (in->type == 'c' || (in->type == 's' ? !isspace((unsigned char)s[n])
						    : in_set(in, s[n]))))
		n++;
	if (n == 0 || (in->type == 'c' && n < max))
		return NULL;
	if (!in->discard) {
		to = va_arg(*ap, char *);
		memcpy(to, s, n);
		if (in->type != 'c')
			to[n] = 0;
	}
	return s + n;
}

static const char *scan_one(const char *s, const struct in *in, va_list *ap)
{
	if (in->type == 's' || in->type == 'c' || in->type == '[')
		return scan_text(s, in, ap);
	return scan_integer(s, in, ap);
}

int vsscanf(const char *s, const char *fmt, va_list args)
{
	const char *start = s, *after;
	int done = 0;
	struct in in;
	va_list ap;

	va_copy(ap, args);
	while (*fmt && s) {
		if (isspace((unsigned char)*fmt)) {
			fmt++;
			while (isspace((unsigned char)*s))
				s++;
		} else if (*fmt != '%' || *++fmt == '%') {
			s = *s == *fmt++ ? s + 1 : NULL;
		} else {
			fmt = parse_in(fmt, &in);
			if (in.type == 'n') {
				store(&in, &ap, s - start);
				continue;
			}
			after = scan_one(s, &in, &ap);
			if (!after && !done && !s[strspn(s, " \t\n\r\v\f")])
				done = EOF;	/* the text ended before the first conversion */
			done += after && !in.discard;
			s = after;
		}
	}
	va_end(ap);
	return done;
}

int sscanf(const char *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsscanf(s, fmt, ap);
	va_end(ap);
	return n;
}
