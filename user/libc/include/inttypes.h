/* Conversions for the integers of stdint.h: 64 bits are `long` on both machines. */
#pragma once

#include <stdint.h>

#define PRId8	"d"
#define PRId16	"d"
#define PRId32	"d"
#define PRId64	"ld"
#define PRIi32	"i"
#define PRIi64	"li"
#define PRIu8	"u"
#define PRIu16	"u"
#define PRIu32	"u"
#define PRIu64	"lu"
#define PRIo64	"lo"
#define PRIx8	"x"
#define PRIx16	"x"
#define PRIx32	"x"
#define PRIx64	"lx"
#define PRIX32	"X"
#define PRIX64	"lX"
#define PRIdPTR	"ld"
#define PRIuPTR	"lu"
#define PRIxPTR	"lx"
#define PRIdMAX	"ld"
#define PRIuMAX	"lu"
#define PRIxMAX	"lx"
#define SCNd32	"d"
#define SCNd64	"ld"
#define SCNu32	"u"
#define SCNu64	"lu"
#define SCNx32	"x"
#define SCNx64	"lx"

intmax_t strtoimax(const char *s, char **end, int base);
uintmax_t strtoumax(const char *s, char **end, int base);
