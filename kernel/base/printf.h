/*
 * Formatting and the kernel's log.
 *
 * Conversions: %d %i %u %x %o %c %s %p %%, with l, ll, z, width, precision, '-', '0'. No floats.
 * %pS prints an address in the kernel's text as function+0x12.
 *
 * kprintf() writes to the kernel's log and the console. It never blocks, may be called from any
 * context, and its bytes are never mixed with those of user programs (kernel/console/README.md).
 */
#pragma once

#include <stdarg.h>

#include "types.h"

/*
 * Where messages go: @say writes them, @flush waits until they are out. The console sets this as
 * soon as it can print; earlier messages are lost.
 */
struct printf_output {
	void (*say)(const char *text, size_t n);
	void (*flush)(void);
};

extern const struct printf_output *printf_output;

int snprintf(char *buf, size_t size, const char *fmt, ...) printf_like(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) printf_like(3, 0);
void kprintf(const char *fmt, ...) printf_like(1, 2);
void vkprintf(const char *fmt, va_list ap) printf_like(1, 0);

/* Waits until all that kprintf() has written is on the wire. */
void kprintf_flush(void);
