/* The parts of strace: names.c names numbers, print.c prints a call, main.c does the rest. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "../../../kernel/abi/strace_record.h"

enum kind {
	KIND_END, KIND_fd, KIND_dirfd, KIND_path, KIND_in, KIND_out, KIND_size, KIND_iov, KIND_ptr,
	KIND_off, KIND_whence, KIND_addr, KIND_length, KIND_pid, KIND_sig, KIND_id, KIND_time,
	KIND_clock, KIND_openflags, KIND_atflags, KIND_mode, KIND_access, KIND_prot, KIND_mapflags,
	KIND_cloneflags, KIND_futexop, KIND_flags, KIND_int, KIND_uint, KIND_long,
};

struct call {
	unsigned number;
	const char *name;
	enum kind kinds[7];		/* the last is KIND_END */
};

/* A record and the bytes behind it; the record of the return has the result. */
struct event {
	struct strace_record record;
	char bytes[6 * STRACE_BYTES];
};

const struct call *call_of(unsigned number);	/* NULL: unknown */
const struct call *call_named(const char *name, size_t len);

/* Prints "O_RDWR|O_CREAT" or "SIGINT". Returns false if numbers of this kind have no names. */
bool print_named(FILE *to, enum kind kind, unsigned long value);

/* Prints "name(args) = result"; @leaving NULL: the call never returned. */
void print_call(FILE *to, const struct event *entering, const struct event *leaving);
