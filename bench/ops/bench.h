/* The description of a measured operation, and how time is read: an instruction is a nanosecond. */
#pragma once

#include <err.h>
#include <stdint.h>
#include <unistd.h>

/*
 * Does the operation @n times. Returns the time, without set-up and clean-up; 0 if it cannot be
 * done.
 */
typedef uint64_t (*bench_fn)(unsigned n);

/*
 * The machine's own clock, in nanoseconds since its reset. Under QEMU's -icount shift=0 that is the
 * number of instructions it has executed.
 */
static inline uint64_t clock_now(void)
{
#ifdef __riscv
	uint64_t now;

	__asm__ volatile("rdinstret %0" : "=r"(now) : : "memory");
	return now;
#else
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
#endif
}

static inline long check(long result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
	return result;
}

/* A figure of /proc/meminfo, in KiB. */
long meminfo(const char *name);

void mark_begin(void);
void mark_end(void);

uint64_t null_syscall(unsigned n);
uint64_t yield_alone(unsigned n);
uint64_t open_close(unsigned n);
uint64_t signal_self(unsigned n);
uint64_t create_unlink(unsigned n);
uint64_t write_mib(unsigned n);
uint64_t read_mib(unsigned n);

uint64_t yield_pair(unsigned n);
uint64_t fork_exit_wait(unsigned n);
uint64_t fork_exec_wait(unsigned n);
uint64_t thread_create_join(unsigned n);
uint64_t futex_wake(unsigned n);
uint64_t futex_wake_timed(unsigned n);
extern void (*partner_begins)(void);	/* called first by futex_wake()'s other thread */
uint64_t sleep_wake(unsigned n);

uint64_t pipe_self(unsigned n);
uint64_t pipe_rtt(unsigned n);
uint64_t pipe_byte(unsigned n);

uint64_t page_touch(unsigned n);
uint64_t munmap_page(unsigned n);
uint64_t map_many(unsigned n);
uint64_t map_file_many(unsigned n);

/* Prints how late a real-time thread runs while others are busy. */
void latency(void);

/* Prints the costs of operations in crowds of up to @most threads. */
void crowd(unsigned most);

/* Starts threads of this process that do @fn from now on. */
void gather(unsigned n, void *(*fn)(void *));

/* Does @what, "wake", "expire" or "kill", to @n threads at one moment. */
void many(const char *what, unsigned n);
