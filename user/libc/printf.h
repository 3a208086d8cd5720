/*
 * The interface between formatting (printf.c) and the digits of floating-point numbers (float.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Where formatted text goes: to a stream, or into a buffer that is cut off at its size. */
struct sink {
	void (*put)(struct sink *k, const char *s, size_t n);
	void *to;
	size_t size;			/* of a buffer */
	size_t count;			/* of everything that was put, cut off or not */
};

struct spec {				/* %[flags][width][.precision][length]type */
	bool minus, plus, space, alt, zero;
	int width, precision;		/* precision -1: none given */
	char length;			/* 'H' for hh, 'l' for ll, j, z and t, else as written */
	char type;
};

/* Puts @sign, @zeros zeroes and @digits, padded to the width. */
void __put_number(struct sink *k, const struct spec *s, const char *sign, size_t zeros,
		  const char *digits, size_t n);
void __put_float(struct sink *k, const struct spec *s, double value);
