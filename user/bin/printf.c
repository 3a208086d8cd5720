/*
 * printf format [argument...]: prints the arguments as the format says, and repeats the format
 * until none is left. Conversions: %s %b (with escapes) %c %d %i %u %o %x %X %%, with width and
 * precision; escapes: \n \t \r \a \b \f \v \\ \" \e \0oct \xhh.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **args;
static int status;

/* Returns the character for the escape at *@s, which is behind the backslash. */
static int escape(const char **s)
{
	static const char names[] = "abefnrtv\\\"'", values[] = "\a\b\033\f\n\r\t\v\\\"'";
	const char *name;
	int value = 0;

	if (**s >= '0' && **s <= '7') {
		for (int i = 0; i < 3 && **s >= '0' && **s <= '7'; i++)
			value = value * 8 + *(*s)++ - '0';
		return value & 0xff;
	}
	if (**s == 'x') {
		char digits[3] = { (*s)[1], (*s)[1] ? (*s)[2] : 0, 0 }, *end;

		value = strtol(digits, &end, 16);
		*s += 1 + (end - digits);
		return value;
	}
	name = **s ? strchr(names, **s) : NULL;
	if (!name)
		return '\\';
	(*s)++;
	return values[name - names];
}

static void put_escaped(const char *s)
{
	while (*s)
		putchar(*s++ == '\\' ? escape(&s) : s[-1]);
}

static long number(const char *s)
{
	char *end;
	long n;

	if (*s == '\'' || *s == '"')
		return (unsigned char)s[1];
	n = strtol(s, &end, 0);
	if (*end || (end == s && *s)) {
		warnx("'%s': %s", s,
		      end == s ? "expected a numeric value" : "value not completely converted");
		status = 1;
	}
	return n;
}

static const char *next(void)
{
	return *args ? *args++ : "";
}

/* Prints one conversion, which begins at the '%' @s. Returns what follows it. */
static const char *convert(const char *s)
{
	char spec[64] = "%";
	size_t n = 1;

	for (s++; *s && strchr("-+ #0123456789.*", *s); s++) {
		if (*s == '*')
			n += snprintf(spec + n, 20, "%d", (int)number(next()));
		else
			spec[n++] = *s;
		if (n > 40)
			errx(1, "the format is too long");
	}
	switch (*s) {
	case '%':
		putchar('%');
		break;
	case 's':
		strcpy(spec + n, "s");
		printf(spec, next());
		break;
	case 'b':
		put_escaped(next());
		break;
	case 'c':
		printf("%.1s", next());
		break;
	case 'd': case 'i': case 'u': case 'o': case 'x': case 'X':
		spec[n] = 'l';
		spec[n + 1] = *s;
		spec[n + 2] = 0;
		printf(spec, number(next()));
		break;
	default:
		errx(1, "%%%c: invalid conversion specification", *s);
	}
	return s + 1;
}

int main(int argc, char **argv)
{
	char **before;

	if (argc < 2)
		errx(1, "missing operand");
	args = argv + 2;
	do {
		before = args;
		for (const char *s = argv[1]; *s;) {
			if (*s == '%') {
				s = convert(s);
			} else if (*s == '\\') {
				s++;
				putchar(escape(&s));
			} else {
				putchar(*s++);
			}
		}
	} while (*args && args != before);
	return status;
}
