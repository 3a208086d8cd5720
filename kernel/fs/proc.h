/*
 * /proc: what proc.c (names, reading) and the files' contents (proc_system.c, proc_process.c)
 * share.
 */
#pragma once

#include "types.h"

struct process;

/* Text that grows as it is written. A lack of memory is remembered and loses the rest. */
struct text {
	char *buf;
	size_t len, size;
	bool failed;
};

void text_append(struct text *t, const char *s, size_t len);
void text_printf(struct text *t, const char *fmt, ...) printf_like(2, 3);

struct proc_system_file {
	const char *name;
	void (*show)(struct text *t);
};

struct proc_process_file {
	const char *name;
	void (*show)(struct text *t, struct process *p);	/* p is referenced */
};

#define PROC_SYSTEM_FILES	3
#define PROC_PROCESS_FILES	6

extern const struct proc_system_file proc_system_files[PROC_SYSTEM_FILES];
extern const struct proc_process_file proc_process_files[PROC_PROCESS_FILES];
