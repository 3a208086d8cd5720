/*
 * Shared by all files: fixed-width integers, address types and a few macros.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* From the compiler's own macros: not every cross compiler has a stdint.h. */
typedef __UINT8_TYPE__ u8;
typedef __UINT16_TYPE__ u16;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;
typedef __INT32_TYPE__ s32;
typedef __INT64_TYPE__ s64;

#define S32_MIN			(-__INT32_MAX__ - 1)
#define S32_MAX			__INT32_MAX__
#define S64_MAX			__INT64_MAX__
#define U32_MAX			__UINT32_MAX__
#define U64_MAX			__UINT64_MAX__

typedef u64 paddr_t;		/* a physical address */
typedef u64 vaddr_t;		/* a virtual address of user or kernel, to be checked or cast */
typedef u64 pte_t;		/* a page table entry, in the port's format */
typedef s32 tid_t;		/* thread id; a process's id is that of its first thread */
typedef s32 pid_t;
typedef s64 off_t;
typedef s64 ssize_t;

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1UL << (n))
#define MIN(a, b)		((a) < (b) ? (a) : (b))
#define MAX(a, b)		((a) > (b) ? (a) : (b))
#define ALIGN_UP(x, a)		(((x) + (a) - 1) & ~((u64)(a) - 1))	/* a: a power of two */
#define ALIGN_DOWN(x, a)	((x) & ~((u64)(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((u64)(a) - 1)) == 0)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define static_assert		_Static_assert

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define noreturn		__attribute__((noreturn))
#define noinline		__attribute__((noinline))
#define always_inline		inline __attribute__((always_inline))
#define printf_like(f, a)	__attribute__((format(printf, f, a)))
#define must_check		__attribute__((warn_unused_result))

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)

#define MAX_CPUS		8

#define NSEC_PER_USEC		1000UL
#define NSEC_PER_MSEC		1000000UL
#define NSEC_PER_SEC		1000000000UL

/* Whether @a comes before @b. Both may wrap, so the sign of the difference decides. */
static inline bool time_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}
