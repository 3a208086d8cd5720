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

struct proc_file {
	const char *name;
	void (*show)(struct text *t, struct process *p);	/* p is referenced, or NULL */
};

/* Both end with an entry that has no name. "self", which alone has no show, is a link. */
extern const struct proc_file proc_system_files[];
extern const struct proc_file proc_process_files[];
