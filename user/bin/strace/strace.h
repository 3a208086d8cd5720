/* The parts of strace: names.c has the numbers' names, print.c writes a call, main.c the rest. */
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

/* A record with its bytes; the record of leaving has the result. */
struct event {
	struct strace_record record;
	char bytes[6 * STRACE_BYTES];
};

const struct call *call_of(unsigned number);	/* NULL: unknown */
const struct call *call_named(const char *name, size_t len);

/* "O_RDWR|O_CREAT", "SIGINT": a number of a kind that has names. False: it has none. */
bool print_named(FILE *to, enum kind kind, unsigned long value);

/* "name(args) = result"; @leaving NULL: it never came back. */
void print_call(FILE *to, const struct event *entering, const struct event *leaving);
