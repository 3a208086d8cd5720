/* Sizes for people: at most three digits and a letter, rounded up, as ls, du and df print them. */
#pragma once

#include <stdio.h>

static inline const char *human(unsigned long n, char text[24])
{
	static const char letters[] = "KMGTPE";
	unsigned long unit = 1024, i = 0;

	if (n < 1024) {
		snprintf(text, 24, "%lu", n);
		return text;
	}
	while (n > 1023 * unit && letters[i + 1]) {
		unit *= 1024;
		i++;
	}
	if ((n * 10 + unit - 1) / unit < 100)
		n = (n * 10 + unit - 1) / unit;
	else
		n = (n + unit - 1) / unit * 10;
	if (n < 100)
		snprintf(text, 24, "%lu.%lu%c", n / 10, n % 10, letters[i]);
	else
		snprintf(text, 24, "%lu%c", n / 10, letters[i]);
	return text;
}
