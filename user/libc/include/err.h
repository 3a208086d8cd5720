/* Messages on standard error: "program: text: reason". warnx() and errx() leave the reason out. */
#pragma once

#define __ERR_PRINTF(fmt)	__attribute__((format(printf, fmt, (fmt) + 1)))

_Noreturn void err(int status, const char *fmt, ...) __ERR_PRINTF(2);
_Noreturn void errx(int status, const char *fmt, ...) __ERR_PRINTF(2);
void warn(const char *fmt, ...) __ERR_PRINTF(1);
void warnx(const char *fmt, ...) __ERR_PRINTF(1);
