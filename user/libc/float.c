/*
 * Floating-point numbers in decimal, every digit exact.
 *
 * A double is an integer times a power of two, so it has a finite decimal expansion. We write it
 * out in full in a row of base-10^9 cells around the decimal point, by doubling and halving, and
 * then round to as many digits as asked for. That is slow for huge and tiny numbers, and always
 * right.
 *
 *	cells:	integer part, most significant first | fraction, most significant first
 *		0 .................................. POINT .......................... CELLS
 *
 * 2^1023 has 309 digits, and 2^-1074 has 1074 after the point: 35 and 120 cells.
 */
#include "printf.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define BASE	1000000000u
#define POINT	35
#define CELLS	(POINT + 120)
#define DIGITS	(CELLS * 9)

static void shift_up(uint32_t *cell, int bits)
{
	for (; bits > 0; bits -= 29) {
		int step = bits < 29 ? bits : 29;
		uint64_t carry = 0;

		for (int i = POINT; i-- > 0;) {
			carry += (uint64_t)cell[i] << step;
			cell[i] = carry % BASE;
			carry /= BASE;
		}
	}
}

static void shift_down(uint32_t *cell, int bits)
{
	for (; bits > 0; bits -= 9) {	/* BASE is a multiple of 2^9 */
		int step = bits < 9 ? bits : 9;
		uint32_t carry = 0;

		for (int i = 0; i < CELLS; i++) {
			uint32_t low = cell[i] & ((1u << step) - 1);

			cell[i] = (cell[i] >> step) + carry;
			carry = (BASE >> step) * low;
		}
	}
}

/* Writes the digits of |value|, DIGITS of them, each 0 to 9; the point comes after POINT * 9. */
static void expand(double value, char *digit)
{
	uint32_t cell[CELLS] = { 0 };
	union { double d; uint64_t u; } bits = { .d = value };
	uint64_t mantissa = bits.u & ((1UL << 52) - 1);
	int exponent = bits.u >> 52 & 0x7ff;

	if (exponent)
		mantissa |= 1UL << 52;
	else
		exponent = 1;		/* subnormal */
	cell[POINT - 1] = mantissa % BASE;
	cell[POINT - 2] = mantissa / BASE;
	shift_up(cell, exponent - 1075);
	shift_down(cell, 1075 - exponent);
	for (int i = 0; i < CELLS; i++)
		for (int k = 8; k >= 0; k--, cell[i] /= 10)
			digit[i * 9 + k] = cell[i] % 10;
}

/* Rounds to the first @n digits, half to even; digit[-1] may take a carry. */
static void round_at(char *digit, int n)
{
	bool up = false;

	if (n >= DIGITS)
		return;
	if (digit[n] == 5) {
		for (int i = n + 1; i < DIGITS; i++)
			up |= digit[i] != 0;
		up |= n > 0 && digit[n - 1] & 1;
	} else {
		up = digit[n] > 5;
	}
	memset(digit + n, 0, DIGITS - n);
	while (up && ++digit[--n] == 10)
		digit[n] = 0;
}

static int first_digit(const char *digit)
{
	int i = 0;

	while (i < DIGITS && digit[i] == 0)
		i++;
	return i;
}

/* Writes digits [from, to) as text; those beyond the array are zeroes. */
static char *copy_digits(char *p, const char *digit, int from, int to)
{
	for (; from < to; from++)
		*p++ = '0' + (from < DIGITS ? digit[from] : 0);
	return p;
}

/* Removes zeroes that end a fraction, and the point if nothing is left behind it. */
static char *drop_zeros(char *start, char *p)
{
	if (!memchr(start, '.', p - start))
		return p;
	while (p[-1] == '0')
		p--;
	return p[-1] == '.' ? p - 1 : p;
}

static char *put_fixed(char *p, char *digit, int precision, bool point)
{
	int first;

	round_at(digit, POINT * 9 + precision);
	first = first_digit(digit - 1) - 1;	/* a carry may have added a digit in front */
	if (first >= POINT * 9)
		first = POINT * 9 - 1;
	p = copy_digits(p, digit, first, POINT * 9);
	if (precision || point)
		*p++ = '.';
	return copy_digits(p, digit, POINT * 9, POINT * 9 + precision);
}

static char *put_exponent(char *p, int e, char letter)
{
	*p++ = letter;
	*p++ = e < 0 ? '-' : '+';
	e = e < 0 ? -e : e;
	if (e >= 100)
		*p++ = '0' + e / 100;
	*p++ = '0' + e / 10 % 10;
	*p++ = '0' + e % 10;
	return p;
}

/* Rounds to @precision digits after the first. Returns the exponent of ten. */
static int round_scientific(char *digit, int precision)
{
	int first = first_digit(digit);

	if (first == DIGITS)
		return 0;		/* zero */
	round_at(digit, first + precision + 1);
	if (first > 0 && digit[first - 1])
		first--;
	return POINT * 9 - 1 - first;
}

/* Writes @digit, which is already rounded, with the exponent @e. */
static char *put_scientific(char *p, const char *digit, int e, int precision, bool point)
{
	int first = POINT * 9 - 1 - e;

	p = copy_digits(p, digit, first, first + 1);
	if (precision || point)
		*p++ = '.';
	return copy_digits(p, digit, first + 1, first + 1 + precision);
}

/*
 * Writes %g: the shorter of the two forms, with @precision significant digits and no trailing
 * zeroes.
 */
static char *put_general(char *p, char *digit, int precision, bool alt, char letter)
{
	char *start = p;
	int e;

	if (precision == 0)
		precision = 1;
	e = round_scientific(digit, precision - 1);
	if (e < -4 || e >= precision) {
		p = put_scientific(p, digit, e, precision - 1, alt);
		p = alt ? p : drop_zeros(start, p);
		return put_exponent(p, e, letter);
	}
	p = put_fixed(p, digit, precision - 1 - e, alt);
	return alt ? p : drop_zeros(start, p);
}

void __put_float(struct sink *k, const struct spec *s, double value)
{
	char digits[1 + DIGITS] = { 0 }, text[DIGITS + 128], *digit = digits + 1, *p;
	int precision = s->precision < 0 ? 6 : s->precision < 100 ? s->precision : 100;
	char letter = isupper((unsigned char)s->type) ? 'E' : 'e';
	const char *sign = __builtin_signbit(value) ? "-" : s->plus ? "+" : s->space ? " " : "";
	struct spec no_zero = *s;
	int e;

	if (!__builtin_isfinite(value)) {
		no_zero.zero = false;
		p = __builtin_isnan(value) ? letter == 'E' ? "NAN" : "nan"
					   : letter == 'E' ? "INF" : "inf";
		__put_number(k, &no_zero, sign, 0, p, 3);
		return;
	}
	expand(value, digit);
	switch (tolower((unsigned char)s->type)) {
	case 'f':
		p = put_fixed(text, digit, precision, s->alt);
		break;
	case 'e':
		e = round_scientific(digit, precision);
		p = put_scientific(text, digit, e, precision, s->alt);
		p = put_exponent(p, e, letter);
		break;
	default:
		p = put_general(text, digit, precision, s->alt, letter);
	}
	__put_number(k, s, sign, 0, text, p - text);
}
