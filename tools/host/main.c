/*
 * Runs the kernel's tests of pure logic as a program for this machine, under the sanitizers: it has
 * the test runner's interface (ktest.h) and the few kernel functions that the tested code calls.
 *
 * It prints "ok NAME" or "FAIL NAME" for each test. A sanitizer's report ends the program.
 */
#include "base/printf.h"
#include "base/string.h"
#include "base/symbols.h"
#include "test/instrument.h"
#include "test/ktest.h"

/* Of the C library, whose headers would clash with the kernel's. */
noreturn void exit(int status);
ssize_t write(int fd, const void *buf, size_t n);

/* The linker knows where a section begins and ends if its name is an identifier. */
extern const struct ktest __start_ktests[], __stop_ktests[];

static unsigned failed;
static void *after_test[5];

/* The port's part. */
void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((u8 *)dst)[i] = ((const u8 *)src)[i];
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((u8 *)dst)[i] = c;
	return dst;
}

static void say(const char *text, size_t n)
{
	while (n) {
		ssize_t written = write(1, text, n);

		if (written <= 0)
			exit(2);
		text += written;
		n -= written;
	}
}

const char *symbol_name(vaddr_t pc, u64 *offset)
{
	(void)pc;
	*offset = 0;
	return "?";
}

noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vkprintf(fmt, ap);
	va_end(ap);
	kprintf("\n");
	exit(1);
}

void ktest_check(bool ok, const char *property, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	(void)property;
	if (ok || failed++ > 3)
		return;
	kprintf("  %s:%d: ", file, line);
	va_start(ap, fmt);
	vkprintf(fmt, ap);
	va_end(ap);
	kprintf("\n");
}

noreturn void ktest_abort(void)
{
	__builtin_longjmp(after_test, 1);
}

void ktest_figure(const char *name, u64 value)
{
	kprintf("  %s %lu\n", name, value);
}

u64 test_random(void)
{
	static u64 state;
	u64 x = state += 0x9e3779b97f4a7c15UL;

	/* splitmix64 (Steele, Lea, Flood 2014) */
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebUL;
	return x ^ (x >> 31);
}

/* For units that need a machine: tools/host/machine.c. */
void machine_start(void) __attribute__((weak));

int main(void)
{
	static const struct printf_output output = { .say = say };
	bool good = true;

	printf_output = &output;
	if (machine_start)
		machine_start();
	for (const struct ktest *volatile t = __start_ktests; t < __stop_ktests; t++) {
		failed = 0;
		if (!__builtin_setjmp(after_test))
			t->fn();
		kprintf("%s %s\n", failed ? "FAIL" : "ok", t->name);
		good = good && !failed;
	}
	return !good;
}
