/*
 * The C library itself. Its formatted text is printed, and must equal that of any other C library.
 */
#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>

#include "test.h"

static void print_integers(void)
{
	static const long values[] = { 0, 1, -1, 42, INT_MAX, INT_MIN, LONG_MAX, LONG_MIN };

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		long v = values[i];

		unsigned u = v;

		printf("%d|%ld|%5ld|%-5ld|%05ld|%+ld|% ld|", (int)v, v, v, v, v, v, v);
		printf("%.3ld|%8.3ld|%-8.3ld|\n", v, v, v);
		printf("%u|%lu|%x|%lX|%#lx|%o|%#lo|", u, v, u, v, v, u, v);
		printf("%hd|%hhd|%hu|%hhx|\n", (short)v, (signed char)v, (unsigned short)v,
		       (unsigned char)v);
		printf("%zd|%td|%jd|%lld|%" PRId64 "|%020lx|%#10lx|%-#10lx|%#010lx|\n", (ssize_t)v,
		       (ptrdiff_t)v, (intmax_t)v, (long long)v, (int64_t)v, v, v, v, v);
	}
	printf("%.0d|%.0d|%5.0d|%*d|%-*d|%*d|%.*d|\n", 0, 1, 0, 6, 42, 6, 42, -6, 42, 4, 42);
}

static void print_text(void)
{
	static const char longer[] = "longer than that";
	char buf[8];

	printf("%s|%10s|%-10s|%.2s|%10.2s|", "text", "text", "text", "text", "text");
	printf("%c|%3c|%-3c|%%|\n", 'c', 'c', 'c');
	printf("%p|%20p|%p\n", (void *)0x1234, (void *)0xabc, NULL);
	CHECK_EQ(snprintf(buf, sizeof(buf), "%s", (char *)hidden((uintptr_t)longer)), 16);
	printf("[%s]\n", buf);
	CHECK_EQ(snprintf(NULL, 0, "%d%s", 123, "abc"), 6);
	CHECK_EQ(sprintf(buf, "%d", 123), 3);
}

static void print_floats(void)
{
	static const double values[] = { 0, -0.0, 1, -1, 0.1, 0.5, 1.5, 2.5, 123456789, 1e15, 1e16,
					 123456.789, 1e-5, 0.0001, 1e100, 1.7976931348623157e308,
					 4.9e-324, 2.2250738585072014e-308, 9.995, 99.95, 999999.5,
					 0.000123456789, 3.141592653589793, 1e21, 1234567.891 };
	static const double infinity = __builtin_inf();

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		double v = values[i];

		printf("%f|%.0f|%.1f|%.10f|%12.3f|%-12.2f|%+.1f|", v, v, v, v, v, v, v);
		printf("%012.4f|%#.0f|\n", v, v);
		printf("%e|%.0e|%.3E|%15.2e|%#.0e|", v, v, v, v, v);
		printf("%g|%.3g|%.10g|%.17g|%G|\n", v, v, v, v, v);
	}
	printf("%#g %#g %#.3g\n", 1.5, 100000.0, 1e10);
	printf("%f %F %e %G ", infinity, -infinity, (double)__builtin_nan(""), infinity);
	printf("%5.1f|%-6f|%06f\n", infinity, infinity, infinity);
}

static void text_to_integers(void)
{
	static const char *const texts[] = {
		"0", "42", "-42", "+7", "  12x", "0x1f", "0X1F", "017", "08", "0x", "", "-", "z",
		"2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"-9223372036854775809", "18446744073709551615", "18446744073709551616", "zz",
		"\t\n 5 6"
	};
	static const int bases[] = { 0, 8, 10, 16, 36 };
	char *end;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		for (int k = 0; k < 5; k++) {
			errno = 0;
			printf("%ld ", strtol(texts[i], &end, bases[k]));
			printf("%d %d;", (int)(end - texts[i]), errno);
			errno = 0;
			printf("%lu ", strtoul(texts[i], &end, bases[k]));
			printf("%d %d|", (int)(end - texts[i]), errno);
		}
		putchar('\n');
	}
	printf("%d %ld\n", atoi(" -12ab"), atol("99"));
}

static void text_to_floats(void)
{
	static const char *const texts[] = {
		"0", "1", "-1.5", "3.14159", ".5", "5.", "1e3", "1E-3", "2.5e+2x", "abc", "", ".",
		"-", "1e", "123456789012345", "1e22", "0.1", "100.25", "  7"
	};
	char *end;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		double d = strtod(texts[i], &end);

		printf("%.17g %d\n", d, (int)(end - texts[i]));
	}
}

static void scanning(void)
{
	int a = -1, b = -1, n = -1;
	char word[20] = "", set[20] = "", c = 0;
	unsigned long x = 0;

	n = sscanf("12 -34 text 0xff", "%d %d %s %lx", &a, &b, word, &x);
	printf("%d %d %d %s %lu\n", n, a, b, word, x);
	n = sscanf("key=value;rest", "%[a-z]=%[^;];%c", word, set, &c);
	printf("%d %s %s %c\n", n, word, set, c);
	n = sscanf("5 6", "%*d %d%n", &a, &b);
	printf("%d %d %d\n", n, a, b);
	printf("%d ", sscanf("", "%d", &a));
	printf("%d ", sscanf("x", "%d", &a));
	printf("%d ", sscanf("12:34", "%d:%d", &a, &b));
	n = sscanf("12345", "%2d%3d", &a, &b);
	printf("%d %d %d\n", n, a, b);
	n = sscanf("abcdef", "%3s", word);
	printf("%d %s\n", n, word);
}

static int by_value(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static void sorting_and_searching(void)
{
	static int v[1000];
	int key;

	for (int n = 0; n <= 1000; n += n < 10 ? 1 : 99) {
		for (int i = 0; i < n; i++)
			v[i] = i * 7919 % 1009 * (i % 3 ? 1 : -1);
		qsort(v, n, sizeof(*v), by_value);
		for (int i = 1; i < n; i++)
			CHECK(v[i - 1] <= v[i]);
		for (int i = 0; i < n; i += 13)
			CHECK_EQ(*(int *)bsearch(&v[i], v, n, sizeof(*v), by_value), v[i]);
		key = 5000;
		CHECK(!bsearch(&key, v, n, sizeof(*v), by_value));
	}
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void strings(void)
{
	static const char more[] = "ghijk";
	char buf[32], *rest, *p;

	CHECK_EQ(strlen(""), 0);
	CHECK_EQ(strnlen("abcdef", 3), 3);
	CHECK(!strcmp(strcpy(buf, "abc"), "abc") && !strcmp(strcat(buf, "def"), "abcdef"));
	CHECK(!strcmp(strncat(buf, hidden((uintptr_t)more), 2), "abcdefgh"));
	CHECK(!strcmp(stpcpy(buf, "12") - 2, "12"));
	memset(buf, 'x', 10);
	strncpy(buf, "ab", 5);
	CHECK(!memcmp(buf, "ab\0\0\0x", 6));
	CHECK(sign(strcmp("a", "b")) == -1 && sign(strcmp("b", "a")) == 1 && !strcmp("a", "a"));
	CHECK(sign(strcmp("\xff", "a")) == 1 && sign(strcmp("a", "ab")) == -1);
	CHECK(!strncmp("abc", "abd", 2) && strncmp("abc", "abd", 3));
	CHECK(!strcasecmp("HeLLo", "hEllO"));
	CHECK(strncasecmp("abX", "abY", 3) && !strncasecmp("abX", "ABy", 2));
	CHECK(sign(memcmp("a\0b", "a\0c", 3)) == -1);
	p = strchr("hello", 'l');
	CHECK(p && !strcmp(p, "llo") && !strchr("hello", 'z') && *strchr("x", 0) == 0);
	CHECK(!strcmp(strrchr("hello", 'l'), "lo") && !strrchr("hello", 'z'));
	CHECK(!strcmp(strstr("needle in hay", "in"), "in hay") && !strstr("a", "ab"));
	CHECK(!strcmp(strstr("x", ""), "x"));
	CHECK_EQ(strspn("aabbc", "ab"), 4);
	CHECK_EQ(strcspn("aabbc", "cb"), 2);
	CHECK(!strcmp(strpbrk("hello", "ol"), "llo") && !strpbrk("hello", "xyz"));
	strcpy(buf, " a b,,c ");
	CHECK(!strcmp(strtok_r(buf, " ,", &rest), "a"));
	CHECK(!strcmp(strtok_r(NULL, " ,", &rest), "b"));
	CHECK(!strcmp(strtok_r(NULL, " ,", &rest), "c") && !strtok_r(NULL, " ,", &rest));
	strcpy(buf, "a,,b");
	p = buf;
	CHECK(!strcmp(strsep(&p, ","), "a") && !strcmp(strsep(&p, ","), ""));
	CHECK(!strcmp(strsep(&p, ","), "b") && !strsep(&p, ","));
	p = strdup("copy");
	CHECK(!strcmp(p, "copy"));
	free(p);
	p = strndup("copy", 2);
	CHECK(!strcmp(p, "co"));
	free(p);
	CHECK((char *)memchr("abc", 'c', 3) && !memchr("abc", 'c', 2));
}

/* Every length and alignment up to some limit, compared with the simplest way to copy. */
static void copying_memory(void)
{
	static unsigned char a[300], b[300], expected[300];

	for (size_t n = 0; n < 150; n += n < 40 ? 1 : 7) {
		for (size_t from = 0; from < 16; from++) {
			for (size_t to = 0; to < 40; to += to < 16 ? 1 : 5) {
				for (size_t i = 0; i < sizeof(a); i++)
					a[i] = b[i] = expected[i] = i * 7 + n;
				for (size_t i = 0; i < n; i++)
					expected[to + i] = a[from + i];
				memmove(b + to, b + from, n);
				CHECK(!memcmp(b, expected, sizeof(b)));
				memcpy(b, a, sizeof(b));
				CHECK(memcpy(b + to, a + from, n) == b + to);
				CHECK(!memcmp(b, expected, sizeof(b)));
			}
			memset(b, 1, sizeof(b));
			CHECK(memset(b + from, 0x1a5, n) == b + from);
			for (size_t i = 0; i < sizeof(b); i++)
				CHECK_EQ(b[i], i >= from && i < from + n ? 0xa5 : 1);
		}
	}
}

static void characters(void)
{
	static int (*const classes[])(int) = { isalnum, isalpha, isblank, iscntrl,
					       isdigit, isgraph, islower, isprint,
					       ispunct, isspace, isupper, isxdigit };

	for (size_t k = 0; k < sizeof(classes) / sizeof(*classes); k++) {
		unsigned long sum = 0;

		for (int c = -1; c < 256; c++)
			sum = sum * 31 + (classes[k](c) != 0);
		printf("%lx ", sum);
	}
	for (int c = 0; c < 128; c++)
		printf("%02x%02x", tolower(c), toupper(c));
	putchar('\n');
}

static void patterns(void)
{
	static const char *const tests[][2] = {
		{ "*", "" }, { "*", "abc" }, { "a*c", "abc" }, { "a*c", "abd" },
		{ "a?c", "abc" }, { "a?c", "ac" }, { "[a-c]x", "bx" }, { "[!a-c]x", "bx" },
		{ "[]]", "]" }, { "\\*", "*" }, { "\\*", "a" }, { "*.c", "file.c" },
		{ "*.c", "file.h" }, { "a**b", "axyb" }, { "*a*b*c*", "xaybzc" },
		{ "*a*b*c*", "xcybza" }, { "", "" }, { "", "a" }, { "[a", "[a" },
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		printf("%d", fnmatch(tests[i][0], tests[i][1], 0) != 0);
	printf(" %d%d", fnmatch("*", ".x", FNM_PERIOD) != 0, fnmatch(".*", ".x", FNM_PERIOD) != 0);
	printf("%d%d\n", fnmatch("*", "a/b", FNM_PATHNAME) != 0,
	       fnmatch("*/b", "a/b", FNM_PATHNAME) != 0);
}

static void environment(void)
{
	CHECK_EQ(setenv("LIBC_TEST", "one", 1), 0);
	CHECK(!strcmp(getenv("LIBC_TEST"), "one"));
	CHECK_EQ(setenv("LIBC_TEST", "two", 0), 0);
	CHECK(!strcmp(getenv("LIBC_TEST"), "one"));
	CHECK_EQ(setenv("LIBC_TEST", "two", 1), 0);
	CHECK(!strcmp(getenv("LIBC_TEST"), "two"));
	CHECK(!getenv("LIBC_TES") && !getenv("LIBC_TEST2"));
	CHECK_EQ(putenv("LIBC_PUT=x=y"), 0);
	CHECK(!strcmp(getenv("LIBC_PUT"), "x=y"));
	CHECK_EQ(unsetenv("LIBC_TEST"), 0);
	CHECK(!getenv("LIBC_TEST"));
	CHECK_ERRNO(setenv("", "x", 1), EINVAL);
	CHECK_ERRNO(setenv("A=B", "x", 1), EINVAL);
}

static void options(void)
{
	char *argv[] = { "prog", "-ab", "-c", "arg", "-dvalue", "-z", "--", "rest", NULL };
	int c;

	opterr = 0;
	while ((c = getopt(8, argv, "abc:d:")) != -1)
		printf("%c%s ", c, c == 'c' || c == 'd' ? optarg : "");
	printf("%d %s\n", optind, argv[optind]);
}

static void calendar(void)
{
	static const time_t times[] = { 0, 951782400, 951868799, 1700000000, 4102444800,
					-1, 68169600, -2203891200, 253402300799 };
	static const char format[] = "%Y-%m-%d %H:%M:%S %a %A %b %B %j %e %y %%";
	char text[80];
	struct tm tm;

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		CHECK(gmtime_r(&times[i], &tm) == &tm);
		CHECK(strftime(text, sizeof(text), format, &tm));
		CHECK_EQ(timegm(&tm), times[i]);
		puts(text);
	}
	CHECK_EQ(strftime(text, 3, "%Y", &tm), 0);
}

static void messages(void)
{
	for (int i = 0; i < 41; i++)
		puts(strerror(i));
	puts(strerror(ETIMEDOUT));
	puts(strerror(9999));
	for (int i = 1; i < 32; i++)
		printf("%s;", strsignal(i));
	putchar('\n');
}

static void at_exit_b(void)
{
	puts("second");
}

static void at_exit_a(void)
{
	puts("first");
}

static void exit_handlers(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		atexit(at_exit_b);
		atexit(at_exit_a);
		printf("no newline yet, ");
		exit(4);
	}
	expect_exit(pid, 4);
}

/* Numbers after the last system call, in a gap, and before the first. */
static void unknown_calls(void)
{
	CHECK_ERRNO(syscall(100000), ENOSYS);
	CHECK_ERRNO(syscall(390), ENOSYS);
	CHECK_ERRNO(syscall(-1), ENOSYS);
}

static const struct test_case cases[] = {
	CASE(print_integers),
	CASE(print_text),
	CASE(print_floats),
	CASE(text_to_integers),
	CASE(text_to_floats),
	CASE(scanning),
	CASE(sorting_and_searching),
	CASE(strings),
	CASE(copying_memory),
	CASE(characters),
	CASE(patterns),
	CASE(environment),
	CASE(options),
	CASE(calendar),
	CASE(messages),
	CASE(exit_handlers),
	CASE(unknown_calls),
};

TEST_MAIN(cases)
